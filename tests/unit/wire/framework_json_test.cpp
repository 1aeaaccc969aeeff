#include "nostro/wire/framework_json.hpp"

#include <gtest/gtest.h>

#include "nostro/wire/framework_dates.hpp"
#include "tests/fuzz/strict_json.hpp"

namespace nostro {
namespace {

constexpr FrameworkField kFields[] = {
    {.name = "user_id", .max = 10},
    {.name = "amount", .kind = FrameworkKind::money},
    {.name = "currency", .kind = FrameworkKind::currency, .required = false, .otherwise = "USD"}};

// What was read, or the body of the refusal. "a|12.50|USD".
std::string read(std::string_view body, std::string_view type = "application/json",
                 std::span<const FrameworkField> fields = kFields) {
    Request request;
    request.body = body;
    request.content_type = type;
    Arena arena;
    FrameworkErrors errors;
    std::vector<FrameworkValue> values(fields.size());
    const bool good = read_framework_body(request, fields, arena, values, errors);
    EXPECT_EQ(good, errors.empty());
    if (!good) {
        EXPECT_TRUE(is_strict_json(errors.json())) << errors.json();
        return errors.json();
    }
    std::string text;
    for (const FrameworkValue& value : values) text.append(text.empty() ? "" : "|").append(value.text);
    return text;
}

// "type loc input" of each entry, and the cause.
std::string faults(std::string_view body, std::string_view type = "application/json") {
    const std::string json = read(body, type);
    std::string text;
    for (std::size_t at = json.find("{\"type\":\""); at != std::string::npos; at = json.find("{\"type\":\"", at + 1)) {
        const auto between = [&](std::string_view from, std::string_view to) {
            const std::size_t begin = json.find(from, at) + from.size();
            return json.substr(begin, json.find(to, begin) - begin);
        };
        text.append(text.empty() ? "" : "; ").append(between("\"type\":\"", "\"")).append(" ");
        text.append(between("\"loc\":[", "]"));
    }
    return text.empty() ? json : text;
}

TEST(FrameworkJsonTest, ReadsFlatBodiesAsClientsWriteThem) {
    struct Case {
        std::string_view body, read;
    };
    const Case cases[] = {
        {R"({"user_id":"a","amount":12.5,"currency":"EUR"})", "a|12.5|EUR"},
        {R"({"user_id":"a","amount":12})", "a|12|USD"},
        {R"({ "currency" : "EUR" , "amount" : 12.50 , "user_id" : "a" })", "a|12.50|EUR"},
        {"\r\n{\"user_id\":\"a\",\t\"amount\":1}\n ", "a|1|USD"},
        {"\xef\xbb\xbf{\"user_id\":\"a\",\"amount\":1}", "a|1|USD"},
        {R"({"user_id":"a","amount":1,"amount":2,"user_id":"b"})", "b|2|USD"},
        {R"({"user_id":1,"amount":1,"user_id":"b"})", "b|1|USD"},
        {R"({"x":{"amount":[5,{"a":null}]},"user_id":"a","y":[],"amount":1,"z":true,"":-0.5e-3})", "a|1|USD"},
        {R"({"user\u005fid":"\u0041\u00e9\u20ac\ud83d\ude00\"\/\\","amount":1})",
         "A\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\"/\\|1|USD"},
        {"{\"user_id\":\"\xc3\xa9\xe2\x82\xac\",\"amount\":1}", "\xc3\xa9\xe2\x82\xac|1|USD"},
        {R"({"user_id":"a","amount":"12.50"})", "a|12.50|USD"},
        {R"({"user_id":"a","amount":"0.01"})", "a|0.01|USD"},
        {R"({"user_id":"a","amount":1e2})", "a|100|USD"},
        {R"({"user_id":"a","amount":1.25E+1})", "a|12.5|USD"},
        {R"({"user_id":"a","amount":1250e-2})", "a|12.50|USD"},
        {R"({"user_id":"a","amount":1e-2})", "a|0.01|USD"},
        {R"({"user_id":"a","amount":0.00012e5})", "a|12|USD"},
        {R"({"user_id":"a","amount":900719925474099.3})", "a|900719925474099.3|USD"},
        {R"({"user_id":"0123456789","amount":1})", "0123456789|1|USD"},
    };
    for (const Case& c : cases) {
        EXPECT_EQ(read(c.body), c.read) << c.body;
    }
}

TEST(FrameworkJsonTest, OfEveryFieldThatIsWrongThereIsAnEntry) {
    struct Case {
        std::string_view body, faults;
    };
    const Case cases[] = {
        {R"({})", R"(missing "body","user_id"; missing "body","amount")"},
        {R"({"amount":true,"user_id":5,"currency":"usd"})",
         R"(string_type "body","user_id"; float_type "body","amount"; currency_unknown "body","currency")"},
        {R"({"user_id":null,"amount":null,"currency":null})",
         R"(string_type "body","user_id"; float_type "body","amount"; string_type "body","currency")"},
        {R"({"user_id":"","amount":1})", R"(string_empty "body","user_id")"},
        {R"({"user_id":"01234567890","amount":1})", R"(string_too_long "body","user_id")"},
        {R"({"user_id":"\ud800","amount":1})", R"(string_unicode "body","user_id")"},
        {R"({"user_id":"\udc00\ud800","amount":1})", R"(string_unicode "body","user_id")"},
        {R"({"user_id":"a\u0000","amount":1})", R"(string_control_character "body","user_id")"},
        {R"({"user_id":"a\n","amount":1})", R"(string_control_character "body","user_id")"},
        {R"({"user_id":["a"],"amount":1})", R"(string_type "body","user_id")"},
        {R"({"user_id":"a","amount":"x"})", R"(float_parsing "body","amount")"},
        {R"({"user_id":"a","amount":""})", R"(float_parsing "body","amount")"},
        {R"({"user_id":"a","amount":" 1"})", R"(float_parsing "body","amount")"},
        {R"({"user_id":"a","amount":"+1"})", R"(float_parsing "body","amount")"},
        {R"({"user_id":"a","amount":"1."})", R"(float_parsing "body","amount")"},
        {R"({"user_id":"a","amount":".5"})", R"(float_parsing "body","amount")"},
        {R"({"user_id":"a","amount":"01"})", R"(float_parsing "body","amount")"},
        {R"({"user_id":"a","amount":"1e3"})", R"(float_parsing "body","amount")"},
        {R"({"user_id":"a","amount":"1_000"})", R"(float_parsing "body","amount")"},
        {R"({"user_id":"a","amount":"1,000"})", R"(float_parsing "body","amount")"},
        {R"({"user_id":"a","amount":"NaN"})", R"(float_parsing "body","amount")"},
        {R"({"user_id":"a","amount":"inf"})", R"(float_parsing "body","amount")"},
        {R"({"user_id":"a","amount":"-Infinity"})", R"(float_parsing "body","amount")"},
        {R"({"user_id":"a","amount":{}})", R"(float_type "body","amount")"},
        {R"({"user_id":"a","amount":[1]})", R"(float_type "body","amount")"},
        {R"({"user_id":"a","amount":false})", R"(float_type "body","amount")"},
        {R"({"user_id":"a","amount":0})", R"(money_not_positive "body","amount")"},
        {R"({"user_id":"a","amount":0e9})", R"(money_not_positive "body","amount")"},
        {R"({"user_id":"a","amount":-0.0})", R"(money_not_positive "body","amount")"},
        {R"({"user_id":"a","amount":-500})", R"(money_not_positive "body","amount")"},
        {R"({"user_id":"a","amount":"-0.01"})", R"(money_not_positive "body","amount")"},
        {R"({"user_id":"a","amount":-1e2})", R"(money_not_positive "body","amount")"},
        {R"({"user_id":"a","amount":1e300})", R"(money_overflow "body","amount")"},
        {R"({"user_id":"a","amount":1e99999999999999999999})", R"(money_overflow "body","amount")"},
        {R"({"user_id":"a","amount":1e-300})", R"(money_too_many_decimals "body","amount")"},
        {R"({"user_id":"a","amount":1,"currency":""})", R"(currency_unknown "body","currency")"},
        {R"({"user_id":"a","amount":1,"currency":"EURO"})", R"(currency_unknown "body","currency")"},
        {R"({"user_id":"a","amount":1,"currency":5})", R"(string_type "body","currency")"},
        {R"(null)", R"(missing "body")"},
        {R"( null )", R"(missing "body")"},
        {R"([1])", R"(model_attributes_type "body")"},
        {R"("x")", R"(model_attributes_type "body")"},
        {R"(12)", R"(model_attributes_type "body")"},
        {R"(true)", R"(model_attributes_type "body")"},
    };
    for (const Case& c : cases) EXPECT_EQ(faults(c.body), c.faults) << c.body;
}

// Positions count characters; texts and places are those of the originals' parser.
TEST(FrameworkJsonTest, WhatIsNoJsonIsToldAsTheOriginalsTellIt) {
    struct Case {
        std::string_view body;
        int position;
        std::string_view error;
    };
    const Case cases[] = {
        {"  ", 2, "Expecting value"},
        {"x", 0, "Expecting value"},
        {R"({"user_id":"a",})", 15, "Expecting property name enclosed in double quotes"},
        {R"({"user_id" "a"})", 11, "Expecting ':' delimiter"},
        {R"({"user_id":"a")", 14, "Expecting ',' delimiter"},
        {R"({"user_id":"a" "b"})", 15, "Expecting ',' delimiter"},
        {R"({"user_id":"a":"b"})", 14, "Expecting ',' delimiter"},
        {R"({)", 1, "Expecting property name enclosed in double quotes"},
        {R"({"a":"x)", 5, "Unterminated string starting at"},
        {R"({"a":"x\)", 5, "Unterminated string starting at"},
        {"{\"a\":\"x\n\"}", 7, "Invalid control character at"},
        {R"({"a":"\x"})", 6, R"(Invalid \\escape)"},
        {R"({"a":"\u12"})", 7, R"(Invalid \\uXXXX escape)"},
        {R"({"a":"\u12zz"})", 7, R"(Invalid \\uXXXX escape)"},
        {R"({}x)", 2, "Extra data"},
        {R"({} {})", 3, "Extra data"},
        {R"({1:2})", 1, "Expecting property name enclosed in double quotes"},
        {R"({"a":01})", 6, "Expecting ',' delimiter"},
        {R"({"a":1.})", 6, "Expecting ',' delimiter"},
        {R"({"a":1e})", 6, "Expecting ',' delimiter"},
        {R"({"a":-})", 5, "Expecting value"},
        {R"({"a":tru})", 5, "Expecting value"},
        {R"({"a":NaN})", 5, "Expecting value"},
        {R"({"a":-Infinity})", 5, "Expecting value"},
        {R"({"a":[1,]})", 8, "Expecting value"},
        {R"({"a":[1 2]})", 8, "Expecting ',' delimiter"},
        {R"({"a":{"b":1,}})", 12, "Expecting property name enclosed in double quotes"},
        {R"([1,2)", 4, "Expecting ',' delimiter"},
        {R"({"a":})", 5, "Expecting value"},
        {"{\"\xc3\xa9\":x}", 5, "Expecting value"},
        {"{\"a\":\"\xff\"}", 6, "Invalid UTF-8"},
    };
    for (const Case& c : cases) {
        EXPECT_EQ(read(c.body), R"({"detail":[{"type":"json_invalid","loc":["body",)" + std::to_string(c.position) +
                                    R"(],"msg":"JSON decode error","input":{},"ctx":{"error":")" +
                                    std::string(c.error) + R"("}}]})")
            << c.body;
    }
    EXPECT_EQ(faults(std::string(201, '[')), R"(json_invalid "body",200)");
    EXPECT_EQ(faults("{\"a\":" + std::string(200, '[') + std::string(200, ']') + "}"),
              R"(missing "body","user_id"; missing "body","amount")");
}

TEST(FrameworkJsonTest, WhatIsNoJsonByItsTypeIsAText) {
    EXPECT_EQ(read(""), R"({"detail":[{"type":"missing","loc":["body"],"msg":"Field required","input":null}]})");
    EXPECT_EQ(
        read("a=\"b\"", "application/x-www-form-urlencoded"),
        R"({"detail":[{"type":"model_attributes_type","loc":["body"],"msg":"Input should be a valid dictionary or object to extract fields from","input":"a=\"b\""}]})");
    const std::string_view good = R"({"user_id":"a","amount":1})";
    for (const std::string_view type :
         {"", "application/json", "Application/JSON ; charset=latin-1", "application/problem+json"}) {
        EXPECT_EQ(read(good, type), "a|1|USD") << type;
    }
    for (const std::string_view type :
         {"text/plain", "text/json", "application/jsonx", "json", "application/", "application/x-json"}) {
        EXPECT_EQ(faults(good, type), R"(model_attributes_type "body")") << type;
    }
}

TEST(FrameworkJsonTest, InputsAreEchoedCompactly) {
    const std::string all = read(R"({ "x" : [ 1.50 , { "\u00e9" : "a \"b\" \\" } ], "user_id" : { "a" : [ ] } })");
    EXPECT_NE(all.find(R"("loc":["body","user_id"],"msg":"Input should be a valid string","input":{"a":[]}})"),
              std::string::npos)
        << all;
    EXPECT_NE(
        all.find("\"loc\":[\"body\",\"amount\"],\"msg\":\"Field required\",\"input\":{\"x\":[1.50,{\"\xc3\xa9\":\"a "
                 "\\\"b\\\" \\\\\"}],\"user_id\":{\"a\":[]}}}"),
        std::string::npos)
        << all;
}

TEST(FrameworkJsonTest, DatesAreDays) {
    constexpr FrameworkField kDate[] = {{.name = "d", .kind = FrameworkKind::date}};
    struct Case {
        std::string_view value, read;  // of what is refused: the cause
    };
    const Case cases[] = {
        {R"("2024-01-01")", "2024-01-01"},
        {R"("2024-02-29")", "2024-02-29"},
        {R"("2024-01-01T00:00:00")", "2024-01-01"},
        {R"("2024-01-01t00:00:00z")", "2024-01-01"},
        {R"("2024-01-01 00:00")", "2024-01-01"},
        {R"("2024-01-01_00:00:00.000000")", "2024-01-01"},
        {R"("2024-01-01T00:00:00+02:00")", "2024-01-01"},
        {R"("2024-01-01T00:00:00-0930")", "2024-01-01"},
        {R"(1704067200)", "2024-01-01"},
        {R"(1704067200.0)", "2024-01-01"},
        {R"(17040672e2)", "2024-01-01"},
        {R"("1704067200")", "2024-01-01"},
        {R"(1704067200000)", "2024-01-01"},
        {R"(0)", "1970-01-01"},
        {R"(-86400)", "1969-12-31"},
        {R"("0001-01-01")", "0001-01-01"},
        {R"("9999-12-31")", "9999-12-31"},
        {R"("2024-01-01T00:00:01")", "inexact"},
        {R"("2024-01-01T00:01")", "inexact"},
        {R"("2024-01-01T00:00:00.5")", "inexact"},
        {R"(1704067201)", "inexact"},
        {R"(1704067200.5)", "inexact"},
        {R"("20240101")", "inexact"},
        {R"(1e9)", "inexact"},
        {R"("2024/01/01")", "invalid date separator, expected `-`"},
        {R"("2024-02-30")", "day value is outside expected range"},
        {R"("2023-02-29")", "day value is outside expected range"},
        {R"("2024-1-1")", "input is too short"},
        {R"("")", "input is too short"},
        {R"("2024-13-01")", "month value is outside expected range of 1-12"},
        {R"("abcd-01-01")", "invalid character in year"},
        {R"(" 2024-01-01")", "invalid character in year"},
        {R"("2024-0x-01")", "invalid character in month"},
        {R"("2024-01-0a")", "invalid character in day"},
        {R"("2024-01-01x")", "invalid datetime separator, expected `T`, `t`, `_` or space"},
        {R"("2024-01-01T")", "input is too short"},
        {R"("2024-01-01T25:00:00")", "hour value is outside expected range of 0-23"},
        {R"("2024-01-01T00:60:00")", "minute value is outside expected range of 0-59"},
        {R"("2024-01-01T00:00:60")", "second value is outside expected range of 0-59"},
        {R"("2024-01-01Tab:00:00")", "invalid character in hour"},
        {R"("2024-01-01T00:00:00Zx")", "unexpected extra characters at the end of the input"},
        {R"("2024-01-01T00:00:00+99:00")", "timezone offset must be less than 24 hours"},
        {R"(1704067200000000)", "dates after 9999 are not supported as unix timestamps"},
        {R"(99999999999999999999999)", "dates after 9999 are not supported as unix timestamps"},
        {R"(true)", "date_type"},
        {R"(null)", "date_type"},
        {R"([])", "date_type"},
    };
    for (const Case& c : cases) {
        const std::string got = read("{\"d\":" + std::string(c.value) + "}", "application/json", kDate);
        if (c.read.size() == 10 && c.read[4] == '-') {
            EXPECT_EQ(got, c.read) << c.value;
        } else if (c.read == "inexact" || c.read == "date_type") {
            EXPECT_NE(got.find(c.read), std::string::npos) << c.value << got;
        } else {
            EXPECT_NE(got.find("\"type\":\"date_from_datetime_parsing\""), std::string::npos) << c.value << got;
            EXPECT_NE(got.find("\"ctx\":{\"error\":\"" + std::string(c.read) + "\"}"), std::string::npos)
                << c.value << got;
        }
    }
}

TEST(FrameworkJsonTest, AmountsFitTheirCurrency) {
    struct Case {
        std::string_view amount, currency, told;
    };
    const Case cases[] = {
        {"12.75", "USD", "1275"},
        {"12.7500", "USD", "1275"},
        {"12", "JPY", "12"},
        {"12.0", "JPY", "12"},
        {"9999999999999999.99", "USD", "999999999999999999"},
        {"9999999999999999", "JPY", "9999999999999999"},
        {"10000000000000000", "USD", "money_overflow"},
        {"10000000000000000", "JPY", "money_overflow"},
        {"92233720368547758.07", "USD", "money_overflow"},
        {"12.755", "USD", "money_too_many_decimals 2"},
        {"0.5", "JPY", "money_too_many_decimals 0"},
        {"92233720368547758.08", "USD", "money_overflow"},
        {"99999999999999999999999999.9", "USD", "money_overflow"},
    };
    for (const Case& c : cases) {
        FrameworkErrors errors;
        const FrameworkValue value{.text = c.amount, .raw = c.amount, .day = {}};
        const auto money = framework_money(kFields, 1, value, *Currency::parse(c.currency), errors);
        std::string told;
        if (money) {
            told = std::to_string(money->minor());
        } else {
            const std::string json = errors.json();
            told = json.substr(20, json.find('"', 20) - 20);
            if (const auto at = json.find("\"decimals\":"); at != std::string::npos) told.append(" ") += json[at + 11];
        }
        EXPECT_EQ(told, c.told) << c.amount << c.currency;
    }
}

TEST(FrameworkJsonTest, PathsTakeWholeNumbersOnly) {
    struct Case {
        std::string_view text;
        std::optional<std::int64_t> number;
    };
    const Case cases[] = {{"1", 1},
                          {"+1", 1},
                          {"-1", -1},
                          {"01", 1},
                          {"1.0", 1},
                          {" 1", 1},
                          {"0", 0},
                          {"1.5", {}},
                          {"1.", {}},
                          {"", {}},
                          {"abc", {}},
                          {"1e2", {}},
                          {"0x1", {}},
                          {"--1", {}},
                          {"99999999999999999999", INT64_MAX},
                          {"-99999999999999999999", INT64_MIN}};
    for (const Case& c : cases) EXPECT_EQ(framework_integer(c.text), c.number) << c.text;
}

}  // namespace
}  // namespace nostro
