#include "nostro/wire/batch_json.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/unit/wire/policies.hpp"

namespace nostro {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

struct ReadBatch {
    Arena arena;
    FieldErrors errors;
    std::optional<Batch> batch;
    std::vector<std::string> items;  // "0 key-1 ok", "1 key-2 /amount missing"

    std::string fault() const { return errors.empty() ? "" : errors.list()[0].pointer + " " + errors.list()[0].code; }
};

std::string line_of(std::size_t index, std::string_view key, bool ok, const FieldErrors& errors) {
    std::string line = std::to_string(index) + " " + std::string(key) + (ok ? " ok" : "");
    for (const auto& error : errors.list()) line += " " + error.pointer + " " + error.code;
    return line;
}

std::unique_ptr<ReadBatch> read(std::string_view text, std::optional<BatchMode> lines = {}) {
    static JsonReader reader;
    auto result = std::make_unique<ReadBatch>();
    const auto each = [&](const BatchItem& item) {
        EXPECT_EQ(item.wish != nullptr, item.errors->empty());
        result->items.push_back(line_of(item.index, item.key, item.wish != nullptr, *item.errors));
    };
    const JsonInput input{text, text.size()};
    result->batch = lines ? read_payment_lines(reader, input, *lines, result->arena, each, result->errors)
                          : read_payment_batch(reader, input, result->arena, each, result->errors);
    return result;
}

std::string item(std::string_view key, std::string_view more = "") {
    return std::string(R"({"idempotency_key":")")
        .append(key)
        .append(R"(",)")
        .append(more)
        .append(R"("debtor_account":"A","creditor_account":"B","amount":"1.00","currency":"USD"})");
}

std::string payments(const std::vector<std::string>& items, std::string_view more = "") {
    std::string text = R"({"payments":[)";
    for (std::size_t i = 0; i < items.size(); ++i) text += (i == 0 ? "" : ",") + items[i];
    return text.append("]").append(more).append("}");
}

TEST(BatchJsonTest, TellsItemsInOrderAndBadOnesAlone) {
    const auto batch = read(payments({item("key-00000001"), "{}", item("key-00000003", R"("x":1,)"), "7", "null",
                                      item("short"), item("key-00000007")}));
    ASSERT_TRUE(batch->batch);
    EXPECT_EQ(batch->batch->count, 7u);
    EXPECT_EQ(batch->batch->mode, BatchMode::independent);
    EXPECT_THAT(batch->items,
                ElementsAre("0 key-00000001 ok",
                            "1  /debtor_account missing /creditor_account missing /amount missing /currency missing "
                            "/idempotency_key idempotency_key_missing",
                            "2 key-00000003 /x unknown_field", "3   not_an_object", "4   not_an_object",
                            "5  /idempotency_key idempotency_key_malformed", "6 key-00000007 ok"));
}

struct KeptTexts {
    std::vector<std::string_view> keys, references;
    bool all_in(std::string_view text) const {
        return std::ranges::all_of(keys, [&](std::string_view key) {
            return key.data() >= text.data() && key.data() < text.data() + text.size();
        });
    }
};

// The texts of two payments, looked at after the reader has read something else.
KeptTexts texts_kept(Arena& arena, const JsonInput& input, bool stays) {
    KeptTexts kept;
    JsonReader reader;
    FieldErrors errors;
    const auto each = [&](const BatchItem& item) {
        if (item.wish == nullptr) return;
        kept.keys.push_back(item.wish->payment.key);
        kept.references.push_back(item.wish->payment.reference);
    };
    EXPECT_TRUE(read_payment_lines(reader, input, BatchMode::independent, {arena, stays}, each, errors));
    Arena other;
    const std::string noise(input.text.size(), ' ');
    EXPECT_FALSE(read_payment_lines(
                     reader, {noise + "{}", 0}, BatchMode::independent, other, [](const BatchItem&) {}, errors) ==
                 std::nullopt);
    return kept;
}

TEST(BatchJsonTest, TextsOfAnInputThatStaysAreNotCopiedButWhereTheyHadToBe) {
    const std::string text = item("key-00000001", R"("reference":"R-1",)") + "\n" +
                             item("key-00000002", R"("reference":"caf\u00e9",)") + "\n";
    const std::string padded = text + std::string(kJsonPadding, '\0');
    const std::string_view body(padded.data(), text.size());
    const JsonInput with_room{body, padded.size()};
    for (const auto& [input, stays, points_into] :
         {std::tuple{with_room, true, true}, {with_room, false, false}, {JsonInput{body, body.size()}, true, false}}) {
        Arena arena;
        const KeptTexts kept = texts_kept(arena, input, stays);
        EXPECT_THAT(kept.keys, ElementsAre("key-00000001", "key-00000002"));
        EXPECT_THAT(kept.references, ElementsAre("R-1", "caf\xC3\xA9"));
        if (points_into || !stays) {
            EXPECT_EQ(kept.all_in(body), points_into);
        }
    }
}

TEST(BatchJsonTest, ModeMayStandAnywhere) {
    EXPECT_EQ(read(payments({item("key-00000001")}, R"(,"mode":"atomic")"))->batch->mode, BatchMode::atomic);
    EXPECT_EQ(read(R"({"mode":"atomic","payments":[)" + item("key-00000001") + "]}")->batch->mode, BatchMode::atomic);
    EXPECT_EQ(read(R"({"mode":null,"payments":[)" + item("key-00000001") + "]}")->batch->mode, BatchMode::independent);
}

struct Refusal {
    std::string text;
    const char* fault;
};

TEST(BatchJsonTest, ABodyThatIsNoBatchIsRefusedAsAWhole) {
    const Refusal cases[] = {
        {"", " body_empty"},
        {"[]", " not_an_object"},
        {"{}", "/payments missing"},
        {R"({"payments":null})", "/payments missing"},
        {R"({"payments":{}})", "/payments wrong_type"},
        {R"({"payments":[]})", "/payments no_items"},
        {R"({"payments":[],"payments":[]})", "/payments duplicate_field"},
        {payments({item("key-00000001")}, R"(,"mode":"both")"), "/mode unknown_value"},
        {payments({item("key-00000001")}, R"(,"mode":1)"), "/mode wrong_type"},
        {payments({item("key-00000001")}, R"(,"more":1)"), "/more unknown_field"},
        {payments({item("key-00000001")}) + "}", " json_invalid"},
        {payments({item("key-00000001"), R"({"amount":1..})"}), " json_invalid"},
        {payments({item("key-00000001") + item("key-00000002")}), " json_invalid"},
        {R"({"payments":[)" + item("key-00000001"), " json_invalid"},
    };
    for (const auto& [text, fault] : cases) {
        const auto batch = read(text);
        EXPECT_FALSE(batch->batch) << text;
        EXPECT_EQ(batch->fault(), fault) << text;
    }
}

TEST(BatchJsonTest, TakesTenThousandAndNoMore) {
    std::vector<std::string> items(kBatchMax, item("key-00000001"));
    EXPECT_EQ(read(payments(items))->batch->count, kBatchMax);
    items.push_back(items.back());
    const auto batch = read(payments(items));
    EXPECT_FALSE(batch->batch);
    EXPECT_EQ(batch->fault(), "/payments too_many_items");
}

TEST(BatchJsonTest, WishesAndTheirTextsStayInTheArena) {
    JsonReader reader;
    Arena arena;
    FieldErrors errors;
    std::vector<PaymentWish> wishes;
    std::string text =
        payments({item("key-00000001", R"("reference":"one",)"), item("key-00000002", R"("reference":"two",)")});
    ASSERT_TRUE(read_payment_batch(
        reader, {text, text.size()}, arena, [&](const BatchItem& one) { wishes.push_back(*one.wish); }, errors));
    text.assign(text.size(), '!');
    ASSERT_EQ(wishes.size(), 2u);
    EXPECT_EQ(wishes[0].payment.reference, "one");
    EXPECT_EQ(wishes[1].payment.reference, "two");
    EXPECT_EQ(wishes[0].payment.key, "key-00000001");
}

TEST(BatchLinesTest, EveryLineStandsForItself) {
    const std::string text = item("key-00000001") + "\n\n" + item("key-00000002") + "\r\n  \nnonsense\n" +
                             item("key-00000004") + " x\n[1]\n" + item("key-00000006");
    const auto batch = read(text, BatchMode::atomic);
    ASSERT_TRUE(batch->batch);
    EXPECT_EQ(batch->batch->count, 6u);
    EXPECT_EQ(batch->batch->mode, BatchMode::atomic);
    EXPECT_THAT(batch->items, ElementsAre("0 key-00000001 ok", "1 key-00000002 ok", "2   json_invalid",
                                          "3   json_invalid", "4   not_an_object", "5 key-00000006 ok"));
}

TEST(BatchLinesTest, ALastLineEndIsNoItem) {
    EXPECT_EQ(read(item("key-00000001") + "\n", BatchMode::independent)->batch->count, 1u);
}

TEST(BatchLinesTest, NothingIsNoBatch) {
    for (const char* text : {"", "\n", " \r\n\n"}) {
        const auto batch = read(text, BatchMode::independent);
        EXPECT_FALSE(batch->batch);
        EXPECT_EQ(batch->fault(), " no_items");
    }
}

TEST(BatchLinesTest, ALineHasABoundAndABatchToo) {
    const std::string spaces(kBatchLineMax, ' ');
    const auto batch =
        read(item("key-00000001") + "\n{" + spaces + "\n" + item("key-00000003"), BatchMode::independent);
    EXPECT_THAT(batch->items, ElementsAre("0 key-00000001 ok", "1   too_long", "2 key-00000003 ok"));
    std::string many;
    for (std::size_t i = 0; i <= kBatchMax; ++i) many += "{}\n";
    EXPECT_EQ(read(many, BatchMode::independent)->fault(), " too_many_items");
}

TEST(BatchModeTest, HasTwoWords) {
    EXPECT_EQ(parse_batch_mode("independent"), BatchMode::independent);
    EXPECT_EQ(parse_batch_mode("atomic"), BatchMode::atomic);
    EXPECT_FALSE(parse_batch_mode("Atomic"));
    EXPECT_FALSE(parse_batch_mode(""));
}

TEST(AccountBatchTest, ReadsListsAndLines) {
    const PolicyPtr policy = test::a_policy();
    ASSERT_NE(policy, nullptr);
    const std::string one = R"({"account_id":"A","currency":"USD"})", bad = R"({"account_id":"B","currency":"US"})";
    JsonReader reader;
    Arena arena;
    std::vector<std::string> items;
    const auto each = [&](const AccountItem& account) {
        items.push_back(line_of(account.index, account.name, account.account != nullptr, *account.errors));
    };
    FieldErrors errors;
    const std::string list = R"({"accounts":[)" + one + "," + bad + "]}";
    EXPECT_EQ(read_account_batch(reader, {list, list.size()}, *policy, arena, each, errors), 2u);
    const std::string lines = one + "\n" + bad + "\nx";
    EXPECT_EQ(read_account_lines(reader, {lines, lines.size()}, *policy, arena, each, errors), 3u);
    EXPECT_THAT(items, ElementsAre("0 A ok", "1 B /currency currency_unknown", "0 A ok",
                                   "1 B /currency currency_unknown", "2   json_invalid"));
    EXPECT_TRUE(errors.empty());

    const std::string with_mode = R"({"accounts":[)" + one + R"(],"mode":"atomic"})";
    EXPECT_FALSE(read_account_batch(reader, {with_mode, with_mode.size()}, *policy, arena, each, errors));
    EXPECT_EQ(errors.list()[0].pointer, "/mode");
}

}  // namespace
}  // namespace nostro
