// How settlement fills a frame: whose turn it is, what fits, what is answered without a record, and the closing.
#include <algorithm>
#include <utility>

#include "nostro/base/assert.hpp"
#include "nostro/base/prefetch.hpp"
#include "nostro/engine/settlement.hpp"
#include "nostro/wire/command_codec.hpp"
#include "nostro/wire/receipts.hpp"

namespace nostro {
namespace {

// Says nothing about the command: sent again when there is room, it is decided.
bool wants_to_wait(const Answer& answer) {
    return answer.kind == Answer::Kind::refused &&
           (answer.reason == Reason::book_full || answer.reason == Reason::no_policy);
}

// What one command may add to a frame at most, beside its own bytes.
constexpr std::size_t kWorstPaymentBytes = 2048;
constexpr std::size_t kWorstCommandBytes = 8192;
// So many payments are written at once when the journal has nothing to do.
constexpr std::size_t kWorthAFrame = 1000;
// How far ahead of its turn a command is looked up.
constexpr std::size_t kPrefetch = 12;

std::span<const std::byte> encoded_of(const Submission& submission, std::size_t index) {
    const std::size_t begin = index == 0 ? 0 : submission.ends[index - 1];
    return submission.encoded.view().subspan(begin, submission.ends[index] - begin);
}

}  // namespace

Result<> Settlement::poll_sources() {
    if (sources_.empty()) return {};
    const std::size_t share = std::max<std::size_t>(1, limits_.payments_per_frame_max / sources_.size());
    for (FromSource& from : sources_) {
        if (!from.empty()) continue;
        from.arrivals.clear();
        from.next = 0;
        const auto polled = from.source->poll(share, from.arrivals);
        if (!polled && polled.error().code != ErrorCode::unavailable) return polled.error();
    }
    return {};
}

bool Settlement::has_arrivals() const {
    return std::any_of(sources_.begin(), sources_.end(), [](const FromSource& from) { return !from.empty(); });
}

void Settlement::open_frame(Instant now, std::size_t expiries_max) {
    opened_ = steady_now();
    changes_.clear();
    builder_->begin();
    recorded_ = 0;
    payments_ = 0;
    alone_ = false;
    waiting_ = 0;
    working_on_.clear();
    if (turn_.answers.capacity() == 0 && !spare_turns_.empty()) {
        turn_ = std::move(spare_turns_.back());
        spare_turns_.pop_back();
    }
    turn_.seq = head_.seq + 1;
    turn_.time = std::max(now, head_.time);
    on_broken_invariant(
        [](void* self) noexcept { static_cast<void>(static_cast<Settlement*>(self)->broken("assertion")); }, this);
    const std::size_t fit = limits_.frame_bytes_max / 2 / kWorstPaymentBytes;
    book_.begin_frame(turn_.seq, turn_.time, std::min(expiries_max, fit), changes_);
    note_forgotten();
}

// Singles first, so that a request of one payment never waits behind a bulk one for more than a frame; but not so many
// that the others starve. What a lane leaves over goes to the next one.
Result<> Settlement::fill_frame() {
    if (first_) {
        const Queue queue = *std::exchange(first_, std::nullopt);
        if (auto taken = take_from(queue, limits_.payments_per_frame_max); !taken) return taken.error();
        if (alone_) return {};
    }
    const auto left = [this] {
        return limits_.payments_per_frame_max - std::min(payments_, limits_.payments_per_frame_max);
    };
    const bool others = has_arrivals() || !bulk_.empty();
    if (auto taken = take_from(Queue::singles, others ? left() / 2 : left()); !taken) return taken.error();
    if (auto taken = take_from(Queue::arrivals, bulk_.empty() ? left() : left() / 2); !taken) return taken.error();
    return take_from(Queue::bulk, left());
}

Result<> Settlement::take_from(Queue queue, std::size_t payments_max) {
    if (queue == Queue::arrivals) return take_arrivals(payments_max);
    std::size_t left = payments_max;
    auto& lane = queue == Queue::singles ? singles_ : bulk_;
    while (!lane.empty()) {
        const auto taken = take(*lane.front(), left);
        if (!taken) return taken.error();
        if (*taken == Taken::no_room) {
            if (std::exchange(suspect_waits_, false)) first_ = queue;
            break;
        }
        finish(std::move(lane.front()));
        lane.pop_front();
        if (queue != Queue::bulk) continue;
        // A bulk submission takes milliseconds. Whoever waits for an earlier frame is answered meanwhile, and the
        // journal is not left idle until all that waits is decided.
        if (auto released = release(); !released) return released.error();
        if (in_flight_.empty() && payments_ >= kWorthAFrame) break;
    }
    return {};
}

// One source after the other, each in order, until the frame is full. One whose command waits for room in the Book lets
// the next one pass; the one that a full frame cuts short begins the next frame.
Result<> Settlement::take_arrivals(std::size_t payments_max) {
    std::size_t left = payments_max;
    const std::size_t begin = first_source_;
    for (std::size_t i = 0; i < sources_.size(); ++i) {
        first_source_ = (begin + i) % sources_.size();
        FromSource& from = sources_[first_source_];
        while (!from.empty()) {
            const std::size_t waiting = waiting_;
            const auto taken = take(from, left);
            if (!taken) return taken.error();
            if (*taken == Taken::no_room && waiting_ != waiting) break;
            if (*taken == Taken::no_room) {
                if (std::exchange(suspect_waits_, false)) first_ = Queue::arrivals;
                return {};
            }
            ++from.next;
        }
    }
    return {};
}

Result<Settlement::Taken> Settlement::take(Pending& pending, std::size_t& payments_left) {
    const Submission& submission = *pending.submission;
    while (pending.next < submission.commands.size()) {
        const Command& command = submission.commands[pending.next];
        if (const std::size_t ahead = pending.next + kPrefetch; ahead < submission.commands.size()) {
            book_.prefetch(submission.commands[ahead]);
        }
        // Another thread has written it, so it lies in that one's cache.
        if (const std::size_t ahead = pending.next + 2 * kPrefetch; ahead < submission.commands.size()) {
            prefetch_lines(&submission.commands[ahead], sizeof(Command));
        }
        auto known = sealed_answer(pending, command);
        if (!known) return known.error();
        Answer answer;
        if (*known) {
            answer = **known;
        } else {
            const std::size_t payments = payments_of(command);
            if (payments > payments_left && payments_ > 0) return Taken::no_room;
            const auto taken = settle(command, encoded_of(submission, pending.next), answer);
            if (!taken) return taken.error();
            if (*taken == Taken::no_room) return Taken::no_room;
            payments_left -= std::min(payments, payments_left);
            if (auto found = find_ended(command, answer); !found) return found.error();
        }
        add_receipts(command, answer, turn_.seq, changes_.outcomes, pending.receipts);
        ++pending.next;
    }
    return Taken::yes;
}

Result<Settlement::Taken> Settlement::take(FromSource& from, std::size_t& payments_left) {
    const Arrival& arrival = from.arrivals[from.next];
    const bool is_answered = from.source->is_answered();
    const std::size_t payments = payments_of(arrival.command);
    if (payments > payments_left && payments_ > 0) return Taken::no_room;
    std::span<const std::byte> encoded = arrival.encoded;
    if (encoded.empty()) {
        scratch_.clear();
        encode_command(arrival.command, scratch_);
        encoded = scratch_;
    }
    // If it comes to that, its letter stands in the frame instead.
    const std::size_t letter_bytes = arrival.letter != nullptr ? arrival.letter->bytes.size() : 0;
    if (letter_bytes > kWorstCommandBytes && !has_room(arrival.command, letter_bytes)) return Taken::no_room;
    const auto known = ask_sealed(arrival.command);
    if (!known) return known.error();
    Answer answer;
    if (*known) {
        answer = **known;
    } else {
        const auto taken = settle(arrival.command, encoded, answer);
        if (!taken) return taken.error();
        if (*taken == Taken::no_room) return Taken::no_room;
    }
    if (!is_answered && wants_to_wait(answer)) {
        // Its position stays where it is, and what a source brings is in order: so nothing passes it either.
        ++waiting_;
        return Taken::no_room;
    }
    payments_left -= std::min(payments, payments_left);
    if (is_answered) {
        if (auto found = find_ended(arrival.command, answer); !found) return found.error();
        tell_source(*from.source, arrival, answer);
    } else if (answer.kind == Answer::Kind::reused || answer.kind == Answer::Kind::refused) {
        keep_letter(arrival, encoded, answer);
    }
    pass(arrival.after);
    return Taken::yes;
}

void Settlement::pass(const Cursor& after) {
    const auto cursor = std::find_if(cursors_.begin(), cursors_.end(), [&](const Cursor& each) {
        return each.source == after.source && each.part == after.part;
    });
    if (cursor == cursors_.end()) {
        cursors_.insert(std::lower_bound(cursors_.begin(), cursors_.end(), after), after);
    } else {
        cursor->next = std::max(cursor->next, after.next);
    }
}

void Settlement::tell_source(Source& source, const Arrival& arrival, const Answer& answer) {
    auto& all = turn_.source_answers;
    if (all.empty() || all.back().first != &source) all.emplace_back(&source, std::vector<Answered>());
    Answered& told = all.back().second.emplace_back();
    told.after = arrival.after;
    told.frame = turn_.seq;
    add_receipts(arrival.command, answer, turn_.seq, changes_.outcomes, told.receipts);
}

// Nobody waits for an answer here, and no position is skipped without a trace.
void Settlement::keep_letter(const Arrival& arrival, std::span<const std::byte> encoded, const Answer& answer) {
    const std::string document(reinterpret_cast<const char*>(encoded.data()), encoded.size());
    const std::string source = std::to_string(arrival.after.source);
    const std::string position = std::to_string(arrival.after.part) + ":" + std::to_string(arrival.after.next - 1);
    KeepDeadLetter body =
        arrival.letter != nullptr
            ? *arrival.letter
            : KeepDeadLetter{
                  .source = source, .position = position, .format = "nostro-command", .why = {}, .bytes = document};
    body.why =
        answer.kind == Answer::Kind::reused ? "conflict: its id is known with other content" : name(answer.reason);
    Command letter;
    letter.tenant = arrival.command.tenant;
    letter.body = body;
    std::vector<std::byte> bytes;
    encode_command(letter, bytes);
    apply(letter, bytes, {});
}

bool Settlement::has_room(const Command& command, std::size_t encoded_bytes) {
    if (alone_) return false;
    if (recorded_ == 0 && changes_.outcomes.empty()) return true;  // whatever it is, it must go into some frame
    const std::size_t used = builder_->bytes_at_most(changes_);
    if (used >= limits_.frame_bytes_max) return false;
    const std::size_t more = encoded_bytes + payments_of(command) * kWorstPaymentBytes + kWorstCommandBytes;
    return used + more <= journal_.frame_bytes_max();
}

Result<Settlement::Taken> Settlement::settle(const Command& command, std::span<const std::byte> encoded,
                                             Answer& answer) {
    if (!has_room(command, encoded.size())) return Taken::no_room;
    PaymentId key;
    if (parts_.suspects != nullptr) {
        key = Suspects::key(command, encoded);
        if (!parts_.suspects->empty() && parts_.suspects->standing(key) != Suspects::Standing::clean) {
            return settle_suspect(command, encoded, key, answer);
        }
    }
    answer = apply(command, encoded, key);
    return Taken::yes;
}

Result<Settlement::Taken> Settlement::settle_suspect(const Command& command, std::span<const std::byte> encoded,
                                                     PaymentId key, Answer& answer) {
    if (parts_.suspects->standing(key) == Suspects::Standing::broken) {
        const std::string document(reinterpret_cast<const char*>(encoded.data()), encoded.size());
        Command record;
        record.tenant = command.tenant;
        record.id = key;
        record.meaning = command.meaning;
        record.body = KeepRecord{.id = key, .reason = Reason::broken, .document = document};
        std::vector<std::byte> bytes;
        encode_command(record, bytes);
        answer = apply(record, bytes, key);
        return Taken::yes;
    }
    if (recorded_ > 0) {
        suspect_waits_ = true;
        return Taken::no_room;
    }
    if (auto noted = parts_.suspects->trying(key); !noted) return noted.error();
    working_on_.clear();
    answer = apply(command, encoded, key);
    alone_ = true;
    return Taken::yes;
}

Answer Settlement::apply(const Command& command, std::span<const std::byte> encoded, PaymentId key) {
    working_on_.push_back(key);
    const Answer answer = book_.apply(command, recorded_);
    count(answer);
    if (answer.kind != Answer::Kind::recorded) return answer;
    const std::uint32_t number = builder_->add_command(encoded);
    NOSTRO_ASSERT(number == recorded_, "commands of a frame are numbered in order");
    ++recorded_;
    payments_ += payments_of(command);
    return answer;
}

void Settlement::count(const Answer& answer) {
    switch (answer.kind) {
        case Answer::Kind::recorded: return parts_.metrics->commands.add();
        case Answer::Kind::replayed: return parts_.metrics->replayed.add();
        case Answer::Kind::reused: return parts_.metrics->reused.add();
        case Answer::Kind::refused: return parts_.metrics->refused.add();
    }
}

// Ids that left the Book's memory: as intake found them, or asked again when more have left since.
Result<std::optional<Answer>> Settlement::sealed_answer(Pending& pending, const Command& command) {
    const Submission& submission = *pending.submission;
    if (pending.next_sealed < submission.sealed.size() &&
        submission.sealed[pending.next_sealed].command == pending.next) {
        const auto& found = submission.sealed[pending.next_sealed++];
        Answer answer;
        answer.kind = found.meaning == command.meaning ? Answer::Kind::replayed : Answer::Kind::reused;
        answer.first = found.first;
        return std::optional(answer);
    }
    if (submission.ids_asked_through >= book_.forgotten_through()) return std::optional<Answer>();
    return ask_sealed(command);
}

// Of all that the Book has forgotten by now.
Result<std::optional<SealedIds::Found>> Settlement::find_sealed(PaymentId id) const {
    return parts_.sealed->find(id, book_.forgotten_through());
}

Result<std::optional<Answer>> Settlement::ask_sealed(const Command& command) const {
    if (parts_.sealed == nullptr || book_.forgotten_through() == 0) return std::optional<Answer>();
    // What the Book knows, it answers; the runs may have the ids of a group's items already.
    if (book_.known(command.id)) return std::optional<Answer>();
    Answer answer;
    if (!command.id.empty()) {
        const auto found = find_sealed(command.id);
        if (!found) return found.error();
        if (*found) {
            answer.kind = (*found)->meaning == command.meaning ? Answer::Kind::replayed : Answer::Kind::reused;
            answer.first = (*found)->place;
            return std::optional(answer);
        }
    }
    if (const auto* group = std::get_if<SubmitGroup>(&command.body)) {
        for (std::size_t i = 0; i < group->payments.size(); ++i) {
            const auto found = find_sealed(group->payments[i].payment.id);
            if (!found) return found.error();
            if (!*found) continue;
            answer.kind = Answer::Kind::refused;
            answer.reason = Reason::group_refused;
            answer.item = static_cast<std::uint32_t>(i);
            return std::optional(answer);
        }
    }
    return std::optional<Answer>();
}

// A payment that the Book has forgotten is not unknown: whatever is still open stands in the Book, so it has ended.
Result<> Settlement::find_ended(const Command& command, Answer& answer) const {
    const bool is_unknown = answer.kind == Answer::Kind::refused && answer.reason == Reason::not_found;
    if (!is_unknown || parts_.sealed == nullptr || book_.forgotten_through() == 0) return {};
    const PaymentId payment = payment_of(command);
    if (payment.empty()) return {};
    const auto found = find_sealed(payment);
    if (!found) return found.error();
    if (*found) answer.reason = Reason::not_open;
    return {};
}

void Settlement::finish(PendingPtr pending) {
    parts_.inbox->decided(pending->submission->commands.size(), pending->submission->encoded.size());
    turn_.answers.push_back(std::move(pending));
}

Result<> Settlement::close_frame(bool even_if_empty) {
    book_.end_frame();
    const bool sound = book_.is_balanced() && (!parts_.audit || parts_.audit(changes_));
    if (!sound) return broken("the books do not sum to zero after a frame");
    on_broken_invariant(nullptr, nullptr);
    note_full_table();
    const bool empty = changes_.empty() && recorded_ == 0 && cursors_ == head_.cursors;
    if (empty && !even_if_empty) {
        keep_turn_without_frame();
    } else if (auto appended = append_frame(); !appended) {
        return appended.error();
    }
    if (alone_) {
        if (auto cleared = parts_.suspects->cleared(working_on_.front()); !cleared) return cleared.error();
    }
    return {};
}

Result<> Settlement::append_frame() {
    FrameHeader header;
    header.seq = turn_.seq;
    header.epoch = head_.epoch;
    header.nonce = parts_.nonce;
    header.time = turn_.time;
    header.previous = head_.digest;
    header.accepted = parts_.frames->accepted();
#ifdef NOSTRO_MUTANT_CURSOR_OUTSIDE  // see tests/mutants
    FramePtr frame = builder_->finish(header, head_.cursors, head_.cursors, changes_);
    cursors_ = head_.cursors;
#else
    FramePtr frame = builder_->finish(header, head_.cursors, cursors_, changes_);
#endif
    head_.seq = turn_.seq;
    head_.time = turn_.time;
    head_.digest = frame->digest;
    head_.cursors = cursors_;

    SettlementMetrics& metrics = *parts_.metrics;
    metrics.record(book_.usage());
    metrics.frames.add();
    metrics.frame_bytes.add(frame->bytes().size());
    metrics.frame_payments.record(payments_);
    for (const Outcome& outcome : changes_.outcomes) {
        if (!is_of_payment(outcome.event)) continue;
        metrics.outcomes[static_cast<std::size_t>(outcome.status)]->add();
        const auto reason = static_cast<std::size_t>(outcome.reason);
        if (reason != 0 && reason < metrics.reasons.size()) metrics.reasons[reason]->add();
    }
    for (std::size_t i = 0; i < changes_.policies.size(); ++i) {
        if (const auto tenant = tenant_of_policy(changes_, i))
            turn_.policies.emplace_back(*tenant, changes_.policies[i]);
    }
    // Before it is written: whoever waits for that is waiting for the journal.
    turn_.handed_over = steady_now();
    metrics.decide.record(turn_.handed_over - opened_);
    const auto appended =
        caller_ == Caller::idle ? journal_.append_and_wait(std::move(frame)) : journal_.append(std::move(frame));
    if (!appended) return appended.error();
    in_flight_.push_back(std::move(turn_));
    turn_ = Turn{};
    return {};
}

// Nothing was recorded, so no frame: what was decided may still have seen those in flight.
void Settlement::keep_turn_without_frame() {
    if (in_flight_.empty()) {
        answer(turn_);
    } else {
        auto& answers = in_flight_.back().answers;
        for (auto& pending : turn_.answers) answers.push_back(std::move(pending));
    }
    turn_.clear();
}

Error Settlement::broken(const char* what) {
    on_broken_invariant(nullptr, nullptr);
    std::string text = "broken invariant: " + std::string(what);
    if (parts_.suspects != nullptr) {
        if (auto noted = parts_.suspects->accuse(working_on_); !noted) text += "; suspects: " + noted.error().what;
    }
    return {ErrorCode::corrupt, text};
}

}  // namespace nostro
