#include "nostro/base/trouble.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

namespace nostro {
namespace {

using testing::ElementsAre;
using testing::EndsWith;

TEST(TroubleTest, IsLoggedWhenItBeginsAndWhenItIsOverAndNotBetween) {
    configure_log({});
    std::vector<std::string> lines;
    set_log_sink([&](std::string_view line) { lines.emplace_back(line); });
    Trouble trouble("relay_waits", "relay_recovered", "rows");
    trouble.set(Result<int>(1));
    EXPECT_EQ(trouble.text(), "");
    trouble.set(Result<>(Error{ErrorCode::unavailable, "away"}));
    trouble.set("still away");
    EXPECT_EQ(trouble.text(), "still away");
    trouble.set(std::string());
    trouble.set(Result<>());
    set_log_sink({});
    EXPECT_THAT(lines,
                ElementsAre(EndsWith("warn relay_waits of=rows why=away"), EndsWith("info relay_recovered of=rows")));
}

}  // namespace
}  // namespace nostro
