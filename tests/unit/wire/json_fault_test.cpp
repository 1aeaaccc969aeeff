#include "nostro/wire/json_fault.hpp"

#include <gtest/gtest.h>

namespace nostro {
namespace {

TEST(JsonFaultTest, IsAtTheFirstByteThatCannotStandThere) {
    struct Case {
        std::string_view text;
        std::optional<std::size_t> at;
    };
    for (const Case& c : {Case{R"({"a":1})", {}},
                          Case{R"( {"a":[1,-2.5e+3,true,false,null,"x\u00e4\n",{}, [] ]} )", {}},
                          Case{"", 0},
                          Case{"  ", 2},
                          Case{R"({"a":1)", 6},
                          Case{R"({"a":"b)", 7},
                          Case{R"({"a")", 4},
                          Case{R"({"a":)", 5},
                          Case{R"({"a":1} x)", 8},
                          Case{R"({"a":1}})", 7},
                          Case{R"({"a":1,})", 7},
                          Case{R"({"a" 1})", 5},
                          Case{R"({a:1})", 1},
                          Case{R"([1 2])", 3},
                          Case{R"([1,])", 3},
                          Case{R"([01])", 2},
                          Case{R"([1.])", 3},
                          Case{R"([tru])", 4},
                          Case{R"(["\q"])", 3},
                          Case{R"(["\u12g4"])", 6},
                          Case{"[\"a\nb\"]", 3},
                          Case{"[}", 1}}) {
        EXPECT_EQ(json_fault(c.text), c.at) << c.text;
    }
    EXPECT_EQ(json_fault(std::string(1'000'000, '[')), 1'000'000u);
}

TEST(JsonFaultTest, OfUtf8IsAtTheByteThatBeginsNoCharacter) {
    EXPECT_EQ(utf8_fault("Zürich"), std::nullopt);
    EXPECT_EQ(utf8_fault("ab\xfc"), 2u);
    EXPECT_EQ(utf8_fault("\xc3"), 0u);
}

}  // namespace
}  // namespace nostro
