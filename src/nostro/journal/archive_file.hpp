// A closed segment, compressed frame by frame. docs/formats/segment.md draws it.
//
//   head | zstd frames, one a frame | compressed length of each | tail (fixed size, sealed)
#pragma once
#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "nostro/journal/segment_file.hpp"
#include "nostro/journal/segment_format.hpp"

namespace nostro {

struct ArchiveTail {
    JournalId journal;
    SegmentFooter about;  // without marks; end and last_offset as they were in the segment
    std::uint64_t segment_bytes = 0;
    std::uint64_t lengths_at = 0;
    std::uint32_t lengths_crc = 0;
};
constexpr std::size_t kArchiveTailBytes = 512;

Result<ArchiveTail> read_archive_tail(const OpenFile& file);

// Writes the archive under its temporary name and syncs it. Frames come in order from `next`; nullptr ends.
class ArchiveWriter {
public:
    static Result<std::unique_ptr<ArchiveWriter>> start(Disk& disk, const std::string& name);
    ~ArchiveWriter();
    Result<> add(const EncodedFrame& frame);
    Result<> finish(const ArchiveTail& about);  // lengths are filled in here

private:
    ArchiveWriter(Disk& disk, std::string name, Disk::FileNo file);
    Result<> flush(bool all);

    struct Context;
    Disk& disk_;
    const std::string name_;
    Disk::FileNo file_;
    std::uint64_t written_ = 0;
    std::vector<std::byte> pending_;
    std::vector<std::uint32_t> lengths_;
    std::unique_ptr<Context> context_;
};

// Frames of an archive, by number. Threads: any.
class ArchiveReader {
public:
    static Result<std::shared_ptr<const ArchiveReader>> open(Disk& disk, const std::string& name);
    const ArchiveTail& tail() const { return tail_; }
    // Precondition of all: first <= seq <= last.
    Result<FramePtr> frame(Seq seq) const;
    Result<std::array<std::byte, kFrameHeaderBytes>> header(Seq seq) const;  // unpacks no more than it must
    std::uint64_t offset(Seq seq) const { return offsets_[static_cast<std::size_t>(seq - tail_.about.first)]; }

private:
    std::shared_ptr<OpenFile> file_;
    ArchiveTail tail_;
    std::vector<std::uint64_t> offsets_;  // one more than frames
};

}  // namespace nostro
