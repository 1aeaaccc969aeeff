#include "nostro/base/json_text.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <limits>

#include "nostro/base/text.hpp"

namespace nostro {
namespace {

std::string json_string(std::string_view text) {
    std::string json;
    append_json_string(json, text);
    return json;
}

TEST(JsonStringTest, EscapesWhatMustBeAndLeavesTheRest) {
    const std::pair<std::string_view, std::string_view> cases[] = {
        {"", R"("")"},
        {"plain /text/", R"("plain /text/")"},
        {"\"\\", R"("\"\\")"},
        {"\b\f\n\r\t", R"("\b\f\n\r\t")"},
        {std::string_view("\0\x01\x1f\x7f", 4), "\"\\u0000\\u0001\\u001f\x7f\""},
        {"Z\xC3\xBCrich \xF0\x9F\x92\xB6", "\"Z\xC3\xBCrich \xF0\x9F\x92\xB6\""},
    };
    for (const auto& [text, json] : cases) EXPECT_EQ(json_string(text), json);
}

TEST(JsonStringTest, BytesThatAreNotUtf8BecomeTheReplacementCharacter) {
    EXPECT_EQ(json_string("a\xFF"
                          "b"),
              "\"a\xEF\xBF\xBD"
              "b\"");
    EXPECT_EQ(json_string("\xE2\x82"), "\"\xEF\xBF\xBD\xEF\xBF\xBD\"");
    EXPECT_EQ(json_string("\xED\xA0\x80"), "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\"");
}

RC_GTEST_PROP(JsonStringTest, TheResultIsAlwaysValidUtf8WithoutControlCharacters, (const std::string& text)) {
    const std::string json = json_string(text);
    RC_ASSERT(is_valid_utf8(json));
    for (const char c : json) RC_ASSERT(static_cast<unsigned char>(c) >= 0x20);
}

TEST(JsonStringTest, ACharacterIsWrittenAlikeAtEveryPlace) {
    for (int c = 0; c < 128; ++c) {
        std::string alone;
        append_json_string(alone, std::string(1, static_cast<char>(c)));
        for (std::size_t place = 0; place < 20; ++place) {
            std::string text(20, 'a');
            text[place] = static_cast<char>(c);
            std::string expected = "\"" + std::string(place, 'a');
            expected.append(alone, 1, alone.size() - 2).append(19 - place, 'a').append("\"");
            std::string written;
            append_json_string(written, text);
            ASSERT_EQ(written, expected) << "character " << c << " at " << place;
        }
    }
}

TEST(JsonWriterTest, TakesMembersThatAreJsonAlready) {
    std::string text;
    JsonWriter json(text);
    json.begin_object().raw_members(R"("a":1,"b":2)").field("c", 3).raw_members(R"("d":4)").end_object();
    EXPECT_EQ(text, R"({"a":1,"b":2,"c":3,"d":4})");
}

TEST(JsonWriterTest, PutsTheCommas) {
    std::string text;
    JsonWriter json(text);
    json.begin_object()
        .field("text", "a\"b")
        .field("flag", true)
        .field("nothing", nullptr)
        .field("least", std::numeric_limits<std::int64_t>::min())
        .field("most", UINT64_MAX)
        .field("small", std::uint8_t{7})
        .field("ratio", 0.25);
    json.key("empty").begin_array().end_array();
    json.key("list").begin_array().number(1).string("x").begin_object().end_object().begin_array().null().end_array();
    json.end_array().key("raw").raw("{\"a\":1}").end_object();
    EXPECT_TRUE(json.complete());
    EXPECT_EQ(text,
              R"({"text":"a\"b","flag":true,"nothing":null,"least":-9223372036854775808,"most":18446744073709551615,)"
              R"("small":7,"ratio":0.25,"empty":[],"list":[1,"x",{},[null]],"raw":{"a":1}})");
}

TEST(JsonWriterTest, AppendsToWhatIsThere) {
    std::string text = "data: ";
    JsonWriter(text).begin_array().boolean(false).end_array();
    EXPECT_EQ(text, "data: [false]");
}

TEST(JsonWriterTest, NumbersThatAreNoneBecomeNull) {
    std::string text;
    JsonWriter(text)
        .begin_array()
        .number(std::numeric_limits<double>::infinity())
        .number(std::numeric_limits<double>::quiet_NaN())
        .number(1e300)
        .end_array();
    EXPECT_EQ(text, "[null,null,1e+300]");
}

TEST(JsonWriterTest, NestsToItsBound) {
    std::string text;
    JsonWriter json(text);
    for (unsigned i = 0; i < JsonWriter::kDepthMax; ++i) json.begin_array();
    for (unsigned i = 0; i < JsonWriter::kDepthMax; ++i) json.end_array();
    EXPECT_TRUE(json.complete());
    EXPECT_EQ(text, std::string(63, '[') + std::string(63, ']'));
}

TEST(JsonWriterDeathTest, WrongNestingStopsTheProcess) {
    std::string text;
    EXPECT_DEATH(JsonWriter(text).begin_object().string("no key"), "needs a key");
    EXPECT_DEATH(JsonWriter(text).begin_array().key("k"), "a key where none may stand");
    EXPECT_DEATH(JsonWriter(text).begin_array().end_object(), "wrong bracket");
    EXPECT_DEATH(JsonWriter(text).end_object(), "closed too early");
    EXPECT_DEATH(JsonWriter(text).begin_object().key("k").end_object(), "closed too early");
    EXPECT_DEATH(JsonWriter(text).number(1).number(2), "second value");
}

}  // namespace
}  // namespace nostro
