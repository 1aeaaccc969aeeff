#include "nostro/formats/paysim.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "nostro/base/digit.hpp"
#include "nostro/base/text.hpp"

namespace nostro::paysim {
namespace {

enum Column : std::uint8_t {
    kStep,
    kType,
    kAmount,
    kOrig,
    kOldOrig,
    kNewOrig,
    kDest,
    kOldDest,
    kNewDest,
    kFraud,
    kFlagged,
};

// The published file's own spellings, one letter missing included; the simulator says `action` for `type`.
constexpr std::array<std::string_view, 11> kNames = {
    "step",     "type",           "amount",         "nameOrig", "oldbalanceOrg", "newbalanceOrig",
    "nameDest", "oldbalanceDest", "newbalanceDest", "isFraud",  "isFlaggedFraud"};
constexpr std::size_t kColumnsMax = 256;

bool is_column(std::string_view header, std::size_t column) {
    if (equal_ignoring_case(header, kNames[column])) return true;
    if (column == kType) return equal_ignoring_case(header, "action");
    if (column == kOldOrig) return equal_ignoring_case(header, "oldBalanceOrig");
    return false;
}

Error wrong(std::size_t column, std::string_view what) {
    return {ErrorCode::invalid, fmt::format("column {}: {}", kNames[column], what)};
}

Result<std::int64_t> parse_balance(std::size_t column, std::string_view text, Currency currency) {
    const auto money = Money::parse_signed(text, currency);
    if (!money) return wrong(column, money.error().what);
    return money->minor();
}

Result<Type> parse_type(std::string_view text) {
    for (const Type type : kTypes) {
        if (equal_ignoring_case(text, name(type))) return type;
    }
    if (equal_ignoring_case(text, "CASH-IN")) return Type::cash_in;
    if (equal_ignoring_case(text, "CASH-OUT")) return Type::cash_out;
    return wrong(kType, fmt::format("{} is none of CASH_IN, CASH_OUT, DEBIT, PAYMENT, TRANSFER", quoted(text)));
}

Result<bool> parse_flag(std::size_t column, std::string_view text) {
    if (text == "1" || equal_ignoring_case(text, "true")) return true;
    if (text == "0" || equal_ignoring_case(text, "false")) return false;
    return wrong(column, fmt::format("{} is neither 0 nor 1", quoted(text)));
}

Result<std::string_view> parse_name(std::size_t column, std::string_view text) {
    const bool starts_well = !text.empty() && (text.front() == 'C' || text.front() == 'M' || text.front() == 'B');
    if (!starts_well || text.size() > 32 || !std::ranges::all_of(text.substr(1), is_digit)) {
        return wrong(column, fmt::format("{} is no name: expected C, M or B and digits", quoted(text)));
    }
    return text;
}

// "181.0", "28.69": at least one decimal, no second zero at the end.
void append_amount(std::string& to, std::int64_t minor) {
    const std::int64_t whole = minor / 100;
    const std::int64_t cents = minor % 100;
    if (cents % 10 == 0) {
        fmt::format_to(std::back_inserter(to), "{}.{}", whole, cents / 10);
    } else {
        fmt::format_to(std::back_inserter(to), "{}.{:02}", whole, cents);
    }
}

}  // namespace

std::string_view name(Type type) {
    switch (type) {
        case Type::cash_in: return "CASH_IN";
        case Type::cash_out: return "CASH_OUT";
        case Type::debit: return "DEBIT";
        case Type::payment: return "PAYMENT";
        case Type::transfer: return "TRANSFER";
    }
    return "PAYMENT";
}

Result<Layout> Layout::from_header(std::span<const std::string_view> header) {
    if (header.size() > kColumnsMax) {
        return Error{ErrorCode::invalid,
                     fmt::format("header: {} columns, at most {} are read", header.size(), kColumnsMax)};
    }
    Layout layout;
    layout.columns_ = header.size();
    std::string missing;
    for (std::size_t column = 0; column < kColumns; ++column) {
        std::size_t found = 0;
        for (std::size_t at = 0; at < header.size(); ++at) {
            if (!is_column(header[at], column)) continue;
            layout.place_[column] = static_cast<std::uint8_t>(at);
            ++found;
        }
        if (found > 1) return Error{ErrorCode::invalid, fmt::format("header: column {} stands twice", kNames[column])};
        if (found == 0) missing += fmt::format("{}{}", missing.empty() ? "" : ", ", kNames[column]);
    }
    if (!missing.empty()) {
        return Error{ErrorCode::invalid, fmt::format("header: missing {}; expected \"{}\"", missing, kHeader)};
    }
    return layout;
}

Result<Row> Layout::parse(std::span<const std::string_view> fields, Currency currency) const {
    if (fields.size() != columns_) {
        return Error{ErrorCode::invalid, fmt::format("{} columns, the header has {}", fields.size(), columns_)};
    }
    const auto field = [&](Column column) { return fields[place_[column]]; };

    Row row;
    const auto step = parse_uint32(field(kStep));
    if (!step) return wrong(kStep, step.error().what);
    row.step = *step;
    const auto type = parse_type(field(kType));
    if (!type) return type.error();
    row.type = *type;
    const auto orig = parse_name(kOrig, field(kOrig));
    if (!orig) return orig.error();
    row.orig = *orig;
    const auto dest = parse_name(kDest, field(kDest));
    if (!dest) return dest.error();
    row.dest = *dest;

    const std::array<std::pair<Column, std::int64_t*>, 5> amounts = {{{kAmount, &row.amount_minor},
                                                                      {kOldOrig, &row.old_orig_minor},
                                                                      {kNewOrig, &row.new_orig_minor},
                                                                      {kOldDest, &row.old_dest_minor},
                                                                      {kNewDest, &row.new_dest_minor}}};
    for (const auto& [column, into] : amounts) {
        const auto minor = parse_balance(column, field(column), currency);
        if (!minor) return minor.error();
        *into = *minor;
    }
    if (row.amount_minor < 0) return wrong(kAmount, "is negative");

    const auto fraud = parse_flag(kFraud, field(kFraud));
    if (!fraud) return fraud.error();
    row.is_fraud = *fraud;
    const auto flagged = parse_flag(kFlagged, field(kFlagged));
    if (!flagged) return flagged.error();
    row.is_flagged = *flagged;
    return row;
}

void append_row(std::string& to, const Row& row) {
    fmt::format_to(std::back_inserter(to), "{},{},", row.step, name(row.type));
    append_amount(to, row.amount_minor);
    fmt::format_to(std::back_inserter(to), ",{},", row.orig);
    append_amount(to, row.old_orig_minor);
    to += ',';
    append_amount(to, row.new_orig_minor);
    fmt::format_to(std::back_inserter(to), ",{},", row.dest);
    append_amount(to, row.old_dest_minor);
    to += ',';
    append_amount(to, row.new_dest_minor);
    fmt::format_to(std::back_inserter(to), ",{},{}\n", row.is_fraud ? 1 : 0, row.is_flagged ? 1 : 0);
}

Sides sides_of(const Row& row, Currency currency) {
    Sides sides;
    if (row.type == Type::cash_in) {
        sides.debtor = fmt::format("house:cash:{}", currency.code());
        sides.creditor = row.orig;
        sides.creditor_opening_minor = std::max<std::int64_t>(row.old_orig_minor, 0);
        return sides;
    }
    sides.debtor = row.orig;
    sides.creditor = row.dest;
    sides.debtor_opening_minor = std::max<std::int64_t>(row.old_orig_minor, 0);
    if (!row.dest.starts_with('M')) sides.creditor_opening_minor = std::max<std::int64_t>(row.old_dest_minor, 0);
    return sides;
}

}  // namespace nostro::paysim
