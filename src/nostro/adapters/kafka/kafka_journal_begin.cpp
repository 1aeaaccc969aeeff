// Beginning to read where somebody else has come to: the frame is found by its number, and known by its digest.
#include <fmt/format.h>

#include <algorithm>

#include "nostro/adapters/kafka/kafka_journal.hpp"
#include "nostro/wire/frame_record.hpp"

namespace nostro {
namespace {

constexpr std::chrono::milliseconds kEndsPatience{10'000};
constexpr int kStepsMax = 64;
constexpr std::int64_t kNear = 64;  // records that are read one after the other
constexpr std::int64_t kAstray = 512;

}  // namespace

// Claims and what is no frame are passed over.
Result<std::optional<KafkaJournal::Met>> KafkaJournal::first_frame(std::int64_t from) {
    std::optional<Met> met;
    auto read =
        log_->read(from, options_.look_up_patience, [&](std::int64_t offset, std::span<const std::byte> record) {
            if (const auto frame = decode_record(record)) {
                const auto& header = (*frame)->header;
                met = {offset, header.seq, header.epoch, (*frame)->digest};
            }
            return !met;
        });
    if (!read) return read.error();
    return met;
}

// Frames of the chain stand in the order of their numbers, and between two of them at least as many records as frames:
// each look narrows where the wanted one may be.
Result<std::optional<std::int64_t>> KafkaJournal::offset_of(const ChainPoint& known, std::int64_t first,
                                                            std::int64_t next) {
    std::int64_t low = first, high = next;  // it may be from low on, before high
    std::int64_t guess = next - 1;
    for (int step = 0; step < kStepsMax && high - low > kNear; ++step) {
        const auto met = first_frame(guess);
        if (!met) return met.error();
        const auto away =
            *met ? static_cast<std::int64_t>(known.seq) - static_cast<std::int64_t>((*met)->seq) : std::int64_t{0};
        if (*met && away == 0) {
            low = std::max(low, (*met)->offset - kNear / 2);
            high = std::min(high, (*met)->offset + kNear / 2);
        } else if (*met && away > 0) {
            low = (*met)->offset + 1;
            guess = (*met)->offset + away;
        } else {
            high = guess;
            guess = *met ? (*met)->offset + away : guess - kNear;
        }
        guess = std::clamp(guess, low, std::max(low, high - 1));
    }
    // A frame of a fenced owner is of an earlier number than those around it, and may have led astray by a little.
    for (const std::int64_t wider : {std::int64_t{0}, kAstray}) {
        const auto found = scan_for(known, std::max(first, low - wider), std::min(next, high + wider));
        if (!found || *found) return found;
    }
    return std::optional<std::int64_t>();
}

Result<std::optional<std::int64_t>> KafkaJournal::scan_for(const ChainPoint& known, std::int64_t from,
                                                           std::int64_t until) {
    std::optional<std::int64_t> found;
    if (from >= until) return found;
    auto read =
        log_->read(from, options_.look_up_patience, [&](std::int64_t offset, std::span<const std::byte> record) {
            const auto frame = decode_record(record);
            if (frame && (*frame)->header.seq == known.seq && (*frame)->digest == known.digest) found = offset;
            return !found && offset + 1 < until;
        });
    if (!read) return read.error();
    return found;
}

// Of the claim of that epoch, before one of its frames; 0: it is not there any more. Where frames of the epoch begin is
// found by halves; those of a fenced owner, behind the claim, lead astray by a little.
Result<std::uint64_t> KafkaJournal::owner_of(std::uint32_t epoch, std::int64_t first, std::int64_t frame) {
    std::int64_t low = first, high = frame;
    while (high - low > kNear) {
        const std::int64_t middle = low + (high - low) / 2;
        const auto met = first_frame(middle);
        if (!met) return met.error();
        if (*met && (*met)->epoch < epoch) {
            low = middle;
            continue;
        }
        if (!*met || (*met)->offset >= high) break;  // hardly a frame from the middle on
        high = (*met)->offset;
    }
    std::uint64_t owner = 0;
    const auto claim_in = [&](std::int64_t offset, std::span<const std::byte> record) {
        const auto claim = decode_claim(record);
        if (claim && claim->epoch == epoch) owner = claim->nonce;
        return owner == 0 && offset + 1 < high;
    };
    const std::int64_t from = std::max(first, low - kAstray);
    if (from >= high) return owner;
    if (auto read = log_->read(from, options_.look_up_patience, claim_in); !read) return read.error();
    return owner;
}

Result<> KafkaJournal::begin_behind(const ChainPoint& known) {
    const std::lock_guard lock(mutex_);
    const auto ends = log_->ends(kEndsPatience);
    if (!ends) return ends.error();
    std::optional<std::int64_t> found;
    if (known.seq != 0 && ends->first < ends->next) {
        const auto looked = offset_of(known, ends->first, ends->next);
        if (!looked) return looked.error();
        found = *looked;
    }
    if (found) {
        const auto owner = owner_of(known.epoch, ends->first, *found);
        if (!owner) return owner.error();
        chain_.begin_behind(known, *found + 1, expected_origin_, *owner);
        accepted_.store(known.seq, std::memory_order_release);
        begun_behind_ = known.seq;
        return {};
    }
    if (ends->first == 0) return {};
    return Error{
        ErrorCode::corrupt,
        fmt::format("kafka: {}/{} begins with record {}, older ones were deleted, and {}: start on a data folder, or a "
                    "restored backup of one, that reaches as far as the topic begins",
                    options_.topic, options_.partition, ends->first,
                    known.seq == 0
                        ? "the data folder has none of them"
                        : fmt::format("frame {}, with which the data folder's mirror ends, is not in it", known.seq))};
}

}  // namespace nostro
