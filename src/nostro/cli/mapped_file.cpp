#include "nostro/cli/mapped_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <cerrno>
#include <system_error>

#include "nostro/base/unique_fd.hpp"

namespace nostro::cli {

Result<MappedFile> MappedFile::open(const std::string& path) {
    const auto failed = [&](ErrorCode code) {
        return Error{code, fmt::format("{}: {}", path, std::generic_category().message(errno))};
    };
    MappedFile file;
    const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    struct stat info{};
    if (!fd || fstat(fd.get(), &info) != 0) return failed(ErrorCode::invalid);
    if (!S_ISREG(info.st_mode)) return Error{ErrorCode::invalid, fmt::format("{}: is no file", path)};
    if (info.st_size == 0) return Error{ErrorCode::invalid, fmt::format("{}: is empty", path)};
    const auto size = static_cast<std::size_t>(info.st_size);
    void* memory = mmap(nullptr, size, PROT_READ, MAP_PRIVATE, fd.get(), 0);
    if (memory == MAP_FAILED) return failed(ErrorCode::unavailable);
    file.memory_ = static_cast<char*>(memory);
    file.size_ = size;
    return file;
}

MappedFile::~MappedFile() {
    if (memory_ != nullptr) munmap(memory_, size_);
}

}  // namespace nostro::cli
