// How settlement begins: what was decided is installed, the journal is taken over, and a frame of the new epoch is
// appended. A process that only follows stays at the first of these until it takes over.
#include <algorithm>
#include <utility>

#include "nostro/engine/settlement.hpp"
#include "nostro/wire/command_codec.hpp"

namespace nostro {
namespace {

constexpr std::size_t kFollowedAtOnce = 64;  // frames; reads are answered between them
constexpr std::string_view kStandby = "standby: another process owns the Book; ask that one, or again when it is gone";
constexpr std::string_view kHandingOver = "handing_over: the Book is being given to another process; ask again";

// How many frames' ids one generation of known ids holds: where the next one is free, they find room.
std::size_t frames_with_room(const Book& book, std::size_t payments_of_frame) {
    const auto usage = book.usage();
    const auto known = std::ranges::find(usage, "book.known_max", &Book::TableUse::key);
    const std::uint64_t ids = known != usage.end() ? known->most : 0;
    return std::max<std::size_t>(1, ids / std::max<std::size_t>(1, payments_of_frame));
}

}  // namespace

Result<> Settlement::follow() {
    set_turned_away(std::string(kStandby));
    const auto there = journal_.follow(std::chrono::milliseconds(0));
    if (!there) return there.error();
    if (auto begun = follower_.begin(); !begun) return begun;
    if (auto installed = follower_.install(); !installed) return installed.error();
    following_ = true;
    note_followed();
    told_ = head_.seq;
    return {};
}

void Settlement::note_followed() {
    head_.seq = follower_.installed();
    head_.time = follower_.time();
    note_forgotten();
    parts_.frames->set_accepted(head_.seq);
}

// The turn of who does not own the Book: what others decided is installed, then readers see it. A journal that cannot
// be read at present is read later.
Result<std::size_t> Settlement::step_behind(Instant now) {
    // Ids are sealed by this process' own mirror, perhaps later than the owner's: what has no room yet waits.
    const bool waits = parts_.sealed != nullptr && book_.waits_for_seal() != 0;
    Result<std::size_t> installed = std::size_t{0};
    if (!waits || book_.full() != "book.known_max") {
        std::size_t frames_max = waits ? 1 : kFollowedAtOnce;
        if (parts_.sealed != nullptr) {
            frames_max = std::min(frames_max, frames_with_room(book_, limits_.payments_per_frame_max));
        }
        installed = follower_.install(frames_max);
    }
    if (!installed && installed.error().code != ErrorCode::unavailable) return installed.error();
    const std::size_t done = follower_.installed() - head_.seq;
    if (done != 0) {
        note_followed();
        if (parts_.on_accepted) parts_.on_accepted(head_.seq);
    }
    if (auto told = tell_followed(); !told && told.error().code != ErrorCode::unavailable) return told.error();
    if (follower_.forget_sealed()) note_full_table();
    static_cast<void>(closes_segment());  // no frame of ours would close it
    arrive();
    turn_away();
    answer_reads(std::max(now, head_.time));
    if (replied_ && parts_.on_replies) parts_.on_replies();
    return done;
}

Result<> Settlement::tell_followed() {
    while (parts_.on_followed && told_ < head_.seq) {
        const auto frame = parts_.frames->frame(told_ + 1);
        if (!frame) return frame.error();
        parts_.on_followed(*frame);
        ++told_;
    }
    return {};
}

Result<> Settlement::recover(Instant now, const PolicyPtr& first_policy) {
    auto head = journal_.take_over();
    if (!head) return head.error();
    if (auto begun = follower_.begin(); !begun) return begun;
    if (auto installed = install_up_to(*head); !installed) return installed;
    head_ = std::move(*head);
    if (!book_.is_balanced()) {
        return Error{ErrorCode::corrupt, "the journal's images do not sum to zero: run nostro verify"};
    }
    cursors_ = head_.cursors;
    for (Source* source : parts_.sources) {
        if (auto sought = source->seek(cursors_); !sought) return sought.error();
    }
    parts_.frames->set_accepted(head_.seq);
    if (following_) {
        if (auto told = tell_followed(); !told) return told;
    }
    following_ = false;
    set_turned_away({});
    return append_take_over(std::max(now, head_.time), first_policy);
}

Result<> Settlement::install_up_to(const Head& head) {
    const Seq sealed = parts_.sealed != nullptr ? parts_.sealed->through() : 0;
    if (sealed > head.seq) {
        return Error{ErrorCode::corrupt,
                     "the journal ends at frame " + std::to_string(head.seq) + " but ids are sealed up to frame " +
                         std::to_string(sealed) +
                         ": acknowledged frames are missing; restore the data directory from a backup"};
    }
    if (auto installed = follower_.install(); !installed) return installed.error();
    if (follower_.installed() == head.seq) return {};
    return Error{ErrorCode::corrupt, "the journal ends at frame " + std::to_string(head.seq) +
                                         " but could be read only up to frame " +
                                         std::to_string(follower_.installed())};
}

// Readers of the log, this process among them, learn from it where the old owner's frames end; and nobody is answered
// by an owner who was overtaken while it recovered.
Result<> Settlement::append_take_over(Instant now, const PolicyPtr& first_policy) {
    if (auto room = journal_.ready(Journal::Need::upkeep); !room) return room.error();
    open_frame(now, 0);
    if (first_policy != nullptr && book_.policy(0) == nullptr) {
        Command command;
        command.body = ChangePolicy{.policy = first_policy, .by = "nostro"};
        scratch_.clear();
        encode_command(command, scratch_);
        apply(command, scratch_, {});
    }
    if (auto closed = close_frame(true); !closed) return closed.error();
    take_over_seq_ = head_.seq;
    return {};
}

void Settlement::rest(bool rests) {
    resting_ = rests;
    set_turned_away(rests ? std::string(kHandingOver) : std::string());
}

}  // namespace nostro
