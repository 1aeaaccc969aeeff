#include "nostro/cli/terminal.hpp"

#include <gtest/gtest.h>

#include "nostro/base/text.hpp"

namespace nostro::cli {
namespace {

using std::chrono::seconds;

TEST(TableTest, ColumnsAreAsWideAsTheirWidestCell) {
    Table table({{"ID", {}}, {"AMOUNT", Table::Align::right}});
    table.add({"a", "1.00"});
    table.add({"long", "1234567.00"});
    EXPECT_EQ(table.text(0),
              "ID        AMOUNT\n"
              "a           1.00\n"
              "long  1234567.00\n");
}

TEST(TableTest, TheWidestColumnGivesWayWhereTheTerminalIsNarrow) {
    Table table({{"ID", {}}, {"TEXT", {}}});
    table.add({"12345678", std::string(60, 'x')});
    const std::string text = table.text(40);
    for (const auto line : split(trim(text), '\n')) EXPECT_LE(utf8_length(line), 40u) << line;
    EXPECT_NE(text.find("…"), std::string::npos);
    EXPECT_NE(text.find("12345678"), std::string::npos);
}

TEST(TableTest, CutsBetweenCharactersNotInsideThem) {
    Table table(std::vector<Table::Column>{{"NAME", {}}});
    std::string name;
    for (int i = 0; i < 30; ++i) name += "ü";
    table.add({name});
    EXPECT_TRUE(is_valid_utf8(table.text(10)));
}

TEST(ProgressTest, TellsShareRateAndTimeLeft) {
    const std::string line = progress_line("replay", "rows", 250'000, 1'000'000, seconds(5), false);
    EXPECT_NE(line.find("25 %"), std::string::npos) << line;
    EXPECT_NE(line.find("250,000 of 1,000,000 rows"), std::string::npos) << line;
    EXPECT_NE(line.find("50,000/s"), std::string::npos) << line;
    EXPECT_NE(line.find("15"), std::string::npos) << line;
    EXPECT_NE(line.find("left"), std::string::npos) << line;
}

TEST(ProgressTest, AnUnknownTotalHasNoBarAndTheEndNoTimeLeft) {
    EXPECT_EQ(progress_line("load", "payments", 10, 0, seconds(1), false).find('['), std::string::npos);
    EXPECT_EQ(progress_line("load", "payments", 10, 10, seconds(1), true).find("left"), std::string::npos);
}

}  // namespace
}  // namespace nostro::cli
