#include "nostro/formats/csv.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace nostro {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

using Rows = std::vector<std::vector<std::string>>;

// Rows that cannot be read are their error alone.
Rows rows_of(std::string_view text) {
    Rows rows;
    CsvReader reader(text);
    for (;;) {
        const auto more = reader.next();
        if (!more) {
            EXPECT_EQ(more.error().code, ErrorCode::invalid);
            EXPECT_TRUE(reader.fields().empty());
            rows.push_back({more.error().what});
            continue;
        }
        if (!*more) return rows;
        rows.emplace_back(reader.fields().begin(), reader.fields().end());
    }
}

struct Read {
    std::string_view text;
    Rows rows;
};
class CsvReadTest : public ::testing::TestWithParam<Read> {};

TEST_P(CsvReadTest, GivesTheRows) { EXPECT_EQ(rows_of(GetParam().text), GetParam().rows) << GetParam().text; }

INSTANTIATE_TEST_SUITE_P(Texts, CsvReadTest,
                         ::testing::Values(Read{"", {}}, Read{"\n\r\n  \n", {}}, Read{"a", {{"a"}}},
                                           Read{"a,b\n", {{"a", "b"}}},
                                           Read{"a,b\r\nc,d\r\n", {{"a", "b"}, {"c", "d"}}},
                                           Read{"a\n\n b \n", {{"a"}, {"b"}}}, Read{",", {{"", ""}}},
                                           Read{"a,,\n,b", {{"a", "", ""}, {"", "b"}}},
                                           Read{"\xEF\xBB\xBF\"a\",b", {{"a", "b"}}}, Read{"\"a,b\",c", {{"a,b", "c"}}},
                                           Read{R"("say ""hi""","""",""",")", {{R"(say "hi")", "\"", "\","}}},
                                           Read{R"("",x,"""")", {{"", "x", "\""}}},
                                           Read{"\"two\nlines\",x\ny,z", {{"two\nlines", "x"}, {"y", "z"}}},
                                           Read{" \" kept \" ,\t\"b\"\r\n", {{" kept ", "b"}}},
                                           Read{"5\" pipe,a\"b\"", {{"5\" pipe", "a\"b\""}}}));

TEST(CsvReaderTest, TellsWhereARowCannotBeReadAndGoesOnBehindItsLine) {
    const Rows rows = rows_of("a,\"b\nc,\"d\"x\ne,f\n");
    ASSERT_EQ(rows.size(), 3u);
    EXPECT_THAT(rows[0], ElementsAre(HasSubstr("column 2: text behind the closing quote")));
    EXPECT_THAT(rows[1], ElementsAre(HasSubstr("column 2: text behind the closing quote")));
    EXPECT_THAT(rows[2], ElementsAre("e", "f"));
    EXPECT_THAT(rows_of("a,b,\"c\nd"),
                ElementsAre(ElementsAre(HasSubstr("column 3: a quote is opened and never closed")), ElementsAre("d")));
}

TEST(CsvReaderTest, KeepsTheRowAsItStands) {
    CsvReader reader("a,\"b\nc\"\r\nd\n");
    ASSERT_TRUE(*reader.next());
    EXPECT_EQ(reader.row(), "a,\"b\nc\"");
    ASSERT_TRUE(*reader.next());
    EXPECT_EQ(reader.row(), "d");
    EXPECT_FALSE(*reader.next());
    EXPECT_FALSE(*reader.next());
}

TEST(CsvReaderTest, RefusesARowBeyondItsBoundsAndReadsTheNext) {
    const std::string wide(CsvReader::kFieldsMax - 1, ',');
    EXPECT_EQ(rows_of(wide)[0].size(), CsvReader::kFieldsMax);
    EXPECT_THAT(rows_of(wide + ",\nx"), ElementsAre(ElementsAre("more than 256 columns"), ElementsAre("x")));

    const std::string longest(CsvReader::kRowBytesMax, 'a');
    EXPECT_EQ(rows_of(longest), Rows{{longest}});
    EXPECT_THAT(rows_of(longest + "a\nx"), ElementsAre(ElementsAre("longer than 65536 bytes"), ElementsAre("x")));
    EXPECT_THAT(rows_of("\"" + longest + "\"\nx"),
                ElementsAre(ElementsAre(HasSubstr("never closed")), ElementsAre("x")));
    // As many doubled quotes as a row can have: all their views stay.
    std::string quotes;
    for (int i = 0; i < 200; ++i) quotes += (i == 0 ? "" : ",") + ("\"" + std::string(320, '"') + "\"");
    const Rows rows = rows_of(quotes);
    ASSERT_EQ(rows.at(0).size(), 200u);
    for (const std::string& field : rows[0]) EXPECT_EQ(field, std::string(160, '"'));
}

}  // namespace
}  // namespace nostro
