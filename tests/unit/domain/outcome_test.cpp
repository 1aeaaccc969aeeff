#include "nostro/domain/outcome.hpp"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace nostro {
namespace {

TEST(OutcomeNameTest, EveryStatusReadsBackFromItsName) {
    std::set<std::string_view> names;
    for (int i = 0; i <= static_cast<int>(Status::quarantined); ++i) {
        const auto status = static_cast<Status>(i);
        names.insert(name(status));
        const auto parsed = parse_status(name(status));
        ASSERT_TRUE(parsed);
        EXPECT_EQ(*parsed, status);
    }
    EXPECT_EQ(names.size(), 8u);
}

TEST(OutcomeNameTest, EveryReasonReadsBackFromItsName) {
    std::set<std::string_view> names;
    for (int i = 0; i <= static_cast<int>(Reason::book_full); ++i) {
        const auto reason = static_cast<Reason>(i);
        names.insert(name(reason));
        const auto parsed = parse_reason(name(reason));
        ASSERT_TRUE(parsed);
        EXPECT_EQ(*parsed, reason);
    }
    EXPECT_EQ(names.size(), 33u);
}

TEST(OutcomeNameTest, WordsThatClientsKnowStayWhatTheyAre) {
    EXPECT_EQ(name(Status::in_review), "in_review");
    EXPECT_EQ(name(Reason::insufficient_funds), "insufficient_funds");
    EXPECT_EQ(name(Reason::already_decided), "already_decided");
    EXPECT_EQ(name(Reason::reversal_exceeds_original), "reversal_exceeds_original");
    EXPECT_EQ(name(Event::submitted), "submitted");
    EXPECT_EQ(name(Event::dead_letter_resolved), "dead_letter_resolved");
}

TEST(OutcomeNameTest, AnUnknownWordIsRefusedWithThoseThatExist) {
    for (const char* text : {"", "Settled", "settled ", "done"}) {
        const auto parsed = parse_status(text);
        ASSERT_FALSE(parsed) << text;
        EXPECT_EQ(parsed.error().code, ErrorCode::invalid);
        EXPECT_NE(parsed.error().what.find("in_review"), std::string::npos) << parsed.error().what;
    }
    EXPECT_FALSE(parse_reason("limit"));
}

TEST(OutcomeTest, OnlyOpenPaymentsWaitForSomething) {
    for (int i = 0; i <= static_cast<int>(Status::quarantined); ++i) {
        const auto status = static_cast<Status>(i);
        EXPECT_EQ(is_open(status), status == Status::in_review || status == Status::held) << name(status);
    }
}

TEST(ChangesTest, ClearForgetsEverythingButKeepsMemory) {
    Changes changes;
    changes.outcomes.resize(3);
    changes.accounts.resize(3);
    changes.counters.resize(3);
    changes.holds.resize(3);
    changes.reversed.resize(3);
    changes.known.resize(3);
    changes.bounds.resize(3);
    changes.tenants.resize(3);
    changes.policies.resize(3);
    const Outcome* before = changes.outcomes.data();
    changes.clear();
    EXPECT_TRUE(changes.outcomes.empty() && changes.accounts.empty() && changes.counters.empty());
    EXPECT_TRUE(changes.holds.empty() && changes.reversed.empty() && changes.known.empty());
    EXPECT_TRUE(changes.bounds.empty() && changes.tenants.empty() && changes.policies.empty());
    changes.outcomes.resize(3);
    EXPECT_EQ(changes.outcomes.data(), before);
}

}  // namespace
}  // namespace nostro
