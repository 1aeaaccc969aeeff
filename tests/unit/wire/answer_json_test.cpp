#include "nostro/wire/answer_json.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <set>
#include <string>

#include "nostro/wire/payload_parts.hpp"
#include "nostro/wire/reasons.hpp"
#include "tests/unit/wire/policies.hpp"

namespace nostro {
namespace {

using ::testing::HasSubstr;

constexpr Instant kAt{std::chrono::nanoseconds{1'795'253'400'123'456'789}};  // 2026-11-21T09:30:00.123456Z
constexpr PaymentId kId{0x0011223344556677, 0x8899aabbccddeeff};

template <class Write>
std::string written(Write write) {
    std::string text;
    JsonWriter json(text);
    write(json);
    EXPECT_TRUE(json.complete()) << text;
    return text;
}

Currency usd() { return Currency::parse("USD").value(); }

Recorded a_rejected_payment() {
    Recorded recorded;
    Payment& payment = recorded.payment;
    payment.id = kId;
    payment.debtor_name = "ACC001";
    payment.creditor_name = "ACC002";
    payment.amount = Money(1'200'000, usd());
    payment.type = "TRANSFER";
    payment.reference = "INV-7";
    payment.key = "order-17-a";
    Outcome outcome;
    outcome.status = Status::rejected;
    outcome.reason = Reason::insufficient_funds;
    outcome.payment = kId;
    outcome.amount = payment.amount;
    outcome.number = 1042;
    outcome.accepted_at = kAt;
    outcome.debtor_before = outcome.debtor_after = 100'000;
    outcome.why.version = 3;
    outcome.why.score = 30;
    const PolicyPtr policy = test::a_policy();
    const Limit* sum = policy->limit("daily_debit_sum");
    const Limit* count = policy->limit("daily_debit_count");
    outcome.why = policy->assess(payment);
    outcome.why.add({sum->rule, 0, 250'000, sum->at_most, policy->bucket(*sum, kAt)});
    outcome.why.add({count->rule, 0, 7, 5, policy->bucket(*count, kAt)});
    recorded.outcomes = {outcome};
    recorded.places = {{17, 4}};
    recorded.times = {kAt};
    return recorded;
}

PolicyLookup versions() {
    return [](TenantNo, PolicyVersion version) { return version == 3 ? test::a_policy() : nullptr; };
}

TEST(PaymentAnswerTest, ShowsEveryFieldOfARejectedPayment) {
    const auto text = written([](JsonWriter& json) { write_payment(json, a_rejected_payment(), versions()); });
    EXPECT_EQ(
        text,
        R"({"payment_id":"00112233445566778899aabbccddeeff","status":"rejected","reason":"insufficient_funds",)"
        R"("reason_class":"retry_later","scheme_codes":{"iso20022":"AM04"},"debtor_account":"ACC001",)"
        R"("creditor_account":"ACC002","amount":"12000.00","currency":"USD","rail":"internal","type":"TRANSFER",)"
        R"("reference":"INV-7","description":null,"metadata":{},"capture":"automatic",)"
        R"("idempotency_key":"order-17-a","number":1042,"accepted_at":"2026-11-21T09:30:00.123456Z",)"
        R"("decided_at":"2026-11-21T09:30:00.123456Z","settled_at":null,"expires_at":null,"captured_amount":null,)"
        R"("reversed_amount":"0.00","reverses":null,"reversals":[],)"
        R"("why":{"policy":3,"score":30,"advice":"clear",)"
        R"("rules":[{"rule":"amount_over_10000","points":30,"input":"12000.00"}],)"
        R"("limits":[{"limit":"daily_debit_sum","window":"2026-11-21","used":"2500.00","left":"47500.00",)"
        R"("at_most":"50000.00"},{"limit":"daily_debit_count","window":"2026-11-21","used":"7","left":"0",)"
        R"("at_most":"5"}]},"balances":{"debtor":{"before":"1000.00","after":"1000.00"},)"
        R"("creditor":{"before":"0.00","after":"0.00"}},)"
        R"("timeline":[{"event":"accepted","at":"2026-11-21T09:30:00.123456Z"},)"
        R"({"event":"rejected","at":"2026-11-21T09:30:00.123456Z","by":"policy"}],)"
        R"("journal":{"book":0,"seq":17,"index":4}})");
}

// Adds what became of it later.
Outcome& then(Recorded& recorded, Event event, Status status, std::int64_t seconds) {
    Outcome next = recorded.outcomes.back();
    next.event = event;
    next.status = status;
    next.reason = Reason::none;
    recorded.outcomes.push_back(next);
    recorded.places.push_back({recorded.places.back().seq + 1, 0});
    recorded.times.push_back(kAt + std::chrono::seconds(seconds));
    return recorded.outcomes.back();
}

Recorded a_payment_in_review() {
    Recorded recorded = a_rejected_payment();
    recorded.outcomes[0].status = Status::in_review;
    recorded.outcomes[0].reason = Reason::none;
    recorded.outcomes[0].expires_at = kAt + std::chrono::hours(24);
    return recorded;
}

TEST(PaymentAnswerTest, TellsTheWholeWayOfAManualCapture) {
    Recorded recorded = a_payment_in_review();
    recorded.payment.capture = Capture::manual;
    recorded.payment.metadata = R"({"order":"17"})";
    recorded.reviewed_by = "ada";
    recorded.review_note = "known customer";
    then(recorded, Event::approved, Status::held, 60).expires_at = kAt + std::chrono::hours(48);
    then(recorded, Event::captured, Status::settled, 120).amount = Money(400'000, usd());
    recorded.reversals = {{1, 2}};
    recorded.reversed_minor = 100;
    const auto text = written([&](JsonWriter& json) { write_payment(json, recorded, versions()); });
    for (const char* part :
         {R"("status":"settled","reason":null,"reason_class":null,"scheme_codes":null)", R"("amount":"12000.00")",
          R"("metadata":{"order":"17"})", R"("capture":"manual")", R"("decided_at":"2026-11-21T09:30:00.123456Z")",
          R"("settled_at":"2026-11-21T09:32:00.123456Z","expires_at":null,"captured_amount":"4000.00")",
          R"("reversed_amount":"1.00","reverses":null,"reversals":["00000000000000010000000000000002"])",
          R"({"event":"in_review","at":"2026-11-21T09:30:00.123456Z","by":"policy"})",
          R"({"event":"held","at":"2026-11-21T09:31:00.123456Z","by":"ada","note":"known customer"})",
          R"({"event":"settled","at":"2026-11-21T09:32:00.123456Z","by":"client"}])"}) {
        EXPECT_THAT(text, HasSubstr(part));
    }
}

TEST(PaymentAnswerTest, AnOpenPaymentSaysWhenItRunsOut) {
    const auto text = written([](JsonWriter& json) { write_payment(json, a_payment_in_review(), versions()); });
    EXPECT_THAT(text, HasSubstr(R"("expires_at":"2026-11-22T09:30:00.123456Z")"));
    Recorded expired = a_payment_in_review();
    then(expired, Event::expired, Status::expired, 86'400).reason = Reason::review_expired;
    EXPECT_THAT(written([&](JsonWriter& json) { write_payment(json, expired, versions()); }),
                HasSubstr(R"({"event":"expired","at":"2026-11-22T09:30:00.123456Z","by":"clock"})"));
}

TEST(PaymentAnswerTest, WithoutThePolicyNamesAreNull) {
    const auto none = [](TenantNo, PolicyVersion) { return PolicyPtr(); };
    const auto text = written([&](JsonWriter& json) { write_payment(json, a_rejected_payment(), none); });
    EXPECT_THAT(text, HasSubstr(R"("rules":[{"rule":null,"points":30,"input":null},)"));
    EXPECT_THAT(text, HasSubstr(R"("limits":[])"));
}

TEST(PaymentAnswerTest, AnUnknownAccountHasNoBalances) {
    Recorded recorded = a_rejected_payment();
    recorded.outcomes[0].reason = Reason::account_unknown;
    EXPECT_THAT(written([&](JsonWriter& json) { write_payment(json, recorded, versions()); }),
                HasSubstr(R"("balances":null)"));
}

TEST(PaymentAnswerTest, AKeptRecordHasNoAmount) {
    Recorded recorded;
    Outcome& outcome = recorded.outcomes.emplace_back();
    outcome.event = Event::record_kept;
    outcome.status = Status::rejected;
    outcome.reason = Reason::unreadable;
    recorded.places = {{1, 0}};
    recorded.times = {kAt};
    const auto text = written([&](JsonWriter& json) { write_payment(json, recorded, versions()); });
    EXPECT_THAT(text, HasSubstr(R"("amount":null,"currency":null)"));
    EXPECT_THAT(text, HasSubstr(R"("balances":null)"));
}

TEST(PaymentAnswerTest, ASimulationShowsTheDecisionAlone) {
    const Recorded recorded = a_rejected_payment();
    const auto text =
        written([&](JsonWriter& json) { write_simulated(json, recorded.outcomes[0], test::a_policy().get()); });
    EXPECT_THAT(text, HasSubstr(R"({"status":"rejected","reason":"insufficient_funds","reason_class":"retry_later",)"));
    EXPECT_THAT(text, HasSubstr(R"("why":{"policy":3,)"));
    EXPECT_THAT(text, ::testing::Not(HasSubstr("payment_id")));
}

TEST(PaymentAnswerTest, AnEventTellsPaymentAndMove) {
    Recorded recorded = a_payment_in_review();
    then(recorded, Event::captured, Status::settled, 1).amount = Money(5, usd());
    const auto text = written([&](JsonWriter& json) {
        write_event(json, recorded.last(), &recorded.payment, {18, 0}, recorded.times[1], test::a_policy().get());
    });
    EXPECT_THAT(text, HasSubstr(R"("event":"captured","status":"settled","reason":null)"));
    EXPECT_THAT(text, HasSubstr(R"("amount":"12000.00","currency":"USD","rail":"internal")"));
    EXPECT_THAT(text, HasSubstr(R"("moved_amount":"0.05")"));
    EXPECT_THAT(text, HasSubstr(R"("journal":{"book":0,"seq":18,"index":0}})"));
    const auto old =
        written([&](JsonWriter& json) { write_event(json, recorded.outcomes[0], nullptr, {18, 0}, kAt, nullptr); });
    EXPECT_THAT(old, HasSubstr(R"("debtor_account":null,"creditor_account":null,"amount":"12000.00")"));
    EXPECT_THAT(old, HasSubstr(R"("moved_amount":null)"));
}

TEST(ReceiptAnswerTest, SingleAndBatchShowTheSame) {
    Receipt receipt;
    receipt.payment = kId;
    receipt.status = Status::rejected;
    receipt.reason = Reason::limit_exceeded;
    receipt.accepted_at = kAt;
    const std::string fields =
        R"("payment_id":"00112233445566778899aabbccddeeff","status":"rejected","reason":"limit_exceeded",)"
        R"("reason_class":"retry_later","accepted_at":"2026-11-21T09:30:00.123456Z",)"
        R"("status_url":"/v1/payments/00112233445566778899aabbccddeeff")";
    EXPECT_EQ(written([&](JsonWriter& json) { write_receipt(json, receipt); }), "{" + fields + "}");
    receipt.answer.kind = Answer::Kind::replayed;
    EXPECT_EQ(written([&](JsonWriter& json) { write_batch_receipt(json, 3, "key-00000001", receipt); }),
              R"({"index":3,"idempotency_key":"key-00000001",)" + fields + R"(,"replayed":true,"error":null})");
}

TEST(ReceiptAnswerTest, AnItemThatWasNotTakenHoldsItsProblem) {
    FieldErrors errors;
    errors.add("/amount", "amount_syntax", "amount: \"x\" is none");
    const Problem problem{.status = 422, .code = "invalid", .detail = "mend it", .errors = &errors};
    EXPECT_EQ(written([&](JsonWriter& json) { write_batch_error(json, 0, "", problem); }),
              R"({"index":0,"idempotency_key":null,"payment_id":null,"status":null,"reason":null,"reason_class":null,)"
              R"("accepted_at":null,"status_url":null,"replayed":false,"error":{"type":"urn:nostro:problem:invalid",)"
              R"("title":"Unprocessable Content","status":422,"detail":"mend it","code":"invalid",)"
              R"("errors":[{"pointer":"/amount","code":"amount_syntax","detail":"amount: \"x\" is none"}]}})");
}

TEST(ProblemAnswerTest, MayHaveMembersOfItsOwn) {
    const std::pair<std::string_view, std::string_view> more[] = {{"state", "settled"}};
    const Problem problem{.status = 409, .code = "not_open", .detail = "it is settled", .more = more};
    EXPECT_EQ(written([&](JsonWriter& json) { write_problem(json, problem); }),
              R"({"type":"urn:nostro:problem:not_open","title":"Conflict","status":409,"detail":"it is settled",)"
              R"("code":"not_open","state":"settled","errors":[]})");
}

AccountImage an_account() {
    AccountImage image;
    image.id = {1, 2};
    image.currency = usd();
    image.balance = 100'000;
    image.held = 2'500;
    image.floor = -5'000;
    image.version = 7;
    image.opened_at = kAt;
    image.kind = AccountKind::merchant;
    return image;
}

TEST(AccountAnswerTest, ShowsTheAccountWithItsOwnBounds) {
    const PolicyPtr policy = test::a_policy();
    AccountRecord account{an_account(), "ACC001", "Ada", R"({"a":1})", {}, {5, 0}, 0};
    account.bounds = {{policy->limit("daily_debit_sum")->name_key, 25'050, false},
                      {policy->limit("daily_debit_count")->name_key, 3, false},
                      {0xdead, 1, false}};
    EXPECT_EQ(
        written([&](JsonWriter& json) { write_account(json, account, policy.get()); }),
        R"({"account_id":"ACC001","currency":"USD","holder":"Ada","kind":"merchant","status":"active",)"
        R"("risk_level":"unrated","floor":"-50.00","limits":{"daily_debit_sum":"250.50","daily_debit_count":"3"},)"
        R"("metadata":{"a":1},"opened_at":"2026-11-21T09:30:00.123456Z",)"
        R"("balance":{"posted":"1000.00","held":"25.00","available":"975.00","version":7},)"
        R"("journal":{"book":0,"seq":5,"index":0}})");
    account.image.floor = kNoFloor;
    account.metadata.clear();
    const auto bare = written([&](JsonWriter& json) { write_account(json, account, nullptr); });
    EXPECT_THAT(bare, HasSubstr(R"("floor":null,"limits":{},"metadata":{})"));
}

TEST(AccountAnswerTest, ShowsABalanceAndHowOldItIs) {
    EXPECT_EQ(written([](JsonWriter& json) { write_balance(json, "ACC001", an_account(), {17, kAt}); }),
              R"({"account_id":"ACC001","currency":"USD","posted":"1000.00","held":"25.00","available":"975.00",)"
              R"("version":7,"as_of":{"seq":17,"at":"2026-11-21T09:30:00.123456Z"}})");
    AccountImage extreme = an_account();
    extreme.balance = INT64_MIN;
    extreme.held = INT64_MAX;
    EXPECT_THAT(written([&](JsonWriter& json) { write_balance(json, "A", extreme, {}); }),
                HasSubstr(R"("available":"-184467440737095516.15")"));
}

TEST(AccountAnswerTest, ShowsAnEntryWithItsRunningBalance) {
    Entry entry;
    entry.place = {17, 4};
    entry.at = kAt;
    entry.outcome = a_rejected_payment().outcomes[0];
    entry.outcome.status = Status::settled;
    entry.debit = true;
    entry.before_minor = 5;
    entry.after_minor = -5;
    EXPECT_EQ(
        written([&](JsonWriter& json) { write_entry(json, entry, "ACC002"); }),
        R"({"entry_id":"17.4","at":"2026-11-21T09:30:00.123456Z","payment_id":"00112233445566778899aabbccddeeff",)"
        R"("event":"submitted","status":"settled","direction":"debit","amount":"12000.00","currency":"USD",)"
        R"("counterparty":"ACC002","balance_before":"0.05","balance_after":"-0.05",)"
        R"("journal":{"book":0,"seq":17,"index":4}})");
}

TEST(AccountAnswerTest, TotalsSumToZeroByCurrency) {
    const Currency jpy = Currency::parse("JPY").value();
    const Book::KindTotal totals[] = {{0, usd(), AccountKind::customer, 2, 500, 20},
                                      {0, jpy, AccountKind::customer, 1, 7, 0},
                                      {0, usd(), AccountKind::house, 1, -500, 0}};
    EXPECT_EQ(
        written([&](JsonWriter& json) { write_totals(json, totals, {17, kAt}); }),
        R"({"currencies":[{"currency":"JPY","kinds":[{"kind":"customer","accounts":1,"posted":"7","held":"0"}],)"
        R"("sum":"7","balanced":false},{"currency":"USD","kinds":[{"kind":"customer","accounts":2,"posted":"5.00",)"
        R"("held":"0.20"},{"kind":"house","accounts":1,"posted":"-5.00","held":"0.00"}],"sum":"0.00",)"
        R"("balanced":true}],"balanced":false,"as_of":{"seq":17,"at":"2026-11-21T09:30:00.123456Z"}})");
}

TEST(AccountAnswerTest, ShowsAPolicyAsItsText) {
    const auto text = written([](JsonWriter& json) { write_policy(json, *test::a_policy(), true); });
    EXPECT_THAT(text, HasSubstr(R"({"tenant":"nostro","version":3,"in_force":true,"policy":"tenant = \"nostro\"\n)"));
}

TEST(DeadLetterAnswerTest, ShowsTextAndBytes) {
    PaymentId payment{0, 0x2a};
    DeadLetter letter{
        {17, 4}, kAt, "orders", "0:17", "", "no JSON", std::string("ab\0c", 4), DeadLetter::State::redriven};
    EXPECT_EQ(
        written([&](JsonWriter& json) { write_dead_letter(json, letter, payment); }),
        R"({"dead_letter_id":"17.4","at":"2026-11-21T09:30:00.123456Z","state":"redriven","source":"orders",)"
        R"("position":"0:17","format":null,"why":"no JSON","text":"ab\u0000c","bytes_base64":"YWIAYw==","size":4,)"
        R"("payment_id":"0000000000000000000000000000002a","journal":{"book":0,"seq":17,"index":4}})");
    payment = {};
    EXPECT_THAT(written([&](JsonWriter& json) { write_dead_letter(json, letter, payment); }),
                HasSubstr(R"("payment_id":null)"));
    struct Encoding {
        std::string bytes;
        const char* base64;
    };
    for (const auto& [bytes, base64] : {Encoding{"", "\"\""}, Encoding{"f", "\"Zg==\""}, Encoding{"fo", "\"Zm8=\""},
                                        Encoding{"foo", "\"Zm9v\""}, Encoding{"\xff\xfe\xfd\xfc", "\"//79/A==\""}}) {
        letter.bytes = bytes;
        EXPECT_THAT(written([&](JsonWriter& json) { write_dead_letter(json, letter, payment); }),
                    HasSubstr(std::string("\"bytes_base64\":") + base64));
    }
    EXPECT_THAT(written([&](JsonWriter& json) { write_dead_letter(json, letter, payment); }),
                HasSubstr(R"("text":null)"));
}

TEST(ListAnswerTest, HasDataCursorAndAge) {
    EXPECT_EQ(written([](JsonWriter& json) {
                  begin_list(json);
                  json.number(1).number(2);
                  end_list(json, "abc", {17, kAt});
              }),
              R"({"data":[1,2],"next_cursor":"abc","as_of":{"seq":17,"at":"2026-11-21T09:30:00.123456Z"}})");
    EXPECT_EQ(written([](JsonWriter& json) {
                  begin_list(json);
                  end_list(json, "", {});
              }),
              R"({"data":[],"next_cursor":null,"as_of":{"seq":0,"at":null}})");
}

TEST(ReasonTest, EveryReasonHasAClassATextAndAnIsoCode) {
    const std::set<std::string_view> classes = {"retry_later", "fix_and_resend",        "ask_customer",
                                                "risk_block",  "reconcile_never_retry", "final"};
    for (int i = 1; i <= static_cast<int>(kReasonLast); ++i) {
        const auto reason = static_cast<Reason>(i);
        EXPECT_TRUE(classes.contains(name(reason_class(reason)))) << name(reason);
        EXPECT_FALSE(reason_text(reason).empty()) << name(reason);
        EXPECT_EQ(reason_codes(reason).iso20022.size(), 4u) << name(reason);
        EXPECT_TRUE(reason_codes(reason).ach.empty() || reason_codes(reason).ach[0] == 'R') << name(reason);
    }
}

struct FundsCase {
    Reason reason;
    const char *iso20022, *upi, *ach, *iso8583, *of_class;
};

TEST(ReasonTest, FundsLimitsAccountsAndRiskAreAsTheRailsSayThem) {
    for (const auto& [reason, iso20022, upi, ach, iso8583, of_class] :
         {FundsCase{Reason::insufficient_funds, "AM04", "Z9", "R01", "51", "retry_later"},
          FundsCase{Reason::limit_exceeded, "AM14", "Z7", "", "61", "retry_later"},
          FundsCase{Reason::account_unknown, "AC01", "XH", "R03", "14", "fix_and_resend"},
          FundsCase{Reason::account_closed, "AC04", "XI", "R02", "62", "fix_and_resend"},
          FundsCase{Reason::account_frozen, "AC06", "YE", "R16", "62", "fix_and_resend"},
          FundsCase{Reason::same_account, "AG01", "U96", "R17", "12", "fix_and_resend"},
          FundsCase{Reason::risk_rejected, "FRAD", "U16", "R17", "05", "risk_block"},
          FundsCase{Reason::unreadable, "FF01", "U05", "R17", "30", "fix_and_resend"},
          FundsCase{Reason::broken, "MS03", "U08", "", "96", "reconcile_never_retry"}}) {
        const ReasonCodes codes = reason_codes(reason);
        EXPECT_EQ(codes.iso20022, iso20022) << name(reason);
        EXPECT_EQ(codes.upi, upi) << name(reason);
        EXPECT_EQ(codes.ach, ach) << name(reason);
        EXPECT_EQ(codes.iso8583, iso8583) << name(reason);
        EXPECT_EQ(name(reason_class(reason)), of_class) << name(reason);
    }
}

TEST(ReasonTest, TheDocumentationShowsEveryRow) {
    std::ifstream file(NOSTRO_DOCS "/reasons.md");
    const std::string page(std::istreambuf_iterator<char>(file), {});
    for (int i = 1; i <= static_cast<int>(kReasonLast); ++i) {
        const auto reason = static_cast<Reason>(i);
        const ReasonCodes codes = reason_codes(reason);
        std::string row = "| `" + std::string(name(reason)) + "` | `" + std::string(name(reason_class(reason))) + "` |";
        for (const auto code : {codes.iso20022, codes.upi, codes.ach, codes.iso8583}) {
            row.append(" ").append(code.empty() ? "–" : code).append(" |");
        }
        row.append(" ").append(reason_text(reason)).append(" |\n");
        EXPECT_THAT(page, HasSubstr(row));
    }
}

TEST(ReasonTest, ARailSpeaksItsOwnFamilyBesideIso20022) {
    EXPECT_EQ(rail_family("upi"), RailFamily::upi);
    EXPECT_EQ(rail_family("upi_lite"), RailFamily::upi);
    EXPECT_EQ(rail_family("ach"), RailFamily::ach);
    EXPECT_EQ(rail_family("same_day_ach"), RailFamily::ach);
    EXPECT_EQ(rail_family("card"), RailFamily::card);
    EXPECT_EQ(rail_family("internal"), RailFamily::iso20022);
    EXPECT_EQ(rail_family("fedwire"), RailFamily::iso20022);
}

}  // namespace
}  // namespace nostro
