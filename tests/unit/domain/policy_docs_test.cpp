// docs/policy.md is one policy, told piece by piece.
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <string>

#include "nostro/domain/policy_rules.hpp"
#include "tests/unit/domain/builders.hpp"

namespace nostro {
namespace {

std::string page() {
    std::ifstream file(NOSTRO_DOCS "/policy.md");
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

std::string examples(const std::string& text) {
    constexpr std::string_view kBegin = "```toml\n", kEnd = "```\n";
    std::string all;
    for (std::size_t at = text.find(kBegin); at != std::string::npos; at = text.find(kBegin, at)) {
        at += kBegin.size();
        const std::size_t end = text.find(kEnd, at);
        all += text.substr(at, end - at);
        at = end;
    }
    return all;
}

TEST(PolicyPageTest, ItsExamplesAreAPolicyWithARuleOfEachKind) {
    const auto policy = Policy::parse(examples(page()), 1, test::kStart);
    ASSERT_TRUE(policy) << policy.error().what << "\n" << examples(page());
    for (const char* rule :
         {"large_transfer", "rail_closed", "blocked", "payroll", "party_high_risk", "from_outside", "new_payee"}) {
        bool found = false;
        for (RuleNo no = 1; no <= 7; ++no) found = found || (*policy)->name(no) == rule;
        EXPECT_TRUE(found) << rule;
    }
    EXPECT_NE((*policy)->limit("daily_debit_sum"), nullptr);
    EXPECT_NE((*policy)->limit("hourly_count"), nullptr);
    EXPECT_EQ((*policy)->rail("upi").value(), 1);
}

TEST(PolicyPageTest, ItNamesEveryKeyAndKind) {
    const std::string text = page();
    for (const char* word : {"tenant",           "order",
                             "unknown_accounts", "opened_floor",
                             "hold_ttl",         "review_ttl",
                             "reversal_days",    "thresholds",
                             "min_amount",       "max_amount",
                             "currencies",       "above",
                             "at_least",         "below",
                             "at_most",          "skips",
                             "younger_than",     "when_exceeded",
                             "rolling",          "buckets",
                             "### amount_band",  "### match",
                             "### allow",        "### deny",
                             "### party_risk",   "### account_kind",
                             "### account_age"}) {
        EXPECT_NE(text.find(word), std::string::npos) << word;
    }
}

}  // namespace
}  // namespace nostro
