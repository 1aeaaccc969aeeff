// The whole engine on its threads, over a journal in memory.
#include "tests/unit/engine/passing_journal.hpp"
#include "tests/unit/engine/service_world.hpp"

namespace nostro::test {
namespace {

TEST_F(ServiceTest, SettlesAnswersAndShows) {
    open("ada", 1'000);
    open("bob", 0);
    const Receipt receipt = pay("key-0001", 300);
    EXPECT_EQ(receipt.status, Status::settled);
    const auto now = balance("ada");
    ASSERT_TRUE(now);
    EXPECT_EQ(now->account.balance, 700);
    EXPECT_GE(now->as_of.seq, receipt.place.seq);
    const auto found = service->history().payment(receipt.payment);
    ASSERT_TRUE(found);
    ASSERT_TRUE(*found);
    EXPECT_EQ((*found)->payment.key, "key-0001");
    EXPECT_EQ((*found)->last().status, Status::settled);
    EXPECT_TRUE(service->ready());
}

TEST_F(ServiceTest, AnUnknownAccountHasNoBalance) {
    const auto now = balance("nobody");
    ASSERT_FALSE(now);
    EXPECT_EQ(now.error().code, ErrorCode::not_found);
}

TEST_F(ServiceTest, ARetryGetsTheFirstAnswerEvenAfterARestart) {
    open("ada", 1'000);
    open("bob", 0);
    const Receipt first = pay("key-0001", 300);
    restart();
    auto builder = service->build(nullptr);
    ASSERT_TRUE(builder.payment(wish("key-0001", 300)));
    auto again = run(builder);
    ASSERT_EQ(again.at(0).answer.kind, Answer::Kind::replayed);
    ASSERT_TRUE(service->complete_replayed(again));
    EXPECT_EQ(again[0].status, first.status);
    EXPECT_EQ(again[0].accepted_at, first.accepted_at);
    EXPECT_EQ(again[0].place, first.place);
    EXPECT_EQ(balance("ada")->account.balance, 700);
}

TEST_F(ServiceTest, SimulationMovesNothingAndSpendsNothing) {
    open("ada", 1'000);
    open("bob", 0);
    auto builder = service->build(nullptr);
    ASSERT_TRUE(builder.payment(wish("key-0001", 5'000)));
    auto promise = std::make_shared<std::promise<Result<Simulated>>>();
    auto future = promise->get_future();
    service->simulate(builder.take({}), [promise](Result<Simulated> told) { promise->set_value(std::move(told)); });
    const auto simulated = wait(std::move(future));
    ASSERT_TRUE(simulated);
    ASSERT_EQ(simulated->outcomes.size(), 1u);
    EXPECT_EQ(simulated->outcomes[0].reason, Reason::insufficient_funds);
    ASSERT_NE(simulated->policy, nullptr);
    EXPECT_EQ(pay("key-0001", 300).answer.kind, Answer::Kind::recorded);
}

TEST_F(ServiceTest, OfAnIdThatLeftMemorySimulationTellsWhatARequestWouldBeTold) {
    open("ada", 1'000);
    open("bob", 0);
    for (const bool same : {true, false}) {
        auto builder = service->build(nullptr);
        ASSERT_TRUE(builder.payment(wish("key-0001", 300)));
        auto submission = builder.take({});
        const std::uint64_t meaning = submission->commands[0].meaning;
        submission->sealed.push_back({0, Place{2, 0}, same ? meaning : meaning + 1});
        auto promise = std::make_shared<std::promise<Result<Simulated>>>();
        auto future = promise->get_future();
        service->simulate(std::move(submission),
                          [promise](Result<Simulated> told) { promise->set_value(std::move(told)); });
        const auto simulated = wait(std::move(future));
        ASSERT_TRUE(simulated);
        EXPECT_EQ(simulated->answer.kind, same ? Answer::Kind::replayed : Answer::Kind::reused);
        EXPECT_EQ(simulated->answer.first, (Place{2, 0}));
        EXPECT_TRUE(simulated->outcomes.empty());
        EXPECT_NE(simulated->policy, nullptr);
    }
}

TEST_F(ServiceTest, AGroupThatWasQuarantinedIsToldTheSameAfterItsIdLeftMemory) {
    open("ada", 1'000);
    open("bob", 0);
    auto keeping = service->build(nullptr);
    KeepRecord record;
    record.id = payment_id_of(9);
    record.reason = Reason::broken;
    record.document = "three payments";
    ASSERT_TRUE(keeping.command(a_command(record, payment_id_of(9), 5)));
    ASSERT_TRUE(keeping.payment(wish("key-0001", 300)));  // of others, behind it
    ASSERT_TRUE(keeping.payment(wish("key-0002", 300)));
    const Place place = run(keeping).at(0).place;

    const std::vector<SubmitPayment> items = {a_payment().id(12).submit(), a_payment().id(13).submit(),
                                              a_payment().id(14).submit()};
    auto asking = service->build(nullptr);
    ASSERT_TRUE(asking.command(a_command(SubmitGroup{items}, payment_id_of(9), 5)));
    auto promise = std::make_shared<std::promise<Receipts>>();
    auto future = promise->get_future();
    auto submission = asking.take([promise](Receipts receipts) { promise->set_value(std::move(receipts)); });
    submission->sealed.push_back({0, place, 5});
    service->submit(std::move(submission));
    auto receipts = wait(std::move(future));
    ASSERT_TRUE(receipts);
    ASSERT_EQ(receipts->size(), 3u);
    const auto completed = service->complete_replayed(*receipts);
    ASSERT_TRUE(completed) << completed.error().what;
    for (std::size_t i = 0; i < 3; ++i) {
        const Receipt& receipt = (*receipts)[i];
        EXPECT_EQ(receipt.status, Status::quarantined);
        EXPECT_EQ(receipt.reason, Reason::broken);
        EXPECT_EQ(receipt.place, place) << "one record stands for all of them";
        EXPECT_EQ(receipt.payment, items[i].payment.id);
    }
}

TEST_F(ServiceTest, TotalsSumToZero) {
    open("ada", 1'000);
    auto promise = std::make_shared<std::promise<Result<TotalsNow>>>();
    auto future = promise->get_future();
    service->totals([promise](Result<TotalsNow> told) { promise->set_value(std::move(told)); });
    const auto totals = wait(std::move(future));
    ASSERT_TRUE(totals);
    Book::KindTotal::Sum sum = 0;
    for (const auto& each : totals->totals) sum += each.posted;
    EXPECT_TRUE(sum == 0);
    EXPECT_EQ(totals->totals.size(), 2u) << "customers and house";
}

TEST_F(ServiceTest, APaymentIsFoundThoughTheIndexIsStuck) {
    open("ada", 1'000);
    open("bob", 0);
    index.stuck = true;
    const Receipt receipt = pay("key-0001", 300);
    std::promise<void> readable;
    service->when_readable(receipt.place.seq, [&] { readable.set_value(); });
    auto future = readable.get_future();
    ASSERT_EQ(future.wait_for(20s), std::future_status::ready) << "bounded";
    EXPECT_LT(index.read_through(), receipt.place.seq);
    const auto found = service->history().payment(receipt.payment);
    ASSERT_TRUE(found && *found);
    EXPECT_EQ((*found)->last().status, Status::settled);
    EXPECT_TRUE(service->ready()) << "money does not depend on the index";
}

TEST_F(ServiceTest, APaymentIsFoundThoughTheIndexCannotBeAsked) {
    open("ada", 1'000'000);
    open("bob", 0);
    const Receipt old = pay("key-0001", 300);
    index.away = true;
    EXPECT_TRUE(service->history().payment(old.payment).value()) << "all frames are among the newest";
    EXPECT_FALSE(service->history().payment(test::payment_id_of(99)).value());
    for (std::size_t i = 0; i <= Query::kFramesMax; ++i) pay("key-" + std::to_string(1'000 + i), 1);
    const Receipt receipt = pay("key-0002", 300);
    const auto found = service->history().payment(receipt.payment);
    ASSERT_TRUE(found && *found);
    EXPECT_EQ((*found)->last().status, Status::settled);
    for (const PaymentId id : {old.payment, test::payment_id_of(99)}) {
        const auto cannot = service->history().payment(id);
        ASSERT_FALSE(cannot) << "it may have been, and may have changed";
        EXPECT_EQ(cannot.error().code, ErrorCode::unavailable);
    }
}

TEST_F(ServiceTest, ADeadLetterIsFoundThoughTheIndexIsStuck) {
    index.stuck = true;
    SubmissionBuilder builder = service->build(nullptr);
    ASSERT_TRUE(builder.keep_dead_letter({"bank.csv", "row 7", "csv", "no amount", "a,b"}, {}));
    std::promise<Place> kept;
    service->submit(builder.take([&](const auto& receipts) { kept.set_value(receipts->front().place); }));
    auto future = kept.get_future();
    ASSERT_EQ(future.wait_for(20s), std::future_status::ready);
    const Place place = future.get();
    const auto found = service->history().dead_letter(place);
    ASSERT_TRUE(found && *found);
    EXPECT_EQ((*found)->why, "no amount");
    EXPECT_EQ((*found)->state, DeadLetter::State::open);
    const auto none = service->history().dead_letter({place.seq + 5, 0});
    EXPECT_TRUE(none && !*none);
}

TEST_F(ServiceTest, WhatIsReadableIsInTheIndex) {
    open("ada", 1'000);
    for (int i = 0; i < 50; ++i) {
        const Receipt receipt = pay("key-" + std::to_string(1'000 + i), 1);
        std::promise<void> readable;
        service->when_readable(receipt.place.seq, [&] { readable.set_value(); });
        wait(readable.get_future());
        // fresh_wait may run out on a busy machine; the payment is found all the same.
        const auto found = service->history().payment(receipt.payment);
        ASSERT_TRUE(found && *found);
    }
}

TEST_F(ServiceTest, TheLiveStreamTellsWhatIsSettled) {
    open("ada", 1'000);
    open("bob", 0);
    std::promise<void> woken;
    std::atomic<bool> first{true};
    auto subscription = service->live().subscribe({}, {}, [&] {
        if (first.exchange(false)) woken.set_value();
    });
    ASSERT_TRUE(subscription);
    const Receipt receipt = pay("key-0001", 300);
    ASSERT_EQ(woken.get_future().wait_for(20s), std::future_status::ready);
    std::vector<StreamEvent> events;
    ASSERT_EQ((*subscription)->take(10, events).value_or(0), 1u);
    EXPECT_EQ(events[0].place, receipt.place);
    EXPECT_EQ(events[0].payment->creditor_name, "bob");
}

TEST_F(ServiceTest, WithoutSpaceItSaysWhyAndReadsGoOn) {
    open("ada", 1'000);
    journal->set_full(true);
    auto builder = service->build(nullptr);
    ASSERT_TRUE(builder.payment(wish("key-0001", 300)));
    const auto refused = wait(send(builder));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refusal_word(refused.error()), "no_space");
    EXPECT_FALSE(service->ready());
    EXPECT_EQ(service->parts().at(0).reason, "no_space: no space for the journal: it was set full");
    EXPECT_TRUE(balance("ada"));
    journal->set_full(false);
    EXPECT_EQ(pay("key-0001", 300).answer.kind, Answer::Kind::recorded);
    EXPECT_TRUE(service->ready());
}

TEST_F(ServiceTest, AJournalThatTakesNothingIsSeenBeforeAnybodyIsRefused) {
    open("ada", 1'000);
    // Settlement looks by itself, now and then.
    const auto becomes = [&](bool ready) {
        for (const auto until = steady_now() + 20s; service->ready() != ready && steady_now() < until;) {
            std::this_thread::yield();
        }
        return service->ready() == ready;
    };
    journal->set_full(true);
    EXPECT_TRUE(becomes(false));
    EXPECT_EQ(service->parts().at(0).reason, "no_space: no space for the journal: it was set full");
    journal->set_full(false);
    EXPECT_TRUE(becomes(true));
}

// As one on disk may wait until it has made a segment.
class AskedJournal final : public PassingJournal {
public:
    using PassingJournal::PassingJournal;
    Result<> ready(Need need) override {
        if (std::this_thread::get_id() == asker) asked_by_asker = true;
        return PassingJournal::ready(need);
    }

    std::atomic<std::thread::id> asker{};
    std::atomic<bool> asked_by_asker{false};
};

TEST_F(ServiceTest, WhoeverAsksForReadinessNeverWaitsForTheJournal) {
    AskedJournal asked(begin_anew());
    const auto ends_first = start_over(asked);
    asked.asker = std::this_thread::get_id();
    journal->set_full(true);
    while (service->ready()) std::this_thread::yield();
    journal->set_full(false);
    while (!service->ready()) std::this_thread::yield();
    EXPECT_FALSE(asked.asked_by_asker);
}

TEST_F(ServiceTest, ACommandThatFitsNoFrameIsRefusedAtOnce) {
    frame_bytes_max = 64u << 10;
    restart();
    const std::string document(60'000, 'x');
    auto big = wish("key-0001", 1);
    big.payment.attachment = document;
    auto builder = service->build(nullptr);
    ASSERT_TRUE(builder.payment(big));
    const auto refused = wait(send(builder));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::invalid);
    EXPECT_TRUE(refused.error().what.starts_with("too_large"));
}

TEST_F(ServiceTest, CountsWhatItDoes) {
    open("ada", 1'000);
    pay("key-0001", 300);
    pay("key-0002", 5'000);
    service->refresh_gauges();
    const std::string text = registry->prometheus_text();
    EXPECT_NE(text.find("nostro_payments_total{status=\"rejected\"} 2"), std::string::npos) << text;
    EXPECT_NE(text.find("nostro_inbox_commands 0"), std::string::npos);
    EXPECT_NE(text.find("nostro_book_cells{table=\"accounts\"} 2"), std::string::npos) << "ada and equity";
    EXPECT_NE(text.find("nostro_book_cells_max{table=\"accounts\"} 400"), std::string::npos);
    EXPECT_NE(text.find("nostro_feed_lag_frames{projection=\"index\"}"), std::string::npos);
}

TEST_F(ServiceTest, AsOfIsATimeOrAFrame) {
    open("ada", 1'000);
    const Query& query = service->history();
    EXPECT_EQ(query.resolve_as_of("seq:2").value_or(0), 2u);
    for (const char* text : {"seq:0", "seq:99", "seq:x", "yesterday", ""}) {
        const auto refused = query.resolve_as_of(text);
        ASSERT_FALSE(refused) << text;
        EXPECT_EQ(refused.error().code, ErrorCode::invalid) << text;
    }
}

}  // namespace
}  // namespace nostro::test
