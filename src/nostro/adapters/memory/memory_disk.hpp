// A disk in memory that loses power as real ones do: what was in flight is whole, torn or absent.
//
// MemoryStorage is the platter and outlives its disks; a MemoryDisk is what one process has of it. Tests open a second
// one after a power cut, or beside the first to look at what it does.
#pragma once
#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "nostro/base/random.hpp"
#include "nostro/ports/disk.hpp"

namespace nostro {

class MemoryStorage {
public:
    explicit MemoryStorage(std::uint64_t capacity = std::uint64_t{1} << 40) : capacity_(capacity) {}

    // For tests: what stands there, and damage to it.
    std::vector<std::string> names() const;
    std::vector<std::byte> bytes(const std::string& name) const;
    void set_bytes(const std::string& name, std::vector<std::byte> bytes);
    void flip(const std::string& name, std::uint64_t offset, std::uint8_t bits);
    void set_capacity(std::uint64_t capacity);
    std::uint64_t used() const;
    std::shared_ptr<MemoryStorage> copy() const;  // the same files, nobody's lock

private:
    friend class MemoryDisk;
    struct Node {
        std::vector<std::byte> bytes;
        std::size_t synced = 0;  // of a sequential file: what survives
    };
    std::uint64_t used_locked() const;

    mutable std::mutex mutex_;
    std::map<std::string, std::shared_ptr<Node>> nodes_;
    std::uint64_t capacity_;
    bool locked_ = false;
};

class MemoryDisk final : public Disk {
public:
    enum class Writes {
        at_once,  // complete inside write_durable
        by_hand,  // wait for complete()
    };
    explicit MemoryDisk(std::shared_ptr<MemoryStorage> storage, Writes writes = Writes::at_once);
    ~MemoryDisk() override;

    std::size_t under_way() const;
    void complete(std::size_t which);  // of those under way, oldest first
    void complete_all();
    // Each write under way becomes whole, torn in sectors, or nothing; unsynced appends lose their end. Afterwards this
    // disk fails everything and its lock is free.
    void cut_power(Xoshiro256& random);

    std::string description() const override { return "memory"; }
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
    Result<std::shared_ptr<const Mapping>> map(const std::string& name) const override;
    Result<> replace(const std::string& name, std::span<const std::byte> bytes) override;
    Result<FileNo> start(const std::string& name) override;
    Result<> append(FileNo file, std::span<const std::byte> bytes) override;
    Result<> sync(FileNo file) override;
    void hurry(bool hurries) override { hurries_ = hurries; }
    bool hurries() const { return hurries_; }
    Result<> rename(const std::string& from, const std::string& to) override;
    Result<> remove(const std::string& name) override;
    Result<std::vector<std::string>> list(const std::string& folder) const override;
    Result<std::uint64_t> free_bytes() const override;

private:
    std::atomic<bool> hurries_{false};
    using Node = MemoryStorage::Node;
    struct Write {
        std::shared_ptr<Node> node;
        std::uint64_t offset;
        std::span<const std::byte> block;
        std::uint64_t tag;
        std::shared_ptr<const void> owner;
    };
    struct Open {
        std::string name;
        std::shared_ptr<Node> node;
    };
    std::shared_ptr<Node> node(FileNo file) const;  // with the lock held
    Result<> room(const std::string& name, std::uint64_t bytes) const;
    static void apply(const Write& write);
    void finish(std::size_t which);

    const std::shared_ptr<MemoryStorage> storage_;
    const Writes writes_;
    bool dead_ = false, owns_lock_ = false;
    std::map<FileNo, Open> files_;
    FileNo next_ = 1;
    std::vector<Write> under_way_;
    std::vector<Completion> done_;
    std::function<void()> wake_;
};

}  // namespace nostro
