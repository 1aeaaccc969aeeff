#include "nostro/base/spelling.hpp"

#include <gtest/gtest.h>

#include <array>
#include <string>

namespace nostro {
namespace {

TEST(EditDistanceTest, CountsInsertedDroppedChangedAndSwappedLetters) {
    const struct {
        std::string_view a, b;
        std::size_t distance;
    } cases[] = {
        {"", "", 0},
        {"points", "points", 0},
        {"", "abc", 3},
        {"ponts", "points", 1},
        {"pointss", "points", 1},
        {"paints", "points", 1},
        {"piont", "point", 1},
        {"ab", "ba", 1},
        {"kitten", "sitting", 3},
        {"flaw", "lawn", 2},
        {"abc", "xyz", 3},
    };
    for (const auto& [a, b, distance] : cases) {
        EXPECT_EQ(edit_distance(a, b), distance) << a << " " << b;
        EXPECT_EQ(edit_distance(b, a), distance) << b << " " << a;
    }
}

TEST(EditDistanceTest, OfVeryLongWordsIsThatOfTheirLengths) {
    EXPECT_EQ(edit_distance(std::string(64, 'a'), std::string(64, 'b')), 64u);
    EXPECT_EQ(edit_distance(std::string(65, 'a'), std::string(60, 'b')), 5u);
}

TEST(NearestWordTest, FindsTheSlipOfTheFingerAndNothingElse) {
    constexpr std::array<std::string_view, 4> known = {"points", "advice", "rails", "types"};
    const struct {
        std::string_view word;
        std::optional<std::string_view> nearest;
    } cases[] = {
        {"ponts", "points"}, {"Points", "points"},     {"point", "points"}, {"advise", "advice"}, {"rail", "rails"},
        {"tpyes", "types"},  {"amount", std::nullopt}, {"x", std::nullopt}, {"", std::nullopt},
    };
    for (const auto& [word, nearest] : cases) EXPECT_EQ(nearest_word(word, known), nearest) << word;
}

TEST(NearestWordTest, TakesTheFirstOfEquallyNearOnes) {
    constexpr std::array<std::string_view, 2> known = {"cat", "car"};
    EXPECT_EQ(nearest_word("cab", known), "cat");
    EXPECT_EQ(nearest_word("cab", {}), std::nullopt);
    constexpr std::array<std::string_view, 2> letters = {"a", "B"};
    EXPECT_EQ(nearest_word("c", letters), std::nullopt);
    EXPECT_EQ(nearest_word("b", letters), "B");
}

}  // namespace
}  // namespace nostro
