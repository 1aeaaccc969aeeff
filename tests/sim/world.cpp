#include "tests/sim/world.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <limits>

#include "nostro/base/hex.hpp"
#include "nostro/wire/command_codec.hpp"

namespace nostro::sim {
namespace {

using namespace std::chrono_literals;

constexpr BookSize kBook{.accounts_max = 60,
                         .counters_max = 400,
                         .holds_max = 200,
                         .reversed_max = 200,
                         .bounds_max = 20,
                         .known_max = 20'000};

// So few that they leave memory many times in a run, and now and then there is no room until they are sealed.
constexpr std::uint64_t kFewKnown = 600;

// Where a subscription stands that has seen all of a frame.
Place behind_frame(Seq seq) { return {seq, std::numeric_limits<std::uint32_t>::max()}; }

}  // namespace

World::World(std::uint64_t seed, std::unique_ptr<Store> store)
    : random_(seed),
      commands_(random_),
      store_(std::move(store)),
      now_(std::chrono::sys_days(std::chrono::year(2026) / 11 / 21) + 9h) {
    options_.book = kBook;
    if (store_->seals_ids()) options_.book.known_max = kFewKnown;
    options_.limits.payments_per_frame_max = 5 + random_.below(40);
    options_.limits.expiries_per_frame_max = 1 + random_.below(5);
    options_.source_commands = &source_commands_;
    options_.first_policy = commands_.policy(1, now_);
    archive_ = std::make_unique<Archive>(kBook, digests_, source_commands_);
    options_.projection = archive_.get();
    start();
}

World::~World() = default;

void World::start() {
    options_.nonce = ++processes_;
    options_.decided = [this, nonce = options_.nonce](Seq seq, const Book& book) {
        EXPECT_TRUE(book.is_balanced());
        digests_[{nonce, seq}] = book.digest();
    };
    current_ = std::make_unique<Process>(store_->open(), options_);
    current_->open->set_full(full_ && processes_ > 1);
    const auto started = current_->start(now_);
    if (!started && started.error().code == ErrorCode::unavailable) {
        full_ = false;  // no start on a full disk: somebody makes room
        current_ = std::make_unique<Process>(store_->open(), options_);
        ASSERT_TRUE(current_->start(now_));
    } else {
        ASSERT_TRUE(started) << started.error().what;
    }
    check_recovered(*current_);
    subscription_.reset();
    auto subscription = current_->live.subscribe(last_event_, {}, [] {});
    ASSERT_TRUE(subscription) << subscription.error().what;
    subscription_ = std::move(*subscription);
    if (!first_event_) first_event_ = last_event_ = subscription_->position();
}

// What was recovered is what the process that wrote the last frame had in memory after it.
void World::check_recovered(const Process& process) {
    const Seq head = process.frames.accepted();
    if (head == 0) return;
    const auto frame = process.frames.frame(head);
    ASSERT_TRUE(frame) << frame.error().what;
    const auto decided = digests_.find({(*frame)->frame->header.nonce, head});
    ASSERT_NE(decided, digests_.end());
    EXPECT_EQ(process.book.digest(), decided->second) << "recovered other books at frame " << head;
}

void World::crash(std::unique_ptr<Process>& process) {
    process->open->crash(random_);
    for (Request& request : requests_) {
        if (request.asked_of == process->nonce) request.waiting = false;
    }
    if (process == current_) subscription_.reset();
    process.reset();
    ++counts_.crashes;
}

void World::second_owner() {
    if (zombie_ != nullptr) crash(zombie_);
    zombie_ = std::move(current_);
    ++counts_.owners;
    start();
}

// What met a fault may stumble on for a while: nothing that it still tells may be wrong.
void World::end_what_broke() {
    if (!current_->open->is_broken() || !random_.chance(1, 8)) return;
    ++counts_.broken;
    crash(current_);
    start();
}

void World::step(std::unique_ptr<Process>& process) {
    const auto caller = random_.chance(1, 2) ? Settlement::Caller::idle : Settlement::Caller::busy;
    const auto done = process->settlement->step(now_, caller);
    if (done) return;
    const bool is_broken = process->open->is_broken();
    EXPECT_TRUE(done.error().code == ErrorCode::fenced || is_broken) << done.error().what;
    ++(is_broken ? counts_.broken : counts_.fenced);
    const bool was_current = process == current_;
    crash(process);
    if (was_current) start();
}

void World::step_readers() {
    const auto fed = current_->feed.step(readers_now_ += 1h);
    EXPECT_TRUE(fed || current_->open->is_broken()) << (fed ? "" : fed.error().what);
    const auto live = current_->live.step();
    EXPECT_TRUE(live || current_->open->is_broken()) << (live ? "" : live.error().what);
}

void World::follow_stream() {
    std::vector<StreamEvent> events;
    const auto count = subscription_->take(1 + random_.below(20), events);
    if (!count && current_->open->is_broken()) {  // the client is cut off, and comes back where it was
        crash(current_);
        return start();
    }
    ASSERT_TRUE(count) << count.error().what;
    for (const StreamEvent& event : events) {
        events_.push_back(event.place);
        last_event_ = event.place;
        EXPECT_NE(event.payment, nullptr);
    }
}

void World::ask(std::size_t index) {
    Request& request = requests_[index];
    request.waiting = true;
    request.asked_of = current_->nonce;
    request.asked_after = current_->frames.accepted();
    auto submission = std::make_unique<Submission>();
    submission->commands = request.commands;
    for (const Command& command : request.commands) {
        encode_command(command, submission->encoded);
        submission->ends.push_back(static_cast<std::uint32_t>(submission->encoded.size()));
    }
    ask_sealed(*submission);
    submission->reply = [this, index, process = current_->nonce](Result<std::vector<Receipt>> result) {
        tell(index, process, result);
    };
    current_->inbox.submit(std::move(submission));
}

// As intake does, of what the Book had forgotten by then. Items of groups are left to settlement.
void World::ask_sealed(Submission& submission) const {
    const SealedIds* sealed = current_->open->sealed();
    const bool has_group = std::ranges::any_of(
        submission.commands, [](const Command& command) { return std::holds_alternative<SubmitGroup>(command.body); });
    if (sealed == nullptr || has_group) return;
    const Seq last = current_->settlement->forgotten_through();
    for (std::size_t i = 0; i < submission.commands.size() && last != 0; ++i) {
        if (submission.commands[i].id.empty()) continue;
        const auto found = sealed->find(submission.commands[i].id, last);
        if (!found) return submission.sealed.clear();  // settlement meets the same
        if (*found) submission.sealed.push_back({static_cast<std::uint32_t>(i), (*found)->place, (*found)->meaning});
    }
    submission.ids_asked_through = last;
}

void World::tell(std::size_t index, std::uint64_t process, const Result<std::vector<Receipt>>& result) {
    Request& request = requests_[index];
    ASSERT_TRUE(request.waiting && request.asked_of == process) << "told twice, or by a process that is gone";
    request.waiting = false;
    if (!result) {
        EXPECT_EQ(result.error().code, ErrorCode::unavailable);
        ++counts_.turned_away;
        return;
    }
    const Process& teller = zombie_ != nullptr && zombie_->nonce == process ? *zombie_ : *current_;
    const auto accepted = teller.open->journal().accepted();  // what the journal says, not who tells
    const Seq told_after = accepted ? *accepted : teller.frames.accepted();
    std::size_t next = 0;
    bool asks_again = false;
    for (const Command& command : request.commands) {
        const auto* group = std::get_if<SubmitGroup>(&command.body);
        const std::size_t items = group != nullptr ? group->payments.size() : 1;
        if (next + items > result->size()) return;  // the rest was not taken
        for (std::size_t item = 0; item < items; ++item) {
            const Receipt& receipt = (*result)[next++];
            if (receipt.answer.kind == Answer::Kind::refused && receipt.reason == Reason::book_full) {
                ++counts_.book_full;  // there is room again once older ids are sealed
                asks_again = true;
                continue;
            }
            told_.push_back(
                {receipt, command, static_cast<std::uint32_t>(item), request.asked_after, told_after, now_});
            if (receipt.answer.kind == Answer::Kind::replayed) ++counts_.replayed;
            const bool settled = receipt.answer.kind == Answer::Kind::recorded && receipt.status == Status::settled;
            if (const auto* submit = std::get_if<SubmitPayment>(&command.body); settled && submit != nullptr) {
                commands_.learn(submit->payment, receipt.place, receipt.accepted_at);
            }
        }
    }
    request.told = !asks_again;
}

void World::new_request() {
    const std::uint64_t kind = random_.below(20);
    if (kind < 4 && !requests_.empty()) {  // again, while it waits or long after
        const std::size_t old = random_.below(requests_.size());
        Request again;
        again.commands = requests_[old].commands;
        if (kind == 0) again.commands.front() = commands_.altered(again.commands.front());
        requests_.push_back(std::move(again));
    } else {
        Request request;
        const std::uint64_t count = random_.chance(1, 12) ? 70 + random_.below(60) : 1 + random_.below(3);
        for (std::uint64_t i = 0; i < count; ++i) request.commands.push_back(commands_.next(now_));
        requests_.push_back(std::move(request));
    }
    ask(requests_.size() - 1);
}

void World::change_policy() {
    const PolicyPtr now = current_->policies.current(0);
    if (now == nullptr) return;
    Command command;
    command.body = ChangePolicy{commands_.policy(now->version() + 1, now_), "sim"};
    Request request;
    request.commands.push_back(command);
    requests_.push_back(std::move(request));
    ask(requests_.size() - 1);
}

void World::read_balance() {
    auto told = std::make_shared<ToldBalance>();
    told->account = commands_.some_account();
    auto read = std::make_unique<Inbox::Read>();
    read->ask = [told](Book& book, Instant) {
        if (const AccountImage* image = book.account(told->account)) told->image = *image;
    };
    read->answer = [this, told](Result<AsOf> as_of) {
        if (!as_of) return;
        told->as_of = as_of->seq;
        told_balances_.push_back(*told);
    };
    current_->inbox.read(std::move(read));
}

void World::put_into_source() {
    source_commands_.push_back(commands_.of_source());
    current_->source.put(source_commands_.back());
    if (zombie_ != nullptr) zombie_->source.put(source_commands_.back());
}

void World::act() {
    end_what_broke();
    const std::uint64_t roll = random_.below(1'000);
    if (roll < 220) return new_request();
    if (roll < 480) return step(current_);
    if (roll < 540 && zombie_ != nullptr) return step(zombie_);
    if (roll < 580 && zombie_ != nullptr) return zombie_->open->progress(random_, false);
    if (roll < 740) return current_->open->progress(random_, false);
    if (roll < 800) return step_readers();
    if (roll < 830) return follow_stream();
    if (roll < 860) return put_into_source();
    if (roll < 890) return read_balance();
    if (roll < 940) {
        now_ += std::chrono::seconds(random_.below(random_.chance(1, 10) ? 900 : 20));
        return;
    }
    if (roll < 950) return current_->open->upkeep(now_);
    if (roll < 960) return archive_->set_stalled(random_.chance(1, 2));
    if (roll < 970) {
        full_ = random_.chance(1, 3);
        return current_->open->set_full(full_);
    }
    if (roll < 980) return change_policy();
    if (roll < 986 && store_->allows_two_owners()) return second_owner();
    if (roll < 993) {
        crash(current_);
        return start();
    }
    if (roll < 996) return current_->open->break_soon(random_);
    current_->open->upkeep(now_);
}

void World::drain() {
    full_ = false;
    archive_->set_stalled(false);
    if (zombie_ != nullptr) crash(zombie_);
    current_->open->set_full(false);
    for (int turn = 0; turn < 5'000; ++turn) {
        if (current_->open->is_broken()) {
            crash(current_);
            start();
        }
        bool rest = true;
        for (std::size_t i = 0; i < requests_.size(); ++i) {
            if (requests_[i].told) continue;
            rest = false;
            if (!requests_[i].waiting) ask(i);
        }
        now_ += 1s;  // what waits before it tries again does
        step(current_);
        current_->open->progress(random_, true);
        current_->open->upkeep(now_);
        step_readers();
        follow_stream();
        const Seq accepted = current_->frames.accepted();
        rest = rest && current_->settlement->idle() && current_->inbox.empty() && current_->open->under_way() == 0 &&
               current_->source.position() == source_commands_.size() && archive_->frames().size() == accepted &&
               subscription_->position() == behind_frame(accepted);
        if (rest) return;
    }
    FAIL() << "it never comes to rest; turned away: " << current_->settlement->turned_away();
}

void World::check() {
    crash(current_);
    start();
    Model model(commands_, options_.limits.expiries_per_frame_max);
    const Ledger ledger(archive_->frames(), model);
    if (testing::Test::HasFailure()) return;
    model.check_book(current_->book);
    for (const ToldReceipt& told : told_) ledger.check_receipt(told);
    for (const ToldBalance& told : told_balances_) ledger.check_balance(told);
    for (const Command& command : source_commands_) ledger.check_submitted_once(command.id);
    const auto [streamed, decided] =
        std::mismatch(events_.begin(), events_.end(), ledger.payment_events().begin(), ledger.payment_events().end());
    EXPECT_TRUE(streamed == events_.end() && decided == ledger.payment_events().end())
        << "the live stream lost or doubled an event after " << streamed - events_.begin() << " of " << events_.size()
        << ", should be " << ledger.payment_events().size();
    if (streamed != events_.end()) ADD_FAILURE() << "streamed " << streamed->seq << "." << streamed->index;
    if (decided != ledger.payment_events().end()) ADD_FAILURE() << "decided " << decided->seq << "." << decided->index;
    EXPECT_TRUE(current_->book.is_balanced());
}

std::string World::story() const {
    return std::to_string(archive_->frames().size()) + " frames, " + std::to_string(requests_.size()) + " requests, " +
           std::to_string(told_.size()) + " receipts, " + std::to_string(events_.size()) + " events, " +
           std::to_string(counts_.crashes) + " crashes, " + std::to_string(counts_.owners) + " second owners, " +
           std::to_string(counts_.fenced) + " fenced, " + std::to_string(counts_.broken) + " broken, " +
           std::to_string(counts_.turned_away) + " turned away, " + std::to_string(counts_.book_full) + " book full, " +
           std::to_string(counts_.replayed) + " replayed, ids sealed through " +
           std::to_string(current_->book.forgotten_through()) + ", digest " +
           (archive_->frames().empty() ? "none" : to_hex(archive_->frames().back()->frame->digest));
}

}  // namespace nostro::sim
