// Failure as a value. A refusal by the rules is no failure: it is an Outcome.
#pragma once
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <utility>

namespace nostro {

// One code for each thing that a caller does differently.
enum class ErrorCode : std::uint8_t {
    invalid,   // mend the input
    conflict,  // same id, other content
    not_found,
    unavailable,  // try again later; nothing happened
    unknown,      // it may have happened: ask again with the same id
    fenced,       // another writer took over: stop
    corrupt,      // stored bytes are damaged: stop
};

constexpr std::string_view name(ErrorCode code) {
    switch (code) {
        case ErrorCode::invalid: return "invalid";
        case ErrorCode::conflict: return "conflict";
        case ErrorCode::not_found: return "not_found";
        case ErrorCode::unavailable: return "unavailable";
        case ErrorCode::unknown: return "unknown";
        case ErrorCode::fenced: return "fenced";
        case ErrorCode::corrupt: return "corrupt";
    }
    return "unknown";
}

struct Error {
    ErrorCode code;
    std::string what;  // what is wrong, where, and what to do; shown to people as it is
};

// std::expected, but dropping one is a compile error (libstdc++ 12 does not mark its class).
template <class T = void>
class [[nodiscard]] Result : public std::expected<T, Error> {
public:
    using std::expected<T, Error>::expected;
    Result(Error error) : std::expected<T, Error>(std::unexpected(std::move(error))) {}
};

}  // namespace nostro
