// A file of the query index: sorted entries in pages, a filter of what is asked for alone, and the first head of each
// page. Immutable; asked through a memory map. docs/formats/query_index.md draws it.
//
// Every page has its own checksum: damage is an error, never a wrong answer.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "nostro/base/result.hpp"
#include "nostro/journal/index_head.hpp"
#include "nostro/journal/new_file.hpp"
#include "nostro/ports/disk.hpp"

namespace nostro {

// Which of the flushes of an index a file holds: `first` to `last`, and how often it was merged.
struct IndexFileName {
    std::uint64_t first = 0, last = 0;
    int tier = 0;
    std::string text() const;
    static std::optional<IndexFileName> parse(std::string_view file);
};

struct IndexFileTail {
    std::uint64_t entries = 0, filtered = 0, pages = 0;
    std::uint32_t filter_blocks = 0, filter_crc = 0, fence_crc = 0;
};

// One page of entries.
class IndexPage {
public:
    static constexpr std::size_t kBytes = kDiskBlock;

    // nullopt: its checksum does not match, or it cannot be one.
    static std::optional<IndexPage> open(std::span<const std::byte> bytes);
    std::size_t size() const { return count_; }
    std::string_view key(std::size_t i) const;
    std::string_view value(std::size_t i) const;
    bool removed(std::size_t i) const;
    std::size_t lower_bound(std::string_view key) const;

private:
    std::size_t at(std::size_t i) const;
    std::size_t key_bytes(std::size_t i) const;

    const char* bytes_ = nullptr;
    std::uint32_t count_ = 0, end_ = 0;
    std::uint32_t stride_ = 0, key_bytes_ = 0;  // 0: entries differ in their lengths
};

// The part of a key by which the filter knows it; empty: it does not.
std::string_view index_filtered(std::string_view key);

class IndexFileWriter {
public:
    // `filtered_max`: no more than so many keys that the filter knows.
    static Result<std::unique_ptr<IndexFileWriter>> start(Disk& disk, const IndexFileName& name,
                                                          std::uint64_t filtered_max);
    // Keys come sorted, each once.
    Result<> add(std::string_view key, std::string_view value, bool removed);
    // Durable, whole or not at all. What is not published is removed.
    Result<> publish();

private:
    explicit IndexFileWriter(NewFile file) : file_(std::move(file)) {}
    void begin_page(std::string_view key);
    Result<> close_page();
    Result<> write();
    void filter(std::string_view key);

    NewFile file_;
    IndexFileTail tail_;
    std::vector<std::byte> buffer_;  // pages that are not written yet; the last one is being filled
    std::size_t unsynced_ = 0;
    std::byte* page_ = nullptr;
    std::size_t used_ = 0, count_ = 0, key_bytes_ = 0, value_bytes_ = 0;
    bool uniform_ = true;
    struct Slot {
        std::uint16_t offset;
        std::uint8_t key_bytes, removed;
    };
    std::array<Slot, IndexPage::kBytes / sizeof(Slot)> slots_;
    std::vector<std::uint64_t> fence_, filter_;
    std::string last_filtered_;
};

// Threads: any.
class IndexFile {
public:
    // `corrupt`: names the file.
    static Result<std::shared_ptr<const IndexFile>> open(const Disk& disk, const IndexFileName& name);
    void let_go() const { map_->let_go(); }
    const IndexFileName& name() const { return name_; }
    const IndexFileTail& tail() const { return tail_; }
    std::uint64_t bytes() const { return map_->bytes().size(); }

    // False: it has no key with this filtered part.
    bool may_hold(std::string_view filtered) const;
    Result<IndexPage> page(std::uint64_t number) const;
    Error damaged(std::uint64_t page) const;

    struct Spot {
        std::uint64_t page = 0;
        std::size_t index = 0;
        std::optional<IndexPage> opened;  // that page, where it had to be looked into
    };
    // The first entry that is not less; behind the last page: none.
    Result<Spot> lower_bound(std::string_view key) const;
    // Where that key would be is looked at soon, and just before it.
    void will_look(std::string_view key) const;
    void will_read(std::uint64_t page, std::uint64_t pages) const;

private:
    IndexFile() = default;

    IndexFileName name_;
    IndexFileTail tail_;
    std::shared_ptr<const Disk::Mapping> map_;
    std::span<const std::byte> filter_, fence_;
};
using IndexFilePtr = std::shared_ptr<const IndexFile>;

// An ordered walk over one file, through its map, in both directions.
class IndexFileCursor {
public:
    explicit IndexFileCursor(IndexFilePtr file) : file_(std::move(file)) {}

    void seek(std::string_view key);         // to the first that is not less
    void seek_before(std::string_view key);  // to the last that is less
    void first() { go(0, 0); }
    void next();
    void previous();

    bool valid() const { return valid_; }
    std::uint64_t head() const { return head_; }
    std::string_view key() const { return page_.key(index_); }
    std::string_view value() const { return page_.value(index_); }
    bool removed() const { return page_.removed(index_); }
    const IndexFile& file() const { return *file_; }
    // Damage ends a walk.
    const Result<>& status() const { return status_; }

private:
    void go(std::uint64_t page, std::size_t index);
    void come_from_behind(std::uint64_t page);
    bool load(std::uint64_t page);
    // Of the first entry that is not less. Nothing: damage.
    std::optional<IndexFile::Spot> spot(std::string_view wanted);

    IndexFilePtr file_;
    IndexPage page_;
    std::uint64_t number_ = 0;
    std::size_t index_ = 0;
    std::uint64_t head_ = 0;
    bool loaded_ = false, valid_ = false;
    Result<> status_;
};

// All entries of a file from begin to end, read in large pieces that leave nothing in memory; for merging.
class IndexFileReader {
public:
    static Result<IndexFileReader> open(Disk& disk, IndexFilePtr file);
    IndexFileReader(IndexFileReader&& other) noexcept;
    ~IndexFileReader();

    bool valid() const { return valid_; }
    std::uint64_t head() const { return head_; }
    std::string_view key() const { return page_.key(index_); }
    std::string_view value() const { return page_.value(index_); }
    bool removed() const { return page_.removed(index_); }
    void next();
    const Result<>& status() const { return status_; }

private:
    IndexFileReader(Disk& disk, IndexFilePtr file, Disk::FileNo number)
        : disk_(&disk), file_(std::move(file)), number_(number) {}
    void load();

    Disk* disk_;
    IndexFilePtr file_;
    Disk::FileNo number_;
    std::vector<std::byte> buffer_, before_;  // pages, and those before them: a key that was told stays for a while
    std::uint64_t read_ = 0, at_ = 0;         // pages: read so far, of the next one
    IndexPage page_;
    std::size_t index_ = 0;
    std::uint64_t head_ = 0;
    bool valid_ = false;
    Result<> status_;
};

}  // namespace nostro
