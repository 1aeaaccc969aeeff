// The real disk: one data directory of a local file system.
//
// Durable writes go by O_DIRECT | O_DSYNC from a few threads: no copy, no flush of other people's pages, several under
// way at once. Where the file system refuses O_DIRECT each write is followed by fdatasync; description() says which.
// Whoever has a file open holds a shared flock on it, in any process: remove() then leaves the blocks to the last one,
// so nobody ever reads a file that is being cut.
#pragma once
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "nostro/base/unique_fd.hpp"
#include "nostro/ports/disk.hpp"

namespace nostro {

class DiskGovernor;
class DiskWriters;

class PosixDisk final : public Disk {
public:
    struct Options {
        std::size_t writers = 3;  // threads, each with one durable write under way
        bool direct = true;       // false: fdatasync everywhere; for comparing
        bool read_only = false;   // changes nothing, takes no lock, starts no thread: for looking at a live directory
        std::shared_ptr<DiskGovernor> governor = nullptr;  // of all disks that one device serves; none: no limit
    };

    // Makes the directory if it is not there (not when read only: not_found).
    static Result<std::unique_ptr<PosixDisk>> open(const std::string& directory, Options options);
    ~PosixDisk() override;

    std::string description() const override;
    Result<> lock() override;
    Result<> create(const std::string& name, std::uint64_t bytes, std::span<const std::byte> head) override;
    Result<FileNo> open(const std::string& name) override;
    Result<> close(FileNo file) override;
    Result<std::uint64_t> size(FileNo file) const override;
    Result<> write_durable(FileNo file, std::uint64_t offset, std::span<const std::byte> block, std::uint64_t tag,
                           std::shared_ptr<const void> owner) override;
    void completed(std::vector<Completion>& into) override;
    void on_completion(std::function<void()> wake) override;
    Result<> write_now(FileNo file, std::uint64_t offset, std::span<const std::byte> bytes) override;
    Result<std::size_t> read(FileNo file, std::uint64_t offset, std::span<std::byte> into) const override;
    void will_read(FileNo file, std::uint64_t offset, std::uint64_t bytes) const override;
    Result<std::shared_ptr<const Mapping>> map(const std::string& name) const override;
    Result<> replace(const std::string& name, std::span<const std::byte> bytes) override;
    Result<FileNo> start(const std::string& name) override;
    Result<> append(FileNo file, std::span<const std::byte> bytes) override;
    Result<> sync(FileNo file) override;
    void hurry(bool hurries) override;
    Result<> rename(const std::string& from, const std::string& to) override;
    Result<> remove(const std::string& name) override;
    Result<std::vector<std::string>> list(const std::string& folder) const override;
    Result<std::uint64_t> free_bytes() const override;

private:
    struct File;
    PosixDisk(std::string directory, Options options);

    Error error(const std::string& name, const char* did, int number) const;
    Result<UniqueFd> open_shared(const std::string& name, int flags) const;
    Result<FileNo> keep(std::shared_ptr<File> file);
    std::shared_ptr<File> file(FileNo number) const;
    Result<> make_folders(const std::string& name);
    Result<> sync_folder(const std::string& name) const;
    Result<> fill(const std::string& name, int fd, std::uint64_t bytes, std::span<const std::byte> head);
    Result<> publish(const std::string& temporary, const std::string& name);
    bool probe_direct() const;

    const std::string directory_;
    const Options options_;
    bool direct_ = false;
    UniqueFd folder_, lock_;
    mutable std::mutex mutex_;
    std::map<FileNo, std::shared_ptr<File>> files_;
    FileNo next_ = 1;
    std::unique_ptr<DiskWriters> writers_;
};

}  // namespace nostro
