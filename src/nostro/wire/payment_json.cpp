#include "nostro/wire/payment_json.hpp"

#include <array>

#include "nostro/base/time.hpp"
#include "nostro/domain/payment_id.hpp"
#include "nostro/wire/payment_fields.hpp"
#include "nostro/wire/request_json.hpp"

namespace nostro {
namespace {

enum Field : std::size_t {
    debtor_account,
    creditor_account,
    amount,
    currency,
    rail,
    type,
    reference,
    description,
    capture,
    expires_at,
    metadata,
    opening_balances,
    idempotency_key,
    field_count,
};
constexpr std::array<std::string_view, field_count> kNames = {
    "/debtor_account", "/creditor_account", "/amount",         "/currency", "/rail",
    "/type",           "/reference",        "/description",    "/capture",  "/expires_at",
    "/metadata",       "/opening_balances", "/idempotency_key"};
constexpr std::array<std::size_t, 4> kRequired = {debtor_account, creditor_account, amount, currency};

// Texts whose sense depends on fields that may stand behind them.
struct Pending {
    std::optional<std::string_view> amount, debtor_opening, creditor_opening;
};

class PaymentFields {
public:
    PaymentFields(JsonBody& body, PaymentWish& into) : body_(body), into_(into), payment_(into.payment) {}

    void read(std::size_t field, ondemand::value& value, std::string_view pointer) {
        switch (field) {
            case debtor_account: set(payment_.debtor_name, read_account_name(body_, value, pointer)); break;
            case creditor_account: set(payment_.creditor_name, read_account_name(body_, value, pointer)); break;
            case amount: pending_.amount = read_amount_text(body_, value, pointer); break;
            case currency: set(currency_, read_currency(body_, value, pointer)); break;
            case rail: read_rail(value, pointer); break;
            case type: text(payment_.type, value, pointer, {.max = kTypeMax, .may_be_empty = false}); break;
            case reference: text(payment_.reference, value, pointer, {.max = kReferenceMax}); break;
            case description: text(payment_.description, value, pointer, {.max = kDescriptionMax}); break;
            case capture: read_capture_mode(value, pointer); break;
            case expires_at: read_time(value, pointer); break;
            case metadata: set(payment_.metadata, read_metadata(body_, value, pointer)); break;
            case opening_balances: read_openings(value, pointer); break;
            case idempotency_key: read_key(value, pointer); break;
            default: break;
        }
    }

    // What could not be judged before every field was there.
    void finish(const FieldSet& seen) {
        if (seen.has(expires_at) && payment_.capture != Capture::manual) {
            body_.wrong("/expires_at", "only_manual_capture", "this is of payments with \"capture\":\"manual\" only");
        }
        if (currency_ == Currency{}) return;  // noted already
        if (pending_.amount) {
            const auto minor = to_minor(*pending_.amount, currency_, "/amount", body_.errors());
            payment_.amount = Money(minor.value_or(0), currency_);
        }
        opening(pending_.debtor_opening, "/opening_balances/debtor", payment_.debtor_opening_minor);
        opening(pending_.creditor_opening, "/opening_balances/creditor", payment_.creditor_opening_minor);
    }

private:
    template <class Value>
    static void set(Value& to, const std::optional<Value>& value) {
        if (value) to = *value;
    }
    void text(std::string_view& to, ondemand::value& value, std::string_view pointer, const TextRule& rule) {
        set(to, read_text(body_, value, pointer, rule));
    }
    void read_rail(ondemand::value& value, std::string_view pointer) {
        const auto name = read_text(body_, value, pointer, {.max = kRailNameMax, .may_be_empty = false});
        set(into_.rail, name);
    }
    void read_capture_mode(ondemand::value& value, std::string_view pointer) {
        const auto mode = read_raw_text(body_, value, pointer);
        if (!mode) return;
        if (*mode == "manual") {
            payment_.capture = Capture::manual;
        } else if (*mode != "automatic") {
            body_.wrong(pointer, "unknown_value", "send \"automatic\" or \"manual\"");
        }
    }
    void read_time(ondemand::value& value, std::string_view pointer) {
        const auto time = read_raw_text(body_, value, pointer);
        if (!time) return;
        const auto at = parse_rfc3339(*time);
        if (!at) return body_.wrong(pointer, "invalid_time", at.error().what);
        payment_.expires_at = *at;
    }
    void read_openings(ondemand::value& value, std::string_view pointer) {
        static constexpr std::array<std::string_view, 2> kSides = {"/debtor", "/creditor"};
        if (!expect(body_, value, ondemand::json_type::object, pointer, R"({"debtor": "0.00", "creditor": "0.00"})")) {
            return;
        }
        auto object = as_object(body_, value);
        if (!object) return;
        each_field(body_, *object, kSides, pointer,
                   [&](std::size_t side, ondemand::value& of_side, std::string_view side_pointer, ondemand::json_type) {
                       auto& text = side == 0 ? pending_.debtor_opening : pending_.creditor_opening;
                       text = read_amount_text(body_, of_side, side_pointer);
                   });
    }
    void read_key(ondemand::value& value, std::string_view pointer) {
        const auto key = read_raw_text(body_, value, pointer);
        if (!key) return;
        if (!is_key(*key)) {
            body_.wrong(pointer, "idempotency_key_malformed", "send 8 to 128 characters of A-Z a-z 0-9 . _ : -");
            return;
        }
        payment_.key = body_.keep(*key);
    }
    void opening(const std::optional<std::string_view>& balance, std::string_view pointer, std::int64_t& to) {
        if (balance) set(to, to_signed_minor(*balance, currency_, pointer, body_.errors()));
    }

    JsonBody& body_;
    PaymentWish& into_;
    Payment& payment_;
    Currency currency_;
    Pending pending_;
};

}  // namespace

void read_payment_fields(JsonBody& body, ondemand::object& object, const std::string_view* key, PaymentWish& into) {
    static const PaymentWish kNothing;
    into = kNothing;  // half a kilobyte: {} would be made first and copied then
    PaymentFields fields(body, into);
    // Only an item of a batch has its key among its fields.
    const std::span names(kNames.data(), key == nullptr ? field_count : std::size_t{idempotency_key});
    const FieldSet seen = each_field(body, object, names, "",
                                     [&](std::size_t field, ondemand::value& value, std::string_view pointer,
                                         ondemand::json_type) { fields.read(field, value, pointer); });
    if (!body.ok()) return;
    require(body, seen, kNames, kRequired, "");
    if (key != nullptr) {
        into.payment.key = body.arena.copy(*key);
    } else if (!seen.has(idempotency_key)) {
        body.wrong("/idempotency_key", "idempotency_key_missing", "each payment of a batch needs a key of its own");
    }
    fields.finish(seen);
}

bool read_payment(JsonReader& reader, const JsonInput& input, std::string_view key, Arena& arena, PaymentWish& into,
                  FieldErrors& errors) {
    JsonBody body(reader.state(), arena, errors);
    auto document = body.open(input);
    if (!document) return false;
    auto object = body.object(*document);
    if (!object) return false;
    read_payment_fields(body, *object, &key, into);
    body.at_end(*document);
    return errors.empty();
}

}  // namespace nostro
