// The strict readers of text from any bytes: the first picks the reader, the rest is the text.
#include <chrono>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "nostro/base/assert.hpp"
#include "nostro/base/bytes.hpp"
#include "nostro/base/hex.hpp"
#include "nostro/base/json_text.hpp"
#include "nostro/base/text.hpp"
#include "nostro/base/time.hpp"

namespace nostro {
namespace {

template <class T>
void check_error(const Result<T>& result) {
    NOSTRO_ASSERT(result || (result.error().code == ErrorCode::invalid && is_valid_utf8(result.error().what)),
                  "an error is readable");
}

void check_numbers(std::string_view text) {
    const auto wide = parse_uint64(text);
    const auto narrow = parse_uint32(text);
    const auto with_sign = parse_int64(text);
    check_error(wide);
    check_error(narrow);
    check_error(with_sign);
    NOSTRO_ASSERT(!wide || std::to_string(*wide) == text, "a number has one text");
    NOSTRO_ASSERT(!narrow || *narrow == wide.value(), "readers agree");
    NOSTRO_ASSERT(!with_sign || std::to_string(*with_sign) == text || text == "-0", "a number has one text");
}

void check_times(std::string_view text) {
    const auto at = parse_rfc3339(text);
    check_error(at);
    if (!at) return;
    NOSTRO_ASSERT(*at >= kEarliestInstant && *at <= kLatestInstant, "in its range");
    NOSTRO_ASSERT(parse_rfc3339(to_rfc3339(*at)).value() == std::chrono::floor<std::chrono::microseconds>(*at),
                  "reads back");
}

void check_sizes_and_spans(std::string_view text) {
    const auto size = parse_bytes(text);
    const auto span = parse_duration(text);
    check_error(size);
    check_error(span);
    NOSTRO_ASSERT(!size || parse_bytes(format_bytes(*size)).value() == *size, "a size reads back");
    NOSTRO_ASSERT(!span || parse_duration(format_duration(*span)).value() == *span, "a span reads back");
}

void check_strings(std::string_view text) {
    std::string json;
    append_json_string(json, text);
    NOSTRO_ASSERT(is_valid_utf8(json) && is_valid_utf8(quoted(text)), "what is written is UTF-8");
    NOSTRO_ASSERT(json.find('\n') == std::string::npos, "one line");
    const auto id = payment_id_from_hex(text);
    NOSTRO_ASSERT(!id || to_hex(*id) == text, "an id has one text");
}

void check_reader(std::string_view text) {
    ByteReader reader(std::as_bytes(std::span(text)));
    std::uint64_t seen = 0;
    while (reader.ok() && !reader.at_end()) {
        seen += reader.varint();
        for (const char c : reader.string()) seen += static_cast<unsigned char>(c);  // touches every byte of the view
        seen += reader.u16() + static_cast<std::uint64_t>(reader.zigzag());
    }
    NOSTRO_ASSERT(reader.ok() || reader.u64() == 0, "a failed reader gives zeros");
    static_cast<void>(seen);
}

}  // namespace
}  // namespace nostro

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const std::string_view text(reinterpret_cast<const char*>(data + 1), size - 1);
    switch (data[0] % 5) {
        case 0: nostro::check_numbers(text); break;
        case 1: nostro::check_times(text); break;
        case 2: nostro::check_sizes_and_spans(text); break;
        case 3: nostro::check_strings(text); break;
        default: nostro::check_reader(text); break;
    }
    return 0;
}
