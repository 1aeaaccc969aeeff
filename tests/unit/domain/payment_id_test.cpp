#include "nostro/domain/payment_id.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <set>
#include <string>

#include "nostro/base/hex.hpp"
#include "nostro/base/sha256.hpp"

namespace nostro {
namespace {

TEST(PaymentIdTest, IsTheHomeSlotByteAnd120BitsOfTheHash) {
    const std::string hashed = std::string("\x06nostro\x03key", 11) + "order-17-a";
    const std::string digest = to_hex(sha256(hashed));
    EXPECT_EQ(to_hex(payment_id("nostro", "key", "order-17-a")), "00" + digest.substr(0, 30));
}

TEST(PaymentIdTest, StaysTheSameForEver) {
    // Ids stand in every journal ever written: this value may never change.
    EXPECT_EQ(to_hex(payment_id("nostro", "key", "order-17-a")), "005d5e9edb29045d757418eadb3a62c3");
}

TEST(PaymentIdTest, TellsTenantDoorAndKeyApartWhereverTheBordersAre) {
    std::set<PaymentId> ids;
    for (const auto& [tenant, door, key] :
         {std::tuple{"ab", "c", "12345678"}, std::tuple{"a", "bc", "12345678"}, std::tuple{"abc", "", "12345678"},
          std::tuple{"", "abc", "12345678"}, std::tuple{"ab", "c1", "2345678"}, std::tuple{"ab", "c", "12345679"}}) {
        ids.insert(payment_id(tenant, door, key));
    }
    EXPECT_EQ(ids.size(), 6u);
}

TEST(PaymentIdTest, HashesLongKeysWhole) {
    const std::string key(kKeyMax, 'k');
    std::string other = key;
    other.back() = 'l';
    EXPECT_NE(payment_id("nostro", "key", key), payment_id("nostro", "key", other));
}

TEST(RequestIdTest, IsBoundToMethodAndPath) {
    const auto id = request_id("nostro", "POST", "/v1/accounts", "12345678");
    EXPECT_NE(id, request_id("nostro", "PATCH", "/v1/accounts", "12345678"));
    EXPECT_NE(id, request_id("nostro", "POST", "/v1/accounts/batch", "12345678"));
    EXPECT_NE(id, payment_id("nostro", "key", "12345678"));
    EXPECT_EQ(id, request_id("nostro", "POST", "/v1/accounts", "12345678"));
}

Payment a_payment() {
    Payment payment;
    payment.amount = Money(100000, Currency::parse("USD").value());
    payment.debtor_name = "ACC001";
    payment.creditor_name = "ACC002";
    payment.type = "TRANSFER";
    return payment;
}

TEST(PaymentMeaningTest, ChangesWithEveryFieldThatMeansSomething) {
    const Instant later{std::chrono::seconds(1)};
    std::set<std::uint64_t> meanings{payment_meaning(a_payment())};
    const auto changed = [&](auto change) {
        Payment payment = a_payment();
        change(payment);
        EXPECT_TRUE(meanings.insert(payment_meaning(payment)).second);
    };
    changed([](Payment& p) { p.amount = Money(100001, p.amount.currency()); });
    changed([](Payment& p) { p.amount = Money(100000, Currency::parse("EUR").value()); });
    changed([](Payment& p) { p.rail = 1; });
    changed([](Payment& p) { p.capture = Capture::manual; });
    changed([&](Payment& p) { p.expires_at = later; });
    changed([](Payment& p) { p.debtor_opening_minor = 1; });
    changed([](Payment& p) { p.creditor_opening_minor = 1; });
    changed([](Payment& p) { p.debtor_name = "ACC003"; });
    changed([](Payment& p) { p.creditor_name = "ACC003"; });
    changed([](Payment& p) { p.type = ""; });
    changed([](Payment& p) { p.reference = "TRANSFER"; });
    changed([](Payment& p) { p.description = "TRANSFER"; });
    changed([](Payment& p) { p.metadata = "{}"; });
    changed([](Payment& p) { p.attachment = "<x/>"; });
}

TEST(PaymentMeaningTest, IsTheSameWhateverWasFoundOutLater) {
    Payment payment = a_payment();
    const auto meaning = payment_meaning(payment);
    payment.id = PaymentId{1, 2};
    payment.debtor = AccountId{3, 4};
    payment.key = "another-key";
    payment.requested_at = Instant{std::chrono::seconds(1)};
    EXPECT_EQ(payment_meaning(payment), meaning);
}

TEST(PaymentMeaningTest, TakesTextsOfAnyLength) {
    const std::string long_text(10'000, 'x');
    Payment payment = a_payment();
    payment.attachment = long_text;
    const auto meaning = payment_meaning(payment);
    payment.attachment = std::string_view(long_text).substr(1);
    EXPECT_NE(payment_meaning(payment), meaning);
}

TEST(KeyTest, TakesEightTo128OfItsAlphabet) {
    EXPECT_FALSE(is_key("1234567"));
    EXPECT_TRUE(is_key("12345678"));
    EXPECT_TRUE(is_key("AZaz09._:-"));
    EXPECT_TRUE(is_key(std::string(128, 'x')));
    EXPECT_FALSE(is_key(std::string(129, 'x')));
    for (const char c : std::string(" \t\"/+@,;\x7f\xc3", 10)) EXPECT_FALSE(is_key("1234567" + std::string(1, c))) << c;
    EXPECT_FALSE(is_key(std::string("12345678\0", 9)));
}

TEST(KeyTest, TakesTheQuotedFormToo) {
    EXPECT_EQ(parse_key("8e03978e-40d5-43e8-bc93-6894a57f9324").value(), "8e03978e-40d5-43e8-bc93-6894a57f9324");
    EXPECT_EQ(parse_key("\"8e03978e-40d5-43e8-bc93-6894a57f9324\"").value(), "8e03978e-40d5-43e8-bc93-6894a57f9324");
    for (const char* bad :
         {"", "\"", "\"\"", "\"1234567\"", "\"12345678", "12345678\"", "\"\"12345678\"\"", "1234567"}) {
        const auto key = parse_key(bad);
        ASSERT_FALSE(key) << bad;
        EXPECT_EQ(key.error().code, ErrorCode::invalid);
    }
}

}  // namespace
}  // namespace nostro
