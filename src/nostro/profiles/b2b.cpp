#include "nostro/profiles/b2b.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "nostro/domain/account.hpp"
#include "nostro/profiles/account_names.hpp"
#include "nostro/profiles/column_values.hpp"
#include "nostro/wire/framework_json.hpp"
#include "nostro/wire/message_json.hpp"

namespace nostro {
namespace b2b {
namespace {

constexpr std::size_t kIdMax = 128, kTextMax = 200;

enum Field : std::size_t {
    kId,
    kType,
    kValue,
    kCurrency,
    kOriginator,
    kOriginatorName,
    kCreatedAt,
    kBeneficiary,
    kBeneficiaryName,
    kOther,
    kFields
};
constexpr std::array<std::string_view, kFields> kPaths = {
    "payment_id",      "payment_type", "amount.value",         "amount.currency",  "originator.party_id",
    "originator.name", "created_at",   "beneficiary.party_id", "beneficiary.name", "beneficiary"};
constexpr std::array<std::pair<std::string_view, std::string_view>, 9> kRails = {
    {{"ACH", "ach"},
     {"WIRE", "wire"},
     {"RTP", "rtp"},
     {"CHECK", "check"},
     {"SEPA_CREDIT_TRANSFER", "sepa_credit_transfer"},
     {"CARD_PAYMENT", "card_payment"},
     {"STANDING_ORDER", "standing_order"},
     {"P2P", "p2p"},
     {"DIRECT_DEBIT", "direct_debit"}}};

std::string_view rail_of(std::string_view type) {
    const auto found = std::ranges::find(kRails, type, [](const auto& pair) { return pair.first; });
    return found == kRails.end() ? "other" : found->second;
}

Error wrong(std::string_view path, std::string_view what) {
    return {ErrorCode::invalid, fmt::format("{}: {}", path, what)};
}

Result<Instant> time_of(std::string_view path, const MessageValue& value) {
    const auto text = message_text(path, value, 64);
    if (!text) return text.error();
    const auto at = parse_column_time(*text);
    if (!at) return wrong(path, fmt::format("{} is no date-time", *text));
    return *at;
}

Result<Money> amount_of(const MessageValue& value, const MessageValue& currency) {
    if (value.kind == MessageValue::Kind::absent) return wrong(kPaths[kValue], "is missing");
    if (value.kind != MessageValue::Kind::number) return wrong(kPaths[kValue], "is no number");
    const auto code = message_text(kPaths[kCurrency], currency, 3);
    if (!code) return code.error();
    const auto parsed = Currency::parse(*code);
    if (!parsed) return wrong(kPaths[kCurrency], parsed.error().what);
    auto amount = message_amount(kPaths[kValue], value, *parsed);
    if (!amount) return amount;
    if (amount->minor() <= 0) return wrong(kPaths[kValue], fmt::format("{} is not positive", value.text));
    return amount;
}

// nullopt: none is named.
Result<std::optional<std::string_view>> optional_text(Field field, const MessageValue& value, std::size_t max) {
    const bool is_none = value.kind == MessageValue::Kind::absent || value.kind == MessageValue::Kind::null ||
                         (value.kind == MessageValue::Kind::text && value.text.empty());
    if (is_none) return std::optional<std::string_view>();
    const auto text = message_text(kPaths[field], value, max);
    if (!text) return text.error();
    return std::optional(*text);
}

class B2b final : public Profile {
public:
    B2b(RowKey row_key, MessageKey message_key) : row_key_(std::move(row_key)), message_key_(message_key) {}

    // In the order in which the original's producer and processor look; the first fault is told.
    Result<Wish> read(std::string_view text, const MessagePlace&, Arena& arena) const override {
        static thread_local JsonReader reader;
        std::array<MessageValue, kFields> values;
        if (auto read = read_message(reader, text, kPaths, arena, values); !read) return read.error();
        PaymentWish wish;
        Payment& payment = wish.payment;
        const auto id = message_text(kPaths[kId], values[kId], kIdMax);
        if (!id) return id.error();
        const auto type = message_text(kPaths[kType], values[kType], kTypeMax);
        if (!type) return type.error();
        const auto amount = amount_of(values[kValue], values[kCurrency]);
        if (!amount) return amount.error();
        const auto originator = message_text(kPaths[kOriginator], values[kOriginator], kIdMax);
        if (!originator) return originator.error();
        const auto name = message_text(kPaths[kOriginatorName], values[kOriginatorName], kTextMax);
        if (!name) return name.error();
        const auto at = time_of(kPaths[kCreatedAt], values[kCreatedAt]);
        if (!at) return at.error();
        if (const auto kind = values[kOther].kind; kind > MessageValue::Kind::null) {
            return wrong(kPaths[kOther], "is no object");
        }
        const auto beneficiary = optional_text(kBeneficiary, values[kBeneficiary], kIdMax);
        if (!beneficiary) return beneficiary.error();
        const auto beneficiary_name = optional_text(kBeneficiaryName, values[kBeneficiaryName], kTextMax);
        if (!beneficiary_name) return beneficiary_name.error();

        payment.key = *id;
        payment.type = *type;
        payment.amount = *amount;
        payment.requested_at = *at;
        const std::string suffix = fmt::format(":{}", amount->currency().code());
        payment.debtor_name = account_name_of("party:", *originator, suffix, arena);
        payment.creditor_name = *beneficiary ? account_name_of("party:", **beneficiary, suffix, arena)
                                             : arena.copy(house_name(House::suspense, amount->currency()));
        payment.attachment = arena.copy(compact_json(text));
        wish.rail = rail_of(*type);
        return Wish(wish);
    }

    std::string_view schemas() const override { return query_schemas(); }
    std::vector<Route> routes(Ledger& ledger) const override { return query_routes(ledger); }

    Result<> documents(const Recorded& recorded, const Ledger&, JsonWriter& into) const override {
        const Payment& payment = recorded.payment;
        if (payment.attachment.empty()) return {};  // it came without a document, as reversals do
        const Row row = row_of(payment, recorded.last().status);
        const auto or_null = [&](std::string_view name, const std::optional<std::string>& value) {
            into.key(name);
            value ? into.string(*value) : into.null();
        };
        into.key("row").begin_object();
        for (const auto& [name, value] : sql_columns(row)) or_null(name, value);
        into.end_object().key("wide_row").begin_object().field("key", row_key_.of(row)).key("columns").begin_object();
        for (const auto& [name, value] : wide_columns(row)) into.field(name, value);
        into.end_object().end_object().key("message").begin_object();
        or_null("key", message_key(message_key_, row));
        into.key("value").raw(payment.attachment).end_object();
        into.key("stored").raw(store_document(row, payment)).key("answer");
        write_answer(into, row);
        return {};
    }

    std::vector<std::string> remarks() const override {
        if (row_key_.is_unique()) return {};
        return {
            "row_key: without {payment_id} it collides: of payments of one originator and type in the same second, "
            "a wide store keeps only the last"};
    }

private:
    const RowKey row_key_;
    const MessageKey message_key_;
};

}  // namespace
}  // namespace b2b

Result<std::unique_ptr<Profile>> make_b2b(const ProfileSetup& setup) {
    auto row_key = b2b::RowKey::parse(setup.setting("row_key", b2b::kRowKey));
    if (!row_key) return Error{ErrorCode::invalid, "profile.row_key: " + row_key.error().what};
    const auto message_key = b2b::parse_message_key(setup.setting("message_key", "none"));
    if (!message_key) return Error{ErrorCode::invalid, "profile.message_key: " + message_key.error().what};
    return std::unique_ptr<Profile>(std::make_unique<b2b::B2b>(std::move(*row_key), *message_key));
}

}  // namespace nostro
