// Finds where an HTTP/1.1 answer ends, as nostro and others send them: with a Content-Length. Answers on one
// connection look alike, so it first looks where things stood the last time and reads a head only when that fails.
//
// Threads: one owner; one reader a connection.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "nostro/base/result.hpp"

namespace nostro::cli {

class AnswerReader {
public:
    struct Answer {
        int status = 0;
        std::size_t head_bytes = 0, body_bytes = 0;  // head 0: not all of the head is there yet
        std::size_t bytes() const { return head_bytes + body_bytes; }
    };
    // What stands at the begin of `bytes`, whether its body is whole or not. `unknown`: no HTTP/1.1, or no length.
    Result<Answer> read(std::string_view bytes);

private:
    bool looks_the_same(std::string_view bytes) const;

    std::size_t head_bytes_ = 0, length_at_ = 0;  // of the last head; its Content-Length's first digit
};

// How many payments a body calls "settled".
std::uint64_t count_settled(std::string_view body);

// The number behind "taken" in the answer to a batch; `all` where there is none, as with a server that is no nostro.
std::uint64_t taken_of(std::string_view body, std::uint64_t all);

}  // namespace nostro::cli
