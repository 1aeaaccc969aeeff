// Payments from the rows of any CSV: which column, or which constant, is which field of a payment.
//
// A field is named as in the body of POST /v1/payments, with a dot where that has an object: debtor_account,
// metadata.order, opening_balances.debtor. A column whose header is the name of a field is that field without being
// mapped. What the fields hold is judged by who takes the payment; only that they are text is checked here.
//
// Threads: any, once made. Errors: `invalid`, without file and row.
#pragma once
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "nostro/base/result.hpp"

namespace nostro {

struct ColumnWishes {
    std::vector<std::string> maps;  // FIELD=COLUMN; a column by its header, whose case counts only if it has to
    std::vector<std::string> sets;  // FIELD=TEXT, the same in every row; an empty text leaves the field out
    std::string currency;           // when neither a column nor a constant names it
};

class PaymentColumns {
public:
    // `invalid`: a field or column that there is not (with the nearest that there is), a field that is named twice, or
    // no source of a field that every payment has.
    static Result<PaymentColumns> from_header(std::span<const std::string_view> header, const ColumnWishes& wishes);

    // Appends the payment of a row, as one line of NDJSON for POST /v1/payments/batch. Empty cells are left out. `key`
    // is its idempotency key unless the row has one. `invalid`: nothing was appended.
    Result<> append(std::string& to, std::span<const std::string_view> cells, std::string_view key) const;

    // Where a field of the line comes from and what is there, for whoever tells why it was refused: "column 'Betrag'
    // holds 'x'". `pointer` as in the service's errors ("/amount"). Empty when the row has no part in it.
    std::string origin(std::string_view pointer, std::span<const std::string_view> cells) const;

private:
    struct Source {
        std::string field;
        std::optional<std::size_t> column;
        std::string text;  // the column's header, or the constant
    };
    Result<> map(std::span<const std::string_view> header, std::string_view wish);
    Result<> set(std::string_view wish);
    Result<> add(Source source);
    Result<> require() const;
    const Source* find(std::string_view field) const;
    std::string_view value(const Source& source, std::span<const std::string_view> cells) const;

    std::vector<Source> sources_;  // by field, so that those of one object stand together
    std::size_t columns_ = 0;
};

}  // namespace nostro
