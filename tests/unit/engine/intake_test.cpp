// The way in: the inbox, and commands from what callers want.
#include <map>

#include "nostro/domain/payment_id.hpp"
#include "nostro/engine/submission_builder.hpp"
#include "nostro/wire/command_codec.hpp"
#include "tests/unit/engine/world.hpp"

namespace nostro::test {
namespace {

TEST(InboxTest, TurnsAwayAtOnceWhatItHasNoRoomFor) {
    Inbox inbox(3, 1u << 20);
    const auto first = std::make_shared<Told>(), second = std::make_shared<Told>();
    inbox.submit(a_submission(payments(1, 2), first));
    inbox.submit(a_submission(payments(3, 2), second));
    EXPECT_FALSE(first->yet());
    ASSERT_TRUE(second->error);
    EXPECT_EQ(second->error->code, ErrorCode::unavailable);
    EXPECT_TRUE(second->error->what.starts_with("overloaded: "));
    EXPECT_EQ(inbox.overloaded_total(), 1u);
    EXPECT_EQ(inbox.commands(), 2u);
}

TEST(InboxTest, WhatIsTakenOutCountsUntilItIsDecided) {
    Inbox inbox(2, 1u << 20);
    const auto told = std::make_shared<Told>();
    inbox.submit(a_submission(payments(1, 2), told));
    std::vector<std::unique_ptr<Submission>> taken;
    std::vector<std::unique_ptr<Inbox::Read>> reads;
    inbox.take(taken, reads);
    ASSERT_EQ(taken.size(), 1u);
    EXPECT_TRUE(inbox.empty());
    const auto early = std::make_shared<Told>();
    inbox.submit(a_submission(payments(3, 1), early));
    EXPECT_TRUE(early->error);
    inbox.decided(2, taken[0]->encoded.size());
    EXPECT_EQ(inbox.bytes(), 0u);
    const auto later = std::make_shared<Told>();
    inbox.submit(a_submission(payments(3, 1), later));
    EXPECT_FALSE(later->yet());
}

TEST(InboxTest, BoundsBytesToo) {
    Inbox inbox(1'000, 300);
    const auto first = std::make_shared<Told>(), second = std::make_shared<Told>();
    inbox.submit(a_submission(payments(1, 20), first));
    EXPECT_FALSE(first->yet()) << "one alone is let in, whatever its size";
    inbox.submit(a_submission(payments(30, 1), second));
    EXPECT_TRUE(second->error);
}

TEST(InboxTest, TellsOfEachArrival) {
    Inbox inbox(100, 1u << 20);
    int woken = 0;
    inbox.on_arrival([&] { ++woken; });
    const auto told = std::make_shared<Told>();
    inbox.submit(a_submission(payments(1, 1), told));
    EXPECT_EQ(woken, 1);
    inbox.submit(a_submission(payments(2, 1), told));
    EXPECT_EQ(woken, 2);
    inbox.read(std::make_unique<Inbox::Read>());
    EXPECT_EQ(woken, 3);
    inbox.close();
    inbox.submit(a_submission(payments(3, 1), told));
    EXPECT_EQ(woken, 3) << "nothing was put in";
}

TEST(InboxTest, ClosedItAnswersThatTheEngineStops) {
    Inbox inbox(100, 1u << 20);
    inbox.close();
    const auto told = std::make_shared<Told>();
    inbox.submit(a_submission(payments(1, 1), told));
    ASSERT_TRUE(told->error);
    EXPECT_TRUE(told->error->what.starts_with("stopping: "));
    std::optional<Error> read_told;
    auto read = std::make_unique<Inbox::Read>();
    read->answer = [&](Result<AsOf> as_of) { read_told = as_of.error(); };
    inbox.read(std::move(read));
    ASSERT_TRUE(read_told);
    EXPECT_EQ(read_told->code, ErrorCode::unavailable);
}

class OneSealed final : public SealedIds {
public:
    Result<std::optional<Found>> find(PaymentId id, Seq last) const override {
        EXPECT_GE(last, 5u) << "the frame that spent it";
        if (id == known) return std::optional(Found{{5, 7}, meaning});
        return std::optional<Found>();
    }
    Seq through() const override { return 9; }
    PaymentId known;
    std::uint64_t meaning = 0;
};

class SubmissionBuilderTest : public testing::Test {
protected:
    SubmissionBuilderTest() { policies.publish(0, a_policy("[[rail]]\nname = 'upi'\nnumber = 3\n")); }
    SubmissionBuilder build() { return SubmissionBuilder({&policies, sealed, forgotten_through, 0}, nullptr); }
    static PaymentWish wish(std::string_view key, std::string_view rail = "") {
        PaymentWish wish;
        wish.payment.amount = Money(1'000, currency("EUR"));
        wish.payment.debtor_name = "ada";
        wish.payment.creditor_name = "bob";
        wish.payment.key = key;
        wish.rail = rail;
        return wish;
    }
    static std::unique_ptr<Submission> taken(SubmissionBuilder& builder) {
        return builder.take([](const Result<std::vector<Receipt>>&) {});
    }
    template <class Body>
    static const Body& body(const Submission& submission, std::size_t index = 0) {
        return std::get<Body>(submission.commands.at(index).body);
    }

    Policies policies{"nostro"};
    const SealedIds* sealed = nullptr;
    Seq forgotten_through = 0;
};

TEST_F(SubmissionBuilderTest, FillsInWhatThePaymentNeeds) {
    auto builder = build();
    const auto id = builder.payment(wish("key-0001", "upi"));
    ASSERT_TRUE(id) << id.error().what;
    EXPECT_EQ(*id, payment_id("nostro", "key", "key-0001"));
    const auto submission = taken(builder);
    const auto& submit = body<SubmitPayment>(*submission);
    EXPECT_EQ(submit.payment.id, *id);
    EXPECT_EQ(submit.payment.rail, 3);
    EXPECT_EQ(submit.payment.debtor, account("ada"));
    EXPECT_EQ(submit.payment.creditor, account("bob"));
    EXPECT_EQ(submit.assessment.version, 1u);
    EXPECT_EQ(submit.meaning, payment_meaning(submit.payment));
    EXPECT_EQ(submission->commands[0].id, *id);
    EXPECT_EQ(submission->commands[0].meaning, submit.meaning);
}

TEST_F(SubmissionBuilderTest, EncodesEachCommandForTheFrame) {
    auto builder = build();
    ASSERT_TRUE(builder.payment(wish("key-0001")));
    ASSERT_TRUE(builder.payment(wish("key-0002")));
    const auto submission = taken(builder);
    ASSERT_EQ(submission->ends.size(), 2u);
    std::vector<std::byte> second;
    encode_command(submission->commands[1], second);
    EXPECT_TRUE(std::ranges::equal(second, submission->encoded.view().subspan(submission->ends[0])));
    EXPECT_EQ(builder.size(), 0u) << "empty after take()";
}

TEST_F(SubmissionBuilderTest, RefusalsNameTheFieldAndAddNothing) {
    auto builder = build();
    const auto bad_rail = builder.payment(wish("key-0001", "pigeon"));
    ASSERT_FALSE(bad_rail);
    EXPECT_TRUE(bad_rail.error().what.starts_with("rail: ")) << bad_rail.error().what;
    auto bad_name = wish("key-0001");
    bad_name.payment.debtor_name = "a b";
    const auto refused = builder.payment(bad_name);
    ASSERT_FALSE(refused);
    EXPECT_TRUE(refused.error().what.starts_with("debtor_account: ")) << refused.error().what;
    const auto in_group = builder.group("group-001", std::vector{wish("key-0001"), bad_name});
    ASSERT_FALSE(in_group);
    EXPECT_TRUE(in_group.error().what.starts_with("payments/1/debtor_account: ")) << in_group.error().what;
    EXPECT_FALSE(builder.group("group-001", {}));
    EXPECT_FALSE(builder.group("group-001", std::vector(1'001, wish("key-0001"))));
    EXPECT_EQ(builder.size(), 0u);
}

TEST_F(SubmissionBuilderTest, AGroupKeepsItsPaymentsAlive) {
    std::unique_ptr<Submission> submission;
    {
        auto builder = build();
        ASSERT_TRUE(builder.group("group-001", std::vector{wish("key-0001"), wish("key-0002")}));
        ASSERT_TRUE(builder.group("group-002", std::vector{wish("key-0003")}));
        submission = taken(builder);
    }
    const auto& group = body<SubmitGroup>(*submission);
    ASSERT_EQ(group.payments.size(), 2u);
    EXPECT_EQ(group.payments[1].payment.id, payment_id("nostro", "key", "key-0002"));
    EXPECT_EQ(submission->commands[0].id, payment_id("nostro", "key", "group-001"));
    EXPECT_NE(submission->commands[0].meaning, submission->commands[1].meaning);
}

TEST_F(SubmissionBuilderTest, KeysOfOtherRoutesAreBoundToTheirPath) {
    auto builder = build();
    const PaymentId payment = payment_id_of(1);
    ASSERT_TRUE(builder.capture(payment, 500, {"POST", "/v1/payments/1/capture", "key-0001"}));
    ASSERT_TRUE(builder.capture(payment, 600, {"POST", "/v1/payments/1/capture", "key-0001"}));
    ASSERT_TRUE(builder.void_payment(payment, {"POST", "/v1/payments/1/void", "key-0001"}));
    ASSERT_TRUE(builder.void_payment(payment, {}));
    const auto submission = taken(builder);
    const auto& commands = submission->commands;
    EXPECT_EQ(commands[0].id, commands[1].id);
    EXPECT_NE(commands[0].meaning, commands[1].meaning) << "another amount is another meaning";
    EXPECT_NE(commands[0].id, commands[2].id);
    EXPECT_NE(commands[0].id, payment_id("nostro", "key", "key-0001"));
    EXPECT_TRUE(commands[3].id.empty());
}

TEST_F(SubmissionBuilderTest, MeaningIsWhatIsSaidNotHow) {
    auto builder = build();
    OpenAccount open;
    open.name = "ada";
    open.currency = currency("EUR");
    ASSERT_TRUE(builder.open_account(open, {}));
    ASSERT_TRUE(builder.open_account(open, {}));
    open.floor_minor = -1;
    ASSERT_TRUE(builder.open_account(open, {}));
    ChangeAccount change;
    change.id = account("ada");
    change.status = AccountStatus::frozen;
    ASSERT_TRUE(builder.change_account(change, {"PATCH", "/v1/accounts/ada", "key-0001"}));
    change.status.reset();
    ASSERT_TRUE(builder.change_account(change, {"PATCH", "/v1/accounts/ada", "key-0001"}));
    const auto submission = taken(builder);
    EXPECT_EQ(body<OpenAccount>(*submission, 0).meaning, body<OpenAccount>(*submission, 1).meaning);
    EXPECT_NE(body<OpenAccount>(*submission, 0).meaning, body<OpenAccount>(*submission, 2).meaning);
    EXPECT_EQ(body<OpenAccount>(*submission, 0).id, account("ada"));
    EXPECT_NE(submission->commands[3].meaning, submission->commands[4].meaning);
}

TEST_F(SubmissionBuilderTest, AReversalIsAPaymentTheOtherWay) {
    Recorded original;
    original.payment = a_payment().id(1).of("EUR", 700).payment();
    Outcome outcome;
    outcome.status = Status::held;
    original.outcomes = {outcome, outcome};
    original.outcomes[1].event = Event::captured;
    original.outcomes[1].status = Status::settled;
    original.outcomes[1].amount = Money(600, currency("EUR"));
    original.places = {{4, 1}, {6, 0}};
    original.times = {kStart, kStart + 1h};
    auto builder = build();
    ASSERT_TRUE(builder.reverse(original, 200, "ref", "", {"POST", "/v1/payments/1/reverse", "key-0001"}));
    ASSERT_TRUE(builder.reverse(original, {}, "", "", {}));
    ASSERT_TRUE(builder.reverse(original, {}, "", "", {}));
    const auto submission = taken(builder);
    const auto& part = body<ReversePayment>(*submission, 0);
    EXPECT_EQ(part.payment.debtor_name, "bob");
    EXPECT_EQ(part.payment.creditor, account("ada"));
    EXPECT_EQ(part.payment.amount, Money(200, currency("EUR")));
    EXPECT_FALSE(part.whole_rest);
    EXPECT_EQ(part.original_at, (Place{4, 1}));
    EXPECT_EQ(part.original_status, Status::settled);
    EXPECT_EQ(part.original_minor, 600) << "what was captured";
    EXPECT_EQ(part.original_settled_at, kStart + 1h);
    EXPECT_TRUE(body<ReversePayment>(*submission, 1).whole_rest);
    EXPECT_NE(submission->commands[1].id, submission->commands[2].id) << "without a key each is one of its own";
}

TEST_F(SubmissionBuilderTest, NotesWhatTheSealedIdsKnow) {
    OneSealed one;
    one.known = payment_id("nostro", "key", "key-0002");
    one.meaning = 77;
    sealed = &one;
    forgotten_through = 8;
    auto builder = build();
    ASSERT_TRUE(builder.payment(wish("key-0001")));
    ASSERT_TRUE(builder.payment(wish("key-0002")));
    ASSERT_TRUE(builder.group("group-001", std::vector{wish("key-0001"), wish("key-0002")}));
    const auto submission = taken(builder);
    EXPECT_EQ(submission->ids_asked_through, 8u);
    ASSERT_EQ(submission->sealed.size(), 1u);
    EXPECT_EQ(submission->sealed[0].command, 1u);
    EXPECT_EQ(submission->sealed[0].first, (Place{5, 7}));
    EXPECT_EQ(submission->sealed[0].meaning, 77u);
    EXPECT_EQ(body<SubmitGroup>(*submission, 2).payments[1].sealed, (Place{5, 7}));
}

TEST_F(SubmissionBuilderTest, LeavesIdsToABookThatHasForgottenNone) {
    OneSealed one;
    one.known = payment_id("nostro", "key", "key-0002");
    sealed = &one;
    auto builder = build();
    ASSERT_TRUE(builder.payment(wish("key-0002")));
    const auto submission = taken(builder);
    EXPECT_EQ(submission->ids_asked_through, 0u);
    EXPECT_TRUE(submission->sealed.empty());
}

TEST(PoliciesTest, KeepsEveryVersionAndKnowsTheOneInForce) {
    Policies policies("nostro");
    EXPECT_EQ(policies.current(0), nullptr);
    policies.publish(0, a_policy("", 1));
    policies.publish(0, a_policy("", 2));
    EXPECT_EQ(policies.current(0)->version(), 2u);
    EXPECT_EQ(policies.version(0, 1)->version(), 1u);
    EXPECT_EQ(policies.version(0, 3), nullptr);
    EXPECT_EQ(policies.all(0).size(), 2u);
    EXPECT_EQ(policies.tenant("nostro").value_or(9), 0);
    const auto unknown = policies.tenant("nobody");
    ASSERT_FALSE(unknown);
    EXPECT_NE(unknown.error().what.find("nostro"), std::string::npos);
}

}  // namespace
}  // namespace nostro::test
