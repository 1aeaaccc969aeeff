// Instants as text (RFC 3339), and where the time comes from.
//
// Decisions take time as an argument; only the outermost loop asks a Clock.
#pragma once
#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>

#include "nostro/base/ids.hpp"
#include "nostro/base/result.hpp"

namespace nostro {

// The instants that nostro takes in and shows: 1970-01-01 up to the end of 2200.
inline constexpr Instant kEarliestInstant{};
inline constexpr Instant kLatestInstant{std::chrono::sys_days{std::chrono::year{2201} / 1 / 1} -
                                        std::chrono::nanoseconds{1}};

inline constexpr std::size_t kRfc3339Size = 27;

// "2026-11-21T09:30:00.123456Z": UTC, always microseconds (nanoseconds are cut off, not rounded).
std::string to_rfc3339(Instant at);
void append_rfc3339(std::string& to, Instant at);
// Writes exactly kRfc3339Size characters, no terminator.
void write_rfc3339(Instant at, char* to);

// Any offset, 0 to 9 decimals of a second. Refuses leap seconds (:60), impossible dates, and instants outside the
// bounds above; an error says which part is wrong.
Result<Instant> parse_rfc3339(std::string_view text);
// "2026-11-21"
Result<std::chrono::sys_days> parse_date(std::string_view text);
std::string to_date(Instant at);

// Where a loop gets the time from. Virtual because tests and the simulator turn the hands themselves.
class Clock {
public:
    virtual ~Clock() = default;
    virtual Instant now() const = 0;
};

// The computer's. Threads: any.
class SystemClock final : public Clock {
public:
    Instant now() const override;
};

// Stands still until told. Threads: one at a time.
class ManualClock final : public Clock {
public:
    explicit ManualClock(Instant start) : now_(start) {}
    Instant now() const override { return now_; }
    void set(Instant at) { now_ = at; }
    void advance(std::chrono::nanoseconds by) { now_ += by; }

private:
    Instant now_;
};

Instant system_now();

// For measuring and for deadlines: never jumps.
using SteadyTime = std::chrono::steady_clock::time_point;
inline SteadyTime steady_now() { return std::chrono::steady_clock::now(); }
inline std::chrono::nanoseconds elapsed_since(SteadyTime start) { return steady_now() - start; }

}  // namespace nostro
