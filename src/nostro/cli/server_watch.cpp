#include "nostro/cli/server_watch.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <set>

#include "nostro/base/text.hpp"

namespace nostro::cli {
namespace {

struct StageSource {
    std::string_view stage, name, labels;
};
// In the order in which a payment meets them; both routes of payments are one stage, for a load uses one of them.
constexpr std::array kStages = {
    StageSource{"request", "nostro_http_request_seconds", R"(method="POST",route="/v1/payments")"},
    StageSource{"request", "nostro_http_request_seconds", R"(method="POST",route="/v1/payments/batch")"},
    StageSource{"inbox", "nostro_inbox_wait_seconds", ""},
    StageSource{"decide", "nostro_settlement_frame_seconds", ""},
    StageSource{"journal", "nostro_journal_accept_seconds", ""},
    StageSource{"index", "nostro_feed_project_seconds", R"(projection="index")"},
};

std::optional<double> to_double(std::string_view text) {
    if (text == "+Inf") return HUGE_VAL;
    double value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return value;
}

std::chrono::nanoseconds seconds_of(double seconds) {
    return std::chrono::nanoseconds(static_cast<std::int64_t>(seconds * 1e9));
}

std::string series_of(std::string_view name, std::string_view labels) {
    return labels.empty() ? std::string(name) : fmt::format("{}{{{}}}", name, labels);
}

// Sockets that listen on the port, by the number of their inode; `table` is /proc/net/tcp or tcp6.
void add_listening(const char* table, std::uint16_t port, std::set<std::string>& inodes) {
    constexpr std::size_t kLocal = 1, kState = 3, kInode = 9;
    constexpr std::string_view kListen = "0A";
    std::ifstream file(table);
    const std::string ending = fmt::format(":{:04X}", port);
    for (std::string line; std::getline(file, line);) {
        std::vector<std::string_view> words;
        for (const auto word : split(line, ' ')) {
            if (!word.empty()) words.push_back(word);
        }
        if (words.size() > kInode && words[kState] == kListen && words[kLocal].ends_with(ending)) {
            inodes.insert(fmt::format("socket:[{}]", words[kInode]));
        }
    }
}

// Folders in /proc of the processes that hold one of these sockets.
std::vector<std::filesystem::path> listeners(std::uint16_t port) {
    std::set<std::string> inodes;
    add_listening("/proc/net/tcp", port, inodes);
    add_listening("/proc/net/tcp6", port, inodes);
    std::vector<std::filesystem::path> found;
    std::error_code error;
    for (const auto& process : std::filesystem::directory_iterator("/proc", error)) {
        const std::string name = process.path().filename().string();
        if (!parse_uint64(name) || name == std::to_string(getpid())) continue;
        for (auto files = std::filesystem::directory_iterator(process.path() / "fd", error);
             !error && files != std::filesystem::directory_iterator(); files.increment(error)) {
            std::error_code gone;
            if (inodes.contains(std::filesystem::read_symlink(files->path(), gone).string())) {
                found.push_back(process.path());
                break;
            }
        }
    }
    return found;
}

// User and system time stand behind the name, which is in brackets and may hold spaces.
std::optional<std::chrono::nanoseconds> cpu_of(const std::filesystem::path& process) {
    constexpr std::size_t kUser = 11, kSystem = 12;
    std::ifstream file(process / "stat");
    std::string line;
    std::getline(file, line);
    const auto end = line.rfind(") ");
    if (end == std::string::npos) return std::nullopt;
    const auto words = split(std::string_view(line).substr(end + 2), ' ');
    if (words.size() <= kSystem) return std::nullopt;
    const auto user = parse_uint64(words[kUser]), system = parse_uint64(words[kSystem]);
    if (!user || !system) return std::nullopt;
    return std::chrono::nanoseconds((*user + *system) * (1'000'000'000u / static_cast<unsigned>(sysconf(_SC_CLK_TCK))));
}

}  // namespace

MetricsSample MetricsSample::parse(std::string_view text) {
    MetricsSample sample;
    for (const auto line : split(text, '\n')) {
        const auto space = line.rfind(' ');
        if (line.starts_with('#') || space == std::string_view::npos) continue;
        if (const auto value = to_double(line.substr(space + 1))) {
            sample.values_.emplace(std::string(line.substr(0, space)), *value);
        }
    }
    return sample;
}

double MetricsSample::value(const std::string& series) const {
    const auto found = values_.find(series);
    return found == values_.end() ? 0 : found->second;
}

std::vector<std::pair<double, double>> MetricsSample::buckets(std::string_view name, std::string_view labels) const {
    const std::string begin = fmt::format("{}_bucket{{{}{}le=\"", name, labels, labels.empty() ? "" : ",");
    std::vector<std::pair<double, double>> all;
    for (auto at = values_.lower_bound(begin); at != values_.end() && at->first.starts_with(begin); ++at) {
        const std::string_view rest = std::string_view(at->first).substr(begin.size());
        if (const auto bound = to_double(rest.substr(0, rest.find('"')))) all.emplace_back(*bound, at->second);
    }
    std::ranges::sort(all);
    return all;
}

std::optional<StageTimes> stage_between(const MetricsSample& before, const MetricsSample& after, std::string_view stage,
                                        std::string_view name, std::string_view labels) {
    const auto old = before.buckets(name, labels);
    auto grown = after.buckets(name, labels);
    for (std::size_t i = 0; i < old.size() && i < grown.size(); ++i) grown[i].second -= old[i].second;
    if (grown.empty() || grown.back().second <= 0) return std::nullopt;
    const double count = grown.back().second;
    const auto quantile = [&](double q) {
        double lower = 0, below = 0;
        for (const auto& [bound, up_to] : grown) {
            if (up_to >= q * count && up_to > below) {
                const double upper = std::isinf(bound) ? lower : bound;
                return seconds_of(lower + (upper - lower) * std::min(1.0, (q * count - below) / (up_to - below)));
            }
            lower = bound;
            below = up_to;
        }
        return seconds_of(lower);
    };
    const auto sum = series_of(fmt::format("{}_sum", name), labels);
    StageTimes times;
    times.stage = stage;
    times.count = static_cast<std::uint64_t>(count);
    times.mean = seconds_of((after.value(sum) - before.value(sum)) / count);
    times.p50 = quantile(0.5);
    times.p90 = quantile(0.9);
    times.p99 = quantile(0.99);
    times.p999 = quantile(0.999);
    times.p100 = quantile(1);
    return times;
}

std::vector<StageTimes> stages_between(const MetricsSample& before, const MetricsSample& after) {
    std::vector<StageTimes> all;
    for (const StageSource& source : kStages) {
        auto times = stage_between(before, after, source.stage, source.name, source.labels);
        if (times) all.push_back(std::move(*times));
    }
    return all;
}

std::optional<std::chrono::nanoseconds> listener_cpu(std::uint16_t port) {
    std::optional<std::chrono::nanoseconds> sum;
    for (const auto& process : listeners(port)) {
        if (const auto cpu = cpu_of(process)) sum = sum.value_or(std::chrono::nanoseconds(0)) + *cpu;
    }
    return sum;
}

std::optional<ListenerMemory> listener_memory(std::uint16_t port) {
    constexpr std::uint64_t kKiB = 1024;
    std::optional<ListenerMemory> sum;
    for (const auto& process : listeners(port)) {
        std::ifstream file(process / "status");
        for (std::string line; std::getline(file, line);) {
            const auto [name, value] = split_once(line, ':');
            const auto kib = parse_uint64(split_once(trim(value), ' ').first);
            if (!kib || (name != "VmRSS" && name != "VmHWM")) continue;
            if (!sum) sum.emplace();
            (name == "VmRSS" ? sum->resident_bytes : sum->peak_bytes) += *kib * kKiB;
        }
    }
    return sum;
}

}  // namespace nostro::cli
