#include "nostro/wire/message_json.hpp"

#include <gtest/gtest.h>

#include <array>
#include <string>

namespace nostro {
namespace {

constexpr std::array<std::string_view, 3> kPaths = {"amount", "amount.value", "party.id"};

// "kind:text" of each path, or the error.
std::string read(std::string_view message, std::span<const std::string_view> paths = kPaths) {
    JsonReader reader;
    Arena arena;
    std::vector<MessageValue> values(paths.size());
    if (auto done = read_message(reader, message, paths, arena, values); !done) return done.error().what;
    constexpr std::string_view kKinds = "-0tnbOA";
    std::string text;
    for (const MessageValue& value : values) {
        if (!text.empty()) text += ' ';
        text += kKinds[static_cast<std::size_t>(value.kind)];
        if (!value.text.empty()) text.append(":").append(value.text);
    }
    return text;
}

struct Case {
    const char* message;
    const char* read;
};

TEST(MessageJsonTest, ValuesWhereverTheyStand) {
    const Case cases[] = {
        {R"({})", "- - -"},
        {R"({"amount":12.50})", "n:12.50 - -"},
        {R"({"amount":{"value":1.50}})", "- n:1.50 -"},
        {R"({ "party" : {"x":[1,{"id":2}], "id":"\u00e4\"b"}, "more":{"id":7} })", "- - t:ä\"b"},
        {R"({"amount":null,"party":null})", "0 - -"},
        {R"({"amount":true})", "b:true - -"},
        {R"({"amount":[1, 2]})", "A:[1, 2] - -"},
        {R"({"amount":1,"amount":"2"})", "t:2 - -"},
    };
    for (const auto& [message, wanted] : cases) EXPECT_EQ(read(message), wanted) << message;
}

TEST(MessageJsonTest, ANameWithAPointIsNoWayInside) {
    const Case cases[] = {
        {R"({"amount":{"value":1.50},"amount.value":1000000})", "- n:1.50 -"},
        {R"({"amount.value":1000000})", "- - -"},
        {R"({"party":{"id":"a"},"party.id":"b"})", "- - t:a"},
        {R"({"party.id":{"id":"b"}})", "- - -"},
    };
    for (const auto& [message, wanted] : cases) EXPECT_EQ(read(message), wanted) << message;
}

TEST(MessageJsonTest, AnEmptyNameIsPassedOver) {
    const Case cases[] = {
        {R"({"party":{"id":"p1"},"":0,"amount":5})", "n:5 - t:p1"},
        {R"({"amount":{"value":1.50,"":"p2"},"party":{"id":"p1"}})", "- n:1.50 t:p1"},
        {R"({"party":{"id":"p1"},"amount":{"":"p2","value":1.50},"":{"id":"p3"}})", "- n:1.50 t:p1"},
    };
    for (const auto& [message, wanted] : cases) EXPECT_EQ(read(message), wanted) << message;
}

TEST(MessageJsonTest, OfMembersThatStandTwiceTheLastCountsWhole) {
    const Case cases[] = {
        {R"({"amount":{"value":1.50},"amount":null})", "0 - -"},
        {R"({"amount":{"value":1.50},"amount":{}})", "- - -"},
        {R"({"party":{"id":"a"},"party":{"name":"b"}})", "- - -"},
        {R"({"party":{"id":"a"},"party":7})", "- - -"},
        {R"({"party":{"id":"a","id":"b"}})", "- - t:b"},
    };
    for (const auto& [message, wanted] : cases) EXPECT_EQ(read(message), wanted) << message;
}

TEST(MessageJsonTest, AllOfItIsJson) {
    for (const char* message :
         {"", "[1]", "7", "{", "{\"a\":1}x", "{\"x\":NaN}", "{\"x\":-Infinity}", "{\"x\":[01]}", "{\"x\":[1,{]}",
          "{\"x\":\"a\":\"b\"}", "{\"x\":1,}", "{\"x\":tru}", "{\"x\":\"\\q\"}", "{\"x\":\"\n\"}"}) {
        EXPECT_NE(read(message).find("JSON"), std::string::npos) << message << ": " << read(message);
    }
}

}  // namespace
}  // namespace nostro
