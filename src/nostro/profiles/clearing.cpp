#include "nostro/profiles/clearing.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>

#include "nostro/base/hex.hpp"
#include "nostro/base/json_text.hpp"
#include "nostro/base/sha256.hpp"
#include "nostro/base/text.hpp"
#include "nostro/profiles/clearing_documents.hpp"
#include "nostro/profiles/clearing_shown.hpp"
#include "nostro/profiles/clearing_topic.hpp"
#include "nostro/profiles/column_values.hpp"
#include "nostro/wire/message_json.hpp"

namespace nostro {
namespace clearing {
namespace {

// Of the columns.
constexpr std::size_t kIdMax = 50, kWordMax = 20, kNameMax = 100;
constexpr std::int64_t kAmountMax = 999'999'999'999'999;  // DECIMAL(15,2)
constexpr std::size_t kDescriptionBytesMax = 64u << 10;

enum Field : std::size_t {
    kTable,
    kTransactionId,
    kAmount,
    kFrom,
    kTo,
    kType,
    kDescription,
    kCreated,
    kTimestamp,
    kAccountNumber,
    kCustomerId,
    kAccountType,
    kBalance,
    kStatus,
    kName,
    kCustomerName,
    kEmail,
    kRiskLevel,
    kFields
};
constexpr std::array<std::string_view, kFields> kPaths = {
    "table",       "transaction_id", "amount",    "from_account",   "to_account",  "transaction_type",
    "description", "created_at",     "timestamp", "account_number", "customer_id", "account_type",
    "balance",     "status",         "name",      "customer_name",  "email",       "risk_level"};
using Values = std::array<MessageValue, kFields>;

Error wrong(Field field, std::string_view what) {
    return {ErrorCode::invalid, fmt::format("{}: {}", kPaths[field], what)};
}

bool is_given(const MessageValue& value) {
    if (value.kind == MessageValue::Kind::text) return !value.text.empty();  // a CSV knows no NULL
    return value.kind != MessageValue::Kind::absent && value.kind != MessageValue::Kind::null;
}

Result<std::string_view> text_of(const Values& values, Field field, std::size_t max) {
    return message_text(kPaths[field], values[field], max);
}

// What a column's DEFAULT stands in for.
Result<std::string_view> text_of(const Values& values, Field field, std::size_t max, std::string_view otherwise) {
    return is_given(values[field]) ? text_of(values, field, max) : Result<std::string_view>(otherwise);
}

Result<Money> amount_of(const Values& values, Field field, Currency currency) {
    auto amount = message_amount(kPaths[field], values[field], currency);
    if (amount && (amount->minor() > kAmountMax || amount->minor() < -kAmountMax)) {
        return wrong(field, amount->decimal() + " has more than 15 digits");
    }
    return amount;
}

enum class Table : std::uint8_t { transactions, accounts, customers };

// By its name, or by the key that only its rows have.
Result<Table> table_of(const Values& values) {
    if (values[kTable].kind == MessageValue::Kind::absent) {
        if (values[kTransactionId].kind != MessageValue::Kind::absent) return Table::transactions;
        if (values[kAccountNumber].kind != MessageValue::Kind::absent) return Table::accounts;
        if (values[kCustomerId].kind != MessageValue::Kind::absent) return Table::customers;
        return wrong(kTransactionId, "is missing");
    }
    const auto table = text_of(values, kTable, kIdMax);
    if (!table) return table.error();
    if (*table == "transactions") return Table::transactions;
    if (*table == "accounts") return Table::accounts;
    if (*table == "customers") return Table::customers;
    return wrong(kTable, quoted(*table) + " is not transactions, accounts or customers");
}

struct Transaction {
    std::string_view id, from, to, type, description;  // from, to: empty where the row has none
    Money amount;
    Instant requested_at{};
};

Result<std::string_view> party_of(const Values& values, Field field) {
    const bool is_absent = values[field].kind == MessageValue::Kind::absent;
    if (!is_absent && !is_given(values[field])) return std::string_view();
    return text_of(values, field, kIdMax);
}

Result<std::string_view> description_of(const MessageValue& value) {
    if (!is_given(value)) return std::string_view();
    if (value.kind != MessageValue::Kind::text) return wrong(kDescription, "is no text");
    if (value.text.size() > kDescriptionBytesMax) return wrong(kDescription, "is longer than 64 KiB");
    if (value.text.find('\0') != std::string_view::npos) return wrong(kDescription, "has a character 0");
    return value.text;
}

// Only what the row itself says. A score, a status or a customer in a message is somebody's claim.
Result<Transaction> read_transaction(const Values& values, Currency currency) {
    Transaction row;
    const auto id = text_of(values, kTransactionId, kIdMax);
    if (!id) return id.error();
    row.id = *id;
    const auto from = party_of(values, kFrom);
    if (!from) return from.error();
    row.from = *from;
    const auto to = party_of(values, kTo);
    if (!to) return to.error();
    row.to = *to;
    const auto amount = amount_of(values, kAmount, currency);
    if (!amount) return amount.error();
    row.amount = *amount;
    const auto type = text_of(values, kType, kWordMax, "TRANSFER");
    if (!type) return type.error();
    row.type = *type;
    const auto description = description_of(values[kDescription]);
    if (!description) return description.error();
    row.description = *description;
    for (const Field field : {kCreated, kTimestamp}) {
        if (values[field].kind != MessageValue::Kind::text) continue;
        if (const auto at = parse_column_time(values[field].text)) row.requested_at = *at;
    }
    return row;
}

Result<RiskLevel> risk_level_of(const Values& values) {
    const auto text = text_of(values, kRiskLevel, kWordMax, "LOW");
    if (!text) return text.error();
    const auto level = parse_risk_level(to_lower(*text));
    if (!level) return wrong(kRiskLevel, quoted(*text) + " is not LOW, MEDIUM or HIGH");
    return *level;
}

struct Owner {
    std::string name;
    RiskLevel risk_level = RiskLevel::low;
};

class Clearing final : public Profile {
public:
    Clearing(Currency currency, std::map<std::string, Owner, std::less<>> customers, bool rejected_reviews)
        : currency_(currency), customers_(std::move(customers)), rejected_reviews_(rejected_reviews) {}

    Result<Wish> read(std::string_view text, const MessagePlace&, Arena& arena) const override {
        static thread_local JsonReader reader;
        Values values;
        if (auto read = read_message(reader, text, kPaths, arena, values); !read) return read.error();
        const auto table = table_of(values);
        if (!table) return table.error();
        switch (*table) {
            case Table::transactions: return transaction(values, arena);
            case Table::accounts: return account(values, arena);
            case Table::customers: return customer(values, arena);
        }
        return wrong(kTable, "is none");
    }

    Result<> publish(const Ledger& ledger, const DecodedPtr& frame, std::uint32_t outcome,
                     std::vector<Message>& messages) override {
        return cleared_.publish(ledger, frame, outcome, messages);
    }
    Result<> documents(const Recorded& recorded, const Ledger& ledger, JsonWriter& into) const override {
        return write_documents(recorded, ledger, rejected_reviews_, into);
    }

private:
    Result<Wish> transaction(const Values& values, Arena& arena) const {
        const auto row = read_transaction(values, currency_);
        if (!row) return row.error();
        if (row->from.empty() || row->to.empty()) return refused(*row, Reason::account_unknown, arena);
        if (row->amount.minor() <= 0) return refused(*row, Reason::amount_out_of_range, arena);
        PaymentWish wish;
        Payment& payment = wish.payment;
        payment.debtor_name = account_name(row->from, arena);
        payment.creditor_name = account_name(row->to, arena);
        payment.amount = row->amount;
        payment.key = row->id;
        payment.type = row->type;
        payment.requested_at = row->requested_at;
        payment.description = row->description;
        if (utf8_length(row->description) > kDescriptionMax) {  // the whole of it stands behind
            payment.description = row->description.substr(0, cut_at(row->description, kDescriptionMax));
            payment.attachment = arena.copy(json_of({{"description", row->description}}));
        }
        payment.metadata = cut_numbers(*row, payment, arena);
        return Wish(wish);
    }

    // Refused for ever under its id. The document is made of the row's fields, so that the same row in other JSON is
    // the same.
    static Result<Wish> refused(const Transaction& row, Reason reason, Arena& arena) {
        std::string json;
        JsonWriter writer(json);
        const auto party = [&](std::string_view name, std::string_view id) {
            writer.key(name);
            id.empty() ? writer.null() : writer.string(id);
        };
        writer.begin_object().field("transaction_id", row.id).field("amount", row.amount.decimal());
        writer.field("currency", row.amount.currency().code());
        party("from_account", row.from);
        party("to_account", row.to);
        writer.field("transaction_type", row.type).field("description", row.description).end_object();
        return Wish(RecordWish{row.id, reason, arena.copy(json)});
    }

    Result<Wish> account(const Values& values, Arena& arena) const {
        const auto number = text_of(values, kAccountNumber, kIdMax);
        if (!number) return number.error();
        const auto customer_id = text_of(values, kCustomerId, kIdMax);
        if (!customer_id) return customer_id.error();
        const auto type = text_of(values, kAccountType, kWordMax);
        if (!type) return type.error();
        const auto status = text_of(values, kStatus, kWordMax, "ACTIVE");
        if (!status) return status.error();
        if (!equal_ignoring_case(*status, "ACTIVE")) {
            return wrong(kStatus, quoted(*status) + ": an account opens as ACTIVE; freeze or close it afterwards");
        }
        Money balance(0, currency_);
        if (is_given(values[kBalance])) {
            const auto given = amount_of(values, kBalance, currency_);
            if (!given) return given.error();
            if (given->minor() < 0) return wrong(kBalance, given->decimal() + " is below 0");
            balance = *given;
        }
        const auto owner = owner_of(values, *customer_id);
        if (!owner) return owner.error();
        OpenAccount open;
        open.name = account_name(*number, arena);
        open.currency = currency_;
        open.risk_level = owner->risk_level;
        open.opening_minor = balance.minor();
        open.holder = arena.copy(owner->name);
        std::map<std::string_view, std::string_view> facts{{"account_type", *type}, {"customer_id", *customer_id}};
        if (account_number_of(open.name, {}) != *number) facts.emplace("account_number", *number);
        open.metadata = arena.copy(json_of(facts));
        return Wish(open);
    }

    // As the row says that has its customer's columns, too; else as the sample data says. Not as other rows said: the
    // same row must mean the same at every time.
    Result<Owner> owner_of(const Values& values, std::string_view customer_id) const {
        const Field name_field = is_given(values[kCustomerName]) ? kCustomerName : kName;
        if (is_given(values[name_field])) {
            Owner owner;
            const auto name = text_of(values, name_field, kNameMax);
            if (!name) return name.error();
            owner.name = *name;
            // No default: an account of somebody risky must not open as one of low risk.
            if (!is_given(values[kRiskLevel])) return wrong(kRiskLevel, "is missing; the row names its customer");
            const auto level = risk_level_of(values);
            if (!level) return level.error();
            owner.risk_level = *level;
            return owner;
        }
        const auto found = customers_.find(customer_id);
        if (found != customers_.end()) return found->second;
        return wrong(kCustomerId, quoted(customer_id) +
                                      " is none of the sample data; send customer_name and risk_level in this row");
    }

    Result<Wish> customer(const Values& values, Arena& arena) const {
        const auto id = text_of(values, kCustomerId, kIdMax);
        if (!id) return id.error();
        const auto name = text_of(values, kName, kNameMax);
        if (!name) return name.error();
        const auto email = text_of(values, kEmail, kNameMax, "");
        if (!email) return email.error();
        const auto level = risk_level_of(values);
        if (!level) return level.error();
        std::string json;
        JsonWriter(json)
            .begin_object()
            .field("customer_id", *id)
            .field("name", *name)
            .field("email", *email)
            .field("risk_level", to_upper(nostro::name(*level)))
            .end_object();
        // Longer than any transaction_id, with which it shares the keys; another for every change of the row.
        const std::string key = std::string(kCustomerKey) + to_hex(sha256(json)).substr(0, 32);
        return Wish(RecordWish{arena.copy(key), Reason::none, arena.copy(json)});
    }

    // What the accounts' names do not tell.
    static std::string_view cut_numbers(const Transaction& row, const Payment& payment, Arena& arena) {
        std::map<std::string_view, std::string_view> cut;
        if (account_number_of(payment.debtor_name, {}) != row.from) cut.emplace("from_account", row.from);
        if (account_number_of(payment.creditor_name, {}) != row.to) cut.emplace("to_account", row.to);
        return cut.empty() ? std::string_view() : arena.copy(json_of(cut));
    }

    static std::string json_of(const std::map<std::string_view, std::string_view>& members) {
        std::string json;
        JsonWriter writer(json);
        writer.begin_object();
        for (const auto& [name, value] : members) writer.field(name, value);
        writer.end_object();
        return json;
    }

    static std::size_t cut_at(std::string_view text, std::size_t characters) {
        std::size_t at = 0;
        for (; characters != 0 && at < text.size(); --characters) {
            at += std::max<std::size_t>(utf8_sequence_length(text.substr(at)), 1);
        }
        return at;
    }

    const Currency currency_;
    const std::map<std::string, Owner, std::less<>> customers_;  // of the sample data
    const bool rejected_reviews_;                                // a review stands under rejected:{id}
    ClearedTopic cleared_;
};

}  // namespace
}  // namespace clearing

Result<std::unique_ptr<Profile>> make_clearing(const ProfileSetup& setup) {
    const auto currency = Currency::parse(setup.setting("currency", "USD"));
    if (!currency) return Error{ErrorCode::invalid, "profile.currency: " + currency.error().what};
    if (currency->decimals() != 2) {
        return Error{ErrorCode::invalid, "profile.currency: its documents have two decimals, this currency has not"};
    }
    const std::string reviews = setup.setting("reviews_under_rejected", "false");
    if (reviews != "true" && reviews != "false") {
        return Error{ErrorCode::invalid,
                     "profile.reviews_under_rejected: " + quoted(reviews) + " is neither true nor false"};
    }
    std::map<std::string, clearing::Owner, std::less<>> customers;
    for (const ProfileSetup::Account& account : setup.accounts) {
        const std::string id = message_member(account.metadata, "customer_id");
        const auto level = parse_risk_level(account.risk_level);
        if (!level) return Error{ErrorCode::invalid, "profile.account " + account.name + ": " + level.error().what};
        if (id.empty()) continue;
        customers.insert_or_assign(id, clearing::Owner{account.holder, *level});
    }
    return std::unique_ptr<Profile>(
        std::make_unique<clearing::Clearing>(*currency, std::move(customers), reviews == "true"));
}

}  // namespace nostro
