#include "nostro/wire/request_json.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/unit/wire/policies.hpp"

namespace nostro {
namespace {

using ::testing::ElementsAre;

std::vector<std::string> faults_of(const FieldErrors& errors) {
    std::vector<std::string> faults;
    for (const auto& error : errors.list()) faults.push_back(error.pointer + " " + error.code);
    return faults;
}

struct Refusal {
    const char* text;
    std::vector<std::string> faults;
};

class RequestJsonTest : public ::testing::Test {
protected:
    // Reads with one of the functions that need no policy; true: fine.
    template <class Body>
    bool read(bool (*function)(JsonReader&, const JsonInput&, Arena&, Body&, FieldErrors&), std::string_view text,
              Body& into) {
        errors.clear();
        return function(reader, {text, text.size()}, arena, into, errors);
    }
    bool open(std::string_view text, OpenAccount& into) {
        errors.clear();
        return read_open_account(reader, {text, text.size()}, *policy, arena, into, errors);
    }
    bool change(std::string_view text, ChangeAccountBody& into) {
        errors.clear();
        return read_change_account(reader, {text, text.size()}, *policy, arena, into, errors);
    }

    JsonReader reader;
    Arena arena;
    FieldErrors errors;
    PolicyPtr policy = test::a_policy();
    Currency usd = Currency::parse("USD").value();
};

TEST_F(RequestJsonTest, CaptureTakesAllOrAnAmount) {
    CaptureBody body;
    for (const char* all : {"", "  ", "{}", R"({"amount":null})"}) {
        ASSERT_TRUE(read(read_capture, all, body)) << all;
        EXPECT_FALSE(body.amount.given) << all;
    }
    ASSERT_TRUE(read(read_capture, R"({"amount":"12.50"})", body));
    EXPECT_TRUE(body.amount.given);
    EXPECT_EQ(to_minor(body.amount.text, usd, "/amount", errors), 1250);
    ASSERT_TRUE(read(read_capture, R"({"amount":12.5})", body));
    EXPECT_EQ(to_minor(body.amount.text, usd, "/amount", errors), 1250);
    ASSERT_TRUE(read(read_capture, R"({"amount":"0"})", body));
    EXPECT_FALSE(to_minor(body.amount.text, usd, "/amount", errors));
    EXPECT_THAT(faults_of(errors), ElementsAre("/amount amount_not_positive"));
    for (const auto& [text, faults] : {Refusal{R"({"amount":true})", {"/amount wrong_type"}},
                                       Refusal{R"({"ammount":"1"})", {"/ammount unknown_field"}},
                                       Refusal{"[]", {" not_an_object"}}, Refusal{"x", {" json_invalid"}}}) {
        EXPECT_FALSE(read(read_capture, text, body)) << text;
        EXPECT_EQ(faults_of(errors), faults) << text;
    }
}

TEST_F(RequestJsonTest, ReverseNamesAmountReferenceAndDescription) {
    ReverseBody body;
    ASSERT_TRUE(read(read_reverse, "", body));
    EXPECT_FALSE(body.amount.given);
    ASSERT_TRUE(read(read_reverse, R"({"amount":"1","reference":"R","description":"D"})", body));
    EXPECT_EQ(body.amount.text, "1");
    EXPECT_EQ(body.reference, "R");
    EXPECT_EQ(body.description, "D");
    EXPECT_FALSE(
        read(read_reverse, R"({"reference":")" + std::string(141, 'x') + R"(","description":"\u0001"})", body));
    EXPECT_THAT(faults_of(errors), ElementsAre("/reference too_long", "/description control_character"));
}

TEST_F(RequestJsonTest, AReviewNamesReviewerAndReason) {
    ReviewBody body;
    ASSERT_TRUE(read(read_review, R"({"reviewer":"ada","reason":"known customer\nseen twice"})", body));
    EXPECT_EQ(body.reviewer, "ada");
    EXPECT_EQ(body.reason, "known customer\nseen twice");
    const std::string long_reviewer =
        R"({"reviewer":")" + std::string(65, 'x') + R"(","reason":")" + std::string(501, 'x') + "\"}";
    for (const auto& [text, faults] :
         {Refusal{"", {" body_empty"}}, Refusal{"{}", {"/reviewer missing", "/reason missing"}},
          Refusal{R"({"reviewer":"","reason":""})", {"/reviewer empty", "/reason empty"}},
          Refusal{long_reviewer.c_str(), {"/reviewer too_long", "/reason too_long"}},
          Refusal{R"({"reviewer":"a\nb","reason":"ok"})", {"/reviewer control_character"}}}) {
        EXPECT_FALSE(read(read_review, text, body)) << text;
        EXPECT_EQ(faults_of(errors), faults) << text;
    }
}

TEST_F(RequestJsonTest, APolicyIsText) {
    PolicyBody body;
    ASSERT_TRUE(read(read_policy, R"({"policy":"tenant = \"x\"\n\torder = []","by":"ada"})", body));
    EXPECT_EQ(body.text, "tenant = \"x\"\n\torder = []");
    EXPECT_EQ(body.by, "ada");
    EXPECT_FALSE(read(read_policy, R"({"by":"ada"})", body));
    EXPECT_THAT(faults_of(errors), ElementsAre("/policy missing"));
    EXPECT_FALSE(read(read_policy, R"({"policy":""})", body));
    EXPECT_THAT(faults_of(errors), ElementsAre("/policy empty"));
}

TEST_F(RequestJsonTest, ADeadLetterKeepsItsTextAsItIs) {
    KeepDeadLetter letter;
    ASSERT_TRUE(read(
        read_dead_letter,
        R"({"source":"bank.csv","position":"row 7","format":"csv","why":"no amount","text":"a,\u0000b\n"})", letter));
    EXPECT_EQ(letter.source, "bank.csv");
    EXPECT_EQ(letter.position, "row 7");
    EXPECT_EQ(letter.format, "csv");
    EXPECT_EQ(letter.why, "no amount");
    EXPECT_EQ(letter.bytes, std::string_view("a,\0b\n", 5));
    EXPECT_FALSE(read(read_dead_letter, R"({"source":"","why":"x","text":7})", letter));
    EXPECT_THAT(faults_of(errors), ElementsAre("/source empty", "/text wrong_type", "/position missing"));
}

TEST_F(RequestJsonTest, ALettersActionMayNameNothing) {
    LetterBody body;
    for (const auto& function : {read_discard, read_redrive}) {
        EXPECT_TRUE(read(function, "", body));
        ASSERT_TRUE(read(function, R"({"by":"ada","note":"sent again"})", body));
        EXPECT_EQ(body.by, "ada");
        EXPECT_EQ(body.note, "sent again");
        EXPECT_EQ(body.payment, "");
        EXPECT_FALSE(read(function, R"({"note":1})", body));
        EXPECT_THAT(faults_of(errors), ElementsAre("/note wrong_type"));
    }
}

TEST_F(RequestJsonTest, ARedrivenLetterMayBringItsPaymentMended) {
    LetterBody body;
    ASSERT_TRUE(read(read_redrive, R"({"payment":{"amount":"1","metadata":{"a":"}]"}},"by":"ada"})", body))
        << faults_of(errors).front();
    EXPECT_EQ(body.payment, R"({"amount":"1","metadata":{"a":"}]"}})");
    EXPECT_EQ(body.by, "ada");
    EXPECT_FALSE(read(read_redrive, R"({"payment":"text"})", body));
    EXPECT_THAT(faults_of(errors), ElementsAre("/payment wrong_type"));
    EXPECT_FALSE(read(read_discard, R"({"payment":{}})", body));
    EXPECT_THAT(faults_of(errors), ElementsAre("/payment unknown_field"));
}

TEST_F(RequestJsonTest, OpensAnAccountWithEveryField) {
    OpenAccount account;
    ASSERT_TRUE(open(R"({"account_id":"ACC-1","currency":"USD","holder":"Ada Lovelace","kind":"merchant",
        "risk_level":"high","floor":"-100.00","limits":{"daily_debit_sum":"250.50","daily_debit_count":3},
        "opening_balance":"1000","metadata":{"b":1,"a":"x"}})",
                     account));
    EXPECT_EQ(account.name, "ACC-1");
    EXPECT_EQ(account.currency, usd);
    EXPECT_EQ(account.holder, "Ada Lovelace");
    EXPECT_EQ(account.kind, AccountKind::merchant);
    EXPECT_EQ(account.risk_level, RiskLevel::high);
    EXPECT_EQ(account.floor_minor, -10000);
    EXPECT_EQ(account.opening_minor, 100000);
    EXPECT_EQ(account.metadata, R"({"a":"x","b":1})");
    ASSERT_EQ(account.bounds.size(), 2u);
    EXPECT_EQ(account.bounds[0].name_key, policy->limit("daily_debit_sum")->name_key);
    EXPECT_EQ(account.bounds[0].at_most, 25050);
    EXPECT_EQ(account.bounds[1].name_key, policy->limit("daily_debit_count")->name_key);
    EXPECT_EQ(account.bounds[1].at_most, 3);
    EXPECT_TRUE(account.id.empty());
}

TEST_F(RequestJsonTest, AnAccountNeedsItsNameAndCurrencyAlone) {
    OpenAccount account;
    ASSERT_TRUE(open(R"({"account_id":"A","currency":"JPY"})", account));
    EXPECT_EQ(account.kind, AccountKind::customer);
    EXPECT_EQ(account.risk_level, RiskLevel::unrated);
    EXPECT_EQ(account.floor_minor, 0);
    EXPECT_EQ(account.opening_minor, 0);
    ASSERT_TRUE(open(R"({"account_id":"A","currency":"JPY","floor":null})", account));
    EXPECT_EQ(account.floor_minor, kNoFloor);
}

TEST_F(RequestJsonTest, NamesWhatIsWrongWithAnAccount) {
    const std::string holder = R"({"account_id":"A","currency":"USD","holder":")" + std::string(141, 'x') + "\"}";
    const Refusal cases[] = {
        {"{}", {"/account_id missing", "/currency missing"}},
        {R"({"account_id":"a b","currency":"USD"})", {"/account_id invalid_account"}},
        {R"({"account_id":"A","currency":"EURO","floor":"x"})", {"/currency currency_unknown"}},
        {holder.c_str(), {"/holder too_long"}},
        {R"({"account_id":"A","currency":"USD","kind":"private"})", {"/kind unknown_value"}},
        {R"({"account_id":"A","currency":"USD","risk_level":3})", {"/risk_level wrong_type"}},
        {R"({"account_id":"A","currency":"USD","risk_level":"none"})", {"/risk_level unknown_value"}},
        {R"({"account_id":"A","currency":"USD","floor":"0.001"})", {"/floor amount_too_many_decimals"}},
        {R"({"account_id":"A","currency":"USD","opening_balance":"1e3"})", {"/opening_balance amount_syntax"}},
        {R"({"account_id":"A","currency":"USD","limits":[]})", {"/limits wrong_type"}},
        {R"({"account_id":"A","currency":"USD","limits":{"weekly":"1"}})", {"/limits/weekly unknown_limit"}},
        {R"({"account_id":"A","currency":"USD","limits":{"daily_debit_count":"1.5"}})",
         {"/limits/daily_debit_count out_of_range"}},
        {R"({"account_id":"A","currency":"USD","limits":{"daily_debit_count":-1}})",
         {"/limits/daily_debit_count out_of_range"}},
        {R"({"account_id":"A","currency":"USD","limits":{"daily_debit_sum":"-1"}})",
         {"/limits/daily_debit_sum out_of_range"}},
        {R"({"account_id":"A","currency":"USD","limits":{"daily_debit_sum":null}})",
         {"/limits/daily_debit_sum wrong_type"}},
        {R"({"account_id":"A","currency":"USD","limits":{"daily_debit_sum":1,"daily_debit_sum":2}})",
         {"/limits/daily_debit_sum duplicate_field"}},
        {R"({"account_id":"A","currency":"USD","status":"frozen"})", {"/status unknown_field"}},
    };
    for (const auto& [text, faults] : cases) {
        OpenAccount account;
        EXPECT_FALSE(open(text, account)) << text;
        EXPECT_EQ(faults_of(errors), faults) << text;
    }
}

TEST_F(RequestJsonTest, AChangeLeavesWhatItDoesNotName) {
    ChangeAccountBody body;
    ASSERT_TRUE(change(R"({"status":"frozen_debit"})", body));
    auto command = change_account(body, {1, 2}, usd, errors);
    ASSERT_TRUE(command);
    EXPECT_EQ(command->id, (AccountId{1, 2}));
    EXPECT_EQ(command->status, AccountStatus::frozen_debit);
    EXPECT_FALSE(command->floor_minor || command->risk_level || command->holder || command->metadata);
    EXPECT_TRUE(command->bounds.empty());

    ASSERT_TRUE(change(R"({"floor":"-5","risk_level":"low","holder":"B","limits":{"daily_debit_sum":null,
        "daily_debit_count":0},"metadata":{"x":1}})",
                       body));
    command = change_account(body, {1, 2}, usd, errors);
    ASSERT_TRUE(command);
    EXPECT_EQ(command->floor_minor, -500);
    EXPECT_EQ(command->risk_level, RiskLevel::low);
    EXPECT_EQ(command->holder, "B");
    EXPECT_EQ(command->metadata, R"({"x":1})");
    ASSERT_EQ(command->bounds.size(), 2u);
    EXPECT_TRUE(command->bounds[0].removed);
    EXPECT_FALSE(command->bounds[1].removed);
    EXPECT_EQ(command->bounds[1].at_most, 0);
}

TEST_F(RequestJsonTest, AChangeMayTakeAwayFloorHolderAndMetadata) {
    ChangeAccountBody body;
    ASSERT_TRUE(change(R"({"floor":null,"holder":null,"metadata":null})", body));
    const auto command = change_account(body, {1, 2}, usd, errors);
    ASSERT_TRUE(command);
    EXPECT_EQ(command->floor_minor, kNoFloor);
    EXPECT_EQ(command->holder, "");
    EXPECT_EQ(command->metadata, "");
}

TEST_F(RequestJsonTest, NamesWhatIsWrongWithAChange) {
    ChangeAccountBody body;
    for (const auto& [text, faults] :
         {Refusal{"{}", {" no_change"}}, Refusal{R"({"status":null})", {" no_change"}}, Refusal{"", {" body_empty"}},
          Refusal{R"({"status":"open"})", {"/status unknown_value"}},
          Refusal{R"({"currency":"USD"})", {"/currency unknown_field"}},
          Refusal{R"({"opening_balance":"1"})", {"/opening_balance unknown_field"}}}) {
        EXPECT_FALSE(change(text, body)) << text;
        EXPECT_EQ(faults_of(errors), faults) << text;
    }
    ASSERT_TRUE(change(R"({"floor":"0.001"})", body));
    EXPECT_FALSE(change_account(body, {1, 2}, usd, errors));
    EXPECT_THAT(faults_of(errors), ElementsAre("/floor amount_too_many_decimals"));
}

}  // namespace
}  // namespace nostro
