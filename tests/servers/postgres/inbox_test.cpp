// Commands that other instances take in: from their intake through the table to the Book that another one owns, and
// back to whoever asked.
#include "nostro/adapters/postgres/inbox.hpp"

#include <gmock/gmock.h>

#include <condition_variable>
#include <future>
#include <set>

#include "nostro/adapters/memory/memory_journal.hpp"
#include "nostro/adapters/postgres/intake.hpp"
#include "nostro/adapters/postgres/schema.hpp"
#include "nostro/engine/service.hpp"
#include "tests/servers/postgres/database.hpp"
#include "tests/unit/domain/builders.hpp"

namespace nostro::test {
namespace {

using Kind = Answer::Kind;
using Told = Result<std::vector<Receipt>>;

// What an instance does with the frames that it follows.
class Followers final : public Projection {
public:
    Result<Seq> next() override { return Seq{1}; }
    Result<> project(std::span<const DecodedPtr> frames) override {
        const std::lock_guard lock(mutex);
        for (const DecodedPtr& frame : frames) {
            for (PostgresIntake* each : intakes) each->followed(frame);
        }
        return {};
    }
    std::mutex mutex;
    std::vector<PostgresIntake*> intakes;
};

// An owner who dies between his frame and his notice.
class Silent final : public Source {
public:
    explicit Silent(Source& of) : of_(of) {}
    void on_arrival(std::function<void()> wake) override { of_.on_arrival(std::move(wake)); }
    bool is_answered() const override { return true; }
    Result<> seek(std::span<const Cursor> cursors) override { return of_.seek(cursors); }
    Result<> poll(std::size_t count_max, std::vector<Arrival>& arrivals) override {
        return of_.poll(count_max, arrivals);
    }

private:
    Source& of_;
};

class InboxTest : public testing::Test {
protected:
    InboxTest() {
        database.run("CREATE SCHEMA nostro; " + inbox_sql());
        start();
        open("ada", 1'000'000);
        open("bob", 0);
    }
    ~InboxTest() override {
        end();
        intakes.clear();
    }

    void start(bool silent = false) {
        PostgresInboxOptions options;
        options.address = database.address();
        options.kept = kept;
        inbox = std::make_unique<PostgresInbox>(options);
        silenced = std::make_unique<Silent>(*inbox);
        registry = std::make_unique<MetricsRegistry>();
        journal = std::make_unique<MemoryJournal>(log);
        ServiceParts parts;
        parts.journal = journal.get();
        parts.projections = {{"followers", &followers}};
        parts.sources = {silent ? static_cast<Source*>(silenced.get()) : inbox.get()};
        parts.clock = &clock;
        parts.metrics = registry.get();
        parts.fatal = [](const Error& error) { ADD_FAILURE() << error.what; };
        ServiceOptions engine;
        engine.book = {.accounts_max = 1'000, .known_max = 100'000};
        engine.default_policy = "tenant = \"nostro\"\n";
        service = std::make_unique<Service>(std::move(parts), engine);
        const auto started = service->start();
        ASSERT_TRUE(started) << started.error().what;
    }
    void end() {
        inbox->stop();
        service.reset();
        inbox.reset();
    }
    PostgresIntake& instance(std::size_t commands_max = 100'000, const std::string& address = "") {
        PostgresIntakeOptions options;
        options.address = address.empty() ? database.address() : address;
        options.commands_max = commands_max;
        options.derive_after = derive_after;
        options.patience = patience;
        options.frame = [this](Seq seq) { return service->frame(seq); };
        intakes.push_back(std::make_unique<PostgresIntake>(options));
        const auto newest = service->frame(service->accepted());
        if (newest) intakes.back()->followed(*newest);
        const std::lock_guard lock(followers.mutex);
        followers.intakes.push_back(intakes.back().get());
        return *intakes.back();
    }

    static std::future<Told> send(Intake& to, SubmissionBuilder& builder) {
        auto promise = std::make_shared<std::promise<Told>>();
        auto future = promise->get_future();
        to.submit(builder.take([promise](Told told) { promise->set_value(std::move(told)); }));
        return future;
    }
    static Told wait(std::future<Told> future) {
        if (future.wait_for(std::chrono::seconds(120)) != std::future_status::ready)
            throw std::runtime_error("no answer");
        return future.get();
    }
    std::future<Told> pay(Intake& to, const std::string& key, std::int64_t minor) {
        // Texts of a wish live as long as the submission.
        const auto text = std::make_shared<const std::string>(key);
        auto builder = service->build(text);
        PaymentWish wish;
        wish.payment.amount = Money(minor, currency("EUR"));
        wish.payment.debtor_name = "ada";
        wish.payment.creditor_name = "bob";
        wish.payment.key = *text;
        EXPECT_TRUE(builder.payment(wish));
        return send(to, builder);
    }
    void open(std::string_view name, std::int64_t minor) {
        OpenAccount account;
        account.name = name;
        account.currency = currency("EUR");
        account.opening_minor = minor;
        auto builder = service->build(nullptr);
        ASSERT_TRUE(builder.open_account(account, {}));
        ASSERT_TRUE(wait(send(*service, builder)));
    }
    std::int64_t balance(std::string_view name) {
        std::promise<Result<BalanceNow>> promise;
        auto future = promise.get_future();
        service->balance(account(name), [&](Result<BalanceNow> now) { promise.set_value(std::move(now)); });
        const auto now = future.get();
        return now ? now->account.balance : -1;
    }

    Database database;
    static constexpr std::chrono::milliseconds kShort{3'000},
        kLong{60'000};  // the machine may be busy with other things
    std::chrono::milliseconds kept{600'000}, derive_after{60'000}, patience = kLong;
    SystemClock clock;
    std::shared_ptr<MemoryLog> log = std::make_shared<MemoryLog>();
    Followers followers;
    std::unique_ptr<PostgresInbox> inbox;
    std::unique_ptr<Silent> silenced;
    std::unique_ptr<MetricsRegistry> registry;
    std::unique_ptr<MemoryJournal> journal;
    std::unique_ptr<Service> service;
    std::vector<std::unique_ptr<PostgresIntake>> intakes;
};

TEST_F(InboxTest, WhatAnInstanceTakesInIsSettledAndAnsweredAsByTheOwner) {
    PostgresIntake& there = instance();
    const auto told = wait(pay(there, "key-0001", 300));
    ASSERT_TRUE(told) << told.error().what;
    const Receipt& receipt = told->at(0);
    EXPECT_EQ(receipt.answer.kind, Kind::recorded);
    EXPECT_EQ(receipt.status, Status::settled);
    EXPECT_GT(receipt.number, 0u);
    EXPECT_EQ(balance("bob"), 300);
    const auto frame = service->frame(receipt.place.seq);
    ASSERT_TRUE(frame);
    EXPECT_EQ((*frame)->changes.outcomes.at(receipt.place.index).payment, receipt.payment);
    EXPECT_EQ((*frame)->changes.outcomes.at(receipt.place.index).accepted_at, receipt.accepted_at);

    const auto poor = wait(pay(there, "key-0002", 5'000'000));
    ASSERT_TRUE(poor);
    EXPECT_EQ(poor->at(0).reason, Reason::insufficient_funds);
    const auto again = wait(pay(there, "key-0001", 300));
    ASSERT_TRUE(again);
    EXPECT_EQ(again->at(0).answer.kind, Kind::replayed);
    EXPECT_EQ(again->at(0).answer.first, receipt.place);
    const auto other = wait(pay(there, "key-0001", 301));
    ASSERT_TRUE(other);
    EXPECT_EQ(other->at(0).answer.kind, Kind::reused);
    auto builder = service->build(nullptr);
    ASSERT_TRUE(builder.void_payment(payment_id_of(9), {}));
    const auto refused = wait(send(there, builder));
    ASSERT_TRUE(refused);
    EXPECT_EQ(refused->at(0).answer.kind, Kind::refused);
    EXPECT_EQ(refused->at(0).reason, Reason::not_found);
    EXPECT_EQ(balance("bob"), 300);
}

TEST_F(InboxTest, ManyCommandsOfOneRequestAreAnsweredTogetherAndInOrder) {
    PostgresIntake& there = instance();
    auto texts = std::make_shared<std::vector<std::string>>();
    for (int i = 0; i < 3'000; ++i) texts->push_back("bulk-" + std::to_string(i));
    auto builder = service->build(texts);
    std::vector<PaymentId> ids;
    for (const std::string& key : *texts) {
        PaymentWish wish;
        wish.payment.amount = Money(1, currency("EUR"));
        wish.payment.debtor_name = "ada";
        wish.payment.creditor_name = "bob";
        wish.payment.key = key;
        ids.push_back(*builder.payment(wish));
    }
    const auto told = wait(send(there, builder));
    ASSERT_TRUE(told) << told.error().what;
    ASSERT_EQ(told->size(), ids.size());
    for (std::size_t i = 0; i < ids.size(); ++i) {
        EXPECT_EQ((*told)[i].payment, ids[i]);
        EXPECT_EQ((*told)[i].status, Status::settled);
    }
    EXPECT_EQ(balance("bob"), 3'000);
    EXPECT_EQ(database.lines("SELECT count(*), sum(commands) FROM nostro.inbox"), "1\n");
}

TEST_F(InboxTest, EqualRequestsAtSeveralInstancesAreOnePayment) {
    constexpr int kKeys = 60;
    const std::array there{&instance(), &instance(), &instance()};
    std::vector<std::future<Told>> asked;
    for (int key = 0; key < kKeys; ++key) {
        for (PostgresIntake* each : there) asked.push_back(pay(*each, "key-" + std::to_string(key), 10));
        asked.push_back(pay(*service, "key-" + std::to_string(key), 10));  // the owner has a door of his own
    }
    std::map<PaymentId, std::multiset<Kind>> kinds;
    for (auto& each : asked) {
        const auto told = wait(std::move(each));
        ASSERT_TRUE(told) << told.error().what;
        kinds[told->at(0).payment].insert(told->at(0).answer.kind);
    }
    EXPECT_EQ(kinds.size(), static_cast<std::size_t>(kKeys));
    for (const auto& [id, of] : kinds) {
        EXPECT_EQ(of.count(Kind::recorded), 1u);
        EXPECT_EQ(of.count(Kind::replayed), 3u);
    }
    EXPECT_EQ(balance("bob"), kKeys * 10);
}

TEST_F(InboxTest, AnOwnerGoesOnWhereTheJournalSaysThatAnotherOneEnded) {
    PostgresIntake& there = instance();
    ASSERT_TRUE(wait(pay(there, "key-0001", 1)));
    end();
    auto waits = [&] {
        // Nobody owns the Book: it stands in the table.
        start();
        inbox->stop();
        return pay(there, "key-0002", 2);
    }();
    end();
    start();
    const auto told = wait(std::move(waits));
    ASSERT_TRUE(told) << told.error().what;
    EXPECT_EQ(told->at(0).status, Status::settled);
    EXPECT_EQ(balance("bob"), 3);
    EXPECT_EQ(database.lines("SELECT next FROM nostro.inbox_head"), "2\n");
}

TEST_F(InboxTest, WhatNobodySaysTheFramesTell) {
    end();
    start(true);
    derive_after = std::chrono::milliseconds(20);
    PostgresIntake& there = instance();
    const auto told = wait(pay(there, "key-0001", 5));
    ASSERT_TRUE(told) << told.error().what;
    EXPECT_EQ(told->at(0).status, Status::settled);
    EXPECT_EQ(told->at(0).answer.kind, Kind::recorded);
    const auto again = wait(pay(there, "key-0001", 5));
    ASSERT_FALSE(again) << "it is not in the frame that has taken it";
    EXPECT_EQ(again.error().code, ErrorCode::unknown);
    EXPECT_EQ(balance("bob"), 5);
}

TEST_F(InboxTest, LostConnectionsLoseAndDoubleNothing) {
    patience = kShort;  // a notice that was lost is `unknown` at worst, and asked for again
    derive_after = kShort / 6;
    const std::array there{&instance(), &instance()};
    constexpr int kKills = 40;  // of half the connections each; where they cost more than they leave, nothing gets on
    const auto by = connected(database.address());
    std::jthread killer([&] {
        for (int kill = 0; kill < kKills; ++kill) {
            ASSERT_TRUE(
                by->script("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = "
                           "current_database() AND pid <> pg_backend_pid() AND application_name = 'nostro' AND "
                           "random() < 0.5; SELECT pg_sleep(0.05)"));
        }
    });
    constexpr int kPayments = 200;
    std::vector<int> left(kPayments);
    for (int i = 0; i < kPayments; ++i) left[static_cast<std::size_t>(i)] = i;
    // Many turns are over at once: who cannot reach the server says so for a moment without asking again.
    const auto until = std::chrono::steady_clock::now() + 2 * kLong;
    for (int turn = 0; !left.empty() && std::chrono::steady_clock::now() < until; ++turn) {
        std::vector<std::pair<int, std::future<Told>>> asked;
        for (const int each : left) {
            asked.emplace_back(each, pay(*there[static_cast<std::size_t>(turn) % 2], "key-" + std::to_string(each), 1));
            if (asked.size() == 40) break;
        }
        for (auto& [each, future] : asked) {
            const auto told = wait(std::move(future));
            if (told) {
                std::erase(left, each);
            } else {
                const bool is_told =
                    told.error().code == ErrorCode::unknown || told.error().code == ErrorCode::unavailable;
                EXPECT_TRUE(is_told) << told.error().what;
            }
        }
    }
    killer.join();
    EXPECT_TRUE(left.empty());
    EXPECT_EQ(balance("bob"), kPayments);
}

TEST_F(InboxTest, AConnectionThatIsLostDuringCommitIsAskedForAgain) {
    // The server's process ends when what an instance took in is about to be committed, every second time.
    database.run(R"(
        CREATE SEQUENCE turns;
        CREATE FUNCTION die() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
            IF nextval('turns') % 2 = 1 THEN PERFORM pg_terminate_backend(pg_backend_pid()); PERFORM pg_sleep(10); END IF;
            RETURN NULL;
        END $$;
        CREATE CONSTRAINT TRIGGER dies AFTER UPDATE ON nostro.inbox_head DEFERRABLE INITIALLY DEFERRED
            FOR EACH ROW EXECUTE FUNCTION die())");
    PostgresIntake& there = instance();
    constexpr int kPayments = 6;
    for (int i = 0; i < kPayments; ++i) {
        Told told = wait(pay(there, "key-" + std::to_string(i), 1));
        // On a machine that is slow nobody may learn in time what became of the COMMIT.
        while (!told && (told.error().code == ErrorCode::unavailable || told.error().code == ErrorCode::unknown)) {
            told = wait(pay(there, "key-" + std::to_string(i), 1));
        }
        ASSERT_TRUE(told) << told.error().what;
    }
    EXPECT_EQ(balance("bob"), kPayments);
    EXPECT_EQ(database.lines("SELECT last_value >= 2 FROM turns"), "t\n");
}

TEST_F(InboxTest, WithoutAServerTheCallerIsToldAtOnceAndBoundsHold) {
    PostgresIntake& nowhere = instance(100, "postgresql://nobody@127.0.0.1:1/none");
    const auto away = wait(pay(nowhere, "key-0001", 1));
    ASSERT_FALSE(away);
    EXPECT_EQ(away.error().code, ErrorCode::unavailable);
    EXPECT_EQ(refusal_word(away.error()), "journal_unavailable");
    EXPECT_FALSE(nowhere.trouble().empty());

    const auto lock = connected(database.address());  // the inbox takes a while
    ASSERT_TRUE(lock->script("BEGIN; SELECT FROM nostro.inbox_head FOR UPDATE"));
    PostgresIntake& there = instance(2);
    auto first = pay(there, "key-0001", 1), second = pay(there, "key-0002", 1);
    const auto third = wait(pay(there, "key-0003", 1));
    ASSERT_FALSE(third);
    EXPECT_EQ(refusal_word(third.error()), "overloaded");
    ASSERT_TRUE(lock->script("COMMIT"));
    EXPECT_TRUE(wait(std::move(first)));
    EXPECT_TRUE(wait(std::move(second)));
    EXPECT_EQ(balance("bob"), 2);
}

TEST_F(InboxTest, WhoeverMayInsertAgainOverTheSameConnectionIsWell) {
    PostgresIntake& there = instance();
    ASSERT_TRUE(wait(pay(there, "key-0001", 1)));
    database.run("ALTER TABLE nostro.inbox_head RENAME TO away");
    const auto refused = wait(pay(there, "key-0002", 1));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::unavailable);
    EXPECT_THAT(there.trouble(), testing::HasSubstr("inbox_head"));
    database.run("ALTER TABLE nostro.away RENAME TO inbox_head");
    while (!wait(pay(there, "key-0002", 1))) std::this_thread::yield();  // turned away at once for a moment
    while (!there.trouble().empty()) std::this_thread::yield();          // the answer may come before the COMMIT's
    EXPECT_EQ(balance("bob"), 2);
}

TEST_F(InboxTest, AnOwnerThatMayNotClearAwaySaysSo) {
    end();
    kept = std::chrono::milliseconds(0);
    start();
    database.run(
        "CREATE FUNCTION no() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RAISE 'not yours'; END$$;"
        "CREATE TRIGGER no BEFORE DELETE ON nostro.inbox EXECUTE FUNCTION no()");
    ASSERT_TRUE(wait(pay(instance(), "key-0001", 1)));
    const auto until = std::chrono::steady_clock::now() + kLong;
    while (inbox->trouble().find("not yours") == std::string::npos) {
        ASSERT_LT(std::chrono::steady_clock::now(), until);
        std::this_thread::yield();
    }
    database.run("DROP TRIGGER no ON nostro.inbox");
    while (!inbox->trouble().empty()) {
        ASSERT_LT(std::chrono::steady_clock::now(), until);
        std::this_thread::yield();
    }
}

TEST_F(InboxTest, ARowThatNobodyCanReadIsKeptAndTheRestGoesOn) {
    database.run(
        "WITH head AS (UPDATE nostro.inbox_head SET next = next + 2 RETURNING next - 2 AS first) "
        "INSERT INTO nostro.inbox (position, commands, sender, request, bytes) "
        "SELECT first, 2, 1, 1, '\\x0300000001ffff' FROM head");
    const auto told = wait(pay(instance(), "key-0001", 7));
    ASSERT_TRUE(told) << told.error().what;
    EXPECT_EQ(balance("bob"), 7);
    std::size_t letters = 0;
    for (Seq seq = 1; seq <= service->accepted(); ++seq) {
        for (const Command& each : (*service->frame(seq))->commands) {
            letters += std::holds_alternative<KeepDeadLetter>(each.body) ? 1 : 0;
        }
    }
    EXPECT_EQ(letters, 2u) << "no position is skipped";
}

TEST_F(InboxTest, WhatWasTakenIsClearedAway) {
    end();
    kept = std::chrono::milliseconds(0);
    start();
    PostgresIntake& there = instance();
    for (int i = 0; i < 5; ++i) ASSERT_TRUE(wait(pay(there, "key-" + std::to_string(i), 1)));
    const auto until = std::chrono::steady_clock::now() + kLong;
    while (database.lines("SELECT count(*) FROM nostro.inbox") != "0\n") {
        ASSERT_LT(std::chrono::steady_clock::now(), until);
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    ASSERT_TRUE(wait(pay(there, "key-9", 1)));
}

TEST_F(InboxTest, ADatabaseThatWasSetBackGoesOnBehindWhatWasTaken) {
    ASSERT_TRUE(wait(pay(instance(), "key-0001", 1)));
    ASSERT_TRUE(wait(pay(instance(), "key-0002", 1)));
    end();
    start();
    inbox->stop();
    // Of the backup the first is there, and then somebody comes before the owner does.
    database.run("DELETE FROM nostro.inbox WHERE position = 1; UPDATE nostro.inbox_head SET next = 1");
    patience = kShort;
    derive_after = kShort / 6;
    auto early = pay(instance(), "key-0003", 1);
    while (database.lines("SELECT count(*) FROM nostro.inbox") != "2\n") std::this_thread::yield();
    end();
    start();
    auto told = wait(std::move(early));
    for (int again = 0; !told && told.error().code == ErrorCode::unknown && again < 20; ++again) {
        told = wait(pay(instance(), "key-0003", 1));
    }
    ASSERT_TRUE(told) << told.error().what;
    patience = kLong;
    ASSERT_TRUE(wait(pay(instance(), "key-0004", 1)));
    EXPECT_EQ(balance("bob"), 4) << "each moved once, and none was passed over";
    EXPECT_TRUE(database.lines("SELECT position FROM nostro.inbox ORDER BY 1").starts_with("0\n2\n3\n"));
}

TEST(InboxTableTest, NoticesCarryAnswersWhole) {
    std::vector<InboxAnswer> answers;
    for (std::uint64_t i = 0; i < 2'000; ++i) {
        InboxAnswer each{
            .request = i + 1, .command = static_cast<std::uint32_t>(i % 3), .seq = 1'000'000 + i, .answer = {}};
        each.answer.kind = static_cast<Kind>(i % 4);
        each.answer.index = static_cast<std::uint32_t>(i);
        each.answer.count = 1;
        if (each.answer.kind == Kind::refused) each.answer.reason = Reason::not_open;
        if (each.answer.kind == Kind::refused) each.answer.state = Status::voided;
        if (each.answer.kind == Kind::replayed) each.answer.first = {i, 4};
        answers.push_back(each);
    }
    const auto notices = inbox_notices(answers);
    std::vector<InboxAnswer> read;
    for (const std::string& each : notices) {
        EXPECT_LT(each.size(), 8'000u);
        const auto some = read_inbox_notice(each);
        ASSERT_TRUE(some);
        read.insert(read.end(), some->begin(), some->end());
    }
    ASSERT_EQ(read.size(), answers.size());
    for (std::size_t i = 0; i < answers.size(); ++i) {
        EXPECT_EQ(read[i].request, answers[i].request);
        EXPECT_EQ(read[i].command, answers[i].command);
        EXPECT_EQ(read[i].seq, answers[i].seq);
        EXPECT_EQ(read[i].answer.kind, answers[i].answer.kind);
        EXPECT_EQ(read[i].answer.index, answers[i].answer.index);
        EXPECT_EQ(read[i].answer.reason, answers[i].answer.reason);
        EXPECT_EQ(read[i].answer.state, answers[i].answer.state);
        EXPECT_EQ(read[i].answer.first, answers[i].answer.first);
    }
    for (const char* wrong :
         {"1", "x:1", "1:2:3:9", "1:2:3:0:4294967296", "1:2:3:3:0:0:0:255", "1:1:1:1:1:1:1:1:1:1:1:1"}) {
        EXPECT_FALSE(read_inbox_notice(wrong)) << wrong;
    }
}

}  // namespace
}  // namespace nostro::test
