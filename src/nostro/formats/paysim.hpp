// Rows of PaySim files, as published (11 columns) and as the simulator writes them (12 columns).
//
// Columns are found by their names in the header line, ignoring case, so both layouts and any order are read.
// Amounts are exact decimal text; a float that was printed with more decimals than the currency has is refused.
#pragma once
#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "nostro/base/result.hpp"
#include "nostro/domain/money.hpp"

namespace nostro::paysim {

enum class Type : std::uint8_t { cash_in, cash_out, debit, payment, transfer };
inline constexpr std::array kTypes = {Type::cash_in, Type::cash_out, Type::debit, Type::payment, Type::transfer};
std::string_view name(Type type);  // "CASH_IN", ...

// One row. Texts are views into the fields it was read from.
struct Row {
    std::uint32_t step = 0;  // hours since the simulation began, from 1
    Type type = Type::payment;
    std::int64_t amount_minor = 0;
    std::string_view orig;  // who acts: "C..." customer
    std::int64_t old_orig_minor = 0, new_orig_minor = 0;
    std::string_view dest;  // "C..." customer, "M..." merchant (its balances are always 0), "B..." bank
    std::int64_t old_dest_minor = 0, new_dest_minor = 0;
    bool is_fraud = false;    // a label for measuring; never an input of a decision
    bool is_flagged = false;  // the simulator's own rule
};

class Layout {
public:
    // `invalid`: names the columns that are missing or stand twice.
    static Result<Layout> from_header(std::span<const std::string_view> header);

    // `invalid`: names the column, what it holds and what was expected. The caller adds file and row. A zero amount is
    // read (such rows exist); it is the caller's to skip.
    Result<Row> parse(std::span<const std::string_view> fields, Currency currency) const;

private:
    static constexpr std::size_t kColumns = 11;
    std::array<std::uint8_t, kColumns> place_{};  // where each of our columns stands
    std::size_t columns_ = 0;                     // how many a line has
};

inline constexpr std::string_view kHeader =
    "step,type,amount,nameOrig,oldbalanceOrg,newbalanceOrig,nameDest,oldbalanceDest,newbalanceDest,isFraud,"
    "isFlaggedFraud";

// Appends the row in the published layout, amounts as the published file has them ("181.0", "1060.31"), with a line
// feed. Two decimals whatever the currency: the file names none.
void append_row(std::string& to, const Row& row);

// A row in double entry: who pays whom. One-sided rows have a house account on the other side.
struct Sides {
    std::string debtor, creditor;
    std::int64_t debtor_opening_minor = 0, creditor_opening_minor = 0;  // if they are not open yet
};
// CASH_IN is booked from house:cash:{currency} to nameOrig; the others from nameOrig to nameDest. Names open with the
// old balance of their first row; merchants open at 0.
Sides sides_of(const Row& row, Currency currency);

}  // namespace nostro::paysim
