#include "nostro/cli/machine.hpp"

#include <fmt/format.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <sys/vfs.h>

#include <fstream>
#include <thread>

#include "nostro/base/text.hpp"
#include "nostro/base/time.hpp"
#include "nostro/cli/latency.hpp"
#include "nostro/cli/raw_writes.hpp"

namespace nostro::cli {
namespace {

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
    RawWrites writes(folder);
    Latencies latencies;
    const auto start = steady_now();
    while (elapsed_since(start) < kWriteFor) {
        const auto before = steady_now();
        if (!writes.write()) break;
        latencies.add(elapsed_since(before));
    }
    machine.write_way = writes.way();
    machine.write_p50 = latencies.p50();
    machine.write_p99 = latencies.p99();
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
