#include "nostro/base/text.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <limits>

namespace nostro {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

// --- Numbers ---

RC_GTEST_PROP(ParseNumberTest, EveryInt64ReadsBack, (std::int64_t value)) {
    RC_ASSERT(parse_int64(std::to_string(value)).value() == value);
}

RC_GTEST_PROP(ParseNumberTest, EveryUint64ReadsBack, (std::uint64_t value)) {
    RC_ASSERT(parse_uint64(std::to_string(value)).value() == value);
}

TEST(ParseNumberTest, TheExtremesAreIn) {
    EXPECT_EQ(parse_int64("-9223372036854775808").value(), std::numeric_limits<std::int64_t>::min());
    EXPECT_EQ(parse_int64("9223372036854775807").value(), std::numeric_limits<std::int64_t>::max());
    EXPECT_EQ(parse_uint64("18446744073709551615").value(), UINT64_MAX);
    EXPECT_EQ(parse_uint32("4294967295").value(), UINT32_MAX);
    EXPECT_EQ(parse_uint32("0").value(), 0u);
    EXPECT_EQ(parse_int64("-0").value(), 0);
}

TEST(ParseNumberTest, OnePastTheExtremesIsRefusedWithTheRange) {
    EXPECT_THAT(parse_int64("9223372036854775808").error().what, HasSubstr("out of range; it must be -922"));
    EXPECT_THAT(parse_int64("-9223372036854775809").error().what, HasSubstr("out of range"));
    EXPECT_THAT(parse_uint64("18446744073709551616").error().what, HasSubstr("0 to 18446744073709551615"));
    EXPECT_THAT(parse_uint64("99999999999999999999999").error().what, HasSubstr("out of range"));
    EXPECT_THAT(parse_uint32("4294967296").error().what, HasSubstr("0 to 4294967295"));
}

TEST(ParseNumberTest, WhatIsNotDigitsIsRefusedAndShown) {
    for (const std::string_view text :
         {"", " 1", "1 ", "+1", "1.0", "1e3", "0x10", "1,000", "abc", "--1", "-", "1\n", "\xD9\xA1"}) {
        for (const auto& error : {parse_int64(text).error(), parse_uint64(text).error(), parse_uint32(text).error()}) {
            EXPECT_EQ(error.code, ErrorCode::invalid);
            EXPECT_THAT(error.what, HasSubstr(quoted(text) + " is no whole number")) << text;
        }
    }
    EXPECT_THAT(parse_uint64("-1").error().what, HasSubstr("'-1' is no whole number"));
    EXPECT_THAT(parse_uint64("007").error().what, HasSubstr("leading zeros"));
    EXPECT_THAT(parse_int64("-01").error().what, HasSubstr("leading zeros"));
}

// --- UTF-8 ---

TEST(Utf8Test, WellFormedTextIsValidAndCounted) {
    const std::pair<std::string_view, std::size_t> cases[] = {
        {"", 0},
        {"abc", 3},
        {"Z\xC3\xBCrich", 6},
        {"\xE2\x82\xAC"
         "1",
         2},
        {"\xF0\x9F\x92\xB6", 1},
        {"\xEF\xBF\xBF", 1},
        {"\xF4\x8F\xBF\xBF", 1},
        {"\xED\x9F\xBF", 1},
        {std::string_view("\0", 1), 1},
    };
    for (const auto& [text, length] : cases) {
        EXPECT_TRUE(is_valid_utf8(text)) << text;
        EXPECT_EQ(utf8_length(text), length) << text;
    }
}

TEST(Utf8Test, IllFormedTextIsRefused) {
    for (const std::string_view text :
         {"\x80", "\xBF", "\xC0\x80", "\xC1\xBF", "\xC3", "\xC3(", "\xE0\x80\x80", "\xE0\x9F\xBF", "\xE2\x82",
          "\xE2(\xA1", "\xED\xA0\x80", "\xED\xBF\xBF", "\xF0\x8F\xBF\xBF", "\xF0\x9F\x92", "\xF4\x90\x80\x80",
          "\xF5\x80\x80\x80", "\xFE", "\xFF", "ok\xC3"}) {
        EXPECT_FALSE(is_valid_utf8(text)) << quoted(text);
    }
}

// --- Small helpers ---

TEST(TextTest, CaseIsIgnoredForAsciiLettersOnly) {
    EXPECT_TRUE(equal_ignoring_case("Content-Length", "content-lengTH"));
    EXPECT_FALSE(equal_ignoring_case("abc", "abd"));
    EXPECT_FALSE(equal_ignoring_case("abc", "ab"));
    EXPECT_FALSE(equal_ignoring_case("[", "{"));
    EXPECT_FALSE(equal_ignoring_case("\xC3\x9C", "\xC3\xBC"));
    EXPECT_EQ(to_lower("AbC-\xC3\x9C"), "abc-\xC3\x9C");
    EXPECT_EQ(to_upper("AbC-\xC3\xBC"), "ABC-\xC3\xBC");
}

TEST(TextTest, TrimTakesSpaceFromBothEnds) {
    EXPECT_EQ(trim(" \t a b \r\n"), "a b");
    EXPECT_EQ(trim(""), "");
    EXPECT_EQ(trim(" \n "), "");
}

TEST(TextTest, SplitKeepsEmptyParts) {
    EXPECT_THAT(split("a,b,,c,", ','), ElementsAre("a", "b", "", "c", ""));
    EXPECT_THAT(split("", ','), ElementsAre(""));
    EXPECT_EQ(split_once("key=a=b", '='), std::pair(std::string_view("key"), std::string_view("a=b")));
    EXPECT_EQ(split_once("key", '='), std::pair(std::string_view("key"), std::string_view()));
}

TEST(TextTest, QuotedShowsWhatWasTypedAndNothingThatMovesACursor) {
    EXPECT_EQ(quoted("abc"), "'abc'");
    EXPECT_EQ(quoted("a\nb\x1b[2J\x7f"), "'a\\x0ab\\x1b[2J\\x7f'");
    EXPECT_EQ(quoted("\xC3\xBC"), "'\xC3\xBC'");
    EXPECT_EQ(quoted("\xC3("), "'\\xc3('");
    std::string shown = "'";
    EXPECT_EQ(quoted(std::string(41, 'x')), shown.append(40, 'x').append("...'"));
    std::string cut = "'";  // before the character that the fortieth byte begins
    EXPECT_EQ(quoted(std::string(39, 'x').append("\xE2\x82\xAC")), cut.append(39, 'x').append("...'"));
}

RC_GTEST_PROP(TextTest, QuotedIsAlwaysPrintableUtf8, (const std::string& text)) {
    const std::string shown = quoted(text);
    RC_ASSERT(is_valid_utf8(shown));
    RC_ASSERT(shown.find_first_of(std::string("\n\r\t\x1b\0", 5)) == std::string::npos);
}

// --- Sizes ---

TEST(ParseBytesTest, TakesBothFamiliesOfUnits) {
    const std::pair<std::string_view, std::uint64_t> cases[] = {
        {"0", 0},
        {"512", 512},
        {"512B", 512},
        {"64KiB", 65'536},
        {"16MiB", 16'777'216},
        {"2GiB", 2'147'483'648},
        {"1TiB", 1'099'511'627'776},
        {"64kB", 64'000},
        {"16MB", 16'000'000},
        {"2GB", 2'000'000'000},
        {"18446744073709551615", UINT64_MAX},
    };
    for (const auto& [text, bytes] : cases) EXPECT_EQ(parse_bytes(text).value(), bytes) << text;
}

TEST(ParseBytesTest, RefusesTheRestAndSaysHow) {
    for (const std::string_view text :
         {"", "KiB", "64 KiB", "64kib", "64KB", "64K", "1.5GiB", "-1B", "064KiB", "64KiBs"}) {
        EXPECT_THAT(parse_bytes(text).error().what, HasSubstr("like 512B, 64KiB")) << text;
    }
    EXPECT_THAT(parse_bytes("16777216TiB").error().what, HasSubstr("out of range"));
}

RC_GTEST_PROP(ParseBytesTest, ReadsBackWhatFormatBytesWrites, (std::uint64_t bytes)) {
    RC_ASSERT(parse_bytes(format_bytes(bytes)).value() == bytes);
    const auto round = (bytes % 4096) << *rc::gen::element(0, 10, 20, 30, 40);
    RC_ASSERT(parse_bytes(format_bytes(round)).value() == round);
}

TEST(ParseBytesTest, FormatsInTheLargestUnitThatIsExact) {
    EXPECT_EQ(format_bytes(0), "0B");
    EXPECT_EQ(format_bytes(65'536), "64KiB");
    EXPECT_EQ(format_bytes(1500), "1500B");
    EXPECT_EQ(format_bytes(std::uint64_t{3} << 30), "3GiB");
}

// --- Spans of time ---

TEST(ParseDurationTest, TakesWholeUnitsAlsoInARow) {
    const std::pair<std::string_view, std::chrono::nanoseconds> cases[] = {
        {"7d", 168h}, {"24h", 24h},     {"30s", 30s},          {"5m", 5min}, {"250ms", 250ms},           {"10us", 10us},
        {"1ns", 1ns}, {"1h30m", 90min}, {"1m500ms", 60'500ms}, {"0s", 0s},   {"106751d", 106'751 * 24h},
    };
    for (const auto& [text, span] : cases) EXPECT_EQ(parse_duration(text).value(), span) << text;
}

TEST(ParseDurationTest, RefusesTheRestAndSaysHow) {
    for (const std::string_view text :
         {"", "5", "s", "-5s", "5 s", "1.5h", "5S", "30m1h", "1h1h", "05s", "1w", "1h-5m", "5sec"}) {
        EXPECT_THAT(parse_duration(text).error().what, HasSubstr("is no span of time")) << text;
    }
    for (const std::string_view text : {"106752d", "99999999999999999999s", "9999999999999999999d", "106751d24h"}) {
        EXPECT_THAT(parse_duration(text).error().what, HasSubstr("out of range")) << text;
    }
}

RC_GTEST_PROP(ParseDurationTest, ReadsBackWhatFormatDurationWrites, ()) {
    const auto span = *rc::gen::inRange<std::int64_t>(0, std::numeric_limits<std::int64_t>::max());
    const std::chrono::nanoseconds scaled(span >> *rc::gen::inRange(0, 63));
    RC_ASSERT(parse_duration(format_duration(scaled)).value() == scaled);
}

TEST(ParseDurationTest, FormatsInFallingUnits) {
    EXPECT_EQ(format_duration(0ns), "0s");
    EXPECT_EQ(format_duration(168h), "7d");
    EXPECT_EQ(format_duration(90min), "1h30m");
    EXPECT_EQ(format_duration(1'500ms), "1s500ms");
}

// --- For people ---

TEST(HumanTest, CountsHaveSeparators) {
    EXPECT_EQ(human_count(0), "0");
    EXPECT_EQ(human_count(999), "999");
    EXPECT_EQ(human_count(1000), "1,000");
    EXPECT_EQ(human_count(1'234'567), "1,234,567");
    EXPECT_EQ(human_count(UINT64_MAX), "18,446,744,073,709,551,615");
}

TEST(HumanTest, SizesSpansAndRatesAreShort) {
    EXPECT_EQ(human_bytes(0), "0 B");
    EXPECT_EQ(human_bytes(1023), "1023 B");
    EXPECT_EQ(human_bytes(1536), "1.5 KiB");
    EXPECT_EQ(human_bytes((std::uint64_t{1} << 30) - 1), "1,023.9 MiB");
    EXPECT_EQ(human_bytes(UINT64_MAX), "16,777,215.9 TiB");
    EXPECT_EQ(human_duration(999ns), "999 ns");
    EXPECT_EQ(human_duration(850us), "850 us");
    EXPECT_EQ(human_duration(12'345us), "12.3 ms");
    EXPECT_EQ(human_duration(1'050ms), "1.05 s");
    EXPECT_EQ(human_duration(192s), "3m 12s");
    EXPECT_EQ(human_duration(3h + 5min), "3h 5m");
    EXPECT_EQ(human_duration(49h), "2d 1h");
    EXPECT_EQ(human_duration(-1s), "0 ns");
    EXPECT_EQ(human_rate(24'690, 2s), "12,345/s");
    EXPECT_EQ(human_rate(5, 0s), "-/s");
}

}  // namespace
}  // namespace nostro
