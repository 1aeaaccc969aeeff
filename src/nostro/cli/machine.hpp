// The facts that a figure needs beside it: processor, memory, file system, and what one durable write costs.
#pragma once
#include <chrono>
#include <filesystem>
#include <string>

#include "nostro/base/json_text.hpp"

namespace nostro::cli {

struct Machine {
    std::string processor, kernel, file_system;
    unsigned cores = 0;
    std::uint64_t memory_bytes = 0;
    // A raw 4 KiB O_DIRECT|O_DSYNC write into an allocated file, one at a time. 0: not possible there.
    std::chrono::nanoseconds write_p50{}, write_p99{};
    std::string write_way;  // "O_DIRECT|O_DSYNC", or "O_DSYNC" where the file system has no direct writes

    std::string text() const;
    void write(JsonWriter& json) const;
};

// Measures the writes in a file of its own in `folder`, for about half a second.
Machine machine_facts(const std::filesystem::path& folder);

}  // namespace nostro::cli
