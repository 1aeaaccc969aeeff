#include "nostro/formats/payment_columns.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace nostro {
namespace {

using ::testing::HasSubstr;
using Texts = std::vector<std::string_view>;

const Texts kBank = {"Von", "An", "Betrag", "Zweck", "Nr", "betrag netto"};
const std::vector<std::string> kMaps = {"debtor_account=Von", "creditor_account=an", "amount=Betrag",
                                        "metadata.order=Nr", "reference=Zweck"};

Result<PaymentColumns> columns(const Texts& header, std::vector<std::string> maps, std::vector<std::string> sets = {},
                               std::string currency = "EUR") {
    return PaymentColumns::from_header(header, {std::move(maps), std::move(sets), std::move(currency)});
}

std::string line(const Result<PaymentColumns>& of, const Texts& cells) {
    EXPECT_TRUE(of) << (of ? "" : of.error().what);
    std::string text;
    if (!of) return text;
    const auto done = of->append(text, cells, "key-of-row-1");
    return done ? text : "refused: " + done.error().what + text;
}

TEST(PaymentColumnsTest, WritesThePaymentOfARow) {
    EXPECT_EQ(line(columns(kBank, kMaps), {"a-1", "b-1", "12.50", "Rent, \"May\"", "77", "9"}),
              "{\"idempotency_key\":\"key-of-row-1\",\"amount\":\"12.50\",\"creditor_account\":\"b-1\","
              "\"currency\":\"EUR\",\"debtor_account\":\"a-1\",\"metadata\":{\"order\":\"77\"},"
              "\"reference\":\"Rent, \\\"May\\\"\"}\n");
}

TEST(PaymentColumnsTest, TakesColumnsThatAreNamedLikeFieldsAndConstantsBeforeThem) {
    const Texts header = {"debtor_account", "creditor_account", "amount",     "currency", "idempotency_key",
                          "metadata.a",     "description",      "metadata.b", "something"};
    const auto of = columns(header, {"type=something"}, {"description=", "opening_balances.debtor=5", "rail=sepa"});
    EXPECT_EQ(line(of, {"d", "c", "1", "USD", "own-key-1", "A", "not wanted", "B", "TRANSFER"}),
              "{\"amount\":\"1\",\"creditor_account\":\"c\",\"currency\":\"USD\",\"debtor_account\":\"d\","
              "\"idempotency_key\":\"own-key-1\",\"metadata\":{\"a\":\"A\",\"b\":\"B\"},"
              "\"opening_balances\":{\"debtor\":\"5\"},\"rail\":\"sepa\",\"type\":\"TRANSFER\"}\n");
    EXPECT_EQ(line(of, {"d", "", "1", "USD", "", "", "", "", ""}),
              "{\"idempotency_key\":\"key-of-row-1\",\"amount\":\"1\",\"currency\":\"USD\",\"debtor_account\":\"d\","
              "\"opening_balances\":{\"debtor\":\"5\"},\"rail\":\"sepa\"}\n")
        << "empty cells are left out";
}

TEST(PaymentColumnsTest, OneColumnMayBeSeveralFieldsAndCaseDecidesOnlyWhereItMust) {
    const Texts header = {"Amount", "amount_", "AMOUNT", "A", "B"};
    EXPECT_THAT(line(columns(header, {"debtor_account=a", "creditor_account=B", "amount=AMOUNT", "metadata.to=b"}),
                     {"1", "2", "3", "x", "y"}),
                HasSubstr("\"amount\":\"3\",\"creditor_account\":\"y\",\"currency\":\"EUR\",\"debtor_account\":\"x\","
                          "\"metadata\":{\"to\":\"y\"}"));
}

TEST(PaymentColumnsTest, SaysWhereARefusedFieldCameFrom) {
    const auto of = columns(kBank, kMaps, {"type=T", "metadata.a/b=c"});
    ASSERT_TRUE(of);
    const Texts cells = {"a b", "b", "zwei", "", "", ""};
    EXPECT_EQ(of->origin("/debtor_account", cells), "column 'Von' holds 'a b'");
    EXPECT_EQ(of->origin("/amount", cells), "column 'Betrag' holds 'zwei'");
    EXPECT_EQ(of->origin("/metadata/order", cells), "column 'Nr' holds ''");
    EXPECT_EQ(of->origin("/metadata/a~1b", cells), "--set metadata.a/b is 'c'");
    EXPECT_EQ(of->origin("/amount", {}), "column 'Betrag' holds ''");
    for (const std::string_view pointer : {"", "/", "/expires_at", "amount", "/~", "/amount/0"}) {
        EXPECT_EQ(of->origin(pointer, cells), "") << pointer;
    }
}

struct Refused {
    std::vector<std::string> maps, sets;
    std::string_view what;
};
class PaymentColumnsRefusedTest : public ::testing::TestWithParam<Refused> {};

TEST_P(PaymentColumnsRefusedTest, SaysWhatIsWrongAndWhatToDo) {
    const Texts header = {"Von", "An", "Betrag", "Nr", "nr", "twice", "twice", "currency"};
    const auto of = columns(header, GetParam().maps, GetParam().sets);
    ASSERT_FALSE(of) << GetParam().what;
    EXPECT_EQ(of.error().code, ErrorCode::invalid);
    EXPECT_THAT(of.error().what, HasSubstr(GetParam().what));
}

INSTANTIATE_TEST_SUITE_P(
    Wishes, PaymentColumnsRefusedTest,
    ::testing::Values(
        Refused{{"amount"}, {}, "--map 'amount': expected FIELD=COLUMN"},
        Refused{{"=Betrag"}, {}, "--map '=Betrag': expected FIELD=COLUMN"},
        Refused{{"amuont=Betrag"}, {}, "a payment has no field 'amuont'; did you mean 'amount'?"},
        Refused{{"metadata.=Nr"}, {}, "a payment has no field 'metadata.'"},
        Refused{{"metadata.\xFF=Nr"}, {}, "a payment has no field 'metadata.\\xff'"},
        Refused{{"amount=Betrga"}, {}, "header: there is no column 'Betrga'; did you mean 'Betrag'?"},
        Refused{{"amount=Summe"}, {}, "no column 'Summe'. There are 'Von', 'An', 'Betrag'"},
        Refused{{"amount=twice"}, {}, "header: column 'twice' stands 2 times"},
        Refused{{"amount=NR"}, {}, "header: column 'NR' stands 2 times"},
        Refused{{"amount=Betrag", "amount=Nr"}, {}, "field 'amount' is named twice"},
        Refused{{"amount=Betrag"}, {"amount=1"}, "field 'amount' is named twice"},
        Refused{{}, {"type"}, "--set 'type': expected FIELD=TEXT"}, Refused{{}, {"tpye=x"}, "did you mean 'type'?"},
        Refused{{}, {"type=\xC0"}, "is no UTF-8"},
        Refused{{}, {"idempotency_key=same-for-all"}, "each payment needs a key of its own"},
        Refused{{}, {}, "nothing names debtor_account, creditor_account, amount of the payments"},
        Refused{{"amount=Betrag", "debtor_account=Von"}, {"creditor_account="}, "nothing names creditor_account of"}));

TEST(PaymentColumnsTest, ACurrencyHasToBeSomewhere) {
    const std::vector<std::string> maps = {"debtor_account=Von", "creditor_account=An", "amount=Betrag"};
    EXPECT_THAT(columns(kBank, maps, {}, "").error().what, HasSubstr("nothing names currency"));
    EXPECT_TRUE(columns(kBank, maps, {"currency=CHF"}, ""));
}

TEST(PaymentColumnsTest, RefusesARowOfAnotherWidthAndBytesThatAreNoText) {
    const auto of = columns(kBank, kMaps);
    EXPECT_EQ(line(of, {"a", "b", "1"}), "refused: 3 columns, the header has 6; quote a text that has commas");
    EXPECT_EQ(line(of, {"a", "b", "1", "M\xFCller", "", ""}),
              "refused: column 'Zweck' holds 'M\\xfcller', which is no UTF-8; save the file as UTF-8");
    EXPECT_THAT(line(of, {"a", "b", "1", "", "", "\xFF"}), HasSubstr("key-of-row-1")) << "not read, not judged";
}

}  // namespace
}  // namespace nostro
