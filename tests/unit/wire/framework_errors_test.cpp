#include "nostro/wire/framework_errors.hpp"

#include <gtest/gtest.h>

namespace nostro {
namespace {

std::string one(FrameworkFault fault, const FrameworkPlace& place, std::string_view input,
                std::string_view cause = {}) {
    FrameworkErrors errors;
    errors.add(fault, place, input, cause);
    return errors.json();
}

TEST(FrameworkErrorsTest, EachFaultReadsAsClientsKnowIt) {
    using F = FrameworkFault;
    struct Case {
        F fault;
        FrameworkPlace place;
        std::string_view input, cause, json;
    };
    const FrameworkPlace amount{.field = "amount"}, name{.field = "user_id"}, date{.field = "start_date"};
    const Case cases[] = {
        {F::missing, amount, "{}", "", R"("type":"missing","loc":["body","amount"],"msg":"Field required","input":{})"},
        {F::missing, {}, "null", "", R"("type":"missing","loc":["body"],"msg":"Field required","input":null)"},
        {F::model_attributes_type,
         {},
         "[1]",
         "",
         R"("type":"model_attributes_type","loc":["body"],"msg":"Input should be a valid dictionary or object to extract fields from","input":[1])"},
        {F::json_invalid,
         {.position = 15},
         "{}",
         "Expecting value",
         R"("type":"json_invalid","loc":["body",15],"msg":"JSON decode error","input":{},"ctx":{"error":"Expecting value"})"},
        {F::float_parsing, amount, R"("x")", "",
         R"("type":"float_parsing","loc":["body","amount"],"msg":"Input should be a valid number, unable to parse string as a number","input":"x")"},
        {F::float_type, amount, "null", "",
         R"("type":"float_type","loc":["body","amount"],"msg":"Input should be a valid number","input":null)"},
        {F::string_type, name, "1", "",
         R"("type":"string_type","loc":["body","user_id"],"msg":"Input should be a valid string","input":1)"},
        {F::string_unicode, name, R"("")", "",
         R"("type":"string_unicode","loc":["body","user_id"],"msg":"Input should be a valid string, unable to parse raw data as a unicode string","input":"")"},
        {F::string_too_long, name, R"("abc")", "2",
         R"("type":"string_too_long","loc":["body","user_id"],"msg":"String should have at most 2 characters","input":"abc","ctx":{"max_length":2})"},
        {F::int_parsing,
         {.in = "path", .field = "txn_id"},
         R"("abc")",
         "",
         R"("type":"int_parsing","loc":["path","txn_id"],"msg":"Input should be a valid integer, unable to parse string as an integer","input":"abc")"},
        {F::date_type, date, "true", "",
         R"("type":"date_type","loc":["body","start_date"],"msg":"Input should be a valid date","input":true)"},
        {F::date_from_datetime_parsing, date, R"("x")", "input is too short",
         R"("type":"date_from_datetime_parsing","loc":["body","start_date"],"msg":"Input should be a valid date or datetime, input is too short","input":"x","ctx":{"error":"input is too short"})"},
        {F::date_from_datetime_inexact, date, "1", "",
         R"("type":"date_from_datetime_inexact","loc":["body","start_date"],"msg":"Datetimes provided to dates should have zero time - e.g. be exact dates","input":1)"},
        {F::string_empty, name, R"("")", "",
         R"("type":"string_empty","loc":["body","user_id"],"msg":"String should not be empty","input":"")"},
        {F::string_control_character, name, R"("\n")", "",
         R"("type":"string_control_character","loc":["body","user_id"],"msg":"String should not hold control characters","input":"\n")"},
        {F::money_not_positive, amount, "0", "",
         R"("type":"money_not_positive","loc":["body","amount"],"msg":"Amount should be greater than 0","input":0)"},
        {F::money_too_many_decimals, amount, "0.001", "2",
         R"("type":"money_too_many_decimals","loc":["body","amount"],"msg":"Amount should have at most 2 decimals in its currency","input":0.001,"ctx":{"decimals":2})"},
        {F::money_overflow, amount, "1e99", "",
         R"("type":"money_overflow","loc":["body","amount"],"msg":"Amount is too large","input":1e99)"},
        {F::currency_unknown,
         {.field = "currency"},
         R"("EURO")",
         "",
         R"("type":"currency_unknown","loc":["body","currency"],"msg":"Currency should be a code of ISO 4217 that is in use, such as USD","input":"EURO")"},
        {F::date_before_start,
         {.field = "end_date"},
         R"("2026-01-01")",
         "start_date",
         R"("type":"date_before_start","loc":["body","end_date"],"msg":"Date should not be before start_date","input":"2026-01-01","ctx":{"start":"start_date"})"},
    };
    for (const Case& c : cases) {
        EXPECT_EQ(one(c.fault, c.place, c.input, c.cause), "{\"detail\":[{" + std::string(c.json) + "}]}");
    }
}

TEST(FrameworkErrorsTest, EntriesStandInTheOrderOfTheFields) {
    FrameworkErrors errors;
    errors.add(FrameworkFault::float_type, {.field = "c", .order = 2}, "1");
    errors.add(FrameworkFault::string_type, {.field = "a", .order = 0}, "2");
    errors.add(FrameworkFault::string_type, {.field = "b", .order = 1}, "3");
    errors.add(FrameworkFault::string_empty, {.field = "a", .order = 0}, "4");
    const std::string json = errors.json();
    std::string inputs;
    for (std::size_t at = json.find("\"input\":"); at != std::string::npos; at = json.find("\"input\":", at + 1)) {
        inputs += json[at + 8];
    }
    EXPECT_EQ(inputs, "2431");
}

TEST(FrameworkErrorsTest, AreOneLineForPeopleAndKnowTheirFields) {
    FrameworkErrors errors;
    EXPECT_EQ(errors.text(), "");
    errors.add(FrameworkFault::missing, {.field = "currency", .order = 2}, "{}");
    errors.add(FrameworkFault::money_not_positive, {.field = "amount", .order = 1}, "0");
    EXPECT_EQ(errors.text(), "amount: Amount should be greater than 0; currency: Field required");
    EXPECT_FALSE(errors.has(0));
    EXPECT_TRUE(errors.has(1));
    EXPECT_TRUE(errors.has(2));
    errors.clear();
    errors.add(FrameworkFault::missing, {}, "null");
    EXPECT_EQ(errors.text(), "body: Field required");
}

TEST(FrameworkErrorsTest, RefusalsAreOneTextAnd503SaysWhenToComeBack) {
    Response response;
    response.header("X", "gone");
    response.body = "gone";
    write_framework_refusal(response, 404, "Transaction \"not\" found");
    EXPECT_EQ(response.status, 404);
    EXPECT_EQ(response.content_type, "application/json");
    EXPECT_EQ(response.headers, "");
    EXPECT_EQ(response.body, R"({"detail":"Transaction \"not\" found"})");
    write_framework_refusal(response, 503, "Database connection error");
    EXPECT_EQ(response.headers, "Retry-After: 1\r\n");
}

}  // namespace
}  // namespace nostro
