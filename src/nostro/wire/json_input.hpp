// The text of a request, and the memory with which JSON is read.
#pragma once
#include <cstddef>
#include <memory>
#include <string_view>

namespace nostro {

constexpr std::size_t kJsonPadding = 64;

// `capacity`: readable bytes from the begin of `text` on, whatever they hold. With kJsonPadding more than the text has,
// it is read where it lies; with fewer it is copied first.
struct JsonInput {
    std::string_view text;
    std::size_t capacity = 0;
};

// A parser and its buffers, kept from request to request: steady state allocates nothing. One thread at a time.
class JsonReader {
public:
    JsonReader();
    ~JsonReader();
    JsonReader(JsonReader&&) noexcept;
    JsonReader& operator=(JsonReader&&) noexcept;

    struct State;
    State& state() { return *state_; }

private:
    std::unique_ptr<State> state_;
};

}  // namespace nostro
