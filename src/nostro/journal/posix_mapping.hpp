// A file of PosixDisk in memory. Inner part of posix_disk.cpp.
#pragma once
#include "nostro/base/unique_fd.hpp"
#include "nostro/ports/disk.hpp"

namespace nostro {

// A file without a name, whose blocks are given back in pieces, unless somebody still reads them.
void cut_down(int fd);

class PosixMapping final : public Disk::Mapping {
public:
    PosixMapping(UniqueFd fd, void* at, std::size_t size) : fd_(std::move(fd)), at_(at), size_(size) {}
    ~PosixMapping() override;
    std::span<const std::byte> bytes() const override { return {static_cast<const std::byte*>(at_), size_}; }
    void let_go() const override;
    void expect_random() const override;
    void will_read(std::uint64_t offset, std::uint64_t bytes) const override;

private:
    UniqueFd fd_;
    void* at_;
    std::size_t size_;
};

}  // namespace nostro
