#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "nostro/base/text.hpp"
#include "nostro/wire/account_fields.hpp"
#include "nostro/wire/payment_json.hpp"
#include "nostro/wire/request_json.hpp"

namespace nostro {
namespace {

constexpr std::size_t kBoundsMax = 64;

// "nostro knows daily_debit_sum, daily_debit_count"
std::string limit_names(const Policy& policy) {
    std::string names;
    for (const Limit& limit : policy.limits()) {
        if (!names.empty()) names += ", ";
        names += policy.name(limit.rule);
    }
    return names.empty() ? "the policy has no limits" : "the policy has " + names;
}

// A bound as the limit measures it: an amount in its currency, or a number of payments.
std::optional<std::int64_t> bound_of(JsonBody& body, const Limit& limit, std::string_view text,
                                     std::string_view pointer) {
    if (limit.measure == Limit::Measure::sum) {
        const auto minor = to_signed_minor(text, limit.currency, pointer, body.errors());
        if (minor && *minor < 0) {
            body.wrong(pointer, "out_of_range", "a bound is 0 or more");
            return std::nullopt;
        }
        return minor;
    }
    const auto count = parse_int64(text);
    if (count && *count >= 0) return *count;
    body.wrong(pointer, "out_of_range", "this limit counts payments: send a whole number, 0 or more");
    return std::nullopt;
}

template <class Enum, class Parse>
std::optional<Enum> read_word(JsonBody& body, ondemand::value& value, std::string_view pointer, Parse parse) {
    const auto text = read_raw_text(body, value, pointer);
    if (!text) return std::nullopt;
    const Result<Enum> parsed = parse(*text);
    if (parsed) return *parsed;
    body.wrong(pointer, "unknown_value", parsed.error().what);
    return std::nullopt;
}

template <class To, class Value>
void set(To& to, const std::optional<Value>& value) {
    if (value) to = *value;
}

namespace opening {
enum Field : std::size_t { account_id, currency, holder, kind, risk_level, floor, limits, opening_balance, metadata };
constexpr std::array<std::string_view, 9> kNames = {"/account_id", "/currency",        "/holder",
                                                    "/kind",       "/risk_level",      "/floor",
                                                    "/limits",     "/opening_balance", "/metadata"};
constexpr std::array<std::size_t, 2> kRequired = {account_id, currency};
}  // namespace opening

namespace changing {
enum Field : std::size_t { status, floor, risk_level, holder, limits, metadata };
constexpr std::array<std::string_view, 6> kNames = {"/status", "/floor",  "/risk_level",
                                                    "/holder", "/limits", "/metadata"};
}  // namespace changing

}  // namespace

std::span<const OwnBound> read_bounds(JsonBody& body, ondemand::value& value, std::string_view pointer,
                                      const Policy& policy, bool may_remove) {
    if (!expect(body, value, ondemand::json_type::object, pointer, "an object of bounds by limit name")) return {};
    auto object = as_object(body, value);
    if (!object) return {};
    std::array<OwnBound, kBoundsMax> bounds;
    std::size_t count = 0;
    each_member(body, *object, [&](std::string_view name, ondemand::value& bound, ondemand::json_type type) {
        const std::string at = pointer_to(pointer, name);
        const Limit* limit = policy.limit(name);
        if (limit == nullptr) {
            return body.wrong(at, "unknown_limit",
                              fmt::format("{} is no limit; {}", quoted(name), limit_names(policy)));
        }
        const auto end = bounds.begin() + static_cast<std::ptrdiff_t>(count);
        if (std::any_of(bounds.begin(), end, [&](const OwnBound& b) { return b.name_key == limit->name_key; })) {
            return body.wrong(at, "duplicate_field", "this limit stands here twice; send it once");
        }
        if (count == kBoundsMax) {
            return body.wrong(at, "too_many_entries", fmt::format("at most {} bounds", kBoundsMax));
        }
        OwnBound own{limit->name_key, 0, type == ondemand::json_type::null};
        if (own.removed && !may_remove) {
            return body.wrong(at, "wrong_type", "send the bound here; it has none to remove yet");
        }
        if (!own.removed) {
            const auto text = read_amount_text(body, bound, at);
            const auto at_most = text ? bound_of(body, *limit, *text, at) : std::nullopt;
            if (!at_most) return;
            own.at_most = *at_most;
        }
        bounds[count++] = own;
    });
    return body.arena.copy(std::span<const OwnBound>(bounds.data(), count));
}

void read_account_fields(JsonBody& body, ondemand::object& object, const Policy& policy, OpenAccount& into) {
    into = {};
    std::optional<std::string_view> floor, balance;
    FieldSet nullable;
    nullable.add(opening::floor);
    bool no_floor = false;
    const auto each = [&](std::size_t field, ondemand::value& value, std::string_view pointer,
                          ondemand::json_type type) {
        switch (field) {
            case opening::account_id: set(into.name, read_account_name(body, value, pointer)); break;
            case opening::currency: set(into.currency, read_currency(body, value, pointer)); break;
            case opening::holder: set(into.holder, read_text(body, value, pointer, {.max = kHolderMax})); break;
            case opening::kind: set(into.kind, read_word<AccountKind>(body, value, pointer, parse_account_kind)); break;
            case opening::risk_level:
                set(into.risk_level, read_word<RiskLevel>(body, value, pointer, parse_risk_level));
                break;
            case opening::floor:
                no_floor = type == ondemand::json_type::null;
                if (!no_floor) floor = read_amount_text(body, value, pointer);
                break;
            case opening::limits: into.bounds = read_bounds(body, value, pointer, policy, false); break;
            case opening::opening_balance: balance = read_amount_text(body, value, pointer); break;
            default: set(into.metadata, read_metadata(body, value, pointer)); break;
        }
    };
    const FieldSet seen = each_field(body, object, opening::kNames, "", each, nullable);
    require(body, seen, opening::kNames, opening::kRequired, "");
    if (no_floor) into.floor_minor = kNoFloor;
    if (into.currency == Currency{}) return;  // noted already
    if (floor) set(into.floor_minor, to_signed_minor(*floor, into.currency, "/floor", body.errors()));
    if (balance) set(into.opening_minor, to_signed_minor(*balance, into.currency, "/opening_balance", body.errors()));
}

bool read_open_account(JsonReader& reader, const JsonInput& input, const Policy& policy, Arena& arena,
                       OpenAccount& into, FieldErrors& errors) {
    JsonBody body(reader.state(), arena, errors);
    auto document = body.open(input);
    if (!document) return false;
    auto object = body.object(*document);
    if (!object) return false;
    read_account_fields(body, *object, policy, into);
    body.at_end(*document);
    return errors.empty();
}

bool read_change_account(JsonReader& reader, const JsonInput& input, const Policy& policy, Arena& arena,
                         ChangeAccountBody& into, FieldErrors& errors) {
    into = {};
    JsonBody body(reader.state(), arena, errors);
    auto document = body.open(input);
    if (!document) return false;
    auto object = body.object(*document);
    if (!object) return false;
    FieldSet nullable;
    nullable.add(changing::floor);
    nullable.add(changing::holder);
    nullable.add(changing::metadata);
    bool any = false;
    const auto each = [&](std::size_t field, ondemand::value& value, std::string_view pointer,
                          ondemand::json_type type) {
        any = true;
        const bool null = type == ondemand::json_type::null;
        switch (field) {
            case changing::status:
                into.status = read_word<AccountStatus>(body, value, pointer, parse_account_status);
                break;
            case changing::floor: {
                into.no_floor = null;
                const auto text = null ? std::nullopt : read_amount_text(body, value, pointer);
                if (text) into.floor = {*text, true};
                break;
            }
            case changing::risk_level:
                into.risk_level = read_word<RiskLevel>(body, value, pointer, parse_risk_level);
                break;
            case changing::holder:
                into.holder = null ? std::string_view() : read_text(body, value, pointer, {.max = kHolderMax});
                break;
            case changing::limits: into.bounds = read_bounds(body, value, pointer, policy, true); break;
            default: into.metadata = null ? std::string_view() : read_metadata(body, value, pointer); break;
        }
    };
    each_field(body, *object, changing::kNames, "", each, nullable);
    body.at_end(*document);
    if (errors.empty() && !any) body.wrong("", "no_change", "this names nothing to change");
    return errors.empty();
}

std::optional<ChangeAccount> change_account(const ChangeAccountBody& body, AccountId id, Currency currency,
                                            FieldErrors& errors) {
    ChangeAccount change;
    change.id = id;
    change.status = body.status;
    change.risk_level = body.risk_level;
    change.holder = body.holder;
    change.metadata = body.metadata;
    change.bounds = body.bounds;
    if (body.no_floor) change.floor_minor = kNoFloor;
    if (body.floor.given) change.floor_minor = to_signed_minor(body.floor.text, currency, "/floor", errors);
    if (!errors.empty()) return std::nullopt;
    return change;
}

}  // namespace nostro
