// The blocks around frames, images and ids have one shape: eight letters of magic, a version, a CRC32C of all that
// follows, then fields, then zeros up to a fixed size.
#pragma once
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "nostro/base/bytes.hpp"
#include "nostro/base/ids.hpp"
#include "nostro/base/result.hpp"

namespace nostro {

class SealedBlock {
public:
    // `version` is 1 for every format so far.
    SealedBlock(std::string_view magic, std::size_t bytes);
    ByteWriter& fields() { return writer_; }
    std::vector<std::byte> finish();  // once

private:
    std::size_t bytes_;
    std::vector<std::byte> memory_;
    ByteWriter writer_{memory_};
};
constexpr std::size_t kSealedHead = 16;

// Gives the fields. `corrupt`: says what does not match; the caller adds where.
Result<ByteReader> open_sealed(std::span<const std::byte> block, std::string_view magic);

void put_digest(ByteWriter& out, const Digest& digest);
Digest take_digest(ByteReader& in);
void put_instant(ByteWriter& out, Instant at);
Instant take_instant(ByteReader& in);

}  // namespace nostro
