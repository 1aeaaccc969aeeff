// A closed segment, compressed block by block, so that a few bytes of a frame can be read without the rest.
// docs/formats/segment.md draws it.
//
//   head | zstd frames, one a block | blocks of each frame | compressed length of each block | tail (fixed size,
//   sealed)
//
// Archives of earlier programs have one zstd frame a frame, and their lengths; they are read, but not written.
#pragma once
#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "nostro/journal/segment_file.hpp"
#include "nostro/journal/segment_format.hpp"

namespace nostro {

struct ArchiveTail {
    JournalId journal;
    SegmentFooter about;  // without marks; end and last_offset as they were in the segment
    std::uint64_t segment_bytes = 0;
    std::uint64_t lengths_at = 0;   // of what stands behind the compressed bytes
    std::uint32_t lengths_crc = 0;  // of all of it
    bool in_blocks = false;
    std::uint64_t blocks = 0;
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
    std::vector<std::uint32_t> counts_;   // of a frame's blocks
    std::vector<std::uint16_t> lengths_;  // of a block, compressed
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
    // Bytes of a frame, from its header's first on: unpacks the blocks that hold them. They are not checked.
    Result<> bytes(Seq seq, std::uint32_t begin, std::span<std::byte> into) const;
    void will_read(Seq seq, std::uint32_t begin, std::uint32_t bytes) const;  // a hint
    std::uint64_t offset(Seq seq) const { return offsets_[which(seq)]; }

private:
    std::size_t which(Seq seq) const { return static_cast<std::size_t>(seq - tail_.about.first); }
    Result<> load_lengths();
    Result<> load_blocks();
    // What has to be unpacked for bytes [begin, end) of a frame: where it stands, and what it gives. An archive that is
    // not in blocks says `size` itself.
    struct Packed {
        std::uint64_t from = 0, through = 0, begin = 0, size = 0;
    };
    Packed packed(Seq seq, std::uint64_t begin, std::uint64_t end) const;
    // Unpacked bytes of the frame up to `end`, from `begin` on, where blocks begin; to its end at most.
    struct Unpacked {
        std::uint64_t begin = 0;
        std::vector<std::byte> bytes;
    };
    Result<Unpacked> unpack(Seq seq, std::uint64_t begin, std::uint64_t end) const;
    Error damaged_frame(Seq seq, std::string_view why) const;

    std::shared_ptr<OpenFile> file_;
    ArchiveTail tail_;
    std::vector<std::uint64_t> offsets_;  // one more than frames
    // Of those in blocks.
    std::vector<std::uint32_t> first_blocks_;  // one more than frames
    std::vector<std::uint16_t> block_lengths_;
};

}  // namespace nostro
