// The head of an HTTP/1.1 request, read strictly: whatever two programs could read in two ways is refused, and the
// connection closed after the answer. docs/adr says why this is our own.
//
// Refused among others: bare LF or CR, obs-fold, space before a colon, control bytes, both length headers, any
// Content-Length but plain digits given once, codings but `chunked`, missing, repeated or malformed Host, targets with
// bad percent-encoding, encoded slashes or dot segments, every version but HTTP/1.1.
//
// Pure; no allocation. Views point into the bytes given. Threads: any.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <span>
#include <string_view>

#include "nostro/wire/http_message.hpp"

namespace nostro {

struct HeadLimits {
    std::size_t head_bytes_max = 16 * 1024;
    std::size_t target_bytes_max = 4 * 1024;
    std::size_t fields_max = 64;  // at most kHeadFieldsMax
};
constexpr std::size_t kHeadFieldsMax = 100;

// Why a message cannot be taken: what to answer before the connection is closed. All texts live for ever.
struct Refusal {
    std::uint16_t status = 400;
    std::string_view code;
    std::string_view detail;
};

struct RequestHead {
    std::optional<Method> method;  // nullopt: a method that no route has (501)
    std::string_view method_text;
    std::string_view path, query;  // as sent; "*" of OPTIONS
    std::string_view host;         // with port
    std::array<HeaderField, kHeadFieldsMax> fields;
    std::size_t field_count = 0;
    std::optional<std::uint64_t> content_length;
    bool chunked = false;
    bool close = false;  // Connection: close
    bool expects_continue = false;
    bool expects_other = false;  // an Expect that nobody knows: 417
    std::string_view content_type, origin;

    RequestHead() {}  // leaves `fields` as they are: two kilobytes that nobody reads
    std::span<const HeaderField> headers() const { return {fields.data(), field_count}; }
    bool has_body() const { return chunked || content_length.value_or(0) != 0; }
};

// Looks for the end of a head, so that slow bytes are not read again and again.
class HeadEnd {
public:
    // Gives the head's size once its last line is there, nullopt before. `bytes` begins with the head each time and
    // only grows. Refuses as soon as it is certain that no head can come of it.
    std::expected<std::optional<std::size_t>, Refusal> find(std::string_view bytes, const HeadLimits& limits);
    void restart() { scanned_ = line_ = 0; }

private:
    std::size_t scanned_ = 0, line_ = 0;
};

// Reads a whole head, its empty line included.
std::expected<void, Refusal> parse_head(std::string_view bytes, const HeadLimits& limits, RequestHead& into);

// One field line without its CRLF; trailers use it too.
std::expected<HeaderField, Refusal> parse_field(std::string_view line);

// The host of a Host field, without port; empty: not well-formed. Lower and upper case are kept.
std::string_view host_name(std::string_view host);

bool is_token_char(char c);

}  // namespace nostro
