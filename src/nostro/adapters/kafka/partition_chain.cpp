#include "nostro/adapters/kafka/partition_chain.hpp"

#include <algorithm>
#include <cstring>
#include <iterator>
#include <utility>

#include "nostro/base/bytes.hpp"
#include "nostro/base/crc32c.hpp"
#include "nostro/wire/frame_record.hpp"

namespace nostro {
namespace {

constexpr std::string_view kClaimMagic = "NOSTROCL";
constexpr std::uint16_t kClaimVersion = 1;
constexpr std::size_t kClaimCrcAt = kKafkaClaimBytes - 4;

}  // namespace

std::vector<std::byte> encode_claim(const KafkaClaim& claim) {
    std::vector<std::byte> bytes(kKafkaClaimBytes);
    RawWriter raw(bytes.data());
    raw.text(kClaimMagic);
    raw.u16(kClaimVersion);
    raw.u16(kKafkaClaimBytes);
    raw.u32(claim.epoch);
    raw.u64(claim.nonce);
    raw.u64(claim.seen);
    raw.u32(0);
    raw.u32(crc32c(std::span(bytes).first(kClaimCrcAt)));
    return bytes;
}

Result<KafkaClaim> decode_claim(std::span<const std::byte> bytes) {
    const Error none{ErrorCode::invalid, "the record is no claim"};
    if (bytes.size() != kKafkaClaimBytes) return none;
    ByteReader in(bytes);
    if (in.text(kClaimMagic.size()) != kClaimMagic || in.u16() != kClaimVersion || in.u16() != kKafkaClaimBytes) {
        return none;
    }
    KafkaClaim claim;
    claim.epoch = in.u32();
    claim.nonce = in.u64();
    claim.seen = in.u64();
    if (in.u32() != 0 || in.u32() != crc32c(bytes.first(kClaimCrcAt))) return none;
    return claim;
}

PartitionChain::Verdict PartitionChain::look(std::int64_t offset, std::span<const std::byte> record, FramePtr& frame) {
    next_offset_ = offset + 1;
    if (const auto claim = decode_claim(record)) {
        if (claim->epoch > epoch_) {
            epoch_ = claim->epoch;
            owner_ = claim->nonce;
            if (origin_ == 0) origin_ = owner_;
            return Verdict::claim;
        }
    } else if (auto decoded = decode_record(record);
               decoded && (*decoded)->header.epoch == epoch_ && advance(point_, **decoded)) {
        count(point_.seq, offset);
        frame = std::move(*decoded);
        return Verdict::frame;
    }
    ++void_records_;
    return Verdict::nothing;
}

Result<> PartitionChain::accept(const EncodedFrame& frame) {
    if (frame.header.epoch != epoch_) return Error{ErrorCode::invalid, "the frame is not of the owner's epoch"};
    if (auto done = advance(point_, frame); !done) return done;
    count(point_.seq, next_offset_++);
    return {};
}

void PartitionChain::begin_behind(const ChainPoint& point, std::int64_t next_offset, std::uint64_t origin,
                                  std::uint64_t owner) {
    point_ = point;
    epoch_ = point.epoch;  // a frame that counts is of the newest claim before it
    origin_ = origin;
    owner_ = owner;
    next_offset_ = next_offset;
}

void PartitionChain::count(Seq seq, std::int64_t offset) {
    const std::int64_t shift = offset - static_cast<std::int64_t>(seq);
    if (shifts_.empty() || shifts_.rbegin()->second != shift) shifts_.emplace_hint(shifts_.end(), seq, shift);
}

std::int64_t PartitionChain::offset_of(Seq seq) const {
    auto after = shifts_.upper_bound(seq);
    const std::int64_t shift = after == shifts_.begin() ? 0 : std::prev(after)->second;
    return static_cast<std::int64_t>(seq) + shift;
}

}  // namespace nostro
