#include "nostro/domain/money.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>

#include "nostro/base/text.hpp"

namespace nostro {
namespace {

// Longer texts are no amounts: 19 digits, a sign, a point and some zeros that carry no value fit well.
constexpr std::size_t kTextMax = 64;

constexpr std::uint64_t kLargest = std::numeric_limits<std::int64_t>::max();

constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }

Error amount_error(std::string_view text, std::string_view why) {
    return Error{ErrorCode::invalid, "amount: " + quoted(text).append(" ").append(why)};
}

// What is most likely meant when the text is no plain decimal.
std::string_view syntax_hint(std::string_view text) {
    if (text.empty()) return "is empty; send a decimal like 12.75";
    if (text.size() > kTextMax) return "is too long; send at most 64 characters";
    if (text.find_first_of("eE") != std::string_view::npos && is_digit(text[0])) {
        return "has an exponent; write all digits, like 1200.00";
    }
    if (text.find_first_of(",_'") != std::string_view::npos) {
        return "has separators; write digits and one point, like 1000.00";
    }
    if (text[0] == '+') return "has a sign; write the digits alone, like 12.75";
    if (text.front() == ' ' || text.back() == ' ') return "has spaces around it; send the digits alone";
    if (text[0] == '.' || text.back() == '.') return "needs digits on both sides of its point, like 0.50";
    const std::string_view digits = text.substr(text[0] == '-' ? 1 : 0);
    if (digits.size() > 1 && digits[0] == '0' && is_digit(digits[1])) {
        return "has leading zeros; write the number without them";
    }
    return "is no decimal number; send one like 12.75";
}

struct Decimal {
    std::string_view whole, fraction;  // fraction without trailing zeros
    bool negative = false;
};

std::size_t digits_from(std::string_view text, std::size_t at) {
    std::size_t end = at;
    while (end < text.size() && is_digit(text[end])) ++end;
    return end - at;
}

// -?(0|[1-9][0-9]*)(\.[0-9]+)?
bool take_apart(std::string_view text, Decimal& parts) {
    if (text.size() > kTextMax) return false;
    parts.negative = text.starts_with('-');
    if (parts.negative) text.remove_prefix(1);

    const std::size_t whole = digits_from(text, 0);
    if (whole == 0 || (whole > 1 && text[0] == '0')) return false;
    parts.whole = text.substr(0, whole);
    if (whole == text.size()) return true;

    const std::size_t fraction = digits_from(text, whole + 1);
    if (text[whole] != '.' || fraction == 0 || whole + 1 + fraction != text.size()) return false;
    parts.fraction = text.substr(whole + 1);
    while (parts.fraction.ends_with('0')) parts.fraction.remove_suffix(1);
    return true;
}

bool append_digit(std::uint64_t& value, unsigned digit, std::uint64_t most) {
    if (value > (most - digit) / 10) return false;
    value = value * 10 + digit;
    return true;
}

// The digits as minor units, or false when they exceed `most`.
bool to_minor(const Decimal& parts, std::size_t decimals, std::uint64_t most, std::uint64_t& minor) {
    minor = 0;
    for (const char c : parts.whole) {
        if (!append_digit(minor, static_cast<unsigned>(c - '0'), most)) return false;
    }
    for (std::size_t i = 0; i < decimals; ++i) {
        const char c = i < parts.fraction.size() ? parts.fraction[i] : '0';
        if (!append_digit(minor, static_cast<unsigned>(c - '0'), most)) return false;
    }
    return true;
}

std::string too_many_decimals(const Decimal& parts, Currency currency) {
    const int decimals = currency.decimals();
    return "has " + std::to_string(parts.fraction.size()) +
           (parts.fraction.size() == 1 ? " decimal, " : " decimals, ") + std::string(currency.code()) +
           (decimals == 0 ? " takes none" : " takes at most " + std::to_string(decimals));
}

std::string out_of_range(bool negative, Currency currency) {
    const std::int64_t bound =
        negative ? std::numeric_limits<std::int64_t>::min() : std::numeric_limits<std::int64_t>::max();
    return std::string(negative ? "is too small, " : "is too large, ") + std::string(currency.code()) +
           (negative ? " ends at " : " takes at most ") + Money(bound, currency).decimal();
}

// Digits of `value` ending before `end`; returns where they begin.
char* digits_before(char* end, std::uint64_t value) {
    do {
        *--end = static_cast<char>('0' + value % 10);
        value /= 10;
    } while (value != 0);
    return end;
}

}  // namespace

Result<Money> Money::parse_signed(std::string_view decimal, Currency currency) {
    Decimal parts;
    if (!take_apart(decimal, parts)) return amount_error(decimal, syntax_hint(decimal));

    const auto decimals = static_cast<std::size_t>(currency.decimals());
    if (parts.fraction.size() > decimals) return amount_error(decimal, too_many_decimals(parts, currency));

    std::uint64_t minor = 0;
    if (!to_minor(parts, decimals, parts.negative ? kLargest + 1 : kLargest, minor)) {
        return amount_error(decimal, out_of_range(parts.negative, currency));
    }
    return Money(static_cast<std::int64_t>(parts.negative ? 0 - minor : minor), currency);
}

Result<Money> Money::parse(std::string_view decimal, Currency currency) {
    auto money = parse_signed(decimal, currency);
    if (!money) return money;
    // The sign itself is refused, so that "-0" is no amount of zero but a mistake.
    if (decimal[0] == '-')
        return amount_error(decimal, "is negative; amounts are more than 0, debtor and creditor say which way");
    if (money->minor() == 0) return amount_error(decimal, "is zero; amounts are more than 0");
    return money;
}

std::string Money::decimal() const {
    std::string text;
    append_decimal(text, minor_, currency_);
    return text;
}

Result<Money> add(Money a, Money b) {
    if (a.currency() != b.currency()) {
        return Error{ErrorCode::invalid, "amount: " + std::string(a.currency().code()) + " and " +
                                             std::string(b.currency().code()) + " cannot be added"};
    }
    std::int64_t sum = 0;
    if (__builtin_add_overflow(a.minor(), b.minor(), &sum)) {
        return Error{ErrorCode::invalid, "amount: the sum of " + a.decimal() + " and " + b.decimal() + " " +
                                             std::string(a.currency().code()) + " is out of range"};
    }
    return Money(sum, a.currency());
}

Result<Money> subtract(Money a, Money b) {
    if (a.currency() != b.currency()) {
        return Error{ErrorCode::invalid, "amount: " + std::string(b.currency().code()) + " cannot be taken from " +
                                             std::string(a.currency().code())};
    }
    std::int64_t rest = 0;
    if (__builtin_sub_overflow(a.minor(), b.minor(), &rest)) {
        return Error{ErrorCode::invalid, "amount: " + a.decimal() + " less " + b.decimal() + " " +
                                             std::string(a.currency().code()) + " is out of range"};
    }
    return Money(rest, a.currency());
}

Result<Money> negate(Money a) { return subtract(Money(0, a.currency()), a); }

std::size_t write_decimal(char* to, std::int64_t minor, Currency currency) {
    char digits[kDecimalMax];
    char* const end = digits + sizeof digits;
    const auto magnitude = minor < 0 ? 0 - static_cast<std::uint64_t>(minor) : static_cast<std::uint64_t>(minor);

    std::uint64_t whole = magnitude;
    char* at = end;
    for (int i = 0; i < currency.decimals(); ++i) {
        *--at = static_cast<char>('0' + whole % 10);
        whole /= 10;
    }
    if (currency.decimals() > 0) *--at = '.';
    at = digits_before(at, whole);
    if (minor < 0) *--at = '-';

    const auto size = static_cast<std::size_t>(end - at);
    std::memcpy(to, at, size);
    return size;
}

void append_decimal(std::string& to, std::int64_t minor, Currency currency) {
    char text[kDecimalMax];
    to.append(text, write_decimal(text, minor, currency));
}

std::string Total::decimal(Currency currency) const {
    const bool negative = minor_ < 0;
    auto left = negative ? 0 - static_cast<unsigned __int128>(minor_) : static_cast<unsigned __int128>(minor_);
    std::string reversed;
    for (int i = 0; i < currency.decimals(); ++i, left /= 10)
        reversed += static_cast<char>('0' + static_cast<int>(left % 10));
    if (currency.decimals() > 0) reversed += '.';
    do {
        reversed += static_cast<char>('0' + static_cast<int>(left % 10));
        left /= 10;
    } while (left != 0);
    if (negative) reversed += '-';
    return {reversed.rbegin(), reversed.rend()};
}

}  // namespace nostro
