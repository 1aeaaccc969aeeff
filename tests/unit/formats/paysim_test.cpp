#include "nostro/formats/paysim.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "nostro/formats/csv.hpp"
#include "nostro/formats/paysim_audit.hpp"

namespace nostro::paysim {
namespace {

using ::testing::HasSubstr;

const Currency kUsd = *Currency::parse("USD");

// Texts of the rows are views into what is given, as long as no field of it has doubled quotes.
std::vector<std::string_view> fields_of(std::string_view line) {
    CsvReader reader(line);
    EXPECT_TRUE(reader.next().has_value()) << line;
    return {reader.fields().begin(), reader.fields().end()};
}

Result<Layout> layout_of(std::string_view header) { return Layout::from_header(fields_of(header)); }

Row parsed(std::string_view line, std::string_view header = kHeader) {
    const auto layout = layout_of(header);
    EXPECT_TRUE(layout.has_value());
    const auto row = layout->parse(fields_of(line), kUsd);
    EXPECT_TRUE(row.has_value()) << (row ? "" : row.error().what);
    return row.value_or(Row{});
}

TEST(PaysimLayoutTest, ReadsThePublishedColumns) {
    const Row row = parsed("1,PAYMENT,1060.31,C429214117,1089.0,28.69,M1591654462,0.0,0.0,0,0");
    EXPECT_EQ(row.step, 1u);
    EXPECT_EQ(row.type, Type::payment);
    EXPECT_EQ(row.amount_minor, 106'031);
    EXPECT_EQ(row.orig, "C429214117");
    EXPECT_EQ(row.old_orig_minor, 108'900);
    EXPECT_EQ(row.new_orig_minor, 2'869);
    EXPECT_EQ(row.dest, "M1591654462");
    EXPECT_EQ(row.old_dest_minor, 0);
    EXPECT_FALSE(row.is_fraud);
    EXPECT_FALSE(row.is_flagged);
}

TEST(PaysimLayoutTest, ReadsTheSimulatorsOwnColumnsByNameIgnoringCase) {
    const Row row =
        parsed("7,CASH-IN,181.00,C1,0,181,C2,500.5,319.5,1,0,0",
               "step,action,amount,nameOrig,oldBalanceOrig,newBalanceOrig,nameDest,oldBalanceDest,newBalanceDest,"
               "isFraud,isFlaggedFraud,isUnauthorizedOverdraft");
    EXPECT_EQ(row.type, Type::cash_in);
    EXPECT_EQ(row.amount_minor, 18'100);
    EXPECT_EQ(row.new_dest_minor, 31'950);
    EXPECT_TRUE(row.is_fraud);
}

TEST(PaysimLayoutTest, ReadsColumnsInAnyOrderWithQuotesAndCarriageReturns) {
    const Row row =
        parsed("0,0,\"CASH_OUT\",5.0,C1,5.0,0.0,C2,0.0,5.0,3\r",
               "isFlaggedFraud,isFraud,type,amount,nameOrig,oldbalanceOrg,newbalanceOrig,nameDest,oldbalanceDest,"
               "newbalanceDest,step\r");
    EXPECT_EQ(row.type, Type::cash_out);
    EXPECT_EQ(row.step, 3u);
}

TEST(PaysimLayoutTest, RefusesAHeaderWithoutAColumnAndNamesIt) {
    const auto layout = layout_of("step,type,amount,nameOrig,oldbalanceOrg,newbalanceOrig,nameDest,oldbalanceDest");
    ASSERT_FALSE(layout.has_value());
    EXPECT_THAT(layout.error().what, HasSubstr("missing newbalanceDest, isFraud, isFlaggedFraud"));
}

TEST(PaysimLayoutTest, RefusesAHeaderWithAColumnTwice) {
    const auto layout = layout_of(std::string(kHeader) + ",action");
    ASSERT_FALSE(layout.has_value());
    EXPECT_THAT(layout.error().what, HasSubstr("type stands twice"));
}

struct BadRow {
    std::string_view line, what;
};
class PaysimBadRowTest : public ::testing::TestWithParam<BadRow> {};

TEST_P(PaysimBadRowTest, IsRefusedWithTheColumn) {
    const auto row = layout_of(kHeader)->parse(fields_of(GetParam().line), kUsd);
    ASSERT_FALSE(row.has_value()) << GetParam().line;
    EXPECT_EQ(row.error().code, ErrorCode::invalid);
    EXPECT_THAT(row.error().what, HasSubstr(GetParam().what));
}

INSTANTIATE_TEST_SUITE_P(
    Rows, PaysimBadRowTest,
    ::testing::Values(BadRow{"1,PAYMENT,1.0,C1,1.0,0.0,M1,0.0,0.0,0", "10 columns, the header has 11"},
                      BadRow{"1,PAYMENT,1.0,C1,1.0,0.0,M1,0.0,0.0,0,0,9", "12 columns, the header has 11"},
                      BadRow{"1", "1 columns, the header has 11"},
                      BadRow{"x,PAYMENT,1.0,C1,1.0,0.0,M1,0.0,0.0,0,0", "column step"},
                      BadRow{"1,GIFT,1.0,C1,1.0,0.0,M1,0.0,0.0,0,0", "column type: 'GIFT' is none of"},
                      BadRow{"1,PAYMENT,1.001,C1,1.0,0.0,M1,0.0,0.0,0,0", "column amount"},
                      BadRow{"1,PAYMENT,1e7,C1,1.0,0.0,M1,0.0,0.0,0,0", "column amount"},
                      BadRow{"1,PAYMENT,-1.0,C1,1.0,0.0,M1,0.0,0.0,0,0", "column amount: is negative"},
                      BadRow{"1,PAYMENT,1.0,X1,1.0,0.0,M1,0.0,0.0,0,0", "column nameOrig: 'X1' is no name"},
                      BadRow{"1,PAYMENT,1.0,C1,NaN,0.0,M1,0.0,0.0,0,0", "column oldbalanceOrg"},
                      BadRow{"1,PAYMENT,1.0,C1,1.0,0.0,,0.0,0.0,0,0", "column nameDest"},
                      BadRow{"1,PAYMENT,1.0,C1,1.0,0.0,M1,0.0,0.0,2,0", "column isFraud: '2' is neither 0 nor 1"},
                      BadRow{"1,PAYMENT,92233720368547758.08,C1,1.0,0.0,M1,0.0,0.0,0,0", "column amount"}));

TEST(PaysimRowTest, IsWrittenAsPublished) {
    for (const std::string_view line : {"1,PAYMENT,1060.31,C429214117,1089.0,28.69,M1591654462,0.0,0.0,0,0",
                                        "1,TRANSFER,181.0,C1305486145,181.0,0.0,C553264065,0.0,0.0,1,0",
                                        "743,CASH_OUT,0.05,C1,10.1,10.05,C2,21182.0,0.0,1,1"}) {
        std::string written;
        append_row(written, parsed(line));
        EXPECT_EQ(written, std::string(line) + "\n");
    }
}

TEST(PaysimSidesTest, CashInComesFromTheHouseAndTheOthersFromTheirFirstName) {
    const Sides in = sides_of(parsed("1,CASH_IN,5.0,C1,10.0,15.0,C2,50.0,45.0,0,0"), kUsd);
    EXPECT_EQ(in.debtor, "house:cash:USD");
    EXPECT_EQ(in.creditor, "C1");
    EXPECT_EQ(in.creditor_opening_minor, 1'000);

    const Sides transfer = sides_of(parsed("1,TRANSFER,5.0,C1,10.0,5.0,C2,50.0,55.0,0,0"), kUsd);
    EXPECT_EQ(transfer.debtor, "C1");
    EXPECT_EQ(transfer.debtor_opening_minor, 1'000);
    EXPECT_EQ(transfer.creditor, "C2");
    EXPECT_EQ(transfer.creditor_opening_minor, 5'000);

    const Sides merchant = sides_of(parsed("1,PAYMENT,5.0,C1,10.0,5.0,M2,7.0,12.0,0,0"), kUsd);
    EXPECT_EQ(merchant.creditor_opening_minor, 0);
}

struct Judged {
    std::string_view line;
    Mismatch mismatch;
};

TEST(PaysimAuditTest, NamesWhyARowCannotBeReproduced) {
    const Judged rows[] = {
        {"1,TRANSFER,5.0,C1,10.0,5.0,C2,50.0,55.0,0,0", Mismatch::none},
        {"1,PAYMENT,5.0,C3,10.0,5.0,M1,0.0,0.0,0,0", Mismatch::merchant_untracked},
        {"1,TRANSFER,181.0,C4,181.0,0.0,C5,0.0,0.0,1,0", Mismatch::fraud_annulled},
        {"1,CASH_OUT,50.0,C6,10.0,0.0,C7,0.0,50.0,0,0", Mismatch::payer_clipped},
        {"1,TRANSFER,5.0,C8,10.0,10.0,C9,0.0,5.0,0,0", Mismatch::payer_unchanged},
        {"1,TRANSFER,5.0,C10,10.0,5.0,C11,0.0,0.0,0,0", Mismatch::payee_unchanged},
        {"2,DEBIT,1.0,C1,6.0,5.0,C12,0.0,1.0,0,0", Mismatch::payer_continuity},
        {"2,TRANSFER,1.0,C13,1.0,0.0,C2,54.0,55.0,0,0", Mismatch::payee_continuity},
        {"3,CASH_IN,5.0,C1,5.0,10.0,C14,50.0,45.0,0,0", Mismatch::none},
    };
    Audit audit;
    for (const Judged& row : rows) EXPECT_EQ(audit.add(parsed(row.line)), row.mismatch) << row.line;
    EXPECT_EQ(audit.rows(), std::size(rows));
    EXPECT_EQ(audit.count(Mismatch::none), 2u);
}

}  // namespace
}  // namespace nostro::paysim
