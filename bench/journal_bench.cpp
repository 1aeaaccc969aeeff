// Durable frames a second by size and frames in flight, beside the same bytes written raw with O_DSYNC.
//
// Writes below NOSTRO_BENCH_DIR, or the system's folder for temporary files: name a directory on the disk that counts.
#include <benchmark/benchmark.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "nostro/base/unique_fd.hpp"
#include "nostro/journal/posix_disk.hpp"
#include "nostro/journal/segment_journal.hpp"
#include "nostro/wire/command_codec.hpp"

namespace nostro {
namespace {

class BenchFolder {
public:
    BenchFolder() {
        const char* wanted = std::getenv("NOSTRO_BENCH_DIR");
        path_ = (wanted != nullptr ? std::string(wanted) : std::filesystem::temp_directory_path().string()) +
                "/nostro-bench-XXXXXX";
        if (::mkdtemp(path_.data()) == nullptr) path_.clear();
    }
    ~BenchFolder() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    const std::string& path() const { return path_; }

private:
    std::string path_;
};

// Of about that many bytes; the content does not press, but nothing does it for the journal.
std::vector<std::byte> payload_command(std::size_t bytes) {
    const std::string letter(bytes > 700 ? bytes - 700 : 1, 'x');
    Command command;
    command.body = KeepDeadLetter{"bench", "1", "text", "", letter};
    std::vector<std::byte> encoded;
    encode_command(command, encoded);
    return encoded;
}

// Latencies are told as counters: they are of single frames, from append to accepted.
void tell(benchmark::State& state, std::vector<double>& us, std::size_t bytes) {
    if (us.empty()) return;
    std::sort(us.begin(), us.end());
    const auto at = [&](double part) {
        return us[static_cast<std::size_t>(part * static_cast<double>(us.size() - 1))];
    };
    state.counters["p50_us"] = at(0.5);
    state.counters["p99_us"] = at(0.99);
    state.counters["p100_us"] = us.back();
    state.SetItemsProcessed(static_cast<std::int64_t>(us.size()));
    state.SetBytesProcessed(static_cast<std::int64_t>(us.size() * bytes));
}

using Clock = std::chrono::steady_clock;
double us_since(Clock::time_point start) {
    return std::chrono::duration<double, std::micro>(Clock::now() - start).count();
}

void journal_frames(benchmark::State& state) {
    const auto bytes = static_cast<std::size_t>(state.range(0));
    const auto in_flight = static_cast<std::size_t>(state.range(1));
    BenchFolder folder;
    PosixDisk::Options disk_options;
    disk_options.writers = in_flight;
    auto disk = PosixDisk::open(folder.path(), disk_options);
    if (!disk) return state.SkipWithError(disk.error().what.c_str());
    SegmentJournalOptions options;
    options.segment_bytes = 64u << 20;
    options.in_flight_max = in_flight;
    SegmentJournal journal(**disk, options);
    std::mutex mutex;
    std::condition_variable woken;
    bool is_woken = false;
    journal.on_progress([&] {
        const std::lock_guard lock(mutex);
        is_woken = true;
        woken.notify_one();
    });
    auto head = journal.take_over();
    if (!head) return state.SkipWithError(head.error().what.c_str());
    FrameBuilder builder(bytes + 4096);
    const auto command = payload_command(bytes);
    std::vector<Clock::time_point> begun;
    std::vector<double> us;
    Seq accepted = 0;
    for (auto _ : state) {
        builder.begin();
        builder.add_command(command);
        FrameHeader header;
        header.seq = head->seq + 1;
        header.epoch = head->epoch;
        header.previous = head->digest;
        header.accepted = accepted;
        auto frame = builder.finish(header, {}, {}, Changes{});
        head->seq = header.seq;
        head->digest = frame->digest;
        if (auto ready = journal.ready(Journal::Need::intake); !ready)
            return state.SkipWithError(ready.error().what.c_str());
        begun.push_back(Clock::now());
        if (auto appended = journal.append(frame); !appended) return state.SkipWithError(appended.error().what.c_str());
        for (;;) {
            auto now = journal.accepted();
            if (!now) return state.SkipWithError(now.error().what.c_str());
            for (; accepted < *now; ++accepted) us.push_back(us_since(begun[accepted]));
            if (head->seq - accepted < in_flight) break;
            std::unique_lock lock(mutex);
            woken.wait(lock, [&] { return is_woken; });
            is_woken = false;
        }
    }
    while (accepted < head->seq) accepted = journal.accepted().value_or(head->seq);
    tell(state, us, bytes);
    state.SetLabel((*disk)->description());
}

// The floor: as many threads, each writing the same bytes again and again into a file zeroed ahead.
void raw_writes(benchmark::State& state) {
    const auto bytes = static_cast<std::size_t>(state.range(0));
    const auto writers = static_cast<std::size_t>(state.range(1));
    constexpr std::uint64_t kFile = 64u << 20;
    BenchFolder folder;
    auto disk = PosixDisk::open(folder.path(), {});
    if (!disk) return state.SkipWithError(disk.error().what.c_str());
    if (auto made = (*disk)->create("raw", kFile, {}); !made) return state.SkipWithError(made.error().what.c_str());
    const UniqueFd fd(::open((folder.path() + "/raw").c_str(), O_WRONLY | O_DIRECT | O_DSYNC));
    if (!fd) return state.SkipWithError("the file system refuses O_DIRECT");
    std::vector<double> all;
    for (auto _ : state) {
        std::mutex mutex;
        std::vector<std::jthread> threads;
        const std::size_t rounds = std::max<std::size_t>(20, (16u << 20) / bytes / writers);
        for (std::size_t which = 0; which < writers; ++which) {
            threads.emplace_back([&, which] {
                const auto block = allocate_aligned(bytes);
                std::fill_n(block.get(), bytes, std::byte{7});
                std::vector<double> us;
                for (std::size_t i = 0; i < rounds; ++i) {
                    const auto at = (i * writers + which) * bytes % (kFile - bytes);
                    const auto start = Clock::now();
                    if (::pwrite(fd.get(), block.get(), bytes, static_cast<off_t>(at / 4096 * 4096)) < 0) return;
                    us.push_back(us_since(start));
                }
                const std::lock_guard lock(mutex);
                all.insert(all.end(), us.begin(), us.end());
            });
        }
        threads.clear();
    }
    tell(state, all, bytes);
}

void sizes_and_flights(benchmark::internal::Benchmark* bench) {
    bench->UseRealTime()->ArgNames({"bytes", "in_flight"});
    for (const int bytes : {4096, 16'384, 65'536, 262'144, 1'048'576}) {
        for (const int in_flight : {1, 2, 3, 4}) bench->Args({bytes, in_flight});
    }
}
BENCHMARK(journal_frames)->Apply(sizes_and_flights);
BENCHMARK(raw_writes)->Apply(sizes_and_flights);

}  // namespace
}  // namespace nostro
