// Counters, gauges and histograms, and their Prometheus text.
//
// A subsystem registers what it has once, at start, and keeps the references; nothing is looked up by name later.
// Threads: recording from any, without locks; registering and printing from any. Metrics live as long as the registry.
#pragma once
#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace nostro {

class Counter {
public:
    void add(std::uint64_t n = 1) { value_.fetch_add(n, std::memory_order_relaxed); }
    std::uint64_t value() const { return value_.load(std::memory_order_relaxed); }

private:
    std::atomic<std::uint64_t> value_{0};
};

// Never an amount of money: it is a double, as Prometheus has it.
class Gauge {
public:
    void set(double value) { value_.store(value, std::memory_order_relaxed); }
    template <class Integer>
    void set(Integer value) {
        set(static_cast<double>(value));
    }
    void add(double by) { value_.fetch_add(by, std::memory_order_relaxed); }
    double value() const { return value_.load(std::memory_order_relaxed); }

private:
    std::atomic<double> value_{0};
};

// What a histogram counts: recorded as whole nanoseconds (shown in seconds), or as whole things (frames, bytes).
enum class Unit : std::uint8_t { nanoseconds, things };

namespace metrics_detail {
inline constexpr std::size_t kBucketsMax = 104;
}

// How often which size was met: about ten buckets a decade, from 100 ns to 100 s or from 1 to 10^10. A quantile is
// off by at most half a bucket, that is about a tenth of itself.
class Histogram {
public:
    struct Snapshot {
        Unit unit = Unit::nanoseconds;
        std::array<std::uint64_t, metrics_detail::kBucketsMax> buckets{};
        std::uint64_t count = 0, sum = 0, max = 0;

        // 0.5, 0.99...; 1 is the maximum. 0 when nothing was recorded.
        std::uint64_t quantile(double q) const;
        // What came since an earlier snapshot of the same histogram (its `max` is of all time).
        Snapshot since(const Snapshot& earlier) const;
    };

    explicit Histogram(Unit unit) : unit_(unit) {}

    void record(std::uint64_t value);
    void record(std::chrono::nanoseconds time) {
        record(time.count() > 0 ? static_cast<std::uint64_t>(time.count()) : std::uint64_t{0});
    }
    Snapshot snapshot() const;

private:
    const Unit unit_;
    std::array<std::atomic<std::uint64_t>, metrics_detail::kBucketsMax> buckets_{};
    std::atomic<std::uint64_t> sum_{0}, max_{0};
};

// A histogram whose bounds are a contract with whoever reads it. Values are whole numbers of a smallest unit
// (nanoseconds, minor units of money), shown divided by 10^decimals.
class BoundedHistogram {
public:
    // `bounds` rise; a value equal to one is in its bucket.
    BoundedHistogram(std::span<const std::uint64_t> bounds, unsigned decimals);

    void record(std::uint64_t value);
    std::span<const std::uint64_t> bounds() const { return bounds_; }
    unsigned decimals() const { return decimals_; }
    std::uint64_t in_bucket(std::size_t bucket) const { return counts_[bucket].load(std::memory_order_relaxed); }
    std::uint64_t sum() const { return sum_.load(std::memory_order_relaxed); }

private:
    const std::vector<std::uint64_t> bounds_;
    const unsigned decimals_;
    std::unique_ptr<std::atomic<std::uint64_t>[]> counts_;  // one more than bounds
    std::atomic<std::uint64_t> sum_{0};
};

// Label names and values, from closed sets: never an id, a name or an amount.
using MetricLabels = std::vector<std::pair<std::string, std::string>>;

// All metrics of a program. Registering the same name and labels twice, or against Prometheus' rules of naming
// (counters end in _total, histograms of time in _seconds), is a bug and stops the process.
class MetricsRegistry {
public:
    MetricsRegistry() = default;
    MetricsRegistry(const MetricsRegistry&) = delete;
    MetricsRegistry& operator=(const MetricsRegistry&) = delete;

    Counter& counter(std::string_view name, std::string_view help, const MetricLabels& labels = {});
    Gauge& gauge(std::string_view name, std::string_view help, const MetricLabels& labels = {});
    Histogram& histogram(std::string_view name, std::string_view help, Unit unit, const MetricLabels& labels = {});
    BoundedHistogram& bounded_histogram(std::string_view name, std::string_view help,
                                        std::span<const std::uint64_t> bounds, unsigned decimals,
                                        const MetricLabels& labels = {});

    static constexpr std::string_view kContentType = "text/plain; version=0.0.4; charset=utf-8";
    // Text format 0.0.4, families in the order of their registration.
    std::string prometheus_text() const;

private:
    enum class Type : std::uint8_t { counter, gauge, histogram, bounded_histogram };

    struct Series {
        std::string labels;  // name="value",name="value"
        void* metric;        // of the family's type
    };
    struct Family {
        std::string name, help;
        Type type;
        std::vector<Series> series;
    };

    void add_series(Type type, std::string_view name, std::string_view help, const MetricLabels& labels, void* metric);
    static void append_series(std::string& to, const Family& family, const Series& series);

    mutable std::mutex mutex_;
    std::vector<Family> families_;
    std::deque<Counter> counters_;  // deques: a reference stays good when more are added
    std::deque<Gauge> gauges_;
    std::deque<Histogram> histograms_;
    std::deque<BoundedHistogram> bounded_histograms_;
};

}  // namespace nostro
