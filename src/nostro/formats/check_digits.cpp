#include "nostro/formats/check_digits.hpp"

#include <algorithm>
#include <cstddef>

#include "nostro/base/assert.hpp"
#include "nostro/base/digit.hpp"

namespace nostro {
namespace {

constexpr bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
constexpr bool is_letter(char c) { return is_upper(c) || (c >= 'a' && c <= 'z'); }
constexpr bool is_digit_or_upper(char c) { return is_digit(c) || is_upper(c); }
constexpr bool is_lower_hex(char c) { return is_digit(c) || (c >= 'a' && c <= 'f'); }

constexpr unsigned value_of(char digit) { return static_cast<unsigned>(digit - '0'); }
constexpr char digit_of(unsigned value) { return static_cast<char>('0' + value); }

// `doubled_last`: the last digit of `digits` counts twice, as it does while the check digit is still to come.
unsigned luhn_sum(std::string_view digits, bool doubled_last) {
    unsigned sum = 0;
    bool doubled = doubled_last;
    for (std::size_t at = digits.size(); at-- > 0; doubled = !doubled) {
        const unsigned weighted = value_of(digits[at]) * (doubled ? 2 : 1);
        sum += weighted > 9 ? weighted - 9 : weighted;
    }
    return sum;
}

unsigned aba_sum(std::string_view digits) {
    constexpr std::array<unsigned, 3> kWeights = {3, 7, 1};
    unsigned sum = 0;
    for (std::size_t at = 0; at < digits.size(); ++at) sum += value_of(digits[at]) * kWeights[at % 3];
    return sum;
}

// Goes on with the remainder of a number whose next characters are `text`; letters stand for 10 to 35.
unsigned mod_97(unsigned remainder, std::string_view text) {
    for (const char c : text) {
        const unsigned value = is_digit(c) ? value_of(c) : static_cast<unsigned>(c - 'A') + 10;
        remainder = (remainder * (value > 9 ? 100 : 10) + value) % 97;
    }
    return remainder;
}

// Of what begins with two letters and two check digits, which count as if they stood at the end.
bool passes_mod_97_moved(std::string_view text) { return mod_97(mod_97(0, text.substr(4)), text.substr(0, 4)) == 1; }

struct IbanLength {
    std::string_view country;
    std::size_t length;
};
// The registry of ISO 13616.
constexpr IbanLength kIbanLengths[] = {
    {"AD", 24}, {"AE", 23}, {"AL", 28}, {"AT", 20}, {"AZ", 28}, {"BA", 20}, {"BE", 16}, {"BG", 22}, {"BH", 22},
    {"BI", 27}, {"BR", 29}, {"BY", 28}, {"CH", 21}, {"CR", 22}, {"CY", 28}, {"CZ", 24}, {"DE", 22}, {"DJ", 27},
    {"DK", 18}, {"DO", 28}, {"EE", 20}, {"EG", 29}, {"ES", 24}, {"FI", 18}, {"FK", 18}, {"FO", 18}, {"FR", 27},
    {"GB", 22}, {"GE", 22}, {"GI", 23}, {"GL", 18}, {"GR", 27}, {"GT", 28}, {"HN", 28}, {"HR", 21}, {"HU", 28},
    {"IE", 22}, {"IL", 23}, {"IQ", 23}, {"IS", 26}, {"IT", 27}, {"JO", 30}, {"KW", 30}, {"KZ", 20}, {"LB", 28},
    {"LC", 32}, {"LI", 21}, {"LT", 20}, {"LU", 20}, {"LV", 21}, {"LY", 25}, {"MC", 27}, {"MD", 24}, {"ME", 22},
    {"MK", 19}, {"MN", 20}, {"MR", 27}, {"MT", 31}, {"MU", 30}, {"NI", 28}, {"NL", 18}, {"NO", 15}, {"OM", 23},
    {"PK", 24}, {"PL", 28}, {"PS", 29}, {"PT", 25}, {"QA", 29}, {"RO", 24}, {"RS", 22}, {"RU", 33}, {"SA", 24},
    {"SC", 31}, {"SD", 18}, {"SE", 24}, {"SI", 19}, {"SK", 24}, {"SM", 27}, {"SO", 23}, {"ST", 25}, {"SV", 28},
    {"TL", 23}, {"TN", 24}, {"TR", 26}, {"UA", 29}, {"VA", 22}, {"VG", 24}, {"XK", 20}, {"YE", 30},
};

}  // namespace

char luhn_digit(std::string_view payload) { return digit_of((10 - luhn_sum(payload, true) % 10) % 10); }

bool is_card_number(std::string_view text) {
    if (text.size() < 8 || text.size() > 19 || !std::ranges::all_of(text, is_digit) || text.front() == '0')
        return false;
    return luhn_sum(text, false) % 10 == 0;
}

char aba_digit(std::string_view first_eight) {
    NOSTRO_ASSERT(first_eight.size() == 8, "aba_digit: of eight digits");
    return digit_of((10 - aba_sum(first_eight) % 10) % 10);
}

bool is_aba(std::string_view text) {
    if (text.size() != 9 || !std::ranges::all_of(text, is_digit)) return false;
    const unsigned prefix = value_of(text[0]) * 10 + value_of(text[1]);
    const bool given_out = (prefix >= 1 && prefix <= 12) || (prefix >= 21 && prefix <= 32) ||
                           (prefix >= 61 && prefix <= 72) || prefix == 80;
    return given_out && aba_sum(text) % 10 == 0;
}

std::array<char, 2> mod_97_digits(std::string_view prefix, std::string_view payload) {
    const unsigned digits = 98 - mod_97(mod_97(mod_97(0, payload), prefix), "00");
    return {digit_of(digits / 10), digit_of(digits % 10)};
}

bool is_iban(std::string_view text) {
    if (text.size() < 15 || text.size() > 34 || !std::ranges::all_of(text, is_digit_or_upper)) return false;
    const auto country = std::ranges::find(kIbanLengths, text.substr(0, 2), &IbanLength::country);
    if (country == std::end(kIbanLengths) || text.size() != country->length) return false;
    // 00, 01 and 99 pass where 97, 98 and 02 do, but are never made.
    const std::string_view digits = text.substr(2, 2);
    if (!std::ranges::all_of(digits, is_digit) || digits == "00" || digits == "01" || digits == "99") return false;
    return passes_mod_97_moved(text);
}

bool is_creditor_reference(std::string_view text) {
    if (text.size() < 5 || text.size() > 25 || !text.starts_with("RF")) return false;
    if (!is_digit(text[2]) || !is_digit(text[3]) || !std::ranges::all_of(text, is_digit_or_upper)) return false;
    return passes_mod_97_moved(text);
}

bool is_lei(std::string_view text) {
    if (text.size() != 20 || !std::ranges::all_of(text, is_digit_or_upper)) return false;
    return is_digit(text[18]) && is_digit(text[19]) && mod_97(0, text) == 1;
}

bool is_bic(std::string_view text) {
    if ((text.size() != 8 && text.size() != 11) || !std::ranges::all_of(text, is_digit_or_upper)) return false;
    return is_upper(text[4]) && is_upper(text[5]);
}

bool is_uetr(std::string_view text) {
    if (text.size() != 36) return false;
    for (std::size_t at = 0; at < text.size(); ++at) {
        const bool hyphen = at == 8 || at == 13 || at == 18 || at == 23;
        if (hyphen ? text[at] != '-' : !is_lower_hex(text[at])) return false;
    }
    return text[14] == '4' && (text[19] == '8' || text[19] == '9' || text[19] == 'a' || text[19] == 'b');
}

bool is_vpa(std::string_view text) {
    const auto at = text.find('@');
    if (at == std::string_view::npos || at < 2 || at > 256) return false;
    const std::string_view handle = text.substr(at + 1);
    const auto in_name = [](char c) { return is_letter(c) || is_digit(c) || c == '.' || c == '-' || c == '_'; };
    return std::ranges::all_of(text.substr(0, at), in_name) && handle.size() >= 2 && handle.size() <= 64 &&
           std::ranges::all_of(handle, is_letter);
}

bool is_ifsc(std::string_view text) {
    if (text.size() != 11 || text[4] != '0') return false;
    return std::ranges::all_of(text.substr(0, 4), is_upper) && std::ranges::all_of(text.substr(5), is_digit_or_upper);
}

}  // namespace nostro
