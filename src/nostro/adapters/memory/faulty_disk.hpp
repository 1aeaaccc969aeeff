// Breaks another disk: the Nth operation fails, tears or is lost, or the disk is full for a while.
//
// Operations are counted from 1, reads too. After a failure that the process could not survive, `dead_afterwards`
// fails everything else, as if it had ended there.
#pragma once
#include <atomic>
#include <mutex>

#include "nostro/ports/disk.hpp"

namespace nostro {

class FaultyDisk final : public Disk {
public:
    struct Plan {
        // Lost: it is not done and never answered, as when the power goes in the middle of it. Use with
        // dead_afterwards.
        enum class Fault { fails, tears, is_lost };
        std::uint64_t at = 0;  // 0: never
        Fault fault = Fault::fails;
        bool dead_afterwards = false;
    };
    explicit FaultyDisk(Disk& base) : base_(base) {}

    void plan(const Plan& plan);
    std::uint64_t operations() const { return operations_; }
    bool has_failed() const { return failed_; }
    void set_full(bool full) { full_ = full; }  // whatever needs new space is refused

    std::string description() const override { return "faulty " + base_.description(); }
    Result<> lock() override;
    Result<> create(const std::string& name, std::uint64_t bytes, std::span<const std::byte> head) override;
    Result<FileNo> open(const std::string& name) override;
    Result<> close(FileNo file) override { return base_.close(file); }
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
    void hurry(bool hurries) override { base_.hurry(hurries); }
    Result<> rename(const std::string& from, const std::string& to) override;
    Result<> remove(const std::string& name) override;
    Result<std::vector<std::string>> list(const std::string& folder) const override;
    Result<std::uint64_t> free_bytes() const override { return full_ ? std::uint64_t{0} : base_.free_bytes(); }

private:
    enum class Turn { works, fails, tears, is_lost };
    Turn turn() const;
    Result<> space(const std::string& name) const;

    Disk& base_;
    mutable std::mutex mutex_;
    Plan plan_;
    mutable std::atomic<std::uint64_t> operations_{0};
    mutable std::atomic<bool> failed_{false};
    std::atomic<bool> full_{false};
    std::vector<Completion> done_;
    std::function<void()> wake_;
};

}  // namespace nostro
