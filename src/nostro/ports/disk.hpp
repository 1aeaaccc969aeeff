// Files as the segment journal needs them, and the seam where tests and the simulator break them.
//
// Durable writes complete in any order, on threads of the disk's own. A failed write inside an allocated file
// is final: the caller stops the process.
// Threads: any member from any thread; completed() from one.
#pragma once
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "nostro/base/result.hpp"

namespace nostro {

class Disk {
public:
    using FileNo = int;
    struct Completion {
        std::uint64_t tag;
        bool ok;
        std::string what;  // of a failure
    };
    virtual ~Disk() = default;

    // Names are relative to the data directory. Bytes are zeroed, and file and directory entry are durable, before
    // it returns. `unavailable`: no space, says how much is missing; `conflict`: it exists.
    virtual Result<FileNo> create(const std::string& name, std::size_t zeroed_bytes) = 0;
    virtual Result<FileNo> open(const std::string& name) = 0;  // not_found
    virtual Result<> close(FileNo file) = 0;
    virtual Result<std::size_t> size(FileNo file) const = 0;

    // Starts a write; `block` (aligned to 4 KiB, as are offset and length) must live until completed() tells its tag.
    virtual Result<> write_durable(FileNo file, std::uint64_t offset, std::span<const std::byte> block,
                                   std::uint64_t tag) = 0;
    virtual void completed(std::vector<Completion>& into) = 0;
    virtual void on_completion(std::function<void()> wake) = 0;  // called on the disk's threads, cheap

    virtual Result<std::size_t> read(FileNo file, std::uint64_t offset, std::span<std::byte> into) const = 0;
    // A whole small file, atomically and durably (temporary name, sync, rename, directory sync).
    virtual Result<> replace(const std::string& name, std::span<const std::byte> bytes) = 0;
    virtual Result<> append_sync(FileNo file,
                                 std::span<const std::byte> bytes) = 0;           // big sequential files: images, runs
    virtual Result<> rename(const std::string& from, const std::string& to) = 0;  // atomic and durable
    virtual Result<> remove(const std::string& name) = 0;                         // big ones piecewise
    virtual Result<std::vector<std::string>> list(const std::string& folder) const = 0;
    virtual Result<std::uint64_t> free_bytes() const = 0;
};

}  // namespace nostro
