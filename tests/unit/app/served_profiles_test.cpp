#include "nostro/app/served_profiles.hpp"

#include <gtest/gtest.h>

namespace nostro {
namespace {

class ServedProfilesTest : public testing::Test {
protected:
    ServedProfilesTest() {
        config_.profiles.serve = "upi";
        profiles_ = std::move(*ServedProfiles::load(config_, metrics_));
        counts_ = profiles_->counts([this] { return accepted_; });
    }

    Config config_;
    MetricsRegistry metrics_;
    std::unique_ptr<ServedProfiles> profiles_;
    Seq accepted_ = 5;
    Projection* counts_ = nullptr;
};

TEST_F(ServedProfilesTest, WhatIsAcceptedBeforeTheirThreadLooksIsCountedToo) {
    profiles_->count_from_here();
    accepted_ = 9;
    EXPECT_EQ(*counts_->next(), 6u);
    profiles_->count_from_here();
    EXPECT_EQ(*counts_->next(), 6u);
}

TEST_F(ServedProfilesTest, WhoOnlyFollowsCountsFromWhereItFirstLooks) {
    accepted_ = 9;
    EXPECT_EQ(*counts_->next(), 10u);
    accepted_ = 12;
    EXPECT_EQ(*counts_->next(), 10u);
}

}  // namespace
}  // namespace nostro
