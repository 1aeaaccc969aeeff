// Takes a chunked body apart, byte by byte if it must, as strictly as the head is read.
//
// Extensions and trailers are checked, bounded and dropped: nothing here has a meaning for them.
// Threads: one owner.
#pragma once
#include <cstddef>
#include <cstdint>
#include <expected>
#include <span>
#include <string>
#include <string_view>

#include "nostro/http/head.hpp"

namespace nostro {

class ChunkedDecoder {
public:
    static constexpr std::size_t kLineBytesMax = 512;  // size line with its extensions, or one trailer
    static constexpr std::size_t kTrailerBytesMax = 4096;

    explicit ChunkedDecoder(std::size_t body_bytes_max) : left_max_(body_bytes_max) {}

    // What the bytes at the begin of `bytes` are.
    struct Step {
        std::size_t taken = 0;  // bytes to drop
        std::string_view data;  // part of the body, within those; empty: framing only
        bool done = false;      // the body ended with the bytes taken
    };
    // Call again while it takes something and is not done.
    std::expected<Step, Refusal> step(std::string_view bytes);

private:
    enum class State : std::uint8_t { size_line, data, data_end, trailers, done };

    std::expected<bool, Refusal> collect_line(std::string_view bytes, std::size_t& taken);
    std::expected<void, Refusal> read_size_line();
    std::expected<void, Refusal> read_trailer();

    State state_ = State::size_line;
    std::size_t left_max_;
    std::size_t chunk_left_ = 0;
    std::size_t trailer_bytes_ = 0;
    std::string line_;
};

}  // namespace nostro
