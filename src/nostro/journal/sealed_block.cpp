#include "nostro/journal/sealed_block.hpp"

#include <cstring>
#include <string>
#include <utility>

#include "nostro/base/crc32c.hpp"

namespace nostro {
namespace {

constexpr std::uint32_t kVersion = 1;
constexpr std::size_t kCrcAt = 12;

}  // namespace

SealedBlock::SealedBlock(std::string_view magic, std::size_t bytes) : bytes_(bytes) {
    writer_.text(magic);
    writer_.u32(kVersion);
    writer_.u32(0);
}

std::vector<std::byte> SealedBlock::finish() {
    writer_.finish();
    NOSTRO_ASSERT(memory_.size() <= bytes_, "a sealed block has room for its fields");
    memory_.resize(bytes_);
    const auto crc = crc32c(std::span<const std::byte>(memory_).subspan(kSealedHead));
    std::memcpy(memory_.data() + kCrcAt, &crc, sizeof crc);
    return std::move(memory_);
}

Result<ByteReader> open_sealed(std::span<const std::byte> block, std::string_view magic) {
    ByteReader in(block);
    if (in.text(magic.size()) != magic) return Error{ErrorCode::corrupt, "does not begin as it must"};
    const auto version = in.u32();
    const auto crc = in.u32();
    if (!in.ok() || crc != crc32c(block.subspan(kSealedHead))) {
        return Error{ErrorCode::corrupt, "its checksum does not match"};
    }
    if (version != kVersion) {
        return Error{ErrorCode::corrupt, "has version " + std::to_string(version) + ", this program knows 1"};
    }
    return in;
}

void put_digest(ByteWriter& out, const Digest& digest) { out.bytes(std::as_bytes(std::span(digest))); }

Digest take_digest(ByteReader& in) {
    Digest digest{};
    const auto bytes = in.bytes(digest.size());
    if (!bytes.empty()) std::memcpy(digest.data(), bytes.data(), digest.size());
    return digest;
}

void put_instant(ByteWriter& out, Instant at) { out.i64(at.time_since_epoch().count()); }

Instant take_instant(ByteReader& in) { return Instant{std::chrono::nanoseconds{in.i64()}}; }

}  // namespace nostro
