#include "nostro/http/head.hpp"

#include <algorithm>
#include <cstring>

#include "nostro/base/digit.hpp"
#include "nostro/base/text.hpp"
#include "nostro/http/target.hpp"

namespace nostro {
namespace {

constexpr auto kTokenChars = [] {
    std::array<bool, 256> table{};
    for (int c = '0'; c <= '9'; ++c) table[static_cast<std::size_t>(c)] = true;
    for (int c = 'a'; c <= 'z'; ++c) table[static_cast<std::size_t>(c)] = true;
    for (int c = 'A'; c <= 'Z'; ++c) table[static_cast<std::size_t>(c)] = true;
    for (const char c : std::string_view("!#$%&'*+-.^_`|~")) table[static_cast<unsigned char>(c)] = true;
    return table;
}();

std::unexpected<Refusal> refuse(std::string_view code, std::string_view detail, std::uint16_t status = 400) {
    return std::unexpected(Refusal{status, code, detail});
}

std::unexpected<Refusal> bad_line(std::string_view detail) { return refuse("bad_request_line", detail); }
std::unexpected<Refusal> bad_header(std::string_view detail) { return refuse("bad_header", detail); }
std::unexpected<Refusal> bad_framing(std::string_view detail) { return refuse("bad_framing", detail); }

bool is_token(std::string_view text) { return !text.empty() && std::ranges::all_of(text, is_token_char); }

bool is_hex(char c) { return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }

bool is_host_char(char c) {
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.' || c == '-' || c == '_';
}

std::string_view without_blanks(std::string_view text) {
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
    return text;
}

std::optional<Method> method_of(std::string_view text) {
    for (const Method method :
         {Method::get, Method::post, Method::head, Method::put, Method::patch, Method::del, Method::options}) {
        if (name(method) == text) return method;
    }
    return std::nullopt;
}

std::expected<void, Refusal> check_version(std::string_view version) {
    if (version == "HTTP/1.1") return {};
    const bool well_formed = version.size() == 8 && version.starts_with("HTTP/") && is_digit(version[5]) &&
                             version[6] == '.' && is_digit(version[7]);
    if (well_formed) {
        return refuse("http_version_not_supported", "only HTTP/1.1 is spoken here", 505);
    }
    return bad_line("the request line must end with HTTP/1.1");
}

// http://host[:port]/path: the same as a path with a Host field, which must name the same host.
std::expected<std::string_view, Refusal> strip_authority(std::string_view target, std::string_view& authority) {
    constexpr std::string_view kScheme = "http://";
    if (target.size() < kScheme.size() || !equal_ignoring_case(target.substr(0, kScheme.size()), kScheme)) {
        return bad_line("the target must be a path, or a URL that begins with http://");
    }
    target.remove_prefix(kScheme.size());
    const std::size_t end = std::min(target.find_first_of("/?"), target.size());
    authority = target.substr(0, end);
    if (host_name(authority).empty()) return bad_line("the target names no well-formed host");
    target.remove_prefix(end);
    return target;
}

std::expected<void, Refusal> parse_target(std::string_view target, RequestHead& into, std::string_view& authority) {
    if (target == "*") {
        if (into.method != Method::options) return bad_line("the target * belongs to OPTIONS only");
        into.path = target;
        return {};
    }
    if (!target.starts_with('/')) {
        auto rest = strip_authority(target, authority);
        if (!rest) return std::unexpected(rest.error());
        target = *rest;
    }
    const std::size_t mark = target.find('?');
    into.path = target.substr(0, mark);
    if (into.path.empty()) into.path = "/";
    into.query = mark == std::string_view::npos ? std::string_view{} : target.substr(mark + 1);
    if (const auto wrong = path_fault(into.path); !wrong.empty()) return refuse("bad_target", wrong);
    if (const auto wrong = query_fault(into.query); !wrong.empty()) return refuse("bad_target", wrong);
    return {};
}

std::expected<void, Refusal> parse_request_line(std::string_view line, const HeadLimits& limits, RequestHead& into,
                                                std::string_view& authority) {
    const std::size_t first = line.find(' ');
    if (first == std::string_view::npos) return bad_line("the request line must be METHOD TARGET HTTP/1.1");
    into.method_text = line.substr(0, first);
    if (into.method_text.size() > 32 || !is_token(into.method_text)) return bad_line("the method is not a token");
    const std::size_t second = line.find(' ', first + 1);
    if (second == std::string_view::npos) return bad_line("the request line names no HTTP version");
    const std::string_view target = line.substr(first + 1, second - first - 1);
    if (auto good = check_version(line.substr(second + 1)); !good) return good;
    if (target.empty()) return bad_line("the target is empty, or there are two spaces before it");
    if (target.size() > limits.target_bytes_max) return refuse("target_too_long", "the target is too long", 414);
    into.method = method_of(into.method_text);
    if (!into.method) {
        into.path = "/";  // of CONNECT the target has another form; it is answered by the method alone
        return {};
    }
    return parse_target(target, into, authority);
}

// Digits alone, and no leading zero, which some programs read as octal.
std::expected<std::uint64_t, Refusal> parse_length(std::string_view text) {
    if (text.empty() || text.size() > 18 || !std::ranges::all_of(text, is_digit) ||
        (text.size() > 1 && text[0] == '0')) {
        return bad_framing("Content-Length must be a plain decimal number");
    }
    std::uint64_t value = 0;
    for (const char c : text) value = value * 10 + static_cast<std::uint64_t>(c - '0');
    return value;
}

// What the fields say, as far as framing and routing need it.
class FieldReader {
public:
    explicit FieldReader(RequestHead& head) : head_(head) {}

    std::expected<void, Refusal> take(const HeaderField& field) {
        // Lengths differ among these names but for two, so most fields cost one comparison.
        switch (field.name.size()) {
            case 4:
                if (is(field, "host")) return once(host_seen_, field, head_.host, "Host must be sent once");
                break;
            case 6:
                if (is(field, "origin")) return once(origin_seen_, field, head_.origin, "Origin may be sent once");
                if (is(field, "expect")) return expect(field.value);
                break;
            case 10:
                if (is(field, "connection")) return connection(field.value);
                break;
            case 12:
                if (is(field, "content-type")) {
                    return once(type_seen_, field, head_.content_type, "Content-Type may be sent once");
                }
                break;
            case 14:
                if (is(field, "content-length")) return length(field.value);
                break;
            case 17:
                if (is(field, "transfer-encoding")) return coding(field.value);
                break;
            default: break;
        }
        return {};
    }

    std::expected<void, Refusal> finish(std::string_view authority) const {
        if (!host_seen_) return refuse("bad_host", "a Host header is required");
        if (host_name(head_.host).empty()) return refuse("bad_host", "Host is not a host name with an optional port");
        if (!authority.empty() && !equal_ignoring_case(authority, head_.host)) {
            return refuse("bad_host", "the target and Host name different hosts");
        }
        if (head_.chunked && head_.content_length) {
            return bad_framing("Content-Length and Transfer-Encoding exclude each other");
        }
        return {};
    }

private:
    static bool is(const HeaderField& field, std::string_view lower) { return equal_ignoring_case(field.name, lower); }

    static std::expected<void, Refusal> once(bool& seen, const HeaderField& field, std::string_view& into,
                                             std::string_view message) {
        if (seen) return bad_header(message);
        seen = true;
        into = field.value;
        return {};
    }

    std::expected<void, Refusal> length(std::string_view value) {
        if (head_.content_length) return bad_framing("Content-Length may be sent once");
        auto parsed = parse_length(value);
        if (!parsed) return std::unexpected(parsed.error());
        head_.content_length = *parsed;
        return {};
    }

    std::expected<void, Refusal> coding(std::string_view value) {
        if (head_.chunked) return bad_framing("Transfer-Encoding may be sent once");
        if (!equal_ignoring_case(value, "chunked")) {
            return refuse("transfer_encoding_not_supported", "the only Transfer-Encoding taken is chunked", 501);
        }
        head_.chunked = true;
        return {};
    }

    std::expected<void, Refusal> connection(std::string_view value) {
        while (!value.empty()) {
            const std::size_t comma = std::min(value.find(','), value.size());
            if (equal_ignoring_case(without_blanks(value.substr(0, comma)), "close")) head_.close = true;
            value.remove_prefix(std::min(comma + 1, value.size()));
        }
        return {};
    }

    std::expected<void, Refusal> expect(std::string_view value) {
        if (equal_ignoring_case(value, "100-continue")) {
            head_.expects_continue = true;
        } else {
            head_.expects_other = true;
        }
        return {};
    }

    RequestHead& head_;
    bool host_seen_ = false, origin_seen_ = false, type_seen_ = false;
};

void reset(RequestHead& head) {
    head.query = head.host = head.content_type = head.origin = {};
    head.field_count = 0;
    head.content_length.reset();
    head.chunked = head.close = head.expects_continue = head.expects_other = false;
}

// The next line without its CRLF, which HeadEnd has found to be there.
std::string_view next_line(std::string_view& bytes) {
    const std::size_t end = bytes.find("\r\n");
    const std::string_view line = bytes.substr(0, end);
    bytes.remove_prefix(std::min(bytes.size(), line.size() + 2));
    return line;
}

}  // namespace

bool is_token_char(char c) { return kTokenChars[static_cast<unsigned char>(c)]; }

std::string_view host_name(std::string_view host) {
    std::string_view whole;
    std::string_view port;
    if (host.starts_with('[')) {
        const std::size_t end = host.find(']');
        if (end == std::string_view::npos || end < 3) return {};
        const std::string_view address = host.substr(1, end - 1);
        if (!std::ranges::all_of(address, [](char c) { return is_hex(c) || c == ':' || c == '.'; })) return {};
        whole = host.substr(0, end + 1);
        port = host.substr(end + 1);
    } else {
        whole = host.substr(0, host.find(':'));
        if (whole.empty() || whole.size() > 255 || !std::ranges::all_of(whole, is_host_char)) return {};
        port = host.substr(whole.size());
    }
    if (port.empty()) return whole;
    if (port.size() < 2 || port.size() > 6 || port[0] != ':' || !std::ranges::all_of(port.substr(1), is_digit)) {
        return {};
    }
    return whole;
}

std::expected<std::optional<std::size_t>, Refusal> HeadEnd::find(std::string_view bytes, const HeadLimits& limits) {
    if (!bytes.empty() && !is_token_char(bytes[0])) return bad_line("this is no HTTP/1.1 request");
    while (scanned_ < bytes.size()) {
        const void* found = std::memchr(bytes.data() + scanned_, '\n', bytes.size() - scanned_);
        if (found == nullptr) {
            scanned_ = bytes.size();
            break;
        }
        const std::size_t at = static_cast<std::size_t>(static_cast<const char*>(found) - bytes.data());
        if (at == 0 || bytes[at - 1] != '\r') return bad_framing("a line ends with LF alone; it must be CR LF");
        if (at > limits.head_bytes_max) break;
        const bool empty_line = at - 1 == line_;
        scanned_ = line_ = at + 1;
        if (empty_line) return at + 1;
    }
    if (bytes.size() <= limits.head_bytes_max) return std::nullopt;
    if (line_ == 0) return refuse("target_too_long", "the request line is too long", 414);
    return refuse("head_too_large", "the header fields are too large", 431);
}

std::expected<HeaderField, Refusal> parse_field(std::string_view line) {
    if (line.starts_with(' ') || line.starts_with('\t')) return bad_header("a header line must not be folded");
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) return bad_header("a header line has no colon");
    const std::string_view field_name = line.substr(0, colon);
    if (!is_token(field_name)) return bad_header("a header name is not a token, or a space stands before its colon");
    const std::string_view value = without_blanks(line.substr(colon + 1));
    for (const char c : value) {
        const auto byte = static_cast<unsigned char>(c);
        if ((byte < 0x20 && c != '\t') || byte == 0x7f) return bad_header("a header value holds a control character");
    }
    return HeaderField{field_name, value};
}

std::expected<void, Refusal> parse_head(std::string_view bytes, const HeadLimits& limits, RequestHead& into) {
    reset(into);
    std::string_view authority;
    if (auto good = parse_request_line(next_line(bytes), limits, into, authority); !good) return good;
    FieldReader reader(into);
    const std::size_t fields_max = std::min(limits.fields_max, kHeadFieldsMax);
    for (std::string_view line = next_line(bytes); !line.empty(); line = next_line(bytes)) {
        auto field = parse_field(line);
        if (!field) return std::unexpected(field.error());
        if (into.field_count == fields_max) return refuse("head_too_large", "there are too many header fields", 431);
        into.fields[into.field_count++] = *field;
        if (auto good = reader.take(*field); !good) return good;
    }
    return reader.finish(authority);
}

}  // namespace nostro
