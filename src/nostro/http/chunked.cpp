#include "nostro/http/chunked.hpp"

#include <algorithm>

namespace nostro {
namespace {

std::unexpected<Refusal> bad_chunk(std::string_view detail) {
    return std::unexpected(Refusal{400, "bad_framing", detail});
}

int hex_value(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

// ;name or ;name=value, any number of them. Quoted values are refused: they may hold what looks like framing.
bool are_extensions(std::string_view text) {
    while (!text.empty()) {
        if (text.front() != ';') return false;
        text.remove_prefix(1);
        const std::size_t end = std::min(text.find(';'), text.size());
        const std::string_view piece = text.substr(0, end);
        const std::size_t equals = std::min(piece.find('='), piece.size());
        const auto is_token = [](std::string_view part) {
            return !part.empty() && std::ranges::all_of(part, is_token_char);
        };
        if (!is_token(piece.substr(0, equals))) return false;
        if (equals < piece.size() && !is_token(piece.substr(equals + 1))) return false;
        text.remove_prefix(end);
    }
    return true;
}

}  // namespace

// Appends to `line_` up to CR LF; true once it is complete, then without the two.
std::expected<bool, Refusal> ChunkedDecoder::collect_line(std::string_view bytes, std::size_t& taken) {
    const std::size_t end = bytes.find('\n');
    taken = end == std::string_view::npos ? bytes.size() : end + 1;
    if (line_.size() + taken > kLineBytesMax) return bad_chunk("a line of the chunked body is too long");
    line_.append(bytes.substr(0, taken));
    if (end == std::string_view::npos) return false;
    if (!line_.ends_with("\r\n")) return bad_chunk("a line of the chunked body ends with LF alone");
    line_.resize(line_.size() - 2);
    return true;
}

std::expected<void, Refusal> ChunkedDecoder::read_size_line() {
    std::size_t digits = 0;
    std::size_t size = 0;
    while (digits < line_.size() && hex_value(line_[digits]) >= 0) {
        if (digits == 8) return bad_chunk("a chunk's size has too many digits");
        size = size * 16 + static_cast<std::size_t>(hex_value(line_[digits]));
        ++digits;
    }
    if (digits == 0) return bad_chunk("a chunk's size is not a hexadecimal number");
    if (!are_extensions(std::string_view(line_).substr(digits))) return bad_chunk("a chunk's extension is malformed");
    if (size > left_max_) {
        return std::unexpected(Refusal{413, "body_too_large", "the body is larger than this route takes"});
    }
    left_max_ -= size;
    chunk_left_ = size;
    state_ = size == 0 ? State::trailers : State::data;
    return {};
}

std::expected<void, Refusal> ChunkedDecoder::read_trailer() {
    if (line_.empty()) {
        state_ = State::done;
        return {};
    }
    trailer_bytes_ += line_.size() + 2;
    if (trailer_bytes_ > kTrailerBytesMax) return bad_chunk("the trailers are too large");
    if (auto field = parse_field(line_); !field) return std::unexpected(field.error());
    return {};
}

std::expected<ChunkedDecoder::Step, Refusal> ChunkedDecoder::step(std::string_view bytes) {
    Step step;
    if (bytes.empty() || state_ == State::done) {
        step.done = state_ == State::done;
        return step;
    }
    if (state_ == State::data) {
        step.data = bytes.substr(0, chunk_left_);
        step.taken = step.data.size();
        chunk_left_ -= step.taken;
        if (chunk_left_ == 0) state_ = State::data_end;
        return step;
    }
    auto complete = collect_line(bytes, step.taken);
    if (!complete) return std::unexpected(complete.error());
    if (state_ == State::data_end && line_.size() > 2) return bad_chunk("a chunk is longer than its size says");
    if (!*complete) return step;
    std::expected<void, Refusal> read;
    if (state_ == State::data_end) {
        if (!line_.empty()) return bad_chunk("a chunk is longer than its size says");
        state_ = State::size_line;
    } else if (state_ == State::size_line) {
        read = read_size_line();
    } else {
        read = read_trailer();
    }
    if (!read) return std::unexpected(read.error());
    line_.clear();
    step.done = state_ == State::done;
    return step;
}

}  // namespace nostro
