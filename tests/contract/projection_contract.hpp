// What ports/projection.hpp promises, as a suite that every adapter runs: a test file includes this once and names its
// adapters with INSTANTIATE_TEST_SUITE_P(Adapters, ProjectionContract, testing::Values(ProjectionAdapter{...}),
// name_of).
#pragma once
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "nostro/ports/projection.hpp"
#include "tests/support/frames_of_a_book.hpp"

namespace nostro {

// What outlives a projection, and the way to open another one on it.
class ProjectionTarget {
public:
    virtual ~ProjectionTarget() = default;
    virtual Projection& open() = 0;           // closes the one before
    virtual std::string content() const = 0;  // all that readers see; two targets with the same say the same
};

using ReadFrame = std::function<Result<DecodedPtr>(Seq)>;

struct ProjectionAdapter {
    const char* name;
    std::function<std::unique_ptr<ProjectionTarget>(ReadFrame)> make;
};

class ProjectionContract : public testing::TestWithParam<ProjectionAdapter> {
protected:
    std::unique_ptr<ProjectionTarget> a_target() {
        return GetParam().make([this](Seq seq) { return frames_.frame(seq); });
    }
    static Seq next(Projection& projection) {
        const auto next = projection.next();
        EXPECT_TRUE(next) << (next ? "" : next.error().what);
        return next ? *next : 0;
    }
    static void project(Projection& projection, std::span<const DecodedPtr> frames) {
        const auto done = projection.project(frames);
        ASSERT_TRUE(done) << (done ? "" : done.error().what);
    }
    // What a target says that was told everything once, at once.
    std::string expected() {
        const auto target = a_target();
        project(target->open(), frames_.all());
        return target->content();
    }
    FramesOfABook frames_;
};

TEST_P(ProjectionContract, BeginsBeforeTheFirstFrame) { EXPECT_EQ(next(a_target()->open()), 1u); }

TEST_P(ProjectionContract, RemembersHowFarItHasRead) {
    const auto target = a_target();
    Projection& projection = target->open();
    project(projection, std::span(frames_.all()).first(5));
    EXPECT_EQ(next(projection), 6u);
    EXPECT_EQ(next(target->open()), 6u);
}

TEST_P(ProjectionContract, ShowsWhatItWasTold) { EXPECT_NE(expected(), a_target()->content()); }

TEST_P(ProjectionContract, FrameByFrameIsAsAllAtOnce) {
    const auto target = a_target();
    Projection& projection = target->open();
    for (const DecodedPtr& frame : frames_.all()) project(projection, {&frame, 1});
    EXPECT_EQ(target->content(), expected());
}

TEST_P(ProjectionContract, ASecondDeliveryChangesNothing) {
    const auto target = a_target();
    Projection& projection = target->open();
    project(projection, frames_.all());
    project(projection, frames_.from(frames_.all().size() - 3));
    project(projection, std::span(frames_.all()).last(1));
    EXPECT_EQ(target->content(), expected());
    EXPECT_EQ(next(projection), frames_.all().size() + 1);
}

TEST_P(ProjectionContract, WhatWasTakenAndWhatIsNewMayComeTogether) {
    const auto target = a_target();
    Projection& projection = target->open();
    project(projection, std::span(frames_.all()).first(7));
    project(projection, frames_.from(5));
    EXPECT_EQ(target->content(), expected());
}

TEST_P(ProjectionContract, AnotherOneGoesOnWhereItStopped) {
    const auto target = a_target();
    while (true) {
        Projection& projection = target->open();
        const Seq from = next(projection);
        ASSERT_GT(from, 0u);
        if (from > frames_.all().size()) break;
        project(projection, frames_.from(from).first(std::min<std::size_t>(2, frames_.from(from).size())));
    }
    EXPECT_EQ(target->content(), expected());
}

inline std::string name_of(const testing::TestParamInfo<ProjectionAdapter>& info) { return info.param.name; }

}  // namespace nostro
