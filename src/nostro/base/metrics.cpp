#include "nostro/base/metrics.hpp"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>
#include <functional>
#include <span>

#include "nostro/base/assert.hpp"

namespace nostro {
namespace {

// Upper bounds of the buckets: the same steps in every decade. Those at 1, 2.5 and 5 are shown to Prometheus, the
// others only make quantiles finer: thirty series a histogram are enough.
constexpr std::array<std::uint64_t, 10> kSteps{10, 12, 15, 20, 25, 30, 40, 50, 60, 80};  // tenths

struct Bounds {
    std::array<std::uint64_t, metrics_detail::kBucketsMax> upper{};
    std::array<bool, metrics_detail::kBucketsMax> shown{};
    std::array<std::uint8_t, 65> first{};  // by bit width of a value: the first bucket that may hold it
    std::size_t count = 0;                 // bounded buckets; one more takes the rest
};

constexpr Bounds make_bounds(std::uint64_t lowest, std::size_t decades) {
    Bounds bounds;
    for (std::size_t decade = 0; decade < decades; ++decade, lowest *= 10) {
        for (const std::uint64_t step : kSteps) {
            if (lowest * step % 10 != 0) continue;  // 1.2 things
            bounds.upper[bounds.count] = lowest * step / 10;
            bounds.shown[bounds.count++] = step == 10 || step == 25 || step == 50;
        }
    }
    bounds.upper[bounds.count] = lowest;
    bounds.shown[bounds.count++] = true;
    for (std::size_t width = 0; width <= 64; ++width) {
        const std::uint64_t smallest = width == 0 ? 0 : std::uint64_t{1} << (width - 1);
        std::size_t bucket = 0;
        while (bucket < bounds.count && bounds.upper[bucket] < smallest) ++bucket;
        bounds.first[width] = static_cast<std::uint8_t>(bucket);
    }
    return bounds;
}

constexpr Bounds kTimeBounds = make_bounds(100, 9);
constexpr Bounds kThingBounds = make_bounds(1, 10);
static_assert(kTimeBounds.count < metrics_detail::kBucketsMax && kThingBounds.count < metrics_detail::kBucketsMax);

constexpr const Bounds& bounds_of(Unit unit) { return unit == Unit::nanoseconds ? kTimeBounds : kThingBounds; }

bool is_name(std::string_view name, bool colon_allowed) {
    const auto allowed = [&](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
               (colon_allowed && c == ':');
    };
    return !name.empty() && !(name[0] >= '0' && name[0] <= '9') && std::all_of(name.begin(), name.end(), allowed);
}

void append_escaped(std::string& to, std::string_view text, bool quotes_too) {
    for (const char c : text) {
        if (c == '\n') {
            to += "\\n";
            continue;
        }
        if (c == '\\' || (quotes_too && c == '"')) to += '\\';
        to += c;
    }
}

std::string labels_text(const MetricLabels& labels) {
    std::string text;
    for (const auto& [name, value] : labels) {
        NOSTRO_ASSERT(is_name(name, false) && !name.starts_with("__") && name != "le",
                      "a metric's label has no good name");
        if (!text.empty()) text += ',';
        text += name;
        text += "=\"";
        append_escaped(text, value, true);
        text += '"';
    }
    return text;
}

template <class Number>
void append_value(std::string& to, Number value) {
    char digits[32];
    to.append(digits, std::to_chars(digits, digits + sizeof digits, value).ptr);
}

void append_double(std::string& to, double value) {
    if (std::isnan(value)) {
        to += "NaN";
    } else if (std::isinf(value)) {
        to += value > 0 ? "+Inf" : "-Inf";
    } else {
        append_value(to, value);
    }
}

// Exact, so that a bound looks like the number it is: 250000 with 9 decimals is "0.00025".
void append_scaled(std::string& to, std::uint64_t value, unsigned decimals) {
    std::uint64_t one = 1;
    for (unsigned i = 0; i < decimals; ++i) one *= 10;
    append_value(to, value / one);
    std::uint64_t part = value % one;
    if (part == 0) return;
    to += '.';
    for (std::uint64_t digit = one / 10; part != 0; part %= digit, digit /= 10) {
        to += static_cast<char>('0' + part / digit);
    }
}

void append_in_unit(std::string& to, std::uint64_t value, Unit unit) {
    append_scaled(to, value, unit == Unit::nanoseconds ? 9 : 0);
}

void append_sample(std::string& to, std::string_view name, std::string_view suffix, std::string_view labels,
                   std::string_view more_labels = {}) {
    to += name;
    to += suffix;
    if (!labels.empty() || !more_labels.empty()) {
        to += '{';
        to += labels;
        if (!labels.empty() && !more_labels.empty()) to += ',';
        to += more_labels;
        to += '}';
    }
    to += ' ';
}

void append_histogram(std::string& to, std::string_view name, std::string_view labels, const Histogram::Snapshot& now) {
    const Bounds& bounds = bounds_of(now.unit);
    std::uint64_t below = 0;
    std::string le;
    for (std::size_t i = 0; i < bounds.count; ++i) {
        below += now.buckets[i];
        if (!bounds.shown[i]) continue;
        le = "le=\"";
        append_in_unit(le, bounds.upper[i], now.unit);
        le += '"';
        append_sample(to, name, "_bucket", labels, le);
        append_value(to, below);
        to += '\n';
    }
    append_sample(to, name, "_bucket", labels, "le=\"+Inf\"");
    append_value(to, now.count);
    to += '\n';
    append_sample(to, name, "_sum", labels);
    append_in_unit(to, now.sum, now.unit);
    to += '\n';
    append_sample(to, name, "_count", labels);
    append_value(to, now.count);
    to += '\n';
}

// Bounds are written as the client library of the original systems writes them: "1.0", so that a reader of theirs
// which names a bucket finds it.
void append_histogram(std::string& to, std::string_view name, std::string_view labels,
                      const BoundedHistogram& histogram) {
    std::uint64_t below = 0;
    std::string le;
    const auto bounds = histogram.bounds();
    for (std::size_t i = 0; i <= bounds.size(); ++i) {
        below += histogram.in_bucket(i);
        le = "le=\"";
        if (i == bounds.size()) {
            le += "+Inf";
        } else {
            append_scaled(le, bounds[i], histogram.decimals());
            if (le.find('.') == std::string::npos) le += ".0";
        }
        le += '"';
        append_sample(to, name, "_bucket", labels, le);
        append_value(to, below);
        to += '\n';
    }
    append_sample(to, name, "_sum", labels);
    append_scaled(to, histogram.sum(), histogram.decimals());
    to += '\n';
    append_sample(to, name, "_count", labels);
    append_value(to, below);  // not counted apart, so that it is what the buckets say
    to += '\n';
}

}  // namespace

BoundedHistogram::BoundedHistogram(std::span<const std::uint64_t> bounds, unsigned decimals)
    : bounds_(bounds.begin(), bounds.end()),
      decimals_(decimals),
      counts_(std::make_unique<std::atomic<std::uint64_t>[]>(bounds.size() + 1)) {
    NOSTRO_ASSERT(std::ranges::adjacent_find(bounds_, std::greater_equal<>()) == bounds_.end() && decimals <= 18,
                  "a histogram's bounds do not rise");
}

void BoundedHistogram::record(std::uint64_t value) {
    const auto bucket = std::ranges::lower_bound(bounds_, value) - bounds_.begin();
    counts_[static_cast<std::size_t>(bucket)].fetch_add(1, std::memory_order_relaxed);
    sum_.fetch_add(value, std::memory_order_relaxed);
}

void Histogram::record(std::uint64_t value) {
    const Bounds& bounds = bounds_of(unit_);
    std::size_t bucket = bounds.first[static_cast<std::size_t>(std::bit_width(value))];
    while (bucket < bounds.count && bounds.upper[bucket] < value) ++bucket;
    buckets_[bucket].fetch_add(1, std::memory_order_relaxed);
    sum_.fetch_add(value, std::memory_order_relaxed);
    std::uint64_t seen = max_.load(std::memory_order_relaxed);
    while (seen < value && !max_.compare_exchange_weak(seen, value, std::memory_order_relaxed)) {
    }
}

Histogram::Snapshot Histogram::snapshot() const {
    Snapshot now;
    now.unit = unit_;
    for (std::size_t i = 0; i < buckets_.size(); ++i) {
        now.buckets[i] = buckets_[i].load(std::memory_order_relaxed);
        now.count += now.buckets[i];  // not counted apart: the sum of the buckets must be the count
    }
    now.sum = sum_.load(std::memory_order_relaxed);
    now.max = max_.load(std::memory_order_relaxed);
    return now;
}

Histogram::Snapshot Histogram::Snapshot::since(const Snapshot& earlier) const {
    Snapshot difference = *this;
    for (std::size_t i = 0; i < buckets.size(); ++i) difference.buckets[i] -= earlier.buckets[i];
    difference.count -= earlier.count;
    difference.sum -= earlier.sum;
    return difference;
}

std::uint64_t Histogram::Snapshot::quantile(double q) const {
    if (count == 0) return 0;
    if (q >= 1) return max;
    const Bounds& bounds = bounds_of(unit);
    const double wanted = std::max(q, 0.0) * static_cast<double>(count);
    std::uint64_t below = 0;
    for (std::size_t i = 0; i < bounds.count; ++i) {
        const std::uint64_t here = buckets[i];
        if (here != 0 && static_cast<double>(below + here) >= wanted) {
            const std::uint64_t lower = i == 0 ? 0 : bounds.upper[i - 1];
            const double share = std::max(wanted - static_cast<double>(below), 0.0) / static_cast<double>(here);
            const double width = static_cast<double>(bounds.upper[i] - lower);
            return std::min(lower + static_cast<std::uint64_t>(share * width), max);
        }
        below += here;
    }
    return max;
}

void MetricsRegistry::add_series(Type type, std::string_view name, std::string_view help, const MetricLabels& labels,
                                 void* metric) {
    NOSTRO_ASSERT(is_name(name, false), "a metric's name has characters that Prometheus does not take");
    NOSTRO_ASSERT((type == Type::counter) == name.ends_with("_total"), "counters, and they alone, end in _total");
    auto family = std::find_if(families_.begin(), families_.end(), [&](const Family& f) { return f.name == name; });
    if (family == families_.end()) {
        family = families_.insert(families_.end(), Family{std::string(name), std::string(help), type, {}});
    }
    NOSTRO_ASSERT(family->type == type && family->help == help, "a metric was registered before as something else");

    std::string text = labels_text(labels);
    const bool known = std::any_of(family->series.begin(), family->series.end(),
                                   [&](const Series& series) { return series.labels == text; });
    NOSTRO_ASSERT(!known, "a metric was registered twice");
    family->series.push_back({std::move(text), metric});
}

Counter& MetricsRegistry::counter(std::string_view name, std::string_view help, const MetricLabels& labels) {
    const std::lock_guard lock(mutex_);
    Counter& counter = counters_.emplace_back();
    add_series(Type::counter, name, help, labels, &counter);
    return counter;
}

Gauge& MetricsRegistry::gauge(std::string_view name, std::string_view help, const MetricLabels& labels) {
    const std::lock_guard lock(mutex_);
    Gauge& gauge = gauges_.emplace_back();
    add_series(Type::gauge, name, help, labels, &gauge);
    return gauge;
}

Histogram& MetricsRegistry::histogram(std::string_view name, std::string_view help, Unit unit,
                                      const MetricLabels& labels) {
    NOSTRO_ASSERT((unit == Unit::nanoseconds) == name.ends_with("_seconds"), "histograms of time end in _seconds");
    const std::lock_guard lock(mutex_);
    Histogram& histogram = histograms_.emplace_back(unit);
    add_series(Type::histogram, name, help, labels, &histogram);
    return histogram;
}

BoundedHistogram& MetricsRegistry::bounded_histogram(std::string_view name, std::string_view help,
                                                     std::span<const std::uint64_t> bounds, unsigned decimals,
                                                     const MetricLabels& labels) {
    const std::lock_guard lock(mutex_);
    BoundedHistogram& histogram = bounded_histograms_.emplace_back(bounds, decimals);
    add_series(Type::bounded_histogram, name, help, labels, &histogram);
    return histogram;
}

void MetricsRegistry::append_series(std::string& to, const Family& family, const Series& series) {
    switch (family.type) {
        case Type::counter:
            append_sample(to, family.name, "", series.labels);
            append_value(to, static_cast<const Counter*>(series.metric)->value());
            to += '\n';
            return;
        case Type::gauge:
            append_sample(to, family.name, "", series.labels);
            append_double(to, static_cast<const Gauge*>(series.metric)->value());
            to += '\n';
            return;
        case Type::histogram:
            append_histogram(to, family.name, series.labels, static_cast<const Histogram*>(series.metric)->snapshot());
            return;
        case Type::bounded_histogram:
            append_histogram(to, family.name, series.labels, *static_cast<const BoundedHistogram*>(series.metric));
            return;
    }
}

std::string MetricsRegistry::prometheus_text() const {
    constexpr std::array<std::string_view, 4> kTypeNames{"counter", "gauge", "histogram", "histogram"};
    std::string text;
    const std::lock_guard lock(mutex_);
    for (const Family& family : families_) {
        text += "# HELP " + family.name + ' ';
        append_escaped(text, family.help, false);
        text += "\n# TYPE " + family.name + ' ';
        text += kTypeNames[static_cast<std::size_t>(family.type)];
        text += '\n';
        for (const Series& series : family.series) append_series(text, family, series);
    }
    return text;
}

}  // namespace nostro
