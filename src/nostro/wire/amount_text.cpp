#include <algorithm>
#include <string>

#include "nostro/domain/money.hpp"
#include "nostro/wire/json_fields.hpp"
#include "nostro/wire/request_json.hpp"

namespace nostro {
namespace {

// Which of an amount's rules a refused text breaks. Money::parse says it to people; this is the stable word.
std::string_view amount_code(std::string_view text, Currency currency, bool is_signed) {
    const bool negative = text.starts_with('-');
    const std::string_view digits = text.substr(negative ? 1 : 0);
    if (!is_json_number(digits) || digits.find_first_of("eE") != std::string_view::npos) return "amount_syntax";
    const bool is_zero = digits.find_first_of("123456789") == std::string_view::npos;
    if (!is_signed && (negative || is_zero)) return "amount_not_positive";
    const std::size_t point = digits.find('.');
    if (point != std::string_view::npos) {
        const std::size_t last = digits.find_last_not_of('0');
        if (last > point && last - point > static_cast<std::size_t>(currency.decimals())) {
            return "amount_too_many_decimals";
        }
    }
    return "amount_overflow";
}

std::optional<std::int64_t> to_amount(std::string_view text, Currency currency, std::string_view pointer,
                                      FieldErrors& errors, bool is_signed) {
    const auto money = is_signed ? Money::parse_signed(text, currency) : Money::parse(text, currency);
    if (money) return money->minor();
    errors.add(std::string(pointer), amount_code(text, currency, is_signed), money.error().what);
    return std::nullopt;
}

}  // namespace

std::optional<std::int64_t> to_minor(std::string_view text, Currency currency, std::string_view pointer,
                                     FieldErrors& errors) {
    return to_amount(text, currency, pointer, errors, false);
}

std::optional<std::int64_t> to_signed_minor(std::string_view text, Currency currency, std::string_view pointer,
                                            FieldErrors& errors) {
    return to_amount(text, currency, pointer, errors, true);
}

}  // namespace nostro
