#include "nostro/generate/clearing.hpp"

#include <span>

#include "nostro/base/json_text.hpp"
#include "nostro/generate/draw.hpp"

namespace nostro::generate {
namespace {

constexpr std::int64_t kAmountMax = 20'000'00;

// A kind of payment between the sample accounts, with what it usually comes to.
struct Habit {
    std::string_view from_account, to_account, transaction_type, description;
    std::int64_t least_minor, most_minor;
};
constexpr auto kHabits = std::to_array<Habit>({
    {"ACC001", "ACC005", "TRANSFER", "Monthly savings", 100'00, 900'00},
    {"ACC005", "ACC001", "TRANSFER", "From savings", 50'00, 2'000'00},
    {"ACC006", "ACC002", "TRANSFER", "Monthly savings", 50'00, 600'00},
    {"ACC002", "ACC006", "TRANSFER", "From savings", 50'00, 1'500'00},
    {"ACC001", "ACC006", "PAYMENT", "Shared groceries", 4'00, 180'00},
    {"ACC006", "ACC001", "PAYMENT", "Share of the rent", 450'00, 800'00},
    {"ACC003", "ACC004", "PAYMENT", "Consulting invoice", 800'00, 9'500'00},
    {"ACC003", "ACC001", "PAYMENT", "Used car", 4'500'00, 14'000'00},
    {"ACC001", "ACC004", "PAYMENT", "Music lessons", 25'00, 120'00},
    {"ACC004", "ACC003", "PAYMENT", "Repair", 60'00, 1'200'00},
    {"ACC003", "ACC006", "PAYMENT", "Concert tickets", 30'00, 240'00},
    {"ACC005", "ACC003", "TRANSFER", "Loan", 1'000'00, 12'000'00},
});

// A function, so that nothing runs before main.
Currency dollar() {
    static const Currency usd = Currency::parse("USD").value();
    return usd;
}

std::uint64_t seed_of(const ClearingOptions& options) {
    if (options.start == Instant{}) return generate::seed_of({options.seed, options.realistic});
    const auto start = static_cast<std::uint64_t>(options.start.time_since_epoch().count());
    return generate::seed_of({options.seed, options.realistic, start});
}

class AmountText {
public:
    explicit AmountText(std::int64_t minor) : size_(write_decimal(text_.data(), minor, dollar())) {}
    std::string_view view() const { return {text_.data(), size_}; }

private:
    std::array<char, kDecimalMax> text_;
    std::size_t size_;
};

}  // namespace

void append_json(std::string& to, const ClearingCustomer& customer) {
    JsonWriter json(to);
    json.begin_object().field("customer_id", customer.customer_id).field("name", customer.name);
    json.field("email", customer.email).field("risk_level", customer.risk_level).end_object();
}

void append_json(std::string& to, const ClearingAccount& account) {
    JsonWriter json(to);
    json.begin_object().field("account_number", account.account_number).field("customer_id", account.customer_id);
    json.field("account_type", account.account_type).key("balance").raw(AmountText(account.balance_minor).view());
    json.field("status", "ACTIVE").end_object();
}

void append_json(std::string& to, const ClearingTransaction& transaction) {
    JsonWriter json(to);
    json.begin_object().field("transaction_id", transaction.transaction_id);
    json.key("amount").raw(AmountText(transaction.amount_minor).view());
    json.field("from_account", transaction.from_account).field("to_account", transaction.to_account);
    json.field("transaction_type", transaction.transaction_type).field("description", transaction.description);
    json.end_object();
}

ClearingGenerator::ClearingGenerator(const ClearingOptions& options)
    : random_(seed_of(options)), realistic_(options.realistic), id_key_(random_.next()) {}

ClearingTransaction ClearingGenerator::uniform() {
    const std::uint64_t from = random_.below(kClearingAccounts.size());
    std::uint64_t to = random_.below(kClearingAccounts.size() - 1);
    if (to >= from) ++to;
    return {.transaction_id = {},
            .amount_minor = random_.between(1, kAmountMax),
            .from_account = kClearingAccounts[from].account_number,
            .to_account = kClearingAccounts[to].account_number,
            .transaction_type = "TRANSFER",
            .description = "Random transfer"};
}

ClearingTransaction ClearingGenerator::realistic() {
    const Habit& habit = pick(random_, kHabits);
    return {.transaction_id = {},
            .amount_minor = random_.between(habit.least_minor, habit.most_minor),
            .from_account = habit.from_account,
            .to_account = habit.to_account,
            .transaction_type = habit.transaction_type,
            .description = habit.description};
}

Made ClearingGenerator::append(std::string& to) {
    ClearingTransaction row;
    ShortText id("TXN-");
    if (made_ < kClearingTransactions.size()) {
        row = kClearingTransactions[made_];
    } else {
        row = realistic_ ? realistic() : uniform();
        // Half tells seeds apart, half the rows of one.
        id.add_hex(id_key_ >> 32, 8).add_hex(scattered(static_cast<std::uint32_t>(made_ ^ id_key_)), 8);
        row.transaction_id = id.view();
    }
    append_json(to, row);
    ++made_;
    return {.type = row.transaction_type, .status = {}, .amount = Money(row.amount_minor, dollar())};
}

}  // namespace nostro::generate
