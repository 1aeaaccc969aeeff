#include "nostro/profiles/tps.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "nostro/adapters/memory/memory_cache.hpp"
#include "nostro/profiles/profile_answers.hpp"
#include "tests/unit/profiles/profile_world.hpp"
#include "tests/unit/profiles/route_caller.hpp"

namespace nostro::tps {
namespace {

using test::ProfileWorld;
using test::RouteCaller;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::StartsWith;

constexpr std::string_view kPost = "submitTransaction", kGet = "readTransaction";
constexpr const char* kTime = "20[0-9][0-9]-[0-9][0-9]-[0-9][0-9]T[0-9][0-9]:[0-9][0-9]:[0-9][0-9](.[0-9]{6})?";

std::string a_body(std::string_view user, std::string_view amount, std::string_view currency = "USD") {
    return fmt::format(R"({{"user_id": "{}", "amount": {}, "currency": "{}"}})", user, amount, currency);
}

class TpsTest : public testing::Test {
protected:
    Response post(std::string_view body, const std::string& key = {}) { return routes.call(kPost, body, {key}); }
    Response get(std::string_view id) { return routes.call(kGet, {}, {std::string(id)}); }

    ProfileWorld world{*find_profile("tps")};
    RouteCaller routes{world.profile->routes(*world.ledger)};
};

// --- routes ---

TEST_F(TpsTest, ATransactionIsPendingWhenTakenAndCompletedWhenRead) {
    const Response taken = post(a_body("user_11", "12.75"));
    EXPECT_EQ(taken.status, 200);
    const std::string members = R"(\{"user_id":"user_11","amount":12.75,"currency":"USD","id":1,"status":")";
    EXPECT_THAT(taken.body, MatchesRegex(members + R"(pending","created_at":")" + kTime + R"("\})"));
    const Response read = get("1");
    EXPECT_EQ(read.status, 200);
    EXPECT_THAT(read.body, MatchesRegex(members + R"(completed","created_at":")" + kTime + R"("\})"));
    EXPECT_EQ(taken.body.substr(taken.body.find("created_at")), read.body.substr(read.body.find("created_at")));
    EXPECT_EQ(world.balance("user:user_11:USD"), -12'75) << "nothing bounds how far down it goes";
    EXPECT_EQ(world.balance("tps:clearing:USD"), 12'75);
}

TEST_F(TpsTest, TheSameKeyIsTheSameTransaction) {
    const Response first = post(a_body("ann", "5"), "key-00001");
    const Response again = post(R"({"currency":"USD","amount":5.00,"user_id":"ann","more":1})", "key-00001");
    EXPECT_EQ(again.status, 200);
    EXPECT_EQ(again.body, first.body);
    EXPECT_THAT(again.headers, HasSubstr("Idempotent-Replayed: true"));
    const Response other = post(a_body("ann", "6"), "key-00001");
    EXPECT_EQ(other.status, 422);
    EXPECT_THAT(other.body, StartsWith(R"({"detail":"this key)"));
    EXPECT_EQ(world.balance("user:ann:USD"), -5'00);
    EXPECT_THAT(post(a_body("ann", "5")).body, HasSubstr(R"("id":2,)")) << "without a key it is another one";
}

// An index of some payments, and nothing else.
class Indexed final : public History {
public:
    void add(const ProfileWorld::Told& told, std::string row = {}) {
        Recorded recorded;
        add_outcome(recorded, told.frame, told.receipt.place.index);
        std::vector<IndexRow> rows;
        index_rows(recorded.payment, rows);
        ASSERT_EQ(rows.size(), 1u);
        if (!row.empty()) rows.front().row = std::move(row);
        rows_.emplace_back(rows.front(), std::move(recorded));
    }
    Result<Page<Recorded>> rows(const RowSearch& search) const override {
        Page<Recorded> page;
        for (const auto& [kept, recorded] : rows_) {
            const bool is_it = kept.group == search.group && kept.row >= search.from && kept.row < search.to;
            if (is_it && page.items.size() < search.count_max) page.items.push_back(recorded);
        }
        return page;
    }
    AsOf as_of() const override { return {}; }
    Result<std::optional<Recorded>> payment(PaymentId) const override { return none(); }
    Result<Page<Recorded>> payments(const Search&) const override { return none(); }
    Result<Page<Recorded>> reviews(TenantNo, std::uint32_t, const std::string&) const override { return none(); }
    Result<std::optional<AccountRecord>> account(AccountId) const override { return none(); }
    Result<std::optional<AccountRecord>> account_as_of(AccountId, Seq) const override { return none(); }
    Result<Page<AccountRecord>> accounts(TenantNo, std::uint32_t, const std::string&) const override { return none(); }
    Result<AccountImage> account_at(AccountId, Seq) const override { return none(); }
    Result<Seq> seq_at(Instant) const override { return none(); }
    Result<Page<Entry>> entries(AccountId, std::optional<Instant>, std::optional<Instant>, bool, std::uint32_t,
                                const std::string&) const override {
        return none();
    }
    Result<Page<DeadLetter>> dead_letters(std::uint32_t, const std::string&) const override { return none(); }
    Result<std::optional<DeadLetter>> dead_letter(Place) const override { return none(); }
    Result<std::vector<Book::KindTotal>> totals_at(Seq) const override { return none(); }
    Result<std::optional<Seq>> frame_of_number(TenantNo, std::uint64_t) const override { return std::optional<Seq>(); }

private:
    static Error none() { return {ErrorCode::unavailable, "not asked"}; }
    std::vector<std::pair<IndexRow, Recorded>> rows_;
};

// The world's ledger with that index. What is taken in is decided elsewhere, as where there is no Book: without number.
class Elsewhere final : public Ledger {
public:
    explicit Elsewhere(Ledger& there) : there_(there) {}
    TenantNo tenant() const override { return there_.tenant(); }
    const Clock& clock() const override { return there_.clock(); }
    void submit(std::shared_ptr<const void> memory, std::span<const Wish> wishes, Receipts reply) override {
        there_.submit(std::move(memory), wishes, [reply = std::move(reply)](Result<std::vector<Receipt>> receipts) {
            for (Receipt& receipt : *receipts) {
                receipt.answer.kind = Answer::Kind::recorded;
                receipt.number = 0;
            }
            reply(std::move(receipts));
        });
    }
    Result<> complete(std::vector<Receipt>&) const override { return {}; }
    void when_readable(std::function<void()> then) const override { then(); }
    const History& history() const override { return index; }
    Result<DecodedPtr> frame(Seq seq) const override { return there_.frame(seq); }
    Cache* cache() const override { return &store; }
    PolicyPtr policy() const override { return there_.policy(); }
    PolicyPtr policy(PolicyVersion version) const override { return there_.policy(version); }

    Indexed index;
    mutable MemoryCache store;

private:
    Ledger& there_;
};

std::string id_in(std::string_view body) {
    const auto at = body.find("\"id\":") + 5;
    return std::string(body.substr(at, body.find(',', at) - at));
}

TEST_F(TpsTest, WhatIsDecidedElsewhereHasAnIdOfItsOwnWhichIsTheSameForTheSameKey) {
    Elsewhere ledger(*world.ledger);
    RouteCaller there(world.profile->routes(ledger));
    const Response taken = there.call(kPost, a_body("ann", "5"), {"key-00001"});
    EXPECT_EQ(id_in(taken.body).size(), 16u);
    EXPECT_THAT(taken.body, HasSubstr(R"("status":"pending")"));
    EXPECT_THAT(taken.headers, HasSubstr("Location: /v1/payments/"));
    EXPECT_EQ(id_in(there.call(kPost, a_body("ann", "5"), {"key-00001"}).body), id_in(taken.body));
    EXPECT_NE(id_in(there.call(kPost, a_body("ann", "5")).body), id_in(taken.body)) << "another one";
}

TEST_F(TpsTest, WhatWasDecidedIsShownUnderTheIdThatWasAnsweredElsewhere) {
    Elsewhere ledger(*world.ledger);
    RouteCaller there(world.profile->routes(ledger));
    const auto told = world.send(a_body("ann", "5"));
    const auto other = world.send(a_body("bob", "6"), {"test", 2});
    ledger.index.add(told);
    ledger.index.add(other);
    const std::string ticket = std::to_string(ticket_of(told.receipt.payment));
    std::string shown = get("1").body;
    EXPECT_THAT(shown, HasSubstr(R"("status":"completed")"));
    shown.replace(shown.find(R"("id":1,)"), 7, fmt::format(R"("id":{},)", ticket));
    EXPECT_EQ(there.call(kGet, {}, {ticket}).body, shown);
    EXPECT_FALSE(ledger.store.get("txn:" + ticket)) << "tables and cache have its number";
    EXPECT_EQ(there.call(kGet, {}, {std::to_string(1ull << 52)}).status, 404);
    EXPECT_EQ(there.call(kGet, {}, {std::to_string(1ull << 53)}).status, 404) << "an id of neither kind";
    ledger.index.add(other, ticket);
    const Response both = there.call(kGet, {}, {ticket});
    EXPECT_EQ(both.status, 409) << "nobody is shown another's transaction";
    EXPECT_THAT(both.body, HasSubstr("GET /v1/payments/{id}"));
}

TEST_F(TpsTest, AnIdOfAProgramWithoutTheBookIsNoNumberAndIsReadByEveryJsonReader) {
    for (const PaymentId id : {PaymentId{0, 0}, PaymentId{1, ~0ull}, PaymentId{~0ull, 1}}) {
        EXPECT_TRUE(is_ticket(ticket_of(id)));
        EXPECT_LT(ticket_of(id), 1ull << 53) << "a double holds it";
    }
    EXPECT_FALSE(is_ticket((1ull << 52) - 1));
    EXPECT_FALSE(is_ticket(1ull << 53));
}

// Beside the world's own ledger, one with a cache.
struct Cached {
    explicit Cached(ProfileWorld& world)
        : ledger(*world.service, world.clock, find_profile("tps")->tenant, &cache),
          routes(world.profile->routes(ledger)) {}
    MemoryCache cache;
    TenantLedger ledger;
    RouteCaller routes;
};

TEST_F(TpsTest, WhatTheCacheHasIsAnsweredWithoutTheStore) {
    Cached there(world);
    const Transaction other{99, "user_7", Money(3'50, *Currency::parse("EUR")), "completed", system_now()};
    there.cache.put("txn:99", cache_of(other).value, {1, 0}, std::chrono::seconds(1));
    EXPECT_EQ(there.routes.call(kGet, {}, {"99"}).body, body_of(transaction_of(cache_of(other).value, {}).value()));
    there.cache.put("txn:98", cache_of(other).value, {1, 0}, std::chrono::seconds(1));
    EXPECT_EQ(there.routes.call(kGet, {}, {"98"}).status, 404) << "what is told there is of another";
}

TEST_F(TpsTest, WhatWasReadInTheStoreIsPutIntoTheCache) {
    Cached there(world);
    const std::string stored = (post(a_body("user_11", "12.75")), get("1").body);
    EXPECT_EQ(there.routes.call(kGet, {}, {"1"}).body, stored);
    const auto kept = there.cache.get("txn:1");
    ASSERT_TRUE(kept);
    EXPECT_EQ(body_of(transaction_of(*kept, {}).value()), stored);
    EXPECT_EQ(there.routes.call(kGet, {}, {"1"}).body, stored) << "out of the cache, the same to the letter";
    for (const std::string_view wrong : {"", "{}", "gone wrong"}) {
        there.cache.put("txn:1", wrong, {999, 0}, std::chrono::seconds(1));
        EXPECT_EQ(there.routes.call(kGet, {}, {"1"}).body, stored) << wrong;
    }
}

struct Sent {
    const char *amount, *currency, *shown;
};

TEST_F(TpsTest, AmountsAreShownAsNumbersOfTheSameValue) {
    const Sent cases[] = {
        {"12.75", "USD", "12.75"}, {"12", "USD", "12.0"},       {"12.50", "USD", "12.5"},
        {"0.01", "USD", "0.01"},   {"\"12.5\"", "USD", "12.5"}, {"1e3", "USD", "1000.0"},
        {"500", "JPY", "500.0"},   {"1.234", "KWD", "1.234"},   {"9999999999999999.99", "USD", "9999999999999999.99"}};
    for (const Sent& each : cases) {
        const Response taken = post(a_body("ann", each.amount, each.currency));
        EXPECT_EQ(taken.status, 200) << taken.body;
        EXPECT_THAT(taken.body, HasSubstr(fmt::format(R"("amount":{},)", each.shown))) << each.amount;
    }
}

struct Bad {
    const char *body, *type, *loc;
};

TEST_F(TpsTest, WhatTheOriginalLetsInIsRefused) {
    const Bad cases[] = {
        {R"({"user_id":"a","amount":0,"currency":"USD"})", "money_not_positive", R"(["body","amount"])"},
        {R"({"user_id":"a","amount":-1,"currency":"USD"})", "money_not_positive", R"(["body","amount"])"},
        {R"({"user_id":"a","amount":1e300,"currency":"USD"})", "money_overflow", R"(["body","amount"])"},
        {R"({"user_id":"a","amount":10000000000000000,"currency":"USD"})", "money_overflow", R"(["body","amount"])"},
        {R"({"user_id":"a","amount":10000000000000000,"currency":"JPY"})", "money_overflow", R"(["body","amount"])"},
        {R"({"user_id":"a","amount":NaN,"currency":"USD"})", "json_invalid", R"(["body",24])"},
        {R"({"user_id":"a","amount":"NaN","currency":"USD"})", "float_parsing", R"(["body","amount"])"},
        {R"({"user_id":"a","amount":"inf","currency":"USD"})", "float_parsing", R"(["body","amount"])"},
        {R"({"user_id":"a","amount":true,"currency":"USD"})", "float_type", R"(["body","amount"])"},
        {R"({"user_id":"a","amount":0.001,"currency":"USD"})", "money_too_many_decimals", R"(["body","amount"])"},
        {R"({"user_id":"a","amount":0.1,"currency":"JPY"})", "money_too_many_decimals", R"(["body","amount"])"},
        {R"({"user_id":"","amount":1,"currency":"USD"})", "string_empty", R"(["body","user_id"])"},
        {R"({"user_id":7,"amount":1,"currency":"USD"})", "string_type", R"(["body","user_id"])"},
        {R"({"user_id":"a","amount":1,"currency":"usd"})", "currency_unknown", R"(["body","currency"])"},
        {R"({"user_id":"a","amount":1,"currency":""})", "currency_unknown", R"(["body","currency"])"},
        {R"({"user_id":"a","currency":"USD"})", "missing", R"(["body","amount"])"},
        {R"({"amount":1,"currency":"USD"})", "missing", R"(["body","user_id"])"},
        {R"([])", "model_attributes_type", R"(["body"])"},
        {"", "missing", R"(["body"])"}};
    for (const Bad& each : cases) {
        const Response refused = post(each.body);
        EXPECT_EQ(refused.status, 422) << each.body;
        EXPECT_THAT(refused.body,
                    StartsWith(fmt::format(R"({{"detail":[{{"type":"{}","loc":{},)", each.type, each.loc)))
            << each.body;
    }
    const Response both = post(R"({"user_id":"","amount":0.001,"currency":"USD"})");
    EXPECT_THAT(both.body, HasSubstr("string_empty"));
    EXPECT_THAT(both.body, HasSubstr("money_too_many_decimals")) << "one entry a fault";
    EXPECT_EQ(get("1").status, 404) << "nothing was taken";
}

TEST_F(TpsTest, IdsAreReadAsTheOriginalReadsThem) {
    post(a_body("ann", "1"));
    for (const char* id : {"1", "1.0", "01", "+1"}) EXPECT_EQ(get(id).status, 200) << id;
    for (const char* id : {"2", "0", "-1", "9223372036854775807", "99999999999999999999", "-99999999999999999999"}) {
        const Response missing = get(id);
        EXPECT_EQ(missing.status, 404) << id;
        EXPECT_EQ(missing.body, R"({"detail":"Transaction not found"})");
    }
    for (const char* id : {"abc", "1.5", "1x", "0x1"}) {
        const Response wrong = get(id);
        EXPECT_EQ(wrong.status, 422) << id;
        EXPECT_EQ(wrong.body,
                  fmt::format(R"({{"detail":[{{"type":"int_parsing","loc":["path","txn_id"],"msg":"Input should be a )"
                              R"(valid integer, unable to parse string as an integer","input":"{}"}}]}})",
                              id));
    }
}

TEST_F(TpsTest, WhatCannotBeBookedIsFailed) {
    // The tenth would take the clearing account beyond 64 bits.
    for (int i = 0; i < 9; ++i) post(a_body("ann", "9999999999999999.99"));
    EXPECT_THAT(post(a_body("bea", "9999999999999999.99")).body, HasSubstr(R"("status":"pending")"));
    EXPECT_THAT(get("9").body, HasSubstr(R"("status":"completed")"));
    EXPECT_THAT(get("10").body, HasSubstr(R"("status":"failed")"));
}

TEST_F(TpsTest, AFullLedgerIsNoFaultOfTheRequest) {
    Response last;
    for (int i = 0; i < 3000 && last.status == 200; ++i) last = post(a_body(fmt::format("user_{}", i), "1"));
    EXPECT_EQ(last.status, 503);
    EXPECT_THAT(last.headers, HasSubstr("Retry-After: "));
    EXPECT_THAT(last.body, MatchesRegex(R"(\{"detail":"[^"]+"\})"));
    EXPECT_EQ(post(a_body("user_1", "1")).status, 200) << "who has an account still pays";
}

TEST_F(TpsTest, AnyTextIsAUserAndIsReadBack) {
    const std::string names[] = {"user 11", "Söhne/O'Hara", std::string(255, 'x'), "a:b:USD", "\xf0\x9f\x92\xb8"};
    int id = 0;
    for (const std::string& name : names) {
        post(a_body(name, "1"));
        EXPECT_THAT(get(std::to_string(++id)).body, StartsWith(fmt::format(R"({{"user_id":"{}",)", name)));
    }
    EXPECT_THAT(post(a_body(std::string(256, 'x'), "1")).body, HasSubstr("string_too_long"));
}

TEST_F(TpsTest, AMessageIsTheBodyAndIsKnownByItsPlace) {
    const auto told = world.send(a_body("ann", "3.5"), {"file:1", 1});
    EXPECT_EQ(body_of(transaction_of(told.outcome, told.payment, {}).value()).substr(0, 70),
              R"({"user_id":"ann","amount":3.5,"currency":"USD","id":1,"status":"comple)");
    EXPECT_EQ(world.send(a_body("ann", "3.5"), {"file:1", 1}).receipt.answer.kind, Answer::Kind::replayed);
    EXPECT_EQ(world.send(a_body("ann", "3.5"), {"file:1", 2}).receipt.answer.kind, Answer::Kind::recorded);
    EXPECT_EQ(world.balance("user:ann:USD"), -7'00);
    EXPECT_EQ(world.send(R"({"user_id":"ann","amount":0})").dead_letter,
              "amount: Amount should be greater than 0; currency: Field required");
    EXPECT_EQ(world.send("nonsense").dead_letter, "body: JSON decode error");
}

TEST_F(TpsTest, AReversalIsNoTransaction) {
    const auto back = world.reverse(world.send(a_body("ann", "3.5"), {"file:1", 1}));
    EXPECT_EQ(back.outcome.status, Status::settled);
    EXPECT_EQ(world.balance("user:ann:USD"), 0);
    EXPECT_EQ(transaction_of(back.outcome, back.payment, {}), std::nullopt);
    EXPECT_EQ(get("1").status, 200);
    EXPECT_EQ(get("2").status, 404);
    EXPECT_THAT(post(a_body("ann", "1")).body, HasSubstr(R"("id":3,)"));
    EXPECT_EQ(get("3").status, 200);
}

TEST_F(TpsTest, ReviewsAndRenamedStatesAreShownAsTheyAre) {
    ProfileWorld held(*find_profile("tps"), {}, R"(tenant = "tps"
unknown_accounts = "open"
opened_floor = "none"
[[rule]]
name = "look"
kind = "amount_band"
above = { USD = "100.00" }
advice = "review"
[profile]
status_pending = "waits"
status_completed = "done"
)");
    RouteCaller there(held.profile->routes(*held.ledger));
    EXPECT_THAT(there.call(kPost, a_body("ann", "101"), {""}).body, HasSubstr(R"("status":"waits")"));
    there.call(kPost, a_body("ann", "100"), {""});
    EXPECT_THAT(there.call(kGet, {}, {"1"}).body, HasSubstr(R"("status":"waits")"));
    EXPECT_THAT(there.call(kGet, {}, {"2"}).body, HasSubstr(R"("status":"done")"));

    const auto seq = held.ledger->history().frame_of_number(2, 1).value().value();
    const PaymentId waits = held.ledger->frame(seq).value()->changes.outcomes.back().payment;
    auto builder = held.service->build(nullptr, 2);
    EXPECT_TRUE(builder.decide_review(waits, true, "bea", "", {}));
    held.run(builder);
    EXPECT_THAT(there.call(kGet, {}, {"1"}).body,
                MatchesRegex(R"(\{"user_id":"ann","amount":101.0,"currency":"USD","id":1,"status":"done",.*)"));
}

TEST_F(TpsTest, OfAFrameWithManyEachIsFound) {
    const auto arena = std::make_shared<Arena>();
    std::vector<Wish> wishes;
    for (std::uint64_t i = 1; i <= 5; ++i) {
        const std::string body = a_body(fmt::format("user_{}", i), fmt::format("{}", i));
        wishes.push_back(world.profile->read(arena->copy(body), {"test", i}, *arena).value());
    }
    std::promise<void> done;
    world.ledger->submit(arena, wishes, [&](const Result<std::vector<Receipt>>& receipts) {
        EXPECT_TRUE(receipts);
        done.set_value();
    });
    done.get_future().wait();
    for (int i = 5; i >= 1; --i) {
        EXPECT_THAT(get(std::to_string(i)).body,
                    StartsWith(fmt::format(R"({{"user_id":"user_{0}","amount":{0}.0,"currency":"USD","id":{0},)", i)));
    }
}

// --- documents ---

const Instant kAt = parse_rfc3339("2025-03-18T00:14:36.000005Z").value();
const Currency kUsd = *Currency::parse("USD");

TEST(TpsDocumentsTest, ARowHasTheColumnsOfTheTable) {
    const Transaction one{7, "user_11", Money(12'75, kUsd), "completed", kAt};
    EXPECT_EQ(row_of(one),
              (std::vector<std::string>{"7", "user_11", "12.7500", "USD", "completed", "2025-03-18 00:14:36.000005"}));
    Transaction yen = one;
    yen.amount = Money(500, *Currency::parse("JPY"));
    EXPECT_EQ(row_of(yen)[2], "500.0000");
    yen.amount = Money(12'345, *Currency::parse("CLF"));
    EXPECT_EQ(row_of(yen)[2], "1.2345");
}

TEST(TpsDocumentsTest, ACacheEntryIsTheTransactionForAnHour) {
    const CacheEntry entry = cache_of({7, "user_11", Money(12'75, kUsd), "completed", kAt});
    EXPECT_EQ(entry.key, "txn:7");
    EXPECT_EQ(entry.value, R"({"id":7,"user_id":"user_11","amount":12.75,"currency":"USD","status":"completed",)"
                           R"("created_at":"2025-03-18T00:14:36.000005"})");
    EXPECT_EQ(entry.expires_s, 3600);
}

TEST(TpsDocumentsTest, ACacheEntryIsReadBackToTheLastDigit) {
    for (const std::string_view amount : {"12.75", "12", "0.01", "9007199254740993.11"}) {
        const Transaction one{7, "user \"11\" \u00e9", Money::parse(amount, kUsd).value(), "completed", kAt};
        EXPECT_EQ(transaction_of(cache_of(one).value, Words()), one) << amount;
    }
    const Transaction yen{8, "u", Money(500, *Currency::parse("JPY")), "failed", kAt};
    EXPECT_EQ(transaction_of(cache_of(yen).value, Words()), yen);
}

TEST(TpsDocumentsTest, OfTheCacheOnlyAnEndIsBelieved) {
    const Transaction one{7, "user_11", Money(12'75, kUsd), "pending", kAt};
    EXPECT_EQ(transaction_of(cache_of(one).value, Words()), std::nullopt);
    Words renamed;
    renamed.completed = "done";
    Transaction ended = one;
    ended.status = "completed";
    EXPECT_EQ(transaction_of(cache_of(ended).value, renamed), std::nullopt);
    for (
        const std::string_view text :
        {"", "{}", "null", R"({"id":"x","user_id":"u","amount":1,"currency":"USD","status":"completed"})",
         R"({"id":7,"user_id":"u","amount":1,"currency":"???","status":"completed","created_at":"2025-03-18T00:14:36"})",
         R"({"id":7,"user_id":"u","amount":1e5,"currency":"USD","status":"completed","created_at":"2025-03-18T00:14:36"})"}) {
        EXPECT_EQ(transaction_of(text, Words()), std::nullopt) << text;
    }
}

TEST(TpsDocumentsTest, TimesHaveNoZoneAndDecimalsOnlyWhereTheyAre) {
    Transaction one{7, "a", Money(1, kUsd), "pending", parse_rfc3339("2025-03-18T00:14:36Z").value()};
    EXPECT_THAT(body_of(one), HasSubstr(R"("created_at":"2025-03-18T00:14:36"})"));
    EXPECT_EQ(row_of(one)[5], "2025-03-18 00:14:36");
    one.created_at = kAt;
    EXPECT_THAT(body_of(one), HasSubstr(R"("created_at":"2025-03-18T00:14:36.000005"})"));
}

RC_GTEST_PROP(AmountNumberProperty, IsTheSameDecimal, (std::int64_t minor)) {
    std::string shown;
    append_amount_number(shown, Money(minor, kUsd));
    RC_ASSERT(Money::parse_signed(shown, kUsd).value().minor() == minor);
}

}  // namespace
}  // namespace nostro::tps
