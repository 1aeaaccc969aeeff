#include "nostro/journal/posix_mapping.hpp"

#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

namespace nostro {
namespace {

constexpr std::uint64_t kTruncateStep = 4u << 20;  // a disk that is told of free blocks is busy for a millisecond

}  // namespace

void cut_down(int fd) {
    struct stat info{};
    if (::fstat(fd, &info) != 0 || info.st_nlink != 0 || ::flock(fd, LOCK_EX | LOCK_NB) != 0) return;
    for (auto left = static_cast<std::uint64_t>(info.st_size); left > kTruncateStep;) {
        left -= kTruncateStep;
        if (::ftruncate(fd, static_cast<off_t>(left)) != 0) return;  // closing frees the rest at once
    }
}

PosixMapping::~PosixMapping() {
    if (size_ != 0) ::munmap(at_, size_);
    cut_down(fd_.get());
}

// Of a file: what is read again is the same.
void PosixMapping::let_go() const {
    if (size_ != 0) ::madvise(at_, size_, MADV_DONTNEED);
}

void PosixMapping::expect_random() const {
    if (size_ != 0) ::madvise(at_, size_, MADV_RANDOM);
}

void PosixMapping::will_read(std::uint64_t offset, std::uint64_t bytes) const {
    if (offset >= size_) return;
    static const auto page = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
    const std::uint64_t begin = offset / page * page;
    ::madvise(static_cast<char*>(at_) + begin, std::min<std::uint64_t>(offset + bytes, size_) - begin, MADV_WILLNEED);
}

}  // namespace nostro
