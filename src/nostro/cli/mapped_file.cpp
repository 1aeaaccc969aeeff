#include "nostro/cli/mapped_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <system_error>

#include "nostro/base/unique_fd.hpp"

namespace nostro::cli {

namespace {

// All that comes on standard input, as a file that has no name.
UniqueFd standard_input() {
    UniqueFd copy(memfd_create("standard input", MFD_CLOEXEC));
    std::array<char, 64 * 1024> buffer{};
    while (copy) {
        const ssize_t got = ::read(STDIN_FILENO, buffer.data(), buffer.size());
        if (got == 0) break;
        if (got < 0 && errno == EINTR) continue;
        for (ssize_t done = 0; done < got;) {
            const ssize_t wrote = ::write(copy.get(), buffer.data() + done, static_cast<std::size_t>(got - done));
            if (wrote < 0 && errno == EINTR) continue;
            if (wrote <= 0) return {};
            done += wrote;
        }
        if (got < 0) return {};
    }
    return copy;
}

}  // namespace

Result<MappedFile> MappedFile::open(const std::string& given) {
    const bool is_input = given == "-";
    const std::string path = is_input ? "standard input" : given;
    const auto failed = [&](ErrorCode code) {
        return Error{code, fmt::format("{}: {}", path, std::generic_category().message(errno))};
    };
    MappedFile file;
    const UniqueFd fd = is_input ? standard_input() : UniqueFd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
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
