// A flat body of a profile's route from any bytes: read or refused in the framework's shape, which is JSON itself; what
// was read a strict parser takes for an object, and the last of a name is what counts.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "nostro/base/text.hpp"
#include "nostro/wire/framework_json.hpp"
#include "nostro/wire/json_fault.hpp"
#include "tests/fuzz/strict_json.hpp"

namespace {

using namespace nostro;

constexpr FrameworkField kFields[] = {
    {.name = "user_id"},
    {.name = "amount", .kind = FrameworkKind::money},
    {.name = "currency", .kind = FrameworkKind::currency, .required = false, .otherwise = "USD"},
    {.name = "start_date", .kind = FrameworkKind::date, .required = false}};

void require(bool promise) {
    if (!promise) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    // Memory of exactly its size, so that a read beyond it is seen.
    const std::string body(text);
    Request request;
    request.body = body;
    Arena arena;
    FrameworkErrors errors;
    FrameworkValue values[4];
    const bool good = read_framework_body(request, kFields, arena, values, errors);
    require(good == errors.empty());
    const std::string json = errors.json();
    require(is_valid_utf8(json) && is_strict_json(json));
    const std::string_view without_mark = text.starts_with("\xef\xbb\xbf") ? text.substr(3) : text;
    const bool is_json = !json.starts_with(R"({"detail":[{"type":"json_invalid")");
    const bool is_well_formed = !json_fault(without_mark) && is_valid_utf8(without_mark);
    require(text.empty() || is_json == is_well_formed || json.find("Nested too deep") != std::string::npos);
    // Half a surrogate pair in a member that nobody reads is JSON by its grammar.
    require(!good || is_strict_json(without_mark) || text.find("\\u") != std::string_view::npos);
    if (!good) return 0;
    require(is_valid_utf8(values[0].text) && !values[0].text.empty() && utf8_length(values[0].text) <= 140);
    require(values[1].text.find_first_not_of("0123456789.") == std::string_view::npos);
    const auto currency = Currency::parse(values[2].text);
    require(currency.has_value());
    const auto money = framework_money(kFields, 1, values[1], *currency, errors);
    require(money ? money->minor() > 0 && errors.empty() : errors.count() == 1);
    return 0;
}
