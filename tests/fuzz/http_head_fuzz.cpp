// Any bytes as the head of a request and as a chunked body. Beyond not crashing: reading in pieces gives the same as
// reading at once, and what is taken can be told in one way only.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "nostro/http/chunked.hpp"
#include "nostro/http/head.hpp"
#include "nostro/http/target.hpp"

namespace {

using namespace nostro;

void require(bool condition) {
    if (!condition) std::abort();
}

struct Decoded {
    std::string body;
    std::size_t taken = 0;
    bool done = false, refused = false;
};

Decoded decode(std::string_view bytes, std::size_t piece) {
    ChunkedDecoder decoder(4096);
    Decoded decoded;
    std::size_t given = 0;
    while (!decoded.done && !decoded.refused) {
        if (decoded.taken == given) {
            if (given == bytes.size()) break;
            given = given + piece < bytes.size() ? given + piece : bytes.size();
        }
        const auto step = decoder.step(bytes.substr(decoded.taken, given - decoded.taken));
        if (!step) {
            decoded.refused = true;
            break;
        }
        require(step->taken != 0 || step->done);
        decoded.body += step->data;
        decoded.taken += step->taken;
        decoded.done = step->done;
    }
    return decoded;
}

void check_taken(const RequestHead& head, std::string_view bytes) {
    require(!(head.chunked && head.content_length));
    require(!host_name(head.host).empty());
    for (const HeaderField& field : head.headers()) {
        require(!field.name.empty() && field.value.find_first_of("\r\n") == std::string_view::npos);
        require(field.value.data() >= bytes.data() &&
                field.value.data() + field.value.size() <= bytes.data() + bytes.size());
    }
    if (!head.method || head.path == "*") return;
    require(head.path.starts_with('/') && path_fault(head.path).empty() && query_fault(head.query).empty());
    std::string decoded;
    append_decoded(decoded, head.path, false);
    require(decoded.find('\0') == std::string::npos && decoded.find("/../") == std::string::npos);
    std::string_view rest = head.query;
    QueryItem item;
    while (next_query_item(rest, item)) append_decoded(decoded, item.value, true);
}

void fuzz_head(std::string_view bytes) {
    const HeadLimits limits{.head_bytes_max = 2048, .target_bytes_max = 512, .fields_max = 16};
    HeadEnd at_once;
    const auto whole = at_once.find(bytes, limits);
    HeadEnd in_pieces;
    for (std::size_t size = 0; size <= bytes.size(); ++size) {
        const auto found = in_pieces.find(bytes.substr(0, size), limits);
        if (found && !*found) continue;
        // Pieces may refuse no other way than the whole, and end no other head.
        require(found.has_value() == whole.has_value());
        if (found) require(*found == *whole);
        break;
    }
    if (!whole || !*whole) return;
    RequestHead head;
    const std::string_view text = bytes.substr(0, **whole);
    if (parse_head(text, limits, head)) check_taken(head, text);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view bytes(reinterpret_cast<const char*>(data), size);
    fuzz_head(bytes);
    const Decoded once = decode(bytes, size + 1);
    const Decoded pieces = decode(bytes, 1);
    require(once.done == pieces.done && once.refused == pieces.refused);
    if (once.done) require(once.body == pieces.body && once.taken == pieces.taken);
    return 0;
}
