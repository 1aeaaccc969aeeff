// Who waits, and what they are told. intake_insert.cpp takes commands in.
#include "nostro/adapters/postgres/intake.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "nostro/base/log.hpp"
#include "nostro/base/random.hpp"
#include "nostro/wire/receipts.hpp"

namespace nostro {
namespace {

constexpr std::chrono::milliseconds kLookEvery{50};
constexpr std::size_t kPassedMax = 20'000;

Error stopping() { return {ErrorCode::unavailable, "stopping: the engine takes no more; try again in a moment"}; }

std::uint64_t meaning_of(const Command& command) {
    if (const auto* payment = std::get_if<SubmitPayment>(&command.body)) return payment->meaning;
    if (const auto* reversal = std::get_if<ReversePayment>(&command.body)) return reversal->meaning;
    return command.meaning;
}

// The answer that the Book has given to a command, as far as the frame that may hold it tells; nullopt: it is not
// there, or it cannot be told from others.
std::optional<Answer> answer_in(const DecodedFrame& frame, const Command& command) {
    if (command.id.empty()) return std::nullopt;
    const auto found = std::ranges::find_if(frame.commands, [&](const Command& each) {
        return each.id == command.id && each.body.index() == command.body.index() &&
               meaning_of(each) == meaning_of(command);
    });
    if (found == frame.commands.end()) return std::nullopt;
    const auto number = static_cast<std::uint32_t>(found - frame.commands.begin());
    const auto& outcomes = frame.changes.outcomes;
    Answer answer{.kind = Answer::Kind::recorded};
    // Accounts that it opened on the way stand in front of its own.
    const bool is_payment = payments_of(command) > 1 || std::holds_alternative<SubmitPayment>(command.body) ||
                            std::holds_alternative<SubmitGroup>(command.body);
    for (std::uint32_t i = 0; i < outcomes.size(); ++i) {
        if (outcomes[i].command != number || (is_payment && outcomes[i].event == Event::account_opened)) continue;
        if (answer.count == 0 || !is_payment) answer.index = i;
        answer.count = is_payment ? answer.count + 1 : 1;
        answer.reason = outcomes[i].reason;
    }
    if (answer.count == 0) return std::nullopt;
    return answer;
}

}  // namespace

PostgresIntake::PostgresIntake(PostgresIntakeOptions options)
    : options_(std::move(options)),
      sender_(random_u64() >> 1),
      inserter_([this](const std::stop_token& stop) { insert(stop); }),
      listener_([this](const std::stop_token& stop) { listen(stop); }) {}

PostgresIntake::~PostgresIntake() { stop(std::chrono::milliseconds(0)); }

void PostgresIntake::submit(std::unique_ptr<Submission> submission) {
    const std::size_t commands = submission->commands.size(), bytes = submission->encoded.size();
    std::optional<Error> refused;
    {
        const std::lock_guard lock(mutex_);
        const bool fits =
            commands_ == 0 || (commands_ + commands <= options_.commands_max && bytes_ + bytes <= options_.bytes_max);
        if (closed_) {
            refused = stopping();
        } else if (Clock::now() < away_until_) {
            refused = Error{ErrorCode::unavailable, "journal_unavailable: " + trouble_};
        } else if (!fits) {
            refused = Error{ErrorCode::unavailable,
                            "overloaded: as much waits in the inbox as [inbox] commands_max and bytes_max allow; try "
                            "again in a second"};
        } else {
            commands_ += commands;
            bytes_ += bytes;
            queue_.push_back({.submission = std::move(submission), .bytes = bytes, .since = Clock::now()});
        }
    }
    if (refused) return submission->reply(*refused);  // NOLINT(bugprone-use-after-move): not moved then
    changed_.notify_all();
}

void PostgresIntake::followed(const DecodedPtr& frame) {
    {
        const std::lock_guard lock(mutex_);
        followed_ = std::max(followed_, frame->seq());
        for (const Cursor& cursor : frame->last) {
            if (cursor.source != kInboxSource || cursor.next <= followed_next_) continue;
            followed_next_ = cursor.next;
            if (waiting_.empty()) passed_.clear();
            passed_.push_back({frame->seq(), cursor.next});
            if (passed_.size() > kPassedMax) passed_.pop_front();
        }
    }
    finish_ready();
}

void PostgresIntake::stop(std::chrono::milliseconds patience) {
    {
        std::unique_lock lock(mutex_);
        closed_ = true;
        changed_.wait_for(lock, patience, [&] { return waiting_.empty() && queue_.empty(); });
    }
    inserter_ = {};
    listener_ = {};
    std::vector<Ready> left;
    {
        const std::lock_guard lock(mutex_);
        while (!waiting_.empty()) {
            left.push_back(take(waiting_.begin()));
            left.back().receipts =
                Error{ErrorCode::unknown,
                      "outcome_unknown: this instance ended before it heard what became of it; ask again with the same "
                      "key"};
        }
        for (Waiting& each : queue_) left.push_back({std::move(each), stopping()});
        queue_.clear();
        ready_.clear();
        commands_ = bytes_ = 0;
    }
    for (Ready& each : left) each.waiting.submission->reply(std::move(each.receipts));
}

std::string PostgresIntake::trouble() const {
    const std::lock_guard lock(mutex_);
    return trouble_;
}

void PostgresIntake::note(const std::string& trouble) {
    const std::lock_guard lock(mutex_);
    if (trouble_.empty() && !trouble.empty()) log_warn("intake_waits", {{"why", trouble}});
    if (!trouble_.empty() && trouble.empty()) log_info("intake_recovered", {});
    trouble_ = trouble;
    if (!trouble.empty()) away_until_ = Clock::now() + options_.pause;
}

// --- hearing

void PostgresIntake::listen(const std::stop_token& stop) {
    ClientPtr client;
    while (!stop.stop_requested()) {
        if (client == nullptr || client->is_lost()) {
            auto connected = PostgresClient::connect(options_.address);
            Result<> done = connected ? Result<>() : Result<>(connected.error());
            if (done) done = (*connected)->script("LISTEN " + inbox_answers_channel(sender_));
            client = done ? std::move(*connected) : nullptr;
            {
                const std::lock_guard lock(mutex_);
                has_listened_ = true;
            }
            changed_.notify_all();
        }
        if (client != nullptr) {
            auto heard = client->notices(kLookEvery);
            if (heard) hear(*heard);
            if (!heard) client.reset();
        }
        if (client == nullptr) {  // who waits is looked after all the same
            std::unique_lock lock(mutex_);
            changed_.wait_for(lock, stop, options_.pause, [] { return false; });
        }
        look_after();
    }
}

void PostgresIntake::hear(const std::vector<std::string>& notices) {
    for (const std::string& notice : notices) {
        const auto answers = read_inbox_notice(notice);
        if (!answers) {
            log_warn("inbox_notice_unreadable", {{"why", answers.error().what}});
            continue;
        }
        const std::lock_guard lock(mutex_);
        for (const InboxAnswer& each : *answers) {
            const auto found = waiting_.find(each.request);
            if (found == waiting_.end()) continue;
            Waiting& waiting = found->second;
            if (each.command >= waiting.answers.size() || waiting.answers[each.command]) continue;
            waiting.answers[each.command] = each;
            waiting.last = std::max(waiting.last, each.seq);
            if (++waiting.answered == waiting.answers.size()) ready_.emplace(waiting.last, each.request);
        }
    }
    if (!notices.empty()) finish_ready();
}

PostgresIntake::Ready PostgresIntake::take(std::map<std::uint64_t, Waiting>::iterator waiting) {
    Ready ready{std::move(waiting->second), std::vector<Receipt>()};
    waiting_.erase(waiting);
    commands_ -= std::min(commands_, ready.waiting.submission->commands.size());
    bytes_ -= std::min(bytes_, ready.waiting.bytes);
    return ready;
}

void PostgresIntake::finish_ready() {
    std::vector<Ready> ready;
    {
        const std::lock_guard lock(mutex_);
        while (!ready_.empty() && ready_.begin()->first <= followed_) {
            const auto found = waiting_.find(ready_.begin()->second);
            ready_.erase(ready_.begin());
            if (found != waiting_.end()) ready.push_back(take(found));
        }
    }
    for (Ready& each : ready) each.receipts = receipts_of(each.waiting);
    reply(std::move(ready));
}

Result<std::vector<Receipt>> PostgresIntake::receipts_of(const Waiting& waiting) const {
    std::vector<Receipt> receipts;
    DecodedPtr frame;
    for (std::size_t i = 0; i < waiting.answers.size(); ++i) {
        const InboxAnswer& told = *waiting.answers[i];
        const bool is_recorded = told.answer.kind == Answer::Kind::recorded;
        if (is_recorded && (frame == nullptr || frame->seq() != told.seq)) {
            auto read = options_.frame(told.seq);
            if (!read) {
                return Error{ErrorCode::unknown,
                             fmt::format("outcome_unknown: {}; ask again with the same key", read.error().what)};
            }
            frame = std::move(*read);
        }
        const std::size_t places = is_recorded ? frame->changes.outcomes.size() : 0;
        if (is_recorded && (told.answer.index >= places || told.answer.count > places - told.answer.index)) {
            return Error{ErrorCode::unknown,
                         "outcome_unknown: the frame that was named does not hold it; ask again with the same key"};
        }
        add_receipts(waiting.submission->commands[i], told.answer, told.seq,
                     is_recorded ? std::span<const Outcome>(frame->changes.outcomes) : std::span<const Outcome>(),
                     receipts);
    }
    return receipts;
}

// The owner may have died between its frame and its notice, or the notice was lost with a connection. What the frames
// themselves tell is told; whoever cannot be found there is to ask again.
void PostgresIntake::look_after() {
    std::vector<Ready> late;
    std::vector<Passed> passed;
    {
        const std::lock_guard lock(mutex_);
        const auto now = Clock::now();
        for (auto next = waiting_.begin(); next != waiting_.end();) {
            const auto each = next++;
            Waiting& waiting = each->second;
            const bool is_passed = waiting.position && *waiting.position + waiting.answers.size() <= followed_next_;
            if (is_passed && !waiting.passed) waiting.passed = now;
            const bool derives = waiting.passed && now - *waiting.passed >= options_.derive_after;
            if (derives || (waiting.position && now - waiting.since >= options_.patience)) late.push_back(take(each));
        }
        if (!late.empty()) passed.assign(passed_.begin(), passed_.end());
        if (waiting_.empty()) passed_.clear();
    }
    for (Ready& each : late) {
        const auto derived = derive(each.waiting, passed);
        each.receipts = derived ? receipts_of(each.waiting) : Result<std::vector<Receipt>>(derived.error());
    }
    reply(std::move(late));
}

Result<> PostgresIntake::derive(Waiting& waiting, const std::vector<Passed>& passed) const {
    DecodedPtr frame;
    for (std::size_t i = 0; i < waiting.answers.size(); ++i) {
        if (waiting.answers[i]) continue;
        const std::uint64_t position = waiting.position.value_or(0) + i;
        const auto in = std::ranges::find_if(passed, [&](const Passed& each) { return position < each.next; });
        if (in == passed.end()) {
            return Error{
                ErrorCode::unknown,
                "outcome_unknown: it stands in the inbox, and whoever owns the ledger has not taken it yet; ask "
                "again with the same key"};
        }
        if (frame == nullptr || frame->seq() != in->seq) {
            auto read = options_.frame(in->seq);
            if (!read) return Error{ErrorCode::unknown, "outcome_unknown: " + read.error().what};
            frame = std::move(*read);
        }
        const auto answer = answer_in(*frame, waiting.submission->commands[i]);
        if (!answer) {
            return Error{ErrorCode::unknown,
                         "outcome_unknown: it was taken, and nobody said what became of it; ask again with the same "
                         "key"};
        }
        waiting.answers[i] = InboxAnswer{.request = 0, .command = 0, .seq = in->seq, .answer = *answer};
    }
    return {};
}

void PostgresIntake::reply(std::vector<Ready> ready) {
    if (ready.empty()) return;
    for (Ready& each : ready) each.waiting.submission->reply(std::move(each.receipts));
    changed_.notify_all();
}

}  // namespace nostro
