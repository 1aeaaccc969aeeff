#include "nostro/engine/settlement.hpp"

#include <algorithm>
#include <utility>

#include "nostro/base/assert.hpp"

namespace nostro {
namespace {

// More commands than that, and a submission stands in the slow lane, where singles pass it.
constexpr std::size_t kSingleMax = 64;

}  // namespace

void Settlement::Turn::clear() {
    seq = 0;
    answers.clear();
    source_answers.clear();
    reads.clear();
    policies.clear();
}

Settlement::Settlement(SettlementParts parts, SettlementLimits limits)
    : parts_(std::move(parts)),
      limits_(limits),
      book_(*parts_.book),
      journal_(*parts_.journal),
      follower_(
          {.book = parts_.book, .journal = parts_.journal, .policies = parts_.policies, .sealed = parts_.sealed}) {
    for (Source* source : parts_.sources) sources_.push_back({source, {}, 0});
    limits_.frame_bytes_max = std::min(limits_.frame_bytes_max, journal_.frame_bytes_max());
    builder_ = std::make_unique<FrameBuilder>(journal_.frame_bytes_max());
}

Settlement::~Settlement() = default;

Result<std::size_t> Settlement::step(Instant now, Caller caller) {
    replied_ = false;
    caller_ = caller;
    if (following_) return step_behind(now);
    now = std::max({now, head_.time, turn_.time});  // also not before a frame that was not written
    auto released = release();
    if (!released) return released.error();
    if (follower_.forget_sealed()) note_full_table();
    arrive();
    std::size_t done = *released;
    if (parts_.frames->accepted() >= take_over_seq_) {
        auto decided = decide(now);
        if (!decided) return decided.error();
        done += *decided;
    }
    answer_reads(now);
    if (replied_ && parts_.on_replies) parts_.on_replies();
    return done;
}

bool Settlement::idle() const { return singles_.empty() && bulk_.empty() && reads_.empty() && in_flight_.empty(); }

// Answers of every frame accepted since the last turn. What it tells can be read before it is told.
Result<std::size_t> Settlement::release() {
    if (in_flight_.empty()) return std::size_t{0};
#ifdef NOSTRO_MUTANT_ANSWER_BEFORE_ACCEPTANCE  // see tests/mutants
    for (auto& turn : in_flight_) {
        answer(turn);
        turn.answers.clear();
        turn.source_answers.clear();
        turn.reads.clear();
    }
#endif
    const auto accepted = journal_.accepted();
    if (!accepted) return accepted.error();
    if (*accepted < in_flight_.front().seq) return std::size_t{0};

    std::size_t released = 0;
    parts_.frames->set_accepted(std::min(*accepted, head_.seq));
    for (auto& turn : in_flight_) {
        if (turn.seq > *accepted) break;
        for (auto& [tenant, policy] : turn.policies) parts_.policies->publish(tenant, policy);
        parts_.metrics->accept.record(elapsed_since(turn.handed_over));
    }
    if (parts_.on_accepted) parts_.on_accepted(parts_.frames->accepted());
    while (!in_flight_.empty() && in_flight_.front().seq <= *accepted) {
        answer(in_flight_.front());
        in_flight_.front().clear();
        spare_turns_.push_back(std::move(in_flight_.front()));
        in_flight_.pop_front();
        ++released;
    }
    return released;
}

void Settlement::answer(Turn& turn) {
    for (auto& pending : turn.answers) {
        replied_ = true;
        pending->submission->reply(std::move(pending->receipts));
    }
    for (auto& [source, answers] : turn.source_answers) source->answered(std::move(answers));
    for (auto& read : turn.reads) {
        replied_ = true;
        read->answer(AsOf{turn.seq, turn.time});
    }
}

void Settlement::arrive() {
    parts_.inbox->take(arrived_, reads_);
    for (auto& submission : arrived_) {
        auto pending = std::make_unique<Pending>();
        auto& lane = submission->commands.size() <= kSingleMax ? singles_ : bulk_;
        if (submission->commands.size() == 1)
            book_.prefetch(submission->commands.front());  // of more: as they are taken
        pending->receipts.reserve(submission->commands.size());
        pending->submission = std::move(submission);
        lane.push_back(std::move(pending));
    }
    arrived_.clear();
}

void Settlement::answer_reads(Instant now) {
    for (auto& read : reads_) {
        read->ask(book_, now);
        if (in_flight_.empty()) {
            replied_ = true;
            read->answer(AsOf{head_.seq, head_.time});
        } else {
            in_flight_.back().reads.push_back(std::move(read));
        }
    }
    reads_.clear();
}

Result<std::size_t> Settlement::decide(Instant now) {
    if (resting_) {
        turn_away();
        return std::size_t{0};
    }
    if (in_flight_.size() >= journal_.in_flight_max()) return wait_for_journal();
    const bool due = book_.next_due() <= now;
    bool may_take = turned_away_.empty();
    if (!may_take) {
        const auto may = may_take_commands();  // asked again at each turn, so that it says at once when there is room
        if (!may) return may.error();
        may_take = *may;
    }
    if (may_take) {
        if (auto polled = poll_sources(); !polled) return polled.error();
    }
    const bool work = !singles_.empty() || !bulk_.empty() || has_arrivals();
    const bool closes = closes_segment();
    if (!work && !due && !closes) return std::size_t{0};
    if (may_take && work) {
        const auto may = may_take_commands();
        if (!may) return may.error();
        may_take = *may;
    }
    if (!may_take) {
        turn_away();
        if (!due && !closes) return std::size_t{0};
    }
    if (!may_take || !work) {
        const auto room = journal_.ready(Journal::Need::upkeep);
        if (!room && room.error().code == ErrorCode::unavailable) return std::size_t{0};
        if (!room) return room.error();
    }

    open_frame(now, limits_.expiries_per_frame_max);
    if (may_take) {
        if (auto filled = fill_frame(); !filled) return filled.error();
    }
    std::size_t done = working_on_.size() + changes_.outcomes.size();
    // A source that waits for room in the Book must not keep this thread busy.
    const bool only_waits = !closes && waiting_ != 0 && done <= waiting_ && recorded_ == 0 && changes_.empty() &&
                            turn_.answers.empty() && cursors_ == head_.cursors;
    done = only_waits ? 0 : std::max<std::size_t>(done, 1);
    if (auto closed = close_frame(closes); !closed) return closed.error();
    return done;
}

// No further frame may be under way. Where the journal confirms none for long, those who are in no frame yet are told
// so instead of waiting with those who are.
Result<std::size_t> Settlement::wait_for_journal() {
    const bool waits = !singles_.empty() || !bulk_.empty();
    if (!waits || steady_now() - in_flight_.front().handed_over < limits_.journal_slow_after) return std::size_t{0};
    const auto may = may_take_commands();
    if (!may) return may.error();
    if (!*may) turn_away();
    return std::size_t{0};
}

// Known ids leave memory for the sealed runs only, and those are made of closed segments. Asked as soon as a generation
// waits, so that it is sealed by the time the running one is full; and with an empty frame if need be, because a Book
// that is full of ids records nothing that would fill a segment.
bool Settlement::closes_segment() {
    const Seq waits = parts_.sealed != nullptr ? book_.waits_for_seal() : 0;
    return waits != 0 && journal_.close_through(waits);
}

void Settlement::note_full_table() {
    const std::string_view full = book_.full();  // a literal, "book.holds_max"
    constexpr std::string_view kSection = "book.";
    full_table_.store(full.starts_with(kSection) ? full.data() + kSection.size() : "", std::memory_order_relaxed);
}

void Settlement::note_forgotten() { forgotten_through_.store(book_.forgotten_through(), std::memory_order_release); }

Result<bool> Settlement::may_take_commands() {
    const auto room = journal_.ready(Journal::Need::intake);
    if (!room && room.error().code != ErrorCode::unavailable) return room.error();
    std::string reason = room ? std::string() : room.error().what;
    // A journal beyond this machine has a word of its own; what is left is a lack of space.
    if (!room && !reason.starts_with("journal_unavailable:")) reason = "no_space: " + reason;
    set_turned_away(std::move(reason));
    return static_cast<bool>(room);
}

// What is worse than `unavailable` is met by the next step.
void Settlement::look_at_journal() {
    if (!following_ && !resting_) static_cast<void>(may_take_commands());
}

void Settlement::set_turned_away(std::string reason) {
    if (reason == turned_away_) return;
    const std::lock_guard lock(turned_away_mutex_);
    turned_away_ = std::move(reason);
}

std::string Settlement::turned_away() const {
    const std::lock_guard lock(turned_away_mutex_);
    return turned_away_;
}

// What waits is answered at once; sources wait where they are. Of a bulk submission whose first part is in a frame,
// that part is answered with its frame.
void Settlement::turn_away() {
    for (auto* lane : {&singles_, &bulk_}) {
        for (auto& pending : *lane) {
            const Submission& submission = *pending->submission;
            parts_.metrics->not_taken.add(submission.commands.size() - pending->next);
            parts_.inbox->decided(submission.commands.size(), submission.encoded.size());
            if (pending->next == 0) {
                replied_ = true;
                submission.reply(Error{ErrorCode::unavailable, turned_away_});
            } else if (in_flight_.empty()) {
                replied_ = true;
                submission.reply(std::move(pending->receipts));
            } else {
                in_flight_.back().answers.push_back(std::move(pending));
            }
        }
        lane->clear();
    }
}

void Settlement::give_up() {
    const Error unknown{ErrorCode::unknown,
                        "outcome_unknown: the engine ended before this was durable; ask again "
                        "with the same key"};
    const Error stopping{ErrorCode::unavailable, "stopping: the engine ended before it came to this"};
    for (auto& turn : in_flight_) {
        for (auto& pending : turn.answers) pending->submission->reply(unknown);
        for (auto& read : turn.reads) read->answer(stopping);
    }
    in_flight_.clear();
    for (auto& pending : turn_.answers) pending->submission->reply(unknown);  // of a frame that could not be appended
    turn_.clear();
    arrive();
    for (auto* lane : {&singles_, &bulk_}) {
        for (auto& pending : *lane) pending->submission->reply(pending->next == 0 ? stopping : unknown);
        lane->clear();
    }
    for (auto& read : reads_) read->answer(stopping);
    reads_.clear();
}

}  // namespace nostro
