// The rule by which a partition holds one chain of frames, whoever wrote into it and in whatever order: one verdict a
// record, the same for the owner, a standby and every other reader. docs/formats/kafka_journal.md draws the records.
//
//   A claim counts if its epoch is above the one before: from there on its writer owns the chain.
//   A frame counts if it is of the owner's epoch and continues the chain (wire/chain.hpp).
//   Anything else is void: it counts for nobody, and is no error.
#pragma once
#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <vector>

#include "nostro/base/result.hpp"
#include "nostro/wire/chain.hpp"
#include "nostro/wire/frame.hpp"

namespace nostro {

// What a new owner writes first.
struct KafkaClaim {
    std::uint32_t epoch = 0;
    std::uint64_t nonce = 0;  // random, of the owner's process: tells two that claim the same epoch apart
    Seq seen = 0;             // the newest frame it had read; for people
};
inline constexpr std::size_t kKafkaClaimBytes = 40;
std::vector<std::byte> encode_claim(const KafkaClaim& claim);
Result<KafkaClaim> decode_claim(std::span<const std::byte> bytes);  // `invalid`: it is none

// Where reading the partition has come to. Threads: one at a time.
class PartitionChain {
public:
    enum class Verdict : std::uint8_t { frame, claim, nothing };

    // Looks at the record at `offset`, which is the next one or stands behind a hole. A frame that counts comes back in
    // `frame`.
    Verdict look(std::int64_t offset, std::span<const std::byte> record, FramePtr& frame);
    // The same for a frame that is known to stand at next_offset(): the owner's, by its delivery report. `invalid`: it
    // does not count.
    Result<> accept(const EncodedFrame& frame);

    // Begins behind a frame of the chain that is known: the next record to look at is `next_offset`. `owner`: of the
    // claim that the frame is of; 0: that is not in the log any more.
    void begin_behind(const ChainPoint& point, std::int64_t next_offset, std::uint64_t origin, std::uint64_t owner);

    const ChainPoint& point() const { return point_; }
    std::uint32_t epoch() const { return epoch_; }             // of the newest claim; 0: there is none
    std::uint64_t owner() const { return owner_; }             // its nonce
    std::uint64_t origin() const { return origin_; }           // nonce of the very first claim: names this log
    std::int64_t next_offset() const { return next_offset_; }  // the first one not looked at
    std::uint64_t void_records() const { return void_records_; }
    // Where a frame of the chain stands. Seqs and offsets go side by side but for what is no frame of the chain.
    std::int64_t offset_of(Seq seq) const;

private:
    void count(Seq seq, std::int64_t offset);

    ChainPoint point_;
    std::uint32_t epoch_ = 0;
    std::uint64_t owner_ = 0, origin_ = 0, void_records_ = 0;
    std::int64_t next_offset_ = 0;
    std::map<Seq, std::int64_t> shifts_;  // from this frame on, offset - seq
};

}  // namespace nostro
