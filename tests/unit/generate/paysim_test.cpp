#include "nostro/generate/paysim.hpp"

#include <gtest/gtest.h>

#include <map>
#include <unordered_map>

#include "nostro/base/hex.hpp"
#include "nostro/base/sha256.hpp"
#include "nostro/formats/csv.hpp"
#include "nostro/formats/paysim_audit.hpp"

namespace nostro::paysim {
namespace {

std::string file_of(const GeneratorOptions& options) {
    Generator generator(options);
    std::string text;
    while (const auto row = generator.next()) append_row(text, *row);
    return text;
}

// A released generator never changes for a seed: people compare runs by it.
TEST(PaysimGeneratorTest, GivesTheSameBytesForASeedOnEveryMachine) {
    EXPECT_EQ(to_hex(sha256(file_of({.seed = 1, .count = 10'000}))),
              "ff2fc12ce6b535b717ea9aefbd520a7096e9154dd95ac9c278cf699e3ad8ebce");
    EXPECT_EQ(to_hex(sha256(file_of({.seed = 42, .count = 10'000}))),
              "b078515c6015776fff58c1f0e8c17c9120128023004ad59ec3cc3b820390e680");
}

TEST(PaysimGeneratorTest, KeepsToThePublishedMixAndAmounts) {
    Generator generator({.seed = 7, .count = 400'000});
    std::map<Type, std::uint64_t> rows;
    std::map<Type, std::int64_t> sums;
    while (const auto row = generator.next()) {
        if (row->is_fraud) continue;
        ++rows[row->type];
        sums[row->type] += row->amount_minor;
    }
    struct Published {
        Type type;
        std::int64_t per_mille_of_rows, mean_minor, mean_tolerance_percent;
    };
    // Transfers have a heavy tail, so their mean settles slowly.
    for (const Published& published :
         {Published{Type::cash_out, 352, 17'627'396, 2}, Published{Type::payment, 338, 1'305'760, 2},
          Published{Type::cash_in, 220, 16'892'024, 2}, Published{Type::transfer, 84, 91'064'701, 6},
          Published{Type::debit, 7, 548'367, 10}}) {
        const auto count = static_cast<std::int64_t>(rows[published.type]);
        EXPECT_NEAR(static_cast<double>(count * 1000 / 400'000), static_cast<double>(published.per_mille_of_rows), 2.0)
            << name(published.type);
        const std::int64_t mean = sums[published.type] / count;
        EXPECT_LE(std::abs(mean - published.mean_minor) * 100, published.mean_minor * published.mean_tolerance_percent)
            << name(published.type) << " " << mean;
    }
}

TEST(PaysimGeneratorTest, FraudIsATransferOfTheBalanceAndACashOutOfItInTheSameStep) {
    Generator generator({.seed = 3, .count = 300'000});
    std::uint64_t pairs = 0;
    std::string mule;
    std::int64_t stolen = 0;
    std::uint32_t step = 0;
    while (const auto row = generator.next()) {
        if (!row->is_fraud) {
            EXPECT_TRUE(mule.empty()) << "a fraud transfer without its cash-out";
            continue;
        }
        if (row->type == Type::transfer) {
            EXPECT_EQ(row->amount_minor, std::min<std::int64_t>(row->old_orig_minor, 1'000'000'000));
            EXPECT_GT(row->amount_minor, 0);
            EXPECT_EQ(row->new_dest_minor, 0);
            if (row->is_flagged) continue;
            mule = row->dest;
            stolen = row->amount_minor;
            step = row->step;
        } else {
            EXPECT_EQ(row->type, Type::cash_out);
            EXPECT_EQ(row->orig, mule);
            EXPECT_EQ(row->amount_minor, stolen);
            EXPECT_EQ(row->step, step);
            mule.clear();
            ++pairs;
        }
    }
    // Published: 1.29 frauds a thousand rows, so 0.645 pairs.
    EXPECT_NEAR(static_cast<double>(pairs), 194.0, 60.0);
}

TEST(PaysimGeneratorTest, SpreadsRowsOverThePublishedHours) {
    Generator generator({.seed = 1, .count = 5'000});
    std::uint32_t first = 0, last = 0;
    while (const auto row = generator.next()) {
        if (first == 0) first = row->step;
        EXPECT_GE(row->step, last);
        last = row->step;
    }
    EXPECT_EQ(first, 1u);
    EXPECT_EQ(last, 743u);
}

TEST(PaysimGeneratorTest, BalancesOfANameContinueFromRowToRow) {
    Generator generator({.seed = 5, .count = 50'000});
    Audit audit;
    while (const auto row = generator.next()) audit.add(*row);
    EXPECT_EQ(audit.count(Mismatch::payer_continuity), 0u);
    EXPECT_EQ(audit.count(Mismatch::payee_continuity), 0u);
    EXPECT_GT(audit.count(Mismatch::none), 10'000u);
    EXPECT_GT(audit.count(Mismatch::payer_clipped), 0u);
    EXPECT_GT(audit.count(Mismatch::merchant_untracked), 0u);
}

TEST(PaysimGeneratorTest, ItsRowsReadBackAsTheyWere) {
    Generator generator({.seed = 9, .count = 2'000});
    CsvReader header(kHeader);
    ASSERT_TRUE(header.next());
    const auto layout = Layout::from_header(header.fields());
    const Currency usd = *Currency::parse("USD");
    while (const auto row = generator.next()) {
        std::string line;
        append_row(line, *row);
        CsvReader reader(line);
        ASSERT_TRUE(reader.next());
        const auto read = layout->parse(reader.fields(), usd);
        ASSERT_TRUE(read.has_value()) << line << (read ? "" : read.error().what);
        EXPECT_EQ(read->amount_minor, row->amount_minor);
        EXPECT_EQ(read->new_dest_minor, row->new_dest_minor);
        EXPECT_EQ(read->orig, row->orig);
    }
}

TEST(PaysimGeneratorTest, NamesAreNeverGivenTwice) {
    const Generator generator({.seed = 11, .count = 1'000'000});
    std::unordered_map<std::string, int> seen;
    for (const auto& customer : generator.customers()) EXPECT_EQ(seen[customer.name]++, 0);
    EXPECT_EQ(seen.size(), 50'000u);
}

}  // namespace
}  // namespace nostro::paysim
