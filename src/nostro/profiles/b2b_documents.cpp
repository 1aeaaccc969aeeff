#include "nostro/profiles/b2b_documents.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>

#include "nostro/base/text.hpp"
#include "nostro/domain/account.hpp"
#include "nostro/profiles/account_names.hpp"
#include "nostro/wire/message_json.hpp"

namespace nostro::b2b {
namespace {

constexpr std::array<std::string_view, 4> kNames = {"timestamp", "payment_type", "originator_id", "payment_id"};

enum Field : std::size_t { kOriginator, kOriginatorName, kBeneficiary, kBeneficiaryName, kCreatedAt, kFields };
constexpr std::array<std::string_view, kFields> kPaths = {"originator.party_id", "originator.name",
                                                          "beneficiary.party_id", "beneficiary.name", "created_at"};
using Values = std::array<MessageValue, kFields>;

// What only the document tells. It was read before, so it can be read.
Values values_of(const Payment& payment, Arena& arena) {
    static thread_local JsonReader reader;
    Values values;
    if (!read_message(reader, payment.attachment, kPaths, arena, values)) values.fill({});
    return values;
}

std::optional<std::string> text_of(const MessageValue& value) {
    if (value.kind != MessageValue::Kind::text || value.text.empty()) return std::nullopt;
    return std::string(value.text);
}

std::string full_key(std::string_view timestamp, std::string_view type, std::string_view originator,
                     std::string_view id) {
    return fmt::format("{}_{}_{}_{}", timestamp, type, originator, id);
}

std::string originator_of(const Payment& payment) {
    const std::string suffix = fmt::format(":{}", payment.amount.currency().code());
    if (auto id = id_of_account(payment.debtor_name, "party:", suffix)) return *id;
    Arena arena;  // the name was cut
    return std::string(values_of(payment, arena)[kOriginator].text);
}

}  // namespace

std::string_view status_name(Status status) {
    switch (status) {
        case Status::accepted: return "RECEIVED";
        case Status::in_review: return "PENDING";
        case Status::held: return "VALIDATED";
        case Status::settled: return "COMPLETED";
        case Status::rejected:
        case Status::expired:
        case Status::voided:
        case Status::quarantined: break;
    }
    return "FAILED";
}

Row row_of(const Payment& payment, Status status) {
    Arena arena;
    const Values values = values_of(payment, arena);
    Row row;
    row.payment_id = payment.key;
    row.payment_type = payment.type;
    row.amount = payment.amount.decimal();
    row.currency = payment.amount.currency().code();
    row.originator_id = values[kOriginator].text;
    row.originator_name = values[kOriginatorName].text;
    row.beneficiary_id = text_of(values[kBeneficiary]);
    row.beneficiary_name = text_of(values[kBeneficiaryName]);
    row.created_at = values[kCreatedAt].text;
    row.at = payment.requested_at;
    row.status = status_name(status);
    return row;
}

std::string timestamp_of(Instant at) {
    const auto day = std::chrono::floor<std::chrono::days>(at);
    const std::chrono::year_month_day date(day);
    const std::chrono::hh_mm_ss time(std::chrono::floor<std::chrono::seconds>(at - day));
    return fmt::format("{:04}{:02}{:02}{:02}{:02}{:02}", static_cast<int>(date.year()),
                       static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()), time.hours().count(),
                       time.minutes().count(), time.seconds().count());
}

Result<RowKey> RowKey::parse(std::string_view text) {
    const auto wrong = [](std::string_view what) {
        return Error{ErrorCode::invalid, fmt::format("{}; a key is text with {{timestamp}}, {{payment_type}}, "
                                                     "{{originator_id}} and {{payment_id}} in it",
                                                     what)};
    };
    RowKey key;
    for (;;) {
        const auto open = std::min(text.find_first_of("{}"), text.size());
        Part part{std::string(text.substr(0, open)), std::nullopt};
        text.remove_prefix(open);
        if (text.empty()) {
            key.parts_.push_back(std::move(part));
            break;
        }
        const auto close = text.find('}');
        if (text[0] == '}' || close == std::string_view::npos) return wrong("a brace has no other half");
        const std::string_view inner = text.substr(1, close - 1);
        const auto found = std::ranges::find(kNames, inner);
        if (found == kNames.end()) return wrong(fmt::format("there is no {{{}}}", inner));
        part.name = static_cast<Name>(found - kNames.begin());
        key.parts_.push_back(std::move(part));
        text.remove_prefix(close + 1);
    }
    if (std::ranges::none_of(key.parts_, [](const Part& part) { return part.name.has_value(); })) {
        return wrong("every payment has the same");
    }
    return key;
}

std::string RowKey::of(const Row& row) const {
    std::string key;
    for (const Part& part : parts_) {
        key += part.text;
        if (!part.name) continue;
        switch (*part.name) {
            case Name::timestamp: key += timestamp_of(row.at); break;
            case Name::payment_type: key += row.payment_type; break;
            case Name::originator_id: key += row.originator_id; break;
            case Name::payment_id: key += row.payment_id; break;
        }
    }
    return key;
}

bool RowKey::is_unique() const {
    return std::ranges::any_of(parts_, [](const Part& part) { return part.name == Name::payment_id; });
}

std::vector<std::pair<std::string_view, std::optional<std::string>>> sql_columns(const Row& row) {
    return {{"payment_id", row.payment_id},         {"payment_type", row.payment_type},
            {"amount_value", row.amount},           {"amount_currency", row.currency},
            {"originator_id", row.originator_id},   {"originator_name", row.originator_name},
            {"beneficiary_id", row.beneficiary_id}, {"beneficiary_name", row.beneficiary_name},
            {"created_at", row.created_at},         {"status", std::string(row.status)}};
}

Columns wide_columns(const Row& row) {
    Columns columns;
    for (auto& [name, value] : sql_columns(row)) {
        if (value) columns.emplace_back(fmt::format("cf:{}", name), std::move(*value));
    }
    return columns;
}

std::string store_document(const Row& row, const Payment& payment) {
    std::string text;
    JsonWriter json(text);
    json.begin_object().field("_id", row.payment_id);
    for (const auto& [name, value] : sql_columns(row)) {
        json.key(name);
        if (value) {
            json.string(*value);
        } else {
            json.null();
        }
    }
    json.key("document").raw(payment.attachment).end_object();
    return text;
}

Result<MessageKey> parse_message_key(std::string_view text) {
    constexpr std::array<std::string_view, 4> kStrategies = {"none", "originator_id", "payment_id", "payment_type"};
    const auto found = std::ranges::find(kStrategies, text);
    if (found != kStrategies.end()) return static_cast<MessageKey>(found - kStrategies.begin());
    return Error{ErrorCode::invalid,
                 fmt::format("{} is none of none, originator_id, payment_id, payment_type", quoted(text))};
}

std::optional<std::string> message_key(MessageKey strategy, const Row& row) {
    switch (strategy) {
        case MessageKey::none: break;
        case MessageKey::originator_id: return row.originator_id;
        case MessageKey::payment_id: return row.payment_id;
        case MessageKey::payment_type: return row.payment_type;
    }
    return std::nullopt;
}

void write_answer(JsonWriter& json, const Row& row) {
    json.begin_object().field("payment_id", row.payment_id).field("payment_type", row.payment_type);
    json.field("amount", row.amount).field("currency", row.currency).field("status", row.status);
    json.field("originator_id", row.originator_id).field("originator_name", row.originator_name);
    json.field("beneficiary_id", row.beneficiary_id.value_or("")).key("beneficiary_name");
    json.string(row.beneficiary_name.value_or("")).field("created_at", row.created_at).end_object();
}

std::string party_group(std::string_view payment_type, std::string_view originator_id) {
    // Neither holds a control character.
    return fmt::format("party\n{}\n{}", payment_type, originator_id);
}

void index_rows(const Payment& payment, std::vector<IndexRow>& into) {
    if (payment.attachment.empty()) return;
    const std::string timestamp = timestamp_of(payment.requested_at);
    const std::string originator = originator_of(payment);
    into.push_back({std::string(kAllGroup), full_key(timestamp, payment.type, originator, payment.key)});
    // Type and originator are the same in the whole group: without them more of the id counts.
    into.push_back({party_group(payment.type, originator), fmt::format("{}_{}", timestamp, payment.key)});
}

std::string_view cut_row(std::string_view row) { return row.substr(0, kIndexRowMax); }

}  // namespace nostro::b2b
