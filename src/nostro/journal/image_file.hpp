// The image of a Book at one frame: every cell, sorted, in checksummed chunks. docs/formats/image.md draws it.
//
//   head (one block) | chunks of one kind of cell each | tail
//
// Order of kinds: accounts, counters, holds, reversed, bounds, tenants, policies; within a kind by key. So the next
// image is a merge of this one with the frames since, and two images of the same books are the same but for their
// heads.
#pragma once
#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "nostro/domain/outcome.hpp"
#include "nostro/journal/new_file.hpp"
#include "nostro/journal/segment_file.hpp"
#include "nostro/journal/segment_format.hpp"

namespace nostro {

struct ImageHead {
    JournalId journal;
    Seq through = 0;
    Digest digest{};  // of that frame
    Instant time{};   // of that frame
};
constexpr std::size_t kCellKinds = 7;
using CellCounts = std::array<std::uint64_t, kCellKinds>;  // in the order of kinds

// Writes under a temporary name; publish() makes it count.
class ImageWriter {
public:
    static Result<std::unique_ptr<ImageWriter>> start(Disk& disk, const ImageHead& head);
    Result<> add(const Changes& cells);  // of one kind, in order
    // Syncs, reads all of it back, and renames it. What is not published is removed.
    Result<> publish();
    const CellCounts& counts() const { return counts_; }
    std::uint64_t bytes() const { return written_ + pending_.size(); }

private:
    ImageWriter(Disk& disk, NewFile file) : disk_(disk), file_(std::move(file)) {}
    Result<> flush(bool all);
    Result<> read_back() const;

    Disk& disk_;
    NewFile file_;
    std::uint64_t written_ = 0, chunks_ = 0;
    std::uint32_t crc_ = 0;
    std::vector<std::byte> pending_, encoded_;
    CellCounts counts_{};
};

// Threads: one.
class ImageReader {
public:
    static Result<std::unique_ptr<ImageReader>> open(Disk& disk, const std::string& name);
    const ImageHead& head() const { return head_; }
    std::uint64_t bytes() const { return window_->file().bytes(); }
    // The next chunk; false: the end, and everything in between was whole. `corrupt`: names file and byte.
    Result<bool> next(Changes& into);
    // All chunks in turn, as a Book installs them: a tenant's image names the policy in force, so tenants and policies
    // are given together, at the end.
    Result<> read(const std::function<void(const Changes&)>& install);
    const CellCounts& counts() const { return counts_; }  // so far

private:
    ImageReader() = default;
    Error damaged(std::uint64_t at, const std::string& why) const;
    Result<bool> finish();

    std::unique_ptr<FileWindow> window_;
    ImageHead head_;
    std::uint64_t at_ = kDiskBlock, chunks_ = 0;
    std::uint32_t crc_ = 0;
    CellCounts counts_{};
};

CellCounts count_cells(const Changes& cells);

// The newest image's seq, by name; 0: there is none.
Result<Seq> newest_image(Disk& disk);
// Gives all of it, chunk by chunk. An image that is damaged is refused, not skipped: `corrupt`.
Result<Seq> read_newest_image(Disk& disk, const std::function<void(const Changes&)>& install);

}  // namespace nostro
