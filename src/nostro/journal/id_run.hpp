// A sealed run: the known ids of a range of frames, sorted, immutable, asked through a memory map.
// docs/formats/id_run.md draws it.
//
//   groups of [a page of filters | 21 pages of records] | fence (first id of each page) | tail
//
// Every page has its own checksum: a flipped bit is an error, never a wrong "not known". Filters make most questions
// about unknown ids cost one page that is likely in memory.
#pragma once
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "nostro/journal/new_file.hpp"
#include "nostro/journal/segment_format.hpp"
#include "nostro/ports/disk.hpp"
#include "nostro/ports/journal.hpp"

namespace nostro {

struct SealedId {
    PaymentId id;
    Place place;
    std::uint64_t meaning = 0;
};

struct IdRunTail {
    JournalId journal;
    Seq first = 0, through = 0;  // frames
    std::uint32_t tier = 0;
    std::uint64_t ids = 0, pages = 0;  // of records
    std::uint64_t fence_at = 0;
    std::uint32_t fence_crc = 0;
};

// Ids come sorted, each once. Memory: 8 bytes a page of 127 ids.
class IdRunWriter {
public:
    static Result<std::unique_ptr<IdRunWriter>> start(Disk& disk, JournalId journal, Seq first, Seq through, int tier);
    Result<> add(const SealedId& id);
    Result<> publish();
    const std::string& name() const { return file_.name(); }

private:
    explicit IdRunWriter(NewFile file) : file_(std::move(file)) {}
    void close_page();
    Result<> close_group();

    NewFile file_;
    IdRunTail tail_;
    std::uint64_t written_ = 0;
    PaymentId last_;
    std::vector<std::byte> group_;  // a page of filters, then pages of records
    std::size_t in_page_ = 0, pages_in_group_ = 0;
    std::vector<std::uint64_t> fence_;
};

// Threads: any.
class IdRun {
public:
    static Result<std::shared_ptr<const IdRun>> open(Disk& disk, const std::string& name);
    const IdRunTail& tail() const { return tail_; }
    const std::string& name() const { return name_; }

    // `corrupt`: names file and byte.
    Result<std::optional<SealedId>> find(PaymentId id) const;
    void let_go() const;
    // All, in order, checking every page.
    Result<> each(const std::function<Result<>(const SealedId&)>& give) const;

    // The ids of one page of records, checked; for merging.
    Result<std::size_t> page(std::uint64_t number, std::vector<SealedId>& into) const;

private:
    IdRun() = default;
    std::span<const std::byte> bytes_at(std::uint64_t at, std::size_t n) const { return map_->bytes().subspan(at, n); }
    Result<bool> may_hold(std::uint64_t page, PaymentId id) const;
    Error damaged(const std::string& why) const;
    Result<> check_fence() const;
    Result<std::span<const std::byte>> checked_page(std::uint64_t at) const;

    std::string name_;
    IdRunTail tail_;
    std::shared_ptr<const Disk::Mapping> map_;
    std::span<const std::byte> fence_;
    // Filter pages whose checksum was seen to match; one bit a group.
    mutable std::vector<std::atomic<std::uint8_t>> checked_;
    mutable std::atomic<bool> fence_checked_{false};
};

}  // namespace nostro
