#include "nostro/generate/paysim.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "nostro/generate/paysim_tables.hpp"

namespace nostro::paysim {
namespace {

// Rows by type in the published file.
struct Weight {
    Type type;
    std::uint64_t rows;
    const AmountTable* amounts;
};
constexpr std::array kMix = {Weight{Type::cash_out, 2'237'500, &kCashOut}, Weight{Type::payment, 2'151'495, &kPayment},
                             Weight{Type::cash_in, 1'399'284, &kCashIn}, Weight{Type::transfer, 532'909, &kTransfer},
                             Weight{Type::debit, 41'432, &kDebit}};
constexpr std::uint64_t kPublishedRows = 6'362'620;
constexpr std::uint64_t kFraudPairs = 4'106;  // 4,097 transfers and 4,116 cash-outs
constexpr std::uint64_t kFlagged = 16;
constexpr std::uint32_t kSteps = 743;
constexpr std::uint64_t kRowsPerStep = kPublishedRows / kSteps;
constexpr std::int64_t kFraudMax = 1'000'000'000;  // 10,000,000.00
constexpr std::int64_t kFlagAbove = 20'000'000;    // 200,000.00

// Names are C or M and ten digits. An odd multiplier scatters them without ever giving one twice.
constexpr std::uint64_t kNameSpan = std::uint64_t{1} << 33;
constexpr std::uint64_t kMuleBegin = kNameSpan / 2;

std::string scattered_name(char prefix, std::uint64_t number, std::uint64_t key) {
    const std::uint64_t scattered = ((number ^ (key & (kNameSpan - 1))) * 0x9E3779B97F4A7C15u) & (kNameSpan - 1);
    return fmt::format("{}{}", prefix, 1'000'000'000 + scattered);
}

}  // namespace

Generator::Generator(const GeneratorOptions& options) : options_(options), random_(options.seed) {
    if (options_.customers == 0) {
        const std::uint64_t wanted = options_.count == 0 ? 100'000 : options_.count / 20;
        options_.customers = static_cast<std::uint32_t>(std::clamp<std::uint64_t>(wanted, 1'000, 1'000'000));
    }
    if (options_.merchants == 0) options_.merchants = std::max(100u, options_.customers / 10);
    name_key_ = random_.next();
    balances_.reserve(options_.customers);
    // A third begins with nothing, as in the published file; the others with about one cash-in.
    for (std::uint32_t i = 0; i < options_.customers; ++i) {
        balances_.push_back(random_.chance(1, 3) ? 0 : draw_amount(Type::cash_in) * 4);
    }
}

std::uint32_t Generator::step_of(std::uint64_t row) const {
    if (options_.count == 0) return static_cast<std::uint32_t>(row / kRowsPerStep) + 1;
    return static_cast<std::uint32_t>(static_cast<unsigned __int128>(row) * kSteps / options_.count) + 1;
}

std::string Generator::customer_name(std::uint64_t number) const { return scattered_name('C', number, name_key_); }

std::string Generator::merchant_name(std::uint64_t number) const { return scattered_name('M', number, name_key_); }

Type Generator::draw_type() {
    std::uint64_t drawn = random_.below(kPublishedRows);
    for (const Weight& weight : kMix) {
        if (drawn < weight.rows) return weight.type;
        drawn -= weight.rows;
    }
    return Type::debit;
}

std::int64_t Generator::draw_amount(Type type) {
    const auto& table = *std::ranges::find(kMix, type, &Weight::type)->amounts;
    // 40 random bits: the upper ones choose a knot, the rest interpolates to the next.
    std::uint64_t bits = random_.next() >> 24;
    std::size_t knot = bits >> 32;
    std::uint64_t fraction = bits & 0xffffffff;
    if (knot == kKnots - 1) {
        fraction *= kKnots;
        knot += fraction >> 32;
        fraction &= 0xffffffff;
    }
    const std::int64_t low = table[knot];
    const auto width = static_cast<unsigned __int128>(table[knot + 1] - low);
    return low + static_cast<std::int64_t>((width * fraction) >> 32);
}

std::optional<Row> Generator::next() {
    if (options_.count != 0 && row_ == options_.count) return std::nullopt;
    Row row;
    if (!mule_.empty()) {
        row = fraud_cash_out();
    } else if (random_.chance(kFraudPairs, kPublishedRows - kFraudPairs)) {
        row = fraud_transfer();
    } else {
        row = ordinary();
    }
    if (row.step == 0) row.step = step_of(row_);
    ++row_;
    return row;
}

Row Generator::ordinary() {
    Row row;
    row.type = draw_type();
    row.amount_minor = draw_amount(row.type);
    const std::uint64_t payer = random_.below(options_.customers);
    orig_ = customer_name(payer);
    row.old_orig_minor = balances_[payer];
    if (row.type == Type::cash_in) {
        row.new_orig_minor = row.old_orig_minor + row.amount_minor;
    } else {
        row.new_orig_minor = std::max<std::int64_t>(0, row.old_orig_minor - row.amount_minor);  // clipped, as published
    }
    balances_[payer] = row.new_orig_minor;

    if (row.type == Type::payment) {
        dest_ = merchant_name(random_.below(options_.merchants));
    } else {
        std::uint64_t payee = random_.below(options_.customers - 1);
        if (payee >= payer) ++payee;  // never the payer itself
        dest_ = customer_name(payee);
        row.old_dest_minor = balances_[payee];
        const std::int64_t change = row.type == Type::cash_in ? -row.amount_minor : row.amount_minor;
        row.new_dest_minor = std::max<std::int64_t>(0, row.old_dest_minor + change);
        balances_[payee] = row.new_dest_minor;
    }
    row.orig = orig_;
    row.dest = dest_;
    return row;
}

Row Generator::fraud_transfer() {
    // Thieves look for an account that is worth it.
    std::uint64_t victim = random_.below(options_.customers);
    for (int tries = 0; tries < 8 && balances_[victim] < kFlagAbove; ++tries)
        victim = random_.below(options_.customers);
    if (balances_[victim] == 0) return ordinary();

    Row row;
    row.type = Type::transfer;
    row.is_fraud = true;
    row.amount_minor = std::min(balances_[victim], kFraudMax);
    orig_ = customer_name(victim);
    dest_ = customer_name(kMuleBegin + mules_++);
    row.old_orig_minor = balances_[victim];
    if (row.amount_minor > kFlagAbove && random_.chance(kFlagged, kFraudPairs)) {
        row.is_flagged = true;  // stopped: nothing moves, no cash-out follows
        row.new_orig_minor = row.old_orig_minor;
    } else {
        balances_[victim] -= row.amount_minor;
        row.new_orig_minor = balances_[victim];
        mule_ = dest_;
        stolen_minor_ = row.amount_minor;
        mule_step_ = step_of(row_);
    }
    row.orig = orig_;
    row.dest = dest_;
    return row;
}

Row Generator::fraud_cash_out() {
    Row row;
    row.step = mule_step_;
    row.type = Type::cash_out;
    row.is_fraud = true;
    row.amount_minor = stolen_minor_;
    orig_ = mule_;
    row.old_orig_minor = stolen_minor_;
    const std::uint64_t payee = random_.below(options_.customers);
    dest_ = customer_name(payee);
    row.old_dest_minor = balances_[payee];
    row.new_dest_minor = row.old_dest_minor;
    mule_.clear();
    stolen_minor_ = 0;
    row.orig = orig_;
    row.dest = dest_;
    return row;
}

std::vector<Generator::Customer> Generator::customers() const {
    std::vector<Customer> all;
    all.reserve(balances_.size());
    for (std::uint64_t i = 0; i < balances_.size(); ++i) all.push_back({customer_name(i), balances_[i]});
    return all;
}

}  // namespace nostro::paysim
