#include "nostro/profiles/upi.hpp"

#include <fmt/format.h>

#include <array>

#include "nostro/base/hex.hpp"
#include "nostro/base/json_text.hpp"
#include "nostro/base/text.hpp"
#include "nostro/profiles/account_names.hpp"
#include "nostro/profiles/profile_answers.hpp"
#include "nostro/profiles/upi_metrics.hpp"
#include "nostro/wire/message_json.hpp"

namespace nostro {
namespace upi {
namespace {

constexpr std::string_view kUser = "user:";
constexpr std::size_t kIdMax = 128;
constexpr std::int64_t kPaisa = 100;
constexpr std::int64_t kDailyKept_s = 48 * 3600;

enum Field : std::size_t { kTxId, kPayer, kPayee, kAmount, kFrom, kTo, kFields };
constexpr std::array<std::string_view, kFields> kPaths = {"tx_id",  "payer_id",  "payee_id",
                                                          "amount", "user_from", "user_to"};

struct Message {
    std::string_view tx_id, payer_id, payee_id;
    std::int64_t rupees = 0;
};

// `user_from` and `user_to` are other names of the parties.
Result<Message> read_fields(std::string_view text, Arena& arena) {
    static thread_local JsonReader reader;
    std::array<MessageValue, kFields> values;
    if (auto read = read_message(reader, text, kPaths, arena, values); !read) return read.error();
    const auto party = [&](Field field, Field alias) {
        const bool is_alias = values[field].kind == MessageValue::Kind::absent;
        if (is_alias && values[alias].kind != MessageValue::Kind::absent) field = alias;
        return message_text(kPaths[field], values[field], kIdMax);
    };
    Message message;
    const auto tx_id = message_text(kPaths[kTxId], values[kTxId], kIdMax);
    if (!tx_id) return tx_id.error();
    message.tx_id = *tx_id;
    const auto payer = party(kPayer, kFrom);
    if (!payer) return payer.error();
    message.payer_id = *payer;
    const auto payee = party(kPayee, kTo);
    if (!payee) return payee.error();
    message.payee_id = *payee;
    const auto amount = message_amount("amount", values[kAmount], *Currency::parse("INR"));
    if (!amount) return amount.error();
    if (amount->minor() % kPaisa != 0) {
        return Error{ErrorCode::invalid, fmt::format("amount: {} is no whole number of rupees", amount->decimal())};
    }
    message.rupees = amount->minor() / kPaisa;
    return message;
}

std::string user_of(std::string_view account_name, std::string_view metadata, std::string_view member) {
    if (auto id = id_of_account(account_name, kUser, "")) return *id;
    // The name was cut: the payment's metadata has the whole.
    const std::string whole = message_member(metadata, member);
    return whole.empty() ? std::string(account_name) : whole;
}

std::string payer_of(const Payment& payment) { return user_of(payment.debtor_name, payment.metadata, kPaths[kPayer]); }
std::string payee_of(const Payment& payment) {
    return user_of(payment.creditor_name, payment.metadata, kPaths[kPayee]);
}

const Hit* hit_of_limit(const Outcome& outcome, const Policy& policy) {
    const Hit* last = nullptr;
    for (const Hit& hit : outcome.why.fired()) {
        if (policy.limit(hit.rule) != nullptr) last = &hit;
    }
    return last;
}

const Hit* hit_of_bound(const Outcome& outcome, const Policy& policy) {
    for (const Hit& hit : outcome.why.fired()) {
        if (policy.name(hit.rule).ends_with(".max_amount")) return &hit;
    }
    return nullptr;
}

std::string reason_of(const Outcome& outcome, const Policy& policy) {
    const std::int64_t rupees = outcome.amount.minor() / kPaisa;
    switch (outcome.reason) {
        case Reason::none: return {};
        case Reason::amount_out_of_range:
            if (const Hit* hit = hit_of_bound(outcome, policy)) {
                return fmt::format("Amount exceeds single transaction limit of {}", hit->at_most / kPaisa);
            }
            return "Amount must be positive";
        case Reason::limit_exceeded:
            if (const Hit* hit = hit_of_limit(outcome, policy)) {
                return fmt::format("Daily limit exceeded: current {} + {} > {}", hit->input / kPaisa, rupees,
                                   hit->at_most / kPaisa);
            }
            return "Daily limit exceeded";
        case Reason::insufficient_funds: return "Insufficient balance";
        case Reason::same_account: return "Payer and payee are the same";
        default: return std::string(name(outcome.reason));
    }
}

std::string_view status_of(Status status) {
    if (status == Status::settled) return "SUCCESS";
    return status == Status::accepted || is_open(status) ? "PENDING" : "FAILED";
}

}  // namespace

Transaction transaction_of(const Outcome& outcome, const Payment& payment, const Policy& policy) {
    Transaction row;
    row.created_at = outcome.accepted_at;
    row.status = status_of(outcome.status);
    row.reason = reason_of(outcome, policy);
    if (outcome.event == Event::record_kept) {
        Arena arena;
        if (const auto message = read_fields(payment.attachment, arena)) {
            row.tx_id = message->tx_id;
            row.payer_id = message->payer_id;
            row.payee_id = message->payee_id;
            row.amount = message->rupees;
        }
        return row;
    }
    row.tx_id = payment.key.empty() ? to_hex(outcome.payment) : std::string(payment.key);  // a reversal may have none
    row.payer_id = payer_of(payment);
    row.payee_id = payee_of(payment);
    row.amount = payment.amount.minor() / kPaisa;
    return row;
}

std::vector<Balance> balances_of(const Outcome& outcome, const Payment& payment) {
    if (outcome.status != Status::settled) return {};
    return {{payer_of(payment), outcome.debtor_after / kPaisa}, {payee_of(payment), outcome.creditor_after / kPaisa}};
}

std::vector<CacheEntry> cache_of(const Outcome& outcome, const Payment& payment, const Policy& policy) {
    std::vector<CacheEntry> entries;
    for (const Balance& each : balances_of(outcome, payment)) {
        entries.push_back({fmt::format("balance:{}", each.user_id), std::to_string(each.balance)});
    }
    const Hit* daily = hit_of_limit(outcome, policy);
    if (entries.empty() || daily == nullptr) return entries;
    const std::string day = policy.window_name(*policy.limit(daily->rule), daily->bucket);
    const std::int64_t total = (daily->input + outcome.amount.minor()) / kPaisa;
    entries.push_back({fmt::format("daily:{}:{}", payer_of(payment), day), std::to_string(total), kDailyKept_s});
    return entries;
}

namespace {

void write_row(JsonWriter& json, const Transaction& row) {
    json.field("tx_id", row.tx_id).field("payer_id", row.payer_id).field("payee_id", row.payee_id);
    json.field("amount", row.amount).field("currency", row.currency).field("status", row.status);
    json.field("reason", row.reason).field("created_at", to_rfc3339(row.created_at));
}

void write_documents(JsonWriter& json, const Outcome& outcome, const Payment& payment, const Policy& policy) {
    const Transaction row = transaction_of(outcome, payment, policy);
    const std::vector<Balance> balances = balances_of(outcome, payment);
    json.key("row").begin_object();
    write_row(json, row);
    json.end_object().key("audit").begin_object();
    write_row(json, row);
    for (std::size_t i = 0; i < balances.size(); ++i) {
        json.field(i == 0 ? "payer_balance" : "payee_balance", balances[i].balance);
    }
    json.end_object().key("users").begin_array();
    for (const Balance& each : balances) {
        json.begin_object().field("id", each.user_id).field("balance", each.balance).end_object();
    }
    json.end_array().key("cache").begin_array();
    for (const CacheEntry& entry : cache_of(outcome, payment, policy)) {
        json.begin_object().field("key", entry.key).field("value", entry.value);
        json.field("expires_s", entry.expires_s).end_object();
    }
    json.end_array();
}

class Upi final : public Profile {
public:
    Upi(Money opening, std::size_t balance_gauges) : opening_(opening), balance_gauges_(balance_gauges) {}

    Result<Wish> read(std::string_view text, const MessagePlace&, Arena& arena) const override {
        const auto message = read_fields(text, arena);
        if (!message) return message.error();
        if (message->rupees <= 0) {  // refused for ever under its id: a row with a reason, and no money moves
            return Wish(RecordWish{message->tx_id, Reason::amount_out_of_range, arena.copy(text)});
        }
        PaymentWish wish;
        Payment& payment = wish.payment;
        payment.debtor_name = account_name_of(kUser, message->payer_id, "", arena);
        payment.creditor_name = account_name_of(kUser, message->payee_id, "", arena);
        payment.amount = Money(message->rupees * kPaisa, opening_.currency());
        payment.debtor_opening_minor = opening_.minor();
        payment.key = message->tx_id;
        payment.type = "UPI";
        payment.metadata = cut_names(*message, payment, arena);
        wish.rail = "upi";
        return Wish(wish);
    }

    Result<> documents(const Recorded& recorded, const Ledger& ledger, JsonWriter& into) const override {
        const PolicyPtr policy = deciding_policy(recorded, ledger);
        if (policy == nullptr) return Error{ErrorCode::unavailable, "its policy is not in force yet"};
        write_documents(into, recorded.last(), recorded.payment, *policy);
        return {};
    }

    void register_metrics(MetricsRegistry& registry) override { metrics_.emplace(registry, balance_gauges_); }
    void count(const Outcome& outcome, const Payment* payment) override { metrics_->count(outcome, payment); }

private:
    // What the accounts' names do not tell.
    static std::string_view cut_names(const Message& message, const Payment& payment, Arena& arena) {
        if (!is_cut(payment.debtor_name) && !is_cut(payment.creditor_name)) return {};
        std::string json;
        JsonWriter(json)
            .begin_object()
            .field(kPaths[kPayee], message.payee_id)
            .field(kPaths[kPayer], message.payer_id)
            .end_object();
        return arena.copy(json);
    }

    const Money opening_;
    const std::size_t balance_gauges_;
    std::optional<Metrics> metrics_;
};

}  // namespace
}  // namespace upi

Result<std::unique_ptr<Profile>> make_upi(const ProfileSetup& setup) {
    const auto opening = Money::parse_signed(setup.setting("opening_balance", "1000000.00"), *Currency::parse("INR"));
    if (!opening) return Error{ErrorCode::invalid, "profile.opening_balance: " + opening.error().what};
    const auto gauges = parse_uint64(setup.setting("balance_gauges", "0"));
    if (!gauges) return Error{ErrorCode::invalid, "profile.balance_gauges: " + gauges.error().what};
    return std::unique_ptr<Profile>(std::make_unique<upi::Upi>(*opening, *gauges));
}

}  // namespace nostro
