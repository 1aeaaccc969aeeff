#include <spdlog/async_logger.h>
#include <spdlog/details/thread_pool.h>
#include <spdlog/sinks/base_sink.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <map>
#include <memory>
#include <mutex>

#include "nostro/base/json_text.hpp"
#include "nostro/base/log_allowance.hpp"
#include "nostro/base/time.hpp"

namespace nostro {
namespace {

constexpr std::size_t kQueueLines = 8192;
constexpr std::size_t kEventsMax = 1024;  // further names share one allowance
constexpr std::chrono::seconds kFlushMax{1};

// Writes whole lines to standard error and tells when it has flushed.
class StderrSink final : public spdlog::sinks::base_sink<std::mutex> {
public:
    // Number of flushes so far.
    std::uint64_t flushes() {
        const std::lock_guard lock(flush_mutex_);
        return flushes_;
    }
    void wait_for_flush_after(std::uint64_t earlier) {
        std::unique_lock lock(flush_mutex_);
        flushed_.wait_for(lock, kFlushMax, [&] { return flushes_ > earlier; });
    }

protected:
    void sink_it_(const spdlog::details::log_msg& message) override {
        std::string_view left(message.payload.data(), message.payload.size());
        while (!left.empty()) {
            const ssize_t written = ::write(STDERR_FILENO, left.data(), left.size());
            if (written < 0 && errno == EINTR) continue;
            if (written <= 0) return;  // nobody is left to tell
            left.remove_prefix(static_cast<std::size_t>(written));
        }
    }
    void flush_() override {
        {
            const std::lock_guard lock(flush_mutex_);
            ++flushes_;
        }
        flushed_.notify_all();
    }

private:
    std::mutex flush_mutex_;
    std::condition_variable flushed_;
    std::uint64_t flushes_ = 0;
};

// The thread that writes, started with the first line.
class Output {
public:
    void write(const std::string& line) { logger_->log(spdlog::level::info, spdlog::string_view_t(line)); }
    void flush() {
        const std::uint64_t before = sink_->flushes();
        logger_->flush();
        sink_->wait_for_flush_after(before);
    }

private:
    std::shared_ptr<StderrSink> sink_ = std::make_shared<StderrSink>();
    // One thread, so lines keep their order.
    std::shared_ptr<spdlog::details::thread_pool> pool_ =
        std::make_shared<spdlog::details::thread_pool>(kQueueLines, 1);
    std::shared_ptr<spdlog::async_logger> logger_ =
        std::make_shared<spdlog::async_logger>("nostro", sink_, pool_, spdlog::async_overflow_policy::overrun_oldest);
};

// Never destroyed, since other threads may log while the program exits; what waits then is written by flush_log, which
// gives up on a stuck standard error, as joining the thread would not.
Output& output() {
    static auto* const instance = [] {
        auto* made = new Output;
        std::atexit(flush_log);
        return made;
    }();
    return *instance;
}

// How many lines of each event passed in its running second.
class Allowance {
public:
    // Whether the line may pass; if so, how many before it did not.
    bool take(std::string_view event, unsigned per_second, std::uint64_t& suppressed) {
        const SteadyTime now = steady_now();
        const std::lock_guard lock(mutex_);
        auto found = events_.find(event);
        if (found == events_.end()) {
            found = events_.try_emplace(events_.size() < kEventsMax ? std::string(event) : std::string()).first;
        }
        Event& state = found->second;
        if (now - state.second_start >= std::chrono::seconds{1}) {
            state.second_start = now;
            state.passed = 0;
        }
        if (state.passed >= per_second) {
            ++state.suppressed;
            return false;
        }
        ++state.passed;
        suppressed = std::exchange(state.suppressed, 0);
        return true;
    }
    void reset() {
        const std::lock_guard lock(mutex_);
        events_.clear();
    }

private:
    struct Event {
        SteadyTime second_start{};
        unsigned passed = 0;
        std::uint64_t suppressed = 0;
    };

    std::mutex mutex_;
    std::map<std::string, Event, std::less<>> events_;
};

struct Settings {
    std::atomic<LogLevel> level{LogLevel::info};
    std::atomic<LogFormat> format{LogFormat::key_value};
    std::atomic<unsigned> per_second{10};
    Allowance allowance;

    std::atomic<bool> has_sink{false};
    std::mutex sink_mutex;
    std::function<void(std::string_view)> sink;
};

// Never destroyed: threads that still log while the program exits find it.
Settings& settings() {
    static auto* instance = new Settings;
    return *instance;
}

template <class Number>
void append_number(std::string& to, Number number) {
    char digits[32];
    to.append(digits, std::to_chars(digits, digits + sizeof digits, number).ptr);
}

void append_plain(std::string& line, bool flag) { line += flag ? "true" : "false"; }
void append_plain(std::string& line, std::int64_t number) { append_number(line, number); }
void append_plain(std::string& line, std::uint64_t number) { append_number(line, number); }
void append_plain(std::string& line, double number) { append_number(line, number); }
void append_plain(std::string& line, std::string_view text) {
    const auto simple = [](char c) { return c > ' ' && c < 0x7F && c != '"' && c != '=' && c != '\\'; };
    if (!text.empty() && std::all_of(text.begin(), text.end(), simple)) {
        line += text;
    } else {
        append_json_string(line, text);  // its escapes keep one event on one line
    }
}

std::string key_value_line(LogLevel level, std::string_view event, LogFields fields, std::uint64_t suppressed) {
    std::string line = to_rfc3339(system_now());
    line += ' ';
    line += name(level);
    line += ' ';
    line += event;
    const auto append = [&](std::string_view key, const LogValue& value) {
        line += ' ';
        line += key;
        line += '=';
        value.visit([&](const auto& v) { append_plain(line, v); });
    };
    for (const LogField& field : fields) append(field.key, field.value);
    if (suppressed != 0) append("suppressed", suppressed);
    return line;
}

std::string json_line(LogLevel level, std::string_view event, LogFields fields, std::uint64_t suppressed) {
    std::string line;
    JsonWriter json(line);
    json.begin_object().field("at", to_rfc3339(system_now())).field("level", name(level)).field("event", event);
    for (const LogField& field : fields) {
        json.key(field.key);
        field.value.visit([&](const auto& v) { json.value(v); });
    }
    if (suppressed != 0) json.field("suppressed", suppressed);
    json.end_object();
    return line;
}

}  // namespace

std::string_view name(LogLevel level) {
    switch (level) {
        case LogLevel::debug: return "debug";
        case LogLevel::info: return "info";
        case LogLevel::warn: return "warn";
        case LogLevel::error: return "error";
    }
    return "error";
}

std::optional<LogLevel> log_level_from(std::string_view text) {
    for (const LogLevel level : {LogLevel::debug, LogLevel::info, LogLevel::warn, LogLevel::error}) {
        if (name(level) == text) return level;
    }
    return std::nullopt;
}

void configure_log(const LogOptions& options) {
    settings().level = options.level;
    settings().format = options.format;
    settings().per_second = options.per_second;
    settings().allowance.reset();
}

void set_log_sink(std::function<void(std::string_view)> sink) {
    Settings& all = settings();
    const std::lock_guard lock(all.sink_mutex);
    all.sink = std::move(sink);
    all.has_sink = static_cast<bool>(all.sink);
}

void flush_log() { output().flush(); }

void log_event(LogLevel level, std::string_view event, LogFields fields) {
    log_event_up_to(settings().per_second.load(std::memory_order_relaxed), level, event, fields);
}

void log_event_up_to(unsigned per_second, LogLevel level, std::string_view event, LogFields fields) {
    Settings& all = settings();
    if (level < all.level.load(std::memory_order_relaxed)) return;
    std::uint64_t suppressed = 0;
    if (!all.allowance.take(event, per_second, suppressed)) return;

    const bool json = all.format.load(std::memory_order_relaxed) == LogFormat::json;
    std::string line =
        json ? json_line(level, event, fields, suppressed) : key_value_line(level, event, fields, suppressed);
    if (all.has_sink.load(std::memory_order_acquire)) {
        const std::lock_guard lock(all.sink_mutex);
        if (all.sink) return all.sink(line);
    }
    line += '\n';
    output().write(line);
}

}  // namespace nostro
