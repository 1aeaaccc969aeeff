// Amounts: whole minor units of one ISO 4217 currency. Parsed exactly from text, added with checks, never a float.
//
// Threads: values; free functions from anywhere. Errors are `invalid` and say what was seen and what to send.
#pragma once
#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "nostro/base/result.hpp"

namespace nostro {

// A code of ISO 4217 with its number of decimals. Four bytes. The default, XXX, is "no currency".
class Currency {
public:
    constexpr Currency() = default;

    // Three upper-case letters of a currency in use ("INR"). Refuses unknown and retired codes, and those in
    // which nothing can be paid (metals, XTS, XXX...).
    static Result<Currency> parse(std::string_view code);
    // For history: retired codes too.
    static Result<Currency> parse_historic(std::string_view code);
    // In use only: numbers are handed on (532 was ANG and is XCG).
    static Result<Currency> from_numeric(unsigned numeric);

    constexpr std::string_view code() const { return {code_, 3}; }
    constexpr int decimals() const { return decimals_; }  // JPY 0, INR 2, BHD 3, CLF 4
    unsigned numeric() const;                             // USD 840, BHD 48; shown with three digits
    // A unit of account (BOV CHE CHW CLF COU MXV USN UYI UYW): booked, but not paid out to the outside.
    bool is_fund_code() const;
    // Gone (HRK, BGN...): read for history, refused for new payments.
    bool is_retired() const;

    friend constexpr auto operator<=>(const Currency&, const Currency&) = default;

private:
    friend struct CurrencyTable;
    constexpr Currency(const char* code, int decimals)
        : code_{code[0], code[1], code[2]}, decimals_(static_cast<std::int8_t>(decimals)) {}

    char code_[3] = {'X', 'X', 'X'};
    std::int8_t decimals_ = 0;
};
static_assert(sizeof(Currency) == 4);

class Money {
public:
    constexpr Money() = default;
    constexpr Money(std::int64_t minor, Currency currency) : minor_(minor), currency_(currency) {}

    // An amount of a payment: digits, at most one point, > 0. Trailing zeros carry no value ("12.750" USD is 1275).
    // Refuses more decimals than the currency has, zero, signs, exponents, leading zeros, separators, spaces, overflow.
    static Result<Money> parse(std::string_view decimal, Currency currency);
    // A floor or an opening balance: as above, but zero and a leading '-' are allowed.
    static Result<Money> parse_signed(std::string_view decimal, Currency currency);

    constexpr std::int64_t minor() const { return minor_; }
    constexpr Currency currency() const { return currency_; }
    // "12.75", "-0.05", "500": always all decimals of the currency.
    std::string decimal() const;

    friend constexpr bool operator==(const Money&, const Money&) = default;

private:
    std::int64_t minor_ = 0;
    Currency currency_;
};

Result<Money> add(Money a, Money b);       // currencies differ, overflow
Result<Money> subtract(Money a, Money b);  // currencies differ, overflow
Result<Money> negate(Money a);             // overflow (there is one value without an opposite)

// The longest text of write_decimal: sign, 19 digits, point.
inline constexpr std::size_t kDecimalMax = 21;

// The hot forms of Money::decimal(). No allocation beyond what `to` needs.
std::size_t write_decimal(char* to, std::int64_t minor, Currency currency);  // characters written, no terminator
void append_decimal(std::string& to, std::int64_t minor, Currency currency);

// A sum of amounts of one currency in 128 bits: 2^64 amounts cannot overflow it. The currency is the caller's to keep.
class Total {
public:
    using Wide = __int128;

    constexpr Total() = default;
    constexpr explicit Total(Wide minor) : minor_(minor) {}

    constexpr void add(std::int64_t minor) { minor_ += minor; }
    constexpr void subtract(std::int64_t minor) { minor_ -= minor; }
    constexpr Total& operator+=(const Total& other) {
        minor_ += other.minor_;
        return *this;
    }
    constexpr Total& operator-=(const Total& other) {
        minor_ -= other.minor_;
        return *this;
    }

    constexpr Wide wide() const { return minor_; }
    constexpr bool is_zero() const { return minor_ == 0; }
    // The sum as an amount, if one amount can hold it.
    constexpr std::optional<std::int64_t> minor() const {
        const auto narrow = static_cast<std::int64_t>(minor_);
        if (narrow != minor_) return std::nullopt;
        return narrow;
    }
    std::string decimal(Currency currency) const;

    friend constexpr auto operator<=>(const Total&, const Total&) = default;

private:
    Wide minor_ = 0;
};

}  // namespace nostro
