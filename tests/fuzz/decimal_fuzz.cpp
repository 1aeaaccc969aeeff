// Amounts from any bytes: the first picks the currency, the rest is the text.
#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "nostro/base/assert.hpp"
#include "nostro/base/text.hpp"
#include "nostro/domain/money.hpp"

namespace nostro {
namespace {

// What `text` must show when it is taken: itself with exactly the currency's decimals. By text alone, so that it
// shares no arithmetic with the parser.
std::string normal_form(std::string_view text, std::size_t decimals) {
    std::string normal(text);
    if (normal.find('.') == std::string::npos) normal += '.';
    normal.resize(normal.find('.') + 1 + decimals, '0');
    if (decimals == 0) normal.pop_back();
    const bool is_zero = normal.find_first_of("123456789") == std::string::npos;
    if (is_zero && normal[0] == '-') normal.erase(0, 1);
    return normal;
}

void check(std::string_view text, Currency currency) {
    const auto taken = Money::parse_signed(text, currency);
    const auto payable = Money::parse(text, currency);
    if (!taken) {
        NOSTRO_ASSERT(!payable, "what is no signed amount is no amount");
        NOSTRO_ASSERT(taken.error().code == ErrorCode::invalid && is_valid_utf8(taken.error().what),
                      "the error is readable");
        return;
    }
    NOSTRO_ASSERT(text.find_first_not_of("0123456789.-") == std::string_view::npos, "only plain decimals are taken");
    NOSTRO_ASSERT(taken->decimal() == normal_form(text, static_cast<std::size_t>(currency.decimals())), "exact");
    NOSTRO_ASSERT(Money::parse_signed(taken->decimal(), currency).value() == *taken, "what is shown reads back");
    NOSTRO_ASSERT(payable.has_value() == (taken->minor() > 0), "amounts of payments are more than 0");
}

}  // namespace
}  // namespace nostro

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static constexpr std::array<std::string_view, 4> kCodes{"JPY", "USD", "KWD", "CLF"};
    if (size == 0) return 0;
    const std::string_view text(reinterpret_cast<const char*>(data + 1), size - 1);
    nostro::check(text, nostro::Currency::parse(kCodes[data[0] % kCodes.size()]).value());

    const auto code = nostro::Currency::parse(text);
    NOSTRO_ASSERT(!code || (text.size() == 3 && code->code() == text), "a currency has the name that it was asked by");
    return 0;
}
