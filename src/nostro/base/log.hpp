// Log lines for operators: one event a line to standard error, as key=value or JSON.
//
//     log_warn("segment_slow", {{"segment", 17}, {"write_us", 5300}});
//     2026-11-21T09:30:00.123456Z warn segment_slow segment=17 write_us=5300
//
// Never a name, a card number or an amount of somebody. Event and key names are literals in snake_case.
//
// Threads: any. A caller formats its line and hands it over; a thread of the log writes it. When standard error is
//          stuck the oldest waiting lines are dropped, callers never wait. Of one event at most `per_second` lines
//          are let through in a second; the next one that passes says how many were left out (`suppressed`).
#pragma once
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace nostro {

enum class LogLevel : std::uint8_t { debug, info, warn, error };
enum class LogFormat : std::uint8_t { key_value, json };

std::string_view name(LogLevel level);
std::optional<LogLevel> log_level_from(std::string_view name);

struct LogOptions {
    LogLevel level = LogLevel::info;  // and above
    LogFormat format = LogFormat::key_value;
    unsigned per_second = 10;  // of one event
};

// At start, before other threads log; may be called again.
void configure_log(const LogOptions& options);

// Where lines go instead of standard error, each without its line end; called by the logging thread itself, one at a
// time. For tests. An empty function gives standard error back.
void set_log_sink(std::function<void(std::string_view)> sink);

// Waits until what was logged before is written, a second at most. Before an exit that runs no destructors.
void flush_log();

// A value in a line. A text must live until the call returns, which temporaries do.
class LogValue {
public:
    LogValue(std::string_view text) : value_(text) {}
    LogValue(const std::string& text) : value_(std::string_view(text)) {}
    LogValue(const char* text) : value_(std::string_view(text)) {}
    LogValue(bool flag) : value_(flag) {}
    LogValue(std::signed_integral auto number) : value_(static_cast<std::int64_t>(number)) {}
    LogValue(std::unsigned_integral auto number) : value_(static_cast<std::uint64_t>(number)) {}
    LogValue(double number) : value_(number) {}

    template <class Visitor>
    auto visit(Visitor&& visitor) const {
        return std::visit(visitor, value_);
    }

private:
    std::variant<std::string_view, bool, std::int64_t, std::uint64_t, double> value_;
};

struct LogField {
    std::string_view key;
    LogValue value;
};
using LogFields = std::initializer_list<LogField>;

void log_event(LogLevel level, std::string_view event, LogFields fields = {});

inline void log_debug(std::string_view event, LogFields fields = {}) { log_event(LogLevel::debug, event, fields); }
inline void log_info(std::string_view event, LogFields fields = {}) { log_event(LogLevel::info, event, fields); }
inline void log_warn(std::string_view event, LogFields fields = {}) { log_event(LogLevel::warn, event, fields); }
inline void log_error(std::string_view event, LogFields fields = {}) { log_event(LogLevel::error, event, fields); }

}  // namespace nostro
