// Files as the journal needs them, and the seam where tests and the simulator break them.
//
// Names are relative to the data directory; folders come into being with their first file.
// Durable writes complete in any order, on threads of the disk's own. A failed write inside an allocated file
// is final: the caller stops the process.
// Threads: any member from any thread; completed() from one.
// Errors:  every one carries the file's name and the system's words. `unavailable`: no space; `not_found`, `conflict`
//          as names say; `invalid`: no permission; `corrupt`: the device failed.
#pragma once
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "nostro/base/result.hpp"

namespace nostro {

constexpr std::size_t kDiskBlock = 4096;  // durable writes are aligned to it: memory, offset and length

class Disk {
public:
    using FileNo = int;
    struct Completion {
        std::uint64_t tag;
        bool ok;
        std::string what;  // of a failure
    };
    // A file's bytes in memory, for as long as this lives; also after the name is gone.
    class Mapping {
    public:
        virtual ~Mapping() = default;
        virtual std::span<const std::byte> bytes() const = 0;
        // What was read of it counts to this process no longer, until it is read again. A hint.
        virtual void let_go() const {}
        // It is asked here and there, a page at a time: nothing around a page is worth reading with it. A hint.
        virtual void expect_random() const {}
        // These bytes are read soon; several such are fetched together. A hint.
        virtual void will_read(std::uint64_t /*offset*/, std::uint64_t /*bytes*/) const {}
    };
    virtual ~Disk() = default;

    // How it writes ("direct writes on 3 threads"); for one line at start.
    virtual std::string description() const = 0;
    // Becomes the one owner of the data directory, until this object or the process ends, however it ends. `conflict`:
    // another is; names its process. Twice is once.
    virtual Result<> lock() = 0;

    // A file of zeros but for `head` at its begin. The name appears only when bytes, file and directory entry are
    // durable. `unavailable`: no space, says how much is missing; `conflict`: it exists.
    virtual Result<> create(const std::string& name, std::uint64_t bytes, std::span<const std::byte> head) = 0;
    virtual Result<FileNo> open(const std::string& name) = 0;  // not_found
    virtual Result<> close(FileNo file) = 0;
    virtual Result<std::uint64_t> size(FileNo file) const = 0;

    // Starts a write and returns at once; completed() tells its tag. `owner` keeps the block alive until then.
    virtual Result<> write_durable(FileNo file, std::uint64_t offset, std::span<const std::byte> block,
                                   std::uint64_t tag, std::shared_ptr<const void> owner) = 0;
    virtual void completed(std::vector<Completion>& into) = 0;   // appends
    virtual void on_completion(std::function<void()> wake) = 0;  // called on the disk's threads, cheap; set once, first
    // The same, waited for, with any alignment: small things beside the stream.
    virtual Result<> write_now(FileNo file, std::uint64_t offset, std::span<const std::byte> bytes) = 0;

    // Fewer bytes than asked for: the file ends.
    virtual Result<std::size_t> read(FileNo file, std::uint64_t offset, std::span<std::byte> into) const = 0;
    // These bytes are read soon. A hint: many that are given one after the other are fetched together.
    virtual void will_read(FileNo /*file*/, std::uint64_t /*offset*/, std::uint64_t /*bytes*/) const {}
    virtual Result<std::shared_ptr<const Mapping>> map(const std::string& name) const = 0;

    // A whole small file, atomically and durably (temporary name, sync, rename, directory sync).
    virtual Result<> replace(const std::string& name, std::span<const std::byte> bytes) = 0;
    // Big sequential files: an empty one (an old one of that name is emptied), appends, then sync. Durable after sync.
    virtual Result<FileNo> start(const std::string& name) = 0;
    virtual Result<> append(FileNo file, std::span<const std::byte> bytes) = 0;
    virtual Result<> sync(FileNo file) = 0;
    // Whether somebody waits for the file that is being created: it gives way to nobody then. A hint.
    virtual void hurry(bool /*hurries*/) {}

    virtual Result<> rename(const std::string& from, const std::string& to) = 0;  // atomic, durable, replaces
    // The name goes first, then the blocks, piece by piece, so that no other write waits for them.
    virtual Result<> remove(const std::string& name) = 0;
    // Names of the files in a folder, without the folder, sorted; a folder that does not exist is empty.
    virtual Result<std::vector<std::string>> list(const std::string& folder) const = 0;
    virtual Result<std::uint64_t> free_bytes() const = 0;
};

}  // namespace nostro
