#include "nostro/wire/payment_json.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <string>
#include <vector>

#include "nostro/base/json_text.hpp"
#include "nostro/base/time.hpp"

namespace nostro {
namespace {

using ::testing::ElementsAre;

struct Read {
    Arena arena;
    PaymentWish wish;
    FieldErrors errors;
    bool ok = false;

    // "pointer code" of each error, in order.
    std::vector<std::string> faults() const {
        std::vector<std::string> faults;
        for (const auto& error : errors.list()) faults.push_back(error.pointer + " " + error.code);
        return faults;
    }
};

std::unique_ptr<Read> read(std::string_view json) {
    static JsonReader reader;
    auto result = std::make_unique<Read>();
    result->ok = read_payment(reader, {json, json.size()}, "key-00000001", result->arena, result->wish, result->errors);
    return result;
}

// The least that is a payment, with `more` in front of it ("\"type\":\"X\",").
std::string a_payment(std::string_view more = "", std::string_view amount = R"("1000.00")",
                      std::string_view currency = "USD") {
    return std::string("{")
        .append(more)
        .append(R"("debtor_account":"ACC001","creditor_account":"ACC002","amount":)")
        .append(amount)
        .append(R"(,"currency":")")
        .append(currency)
        .append("\"}");
}

TEST(PaymentJsonTest, ReadsEveryField) {
    const auto read_one = read(R"( {"debtor_account":"ACC001","creditor_account":"ACC002","amount":"1000.00",
        "currency":"USD","rail":"upi","type":"TRANSFER","reference":"INV-7","description":"Ünïcode €","capture":"manual",
        "expires_at":"2026-11-21T10:00:00+01:00","metadata":{"order":"17","b":true,"a":1.50},
        "opening_balances":{"debtor":"5000.00","creditor":"-1.00"}} )");
    ASSERT_TRUE(read_one->ok);
    const Payment& payment = read_one->wish.payment;
    EXPECT_EQ(payment.debtor_name, "ACC001");
    EXPECT_EQ(payment.creditor_name, "ACC002");
    EXPECT_EQ(payment.amount, Money(100000, Currency::parse("USD").value()));
    EXPECT_EQ(read_one->wish.rail, "upi");
    EXPECT_EQ(payment.type, "TRANSFER");
    EXPECT_EQ(payment.reference, "INV-7");
    EXPECT_EQ(payment.description, "Ünïcode €");
    EXPECT_EQ(payment.capture, Capture::manual);
    EXPECT_EQ(to_rfc3339(payment.expires_at), "2026-11-21T09:00:00.000000Z");
    EXPECT_EQ(payment.metadata, R"({"a":1.50,"b":true,"order":"17"})");
    EXPECT_EQ(payment.debtor_opening_minor, 500000);
    EXPECT_EQ(payment.creditor_opening_minor, -100);
    EXPECT_EQ(payment.key, "key-00000001");
}

TEST(PaymentJsonTest, LeavesOutWhatIsAbsentOrNull) {
    for (const auto& json :
         {a_payment(), a_payment(R"("rail":null,"type":null,"reference":null,"description":null,"capture":null,)"
                                 R"("expires_at":null,"metadata":null,"opening_balances":null,)")}) {
        const auto read_one = read(json);
        ASSERT_TRUE(read_one->ok) << json;
        const Payment& payment = read_one->wish.payment;
        EXPECT_EQ(read_one->wish.rail, "");
        EXPECT_EQ(payment.type, "");
        EXPECT_EQ(payment.reference, "");
        EXPECT_EQ(payment.description, "");
        EXPECT_EQ(payment.metadata, "");
        EXPECT_EQ(payment.capture, Capture::automatic);
        EXPECT_EQ(payment.expires_at, Instant{});
        EXPECT_EQ(payment.debtor_opening_minor, 0);
    }
}

TEST(PaymentJsonTest, TextsOutliveTheRequestAndTheReader) {
    Arena arena;
    PaymentWish wish;
    {
        JsonReader reader;
        std::string json = a_payment(R"("reference":"\u0041BC","metadata":{"x":"y"},)");
        FieldErrors errors;
        ASSERT_TRUE(read_payment(reader, {json, json.size()}, "key-00000001", arena, wish, errors));
        json.assign(json.size(), '!');
    }
    EXPECT_EQ(wish.payment.reference, "ABC");
    EXPECT_EQ(wish.payment.debtor_name, "ACC001");
    EXPECT_EQ(wish.payment.metadata, R"({"x":"y"})");
}

TEST(PaymentJsonTest, ReadsInPlaceWhereThereIsRoom) {
    JsonReader reader;
    Arena arena;
    PaymentWish wish;
    FieldErrors errors;
    std::string json = a_payment();
    const std::size_t size = json.size();
    json.append(kJsonPadding, '"');  // whatever stands there
    EXPECT_TRUE(read_payment(reader, {std::string_view(json).substr(0, size), json.size()}, "key-00000001", arena, wish,
                             errors));
}

struct AmountCase {
    const char *text, *currency;
    std::int64_t minor;
};

TEST(PaymentJsonTest, AmountsAreExactFromStringsAndFromNumbers) {
    for (const auto& [text, currency, minor] :
         {AmountCase{"12.75", "USD", 1275}, AmountCase{"12.7", "USD", 1270}, AmountCase{"12.750", "USD", 1275},
          AmountCase{"0.01", "USD", 1}, AmountCase{"1", "JPY", 1}, AmountCase{"1.0", "JPY", 1},
          AmountCase{"1.234", "KWD", 1234}, AmountCase{"1.2345", "CLF", 12345}, AmountCase{"4.35", "USD", 435},
          AmountCase{"0.29", "USD", 29}, AmountCase{"92233720368547758.07", "USD", INT64_MAX},
          AmountCase{"9223372036854775807", "JPY", INT64_MAX}}) {
        for (const std::string& json :
             {a_payment("", text, currency), a_payment("", std::string("\"") + text + "\"", currency)}) {
            const auto read_one = read(json);
            ASSERT_TRUE(read_one->ok) << json;
            EXPECT_EQ(read_one->wish.payment.amount.minor(), minor) << json;
        }
    }
}

struct Refusal {
    std::string json;
    std::vector<std::string> faults;
};

TEST(PaymentJsonTest, AmountsThatAreNoneAreRefusedWithTheirReason) {
    const Refusal cases[] = {
        {a_payment("", R"("12.755")"), {"/amount amount_too_many_decimals"}},
        {a_payment("", "12.755"), {"/amount amount_too_many_decimals"}},
        {a_payment("", R"("1.5")", "JPY"), {"/amount amount_too_many_decimals"}},
        {a_payment("", R"("92233720368547758.08")"), {"/amount amount_overflow"}},
        {a_payment("", "9223372036854775808", "JPY"), {"/amount amount_overflow"}},
        {a_payment("", R"("0")"), {"/amount amount_not_positive"}},
        {a_payment("", "0.00"), {"/amount amount_not_positive"}},
        {a_payment("", R"("-1")"), {"/amount amount_not_positive"}},
        {a_payment("", "-1"), {"/amount amount_not_positive"}},
        {a_payment("", R"("+1")"), {"/amount amount_syntax"}},
        {a_payment("", R"("1e2")"), {"/amount amount_syntax"}},
        {a_payment("", "1e2"), {"/amount amount_syntax"}},
        {a_payment("", "1E-2"), {"/amount amount_syntax"}},
        {a_payment("", R"("01")"), {"/amount amount_syntax"}},
        {a_payment("", R"(".5")"), {"/amount amount_syntax"}},
        {a_payment("", R"("5.")"), {"/amount amount_syntax"}},
        {a_payment("", R"("1,000.00")"), {"/amount amount_syntax"}},
        {a_payment("", R"("NaN")"), {"/amount amount_syntax"}},
        {a_payment("", R"("")"), {"/amount amount_syntax"}},
        {a_payment("", R"(" 1")"), {"/amount amount_syntax"}},
        {a_payment("", R"("١")"), {"/amount amount_syntax"}},
        {a_payment("", "\"" + std::string(100, '1') + "\""), {"/amount amount_syntax"}},
        {a_payment("", std::string(100, '1')), {"/amount too_long"}},
        {a_payment("", "true"), {"/amount wrong_type"}},
        {a_payment("", "[1]"), {"/amount wrong_type"}},
        {a_payment("", R"({"a":[1,{}]})"), {"/amount wrong_type"}},
        {a_payment("", "null"), {"/amount missing"}},
    };
    for (const auto& [json, faults] : cases) {
        const auto read_one = read(json);
        EXPECT_FALSE(read_one->ok) << json;
        EXPECT_EQ(read_one->faults(), faults) << json;
    }
}

std::string of_length(std::size_t length, std::string_view character = "x") {
    std::string text;
    for (std::size_t i = 0; i < length; ++i) text += character;
    return text;
}

std::string field(std::string_view name, std::string_view text) {
    return std::string("\"").append(name).append("\":\"").append(text).append("\",");
}

TEST(PaymentJsonTest, BoundsCountCharactersNotBytes) {
    struct Bound {
        const char* field;
        std::size_t max;
    };
    for (const auto& [name, max] :
         {Bound{"reference", 140}, Bound{"description", 500}, Bound{"type", 32}, Bound{"rail", 32}}) {
        for (const char* character : {"x", "é", "€", "😀", "\\u20ac"}) {
            EXPECT_TRUE(read(a_payment(field(name, of_length(max, character))))->ok) << name << character;
            const auto longer = read(a_payment(field(name, of_length(max + 1, character))));
            EXPECT_THAT(longer->faults(), ElementsAre(std::string("/") + name + " too_long")) << character;
        }
    }
    EXPECT_TRUE(
        read(R"({"debtor_account":")" + of_length(64) + R"(","creditor_account":"B","amount":"1","currency":"USD"})")
            ->ok);
    EXPECT_THAT(
        read(R"({"debtor_account":")" + of_length(65) + R"(","creditor_account":"B","amount":"1","currency":"USD"})")
            ->faults(),
        ElementsAre("/debtor_account invalid_account"));
}

std::string metadata(std::size_t entries, std::string_view value = "1") {
    std::string json = R"("metadata":{)";
    for (std::size_t i = 0; i < entries; ++i) {
        if (i != 0) json += ',';
        json.append("\"k").append(std::to_string(i)).append("\":").append(value);
    }
    return json + "},";
}

TEST(PaymentJsonTest, MetadataHasTwentyEntriesOfTextsNumbersAndBooleans) {
    EXPECT_TRUE(read(a_payment(metadata(20)))->ok);
    EXPECT_THAT(read(a_payment(metadata(21)))->faults(), ElementsAre("/metadata too_many_entries"));
    EXPECT_TRUE(read(a_payment(R"("metadata":{},)"))->ok);
    const Refusal cases[] = {
        {R"("metadata":[],)", {"/metadata wrong_type"}},
        {R"("metadata":"x",)", {"/metadata wrong_type"}},
        {R"("metadata":{"a":null},)", {"/metadata/a wrong_type"}},
        {R"("metadata":{"a":{}},)", {"/metadata/a wrong_type"}},
        {R"("metadata":{"a":[1]},)", {"/metadata/a wrong_type"}},
        {R"("metadata":{"a":1,"b":2,"a":3},)", {"/metadata/a duplicate_field"}},
        {R"("metadata":{"a":1,"\u0061":3},)", {"/metadata/a duplicate_field"}},
        {R"("metadata":{"a~b/c":null},)", {"/metadata/a~0b~1c wrong_type"}},
        {R"("metadata":{"":1},)", {"/metadata/ empty"}},
        {R"("metadata":{")" + of_length(65) + R"(":1},)", {"/metadata/" + of_length(65) + " too_long"}},
        {R"("metadata":{"a":")" + of_length(501) + R"("},)", {"/metadata/a too_long"}},
        {R"("metadata":{"a":"\u0000"},)", {"/metadata/a control_character"}},
    };
    for (const auto& [json, faults] : cases) EXPECT_EQ(read(a_payment(json))->faults(), faults) << json;
    EXPECT_TRUE(read(a_payment(R"("metadata":{")" + of_length(64) + R"(":")" + of_length(500) + R"("},)"))->ok);
}

TEST(PaymentJsonTest, MetadataIsTheSameTextHoweverItWasWritten) {
    const auto one = read(a_payment(R"("metadata":{"b":"x\u0041","a":1,"c":false},)"));
    const auto other = read(a_payment(R"("metadata" : { "c" :false, "a": 1 , "b":"xA"  },)"));
    ASSERT_TRUE(one->ok && other->ok);
    EXPECT_EQ(one->wish.payment.metadata, other->wish.payment.metadata);
}

TEST(PaymentJsonTest, EachFaultIsNamedWithItsPointer) {
    const Refusal cases[] = {
        {"{}", {"/debtor_account missing", "/creditor_account missing", "/amount missing", "/currency missing"}},
        {a_payment(R"("colour":"red",)"), {"/colour unknown_field"}},
        {a_payment(R"("idempotency_key":"12345678",)"), {"/idempotency_key unknown_field"}},
        {a_payment(R"("a/b~c":{"deep":[{}]},)"), {"/a~1b~0c unknown_field"}},
        {a_payment(R"("amount":"1",)"), {"/amount duplicate_field"}},
        {a_payment(R"("amount":null,)"), {"/amount duplicate_field", "/amount missing"}},
        {a_payment(R"("\u0061mount":"1",)"), {"/amount duplicate_field"}},
        {a_payment("", R"("1")", "usd"), {"/currency currency_unknown"}},
        {a_payment("", R"("1")", "XXX"), {"/currency currency_unknown"}},
        {a_payment("", R"("1")", "XAU"), {"/currency currency_unknown"}},
        {a_payment("", R"("1")", "HRK"), {"/currency currency_unknown"}},
        {a_payment("", R"("1")", "DOLLAR"), {"/currency currency_unknown"}},
        {a_payment(R"("capture":"later",)"), {"/capture unknown_value"}},
        {a_payment(R"("capture":true,)"), {"/capture wrong_type"}},
        {a_payment(R"("expires_at":"2026-11-21T10:00:00Z",)"), {"/expires_at only_manual_capture"}},
        {a_payment(R"("capture":"manual","expires_at":"tomorrow",)"), {"/expires_at invalid_time"}},
        {a_payment(R"("capture":"manual","expires_at":"2026-02-29T10:00:00Z",)"), {"/expires_at invalid_time"}},
        {a_payment(R"("capture":"manual","expires_at":1700000000,)"), {"/expires_at wrong_type"}},
        {a_payment(R"("type":"",)"), {"/type empty"}},
        {a_payment(R"("rail":"",)"), {"/rail empty"}},
        {a_payment(R"("reference":7,)"), {"/reference wrong_type"}},
        {a_payment(R"("reference":"a\u0000b",)"), {"/reference control_character"}},
        {a_payment(R"("reference":"a\nb",)"), {"/reference control_character"}},
        {a_payment(R"("reference":"a\u007fb",)"), {"/reference control_character"}},
        {a_payment(R"("reference":"a\u0085b",)"), {"/reference control_character"}},
        {a_payment(R"("opening_balances":"1",)"), {"/opening_balances wrong_type"}},
        {a_payment(R"("opening_balances":{"debtor":"x"},)"), {"/opening_balances/debtor amount_syntax"}},
        {a_payment(R"("opening_balances":{"creditor":1.001},)"),
         {"/opening_balances/creditor amount_too_many_decimals"}},
        {a_payment(R"("opening_balances":{"payer":"1"},)"), {"/opening_balances/payer unknown_field"}},
        {R"({"debtor_account":"","creditor_account":"a b","amount":"1","currency":"USD"})",
         {"/debtor_account invalid_account", "/creditor_account invalid_account"}},
        {R"({"debtor_account":"house:cash:USD","creditor_account":"house:mine:USD","amount":"1","currency":"USD"})",
         {"/creditor_account invalid_account"}},
        {R"({"debtor_account":1,"creditor_account":"B","amount":"x","currency":"USD","type":[]})",
         {"/debtor_account wrong_type", "/type wrong_type", "/amount amount_syntax"}},
        {"[]", {" not_an_object"}},
        {"\"x\"", {" not_an_object"}},
        {"17", {" not_an_object"}},
        {"null", {" not_an_object"}},
        {"true", {" not_an_object"}},
    };
    for (const auto& [json, faults] : cases) {
        const auto read_one = read(json);
        EXPECT_FALSE(read_one->ok) << json;
        EXPECT_EQ(read_one->faults(), faults) << json;
        EXPECT_FALSE(read_one->errors.is_syntax()) << json;
        for (const auto& error : read_one->errors.list()) EXPECT_FALSE(error.detail.empty()) << json;
    }
}

TEST(PaymentJsonTest, TextThatIsNoJsonIsOneFault) {
    const std::string good = a_payment();
    const std::string cases[] = {"nonsense",
                                 "12a",
                                 "{",
                                 "{]",
                                 "{\"amount\"}",
                                 "{\"amount\":}",
                                 "{\"amount\" \"1\"}",
                                 a_payment(R"("type":"a":"b",)"),
                                 a_payment(R"("rail":"a":"type":"b",)"),
                                 a_payment(R"("capture":"automatic":1,)"),
                                 a_payment(R"("type":"a"b,)"),
                                 a_payment(R"("type":"a""b",)"),
                                 a_payment("", "1:2"),
                                 a_payment("", R"("1":"2")"),
                                 a_payment(R"("metadata":{"a":"b":"c"},)"),
                                 good + "x",
                                 good + good,
                                 good + ",",
                                 good.substr(0, good.size() - 1),
                                 good.substr(0, good.size() - 1) + ",}",
                                 "{'amount':'1'}",
                                 "{amount:1}",
                                 a_payment("", "1.2.3"),
                                 a_payment("", "01"),
                                 a_payment("", "1."),
                                 a_payment("", "-"),
                                 a_payment("", "1e"),
                                 a_payment("", "12a"),
                                 a_payment("", "NaN"),
                                 a_payment("", "nul"),
                                 a_payment("", "nulL"),
                                 a_payment(R"("type":"a\qb",)"),
                                 a_payment("\"type\":\"a\nb\","),
                                 a_payment("\"type\":\"\xff\","),
                                 std::string("{\"type\":\"a\0\"}", 13),
                                 "{\"type\":\"",
                                 "\xef\xbb\xbf" + good,
                                 a_payment(R"("metadata":{"a":1e},)"),
                                 a_payment(R"("metadata":{"a":tru},)"),
                                 a_payment(R"("metadata":{"a":1 "b":2},)"),
                                 a_payment(R"("colour":"red","type":7,"reference" 8,)")};
    for (const auto& json : cases) {
        const auto read_one = read(json);
        EXPECT_FALSE(read_one->ok) << json;
        EXPECT_THAT(read_one->faults(), ElementsAre(" json_invalid")) << json;
        EXPECT_TRUE(read_one->errors.is_syntax()) << json;
    }
    for (const char* nothing : {"", " ", "\n\t "}) {
        const auto read_one = read(nothing);
        EXPECT_THAT(read_one->faults(), ElementsAre(" body_empty"));
        EXPECT_TRUE(read_one->errors.is_syntax());
    }
}

TEST(PaymentJsonTest, LoneSurrogatesAreNoText) {
    for (const char* text : {R"(\udc00)", R"(\ud800)", R"(\ud800x)", R"(\ud800\u0041)"}) {
        EXPECT_FALSE(read(a_payment(field("reference", text)))->ok) << text;
    }
    const auto pair = read(a_payment(field("reference", R"(\ud83d\ude00)")));
    ASSERT_TRUE(pair->ok);
    EXPECT_EQ(pair->wish.payment.reference, "😀");
}

TEST(PaymentJsonTest, ManyFaultsAreCountedAndTheFirstKept) {
    std::string more;
    for (int i = 0; i < 100; ++i) more.append("\"x").append(std::to_string(i)).append("\":1,");
    const auto read_one = read(a_payment(more));
    EXPECT_EQ(read_one->errors.count(), 100u);
    EXPECT_EQ(read_one->errors.list().size(), FieldErrors::kMax);
    EXPECT_EQ(read_one->errors.list()[0].pointer, "/x0");
}

TEST(PaymentJsonTest, DeepNestingIsRefusedNotFollowed) {
    EXPECT_FALSE(read(a_payment("\"x\":" + of_length(30000, "[") + of_length(30000, "]") + ","))->ok);
    EXPECT_FALSE(read(of_length(60000, "{\"a\":"))->ok);
    EXPECT_FALSE(read(a_payment("\"metadata\":{\"a\":" + of_length(2000, "[") + ","))->ok);
}

RC_GTEST_PROP(PaymentJsonTest, AnyPrefixOfAPaymentIsRefusedWithoutHarm, ()) {
    const std::string json = a_payment(R"("type":"T","metadata":{"a":"b","c":1.5,"d":true},"capture":"manual",)");
    const auto size = *rc::gen::inRange<std::size_t>(0, json.size());
    RC_ASSERT(!read(std::string_view(json).substr(0, size))->ok);
}

RC_GTEST_PROP(PaymentJsonTest, TextsComeBackAsTheyWereSent, (const std::string& bytes)) {
    std::string printable;
    for (const char c : bytes) printable += c >= 0x20 && c < 0x7f ? c : '/';
    std::string json = "\"description\":";
    append_json_string(json, printable);
    const auto read_one = read(a_payment(json + ","));
    RC_ASSERT(read_one->ok);
    RC_ASSERT(read_one->wish.payment.description == printable);
}

}  // namespace
}  // namespace nostro
