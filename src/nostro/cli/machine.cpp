#include "nostro/cli/machine.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <thread>

#include "nostro/base/text.hpp"
#include "nostro/base/time.hpp"
#include "nostro/base/unique_fd.hpp"
#include "nostro/cli/latency.hpp"

namespace nostro::cli {
namespace {

constexpr std::size_t kBlock = 4096, kBlocks = 2048;
constexpr auto kWriteFor = std::chrono::milliseconds(500);

std::string processor_name() {
    std::ifstream info("/proc/cpuinfo");
    for (std::string line; std::getline(info, line);) {
        const auto [key, value] = split_once(line, ':');
        if (trim(key) == "model name") return std::string(trim(value));
    }
    return "unknown";
}

std::string file_system_name(const std::filesystem::path& folder) {
    struct statfs info{};
    if (statfs(folder.c_str(), &info) != 0) return "unknown";
    switch (static_cast<unsigned long>(info.f_type)) {
        case 0xEF53: return "ext4";
        case 0x58465342: return "xfs";
        case 0x01021994: return "tmpfs";
        case 0x794c7630: return "overlayfs";
        case 0x9123683E: return "btrfs";
        default: return fmt::format("{:#x}", static_cast<unsigned long>(info.f_type));
    }
}

void measure_writes(const std::filesystem::path& folder, Machine& machine) {
    const auto path = folder / fmt::format("nostro-write-{}", getpid());
    struct FreeBlock {
        void operator()(char* memory) const { std::free(memory); }
    };
    const std::unique_ptr<char, FreeBlock> block(static_cast<char*>(std::aligned_alloc(kBlock, kBlock)));
    std::fill_n(block.get(), kBlock, 'n');
    {
        UniqueFd file(::open(path.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
        for (std::size_t i = 0; i < kBlocks && file; ++i) {
            if (::write(file.get(), block.get(), kBlock) != static_cast<ssize_t>(kBlock)) file.reset();
        }
        if (!file || fsync(file.get()) != 0) {
            (void)unlink(path.c_str());
            return;
        }
    }
    machine.write_way = "O_DIRECT|O_DSYNC";
    UniqueFd file(::open(path.c_str(), O_WRONLY | O_DIRECT | O_DSYNC | O_CLOEXEC));
    if (!file) {
        machine.write_way = "O_DSYNC";
        file = UniqueFd(::open(path.c_str(), O_WRONLY | O_DSYNC | O_CLOEXEC));
    }
    Latencies latencies;
    const auto start = steady_now();
    for (std::size_t i = 0; elapsed_since(start) < kWriteFor; ++i) {
        const auto before = steady_now();
        if (pwrite(file.get(), block.get(), kBlock, static_cast<off_t>(i % kBlocks * kBlock)) !=
            static_cast<ssize_t>(kBlock))
            break;
        latencies.add(elapsed_since(before));
    }
    machine.write_p50 = latencies.p50();
    machine.write_p99 = latencies.p99();
    (void)unlink(path.c_str());
}

}  // namespace

std::string Machine::text() const {
    return fmt::format("{} cores {}, {} memory, {}, Linux {}; raw 4 KiB {} write: p50 {}, p99 {}", cores, processor,
                       human_bytes(memory_bytes), file_system, kernel, write_way, human_duration(write_p50),
                       human_duration(write_p99));
}

void Machine::write(JsonWriter& json) const {
    json.begin_object().field("processor", processor).field("cores", cores).field("memory_bytes", memory_bytes);
    json.field("file_system", file_system).field("kernel", kernel).key("raw_write_us").begin_object();
    json.field("way", write_way).field("p50", write_p50.count() / 1000).field("p99", write_p99.count() / 1000);
    json.end_object().end_object();
}

Machine machine_facts(const std::filesystem::path& folder) {
    Machine machine;
    machine.processor = processor_name();
    machine.cores = std::thread::hardware_concurrency();
    struct sysinfo memory{};
    if (sysinfo(&memory) == 0) machine.memory_bytes = std::uint64_t{memory.totalram} * memory.mem_unit;
    utsname system{};
    if (uname(&system) == 0) machine.kernel = system.release;
    machine.file_system = file_system_name(folder);
    measure_writes(folder, machine);
    return machine;
}

}  // namespace nostro::cli
