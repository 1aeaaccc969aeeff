// A file's bytes, mapped: for what is read more than once.
//
// Threads: one owner; the text may be read by any.
#pragma once
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

#include "nostro/base/result.hpp"

namespace nostro::cli {

class MappedFile {
public:
    // `-`: standard input, read to its end. `invalid`: it cannot be opened, is no regular file, or is empty.
    static Result<MappedFile> open(const std::string& path);

    MappedFile(MappedFile&& other) noexcept
        : memory_(std::exchange(other.memory_, nullptr)), size_(std::exchange(other.size_, 0)) {}
    MappedFile& operator=(MappedFile&&) = delete;
    ~MappedFile();

    std::string_view text() const { return {memory_, size_}; }

private:
    MappedFile() = default;
    char* memory_ = nullptr;
    std::size_t size_ = 0;
};

}  // namespace nostro::cli
