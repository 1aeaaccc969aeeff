// Strict readers of text, and the writers that go with them. Exact or refused: nothing is guessed, no
// locale takes part, and an error says what was seen. The caller adds where ("port: ...").
#pragma once
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "nostro/base/result.hpp"

namespace nostro {

// Whole decimal numbers: no sign but '-' for parse_int64, no leading zeros, no spaces, no separators.
Result<std::int64_t> parse_int64(std::string_view text);
Result<std::uint64_t> parse_uint64(std::string_view text);
Result<std::uint32_t> parse_uint32(std::string_view text);

// Refuses overlong forms, surrogates and code points above U+10FFFF.
bool is_valid_utf8(std::string_view text);
// Bytes of the valid character at the begin of `text`; 0 when there is none.
std::size_t utf8_sequence_length(std::string_view text);
// Code points of valid UTF-8.
std::size_t utf8_length(std::string_view text);

// ASCII letters only; other bytes must be equal.
bool equal_ignoring_case(std::string_view a, std::string_view b);
std::string to_lower(std::string_view text);
std::string to_upper(std::string_view text);

// Without spaces, tabs and line ends at both ends.
std::string_view trim(std::string_view text);

// Every part, empty ones too; "" is one empty part. Views into `text`.
std::vector<std::string_view> split(std::string_view text, char separator);
// Before and after the first separator; `second` is empty when there is none.
std::pair<std::string_view, std::string_view> split_once(std::string_view text, char separator);

// What a person typed, ready to stand in an error: in quotes, cut after 40 characters, control characters as \xNN.
std::string quoted(std::string_view text);
// Where <iomanip> is about, std::quoted would be the nearer match for these and answer with a stream manipulator.
inline std::string quoted(const std::string& text) { return quoted(std::string_view(text)); }
inline std::string quoted(std::string& text) { return quoted(std::string_view(text)); }
inline std::string quoted(const char* text) { return quoted(std::string_view(text)); }

// Sizes: "512", "512B", "64KiB", "16MiB", "2GiB", "1TiB" (powers of 1024); "64kB", "16MB", "2GB", "1TB" (powers of
// 1000).
Result<std::uint64_t> parse_bytes(std::string_view text);
// The shortest form that parse_bytes reads back to the same number: "64KiB", "1500B".
std::string format_bytes(std::uint64_t bytes);

// Spans of time: "250ms", "30s", "5m", "24h", "7d", and in falling units "1h30m". Units ns us ms s m h d. Not negative.
Result<std::chrono::nanoseconds> parse_duration(std::string_view text);
// The form that parse_duration reads back to the same span: "7d", "1h30m", "0s".
std::string format_duration(std::chrono::nanoseconds duration);

// For people, rounded: not read back.
std::string human_count(std::uint64_t count);                              // "1,234,567"
std::string human_bytes(std::uint64_t bytes);                              // "1.4 GiB"
std::string human_duration(std::chrono::nanoseconds duration);             // "850 us", "1.25 s", "3m 12s"
std::string human_rate(std::uint64_t count, std::chrono::nanoseconds in);  // "12,345/s"

}  // namespace nostro
