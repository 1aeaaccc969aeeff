// What stands in a segment file around its frames. docs/formats/segment.md draws it byte by byte.
//
//   header (one block) | frames, one after the other | zeros | footer (its last blocks; only once it is closed)
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "nostro/base/ids.hpp"
#include "nostro/base/result.hpp"
#include "nostro/ports/disk.hpp"

namespace nostro {

struct JournalId {  // random, made with the journal: files of two journals never mix unnoticed
    std::uint64_t high = 0, low = 0;
    friend bool operator==(const JournalId&, const JournalId&) = default;
};

struct SegmentHeader {
    JournalId journal;
    std::uint64_t number = 0;
    std::uint64_t replaces = 0;  // segments from this number up to its own are void: it holds a copy of what was valid
    std::uint64_t file_bytes = 0;
};

// Where every frame that first crosses a step of kMarkStep bytes begins: a reader looks at no more than one step.
struct SegmentMark {
    std::uint32_t seq_after = 0;     // after the segment's first
    std::uint32_t offset_block = 0;  // in blocks of kDiskBlock
};
constexpr std::uint64_t kMarkStep = 64 * 1024;

struct SegmentFooter {
    std::uint64_t number = 0;
    Seq first = 0, last = 0;
    std::uint64_t end = 0;          // first byte after the last frame
    std::uint64_t last_offset = 0;  // of the last frame
    Digest before{}, digest{};      // of the frame before the first, of the last
    Instant first_time{}, last_time{};
    std::uint32_t epoch = 0;  // of the last frame
    std::vector<SegmentMark> marks;
};

// Whole blocks, ready to be written. Decoding: `corrupt` says what is wrong; where is the caller's to add.
std::vector<std::byte> encode(const SegmentHeader& header);
Result<SegmentHeader> decode_segment_header(std::span<const std::byte> block);
std::vector<std::byte> encode(const SegmentFooter& footer, std::uint64_t file_bytes);
Result<SegmentFooter> decode_segment_footer(std::span<const std::byte> bytes);

constexpr std::uint64_t kSegmentFramesBegin = kDiskBlock;
std::uint64_t footer_bytes(std::uint64_t file_bytes);  // room kept for it at the end of a file of that size
std::uint64_t frames_end_max(std::uint64_t file_bytes);

// The durable watermark and the owner's epoch, in two copies written in turn.
struct Superblock {
    JournalId journal;
    std::uint64_t generation = 0;  // the higher one counts; its copy is generation % 2
    std::uint32_t epoch = 0;
    Seq watermark = 0;  // a frame that was durable and in the chain
    Digest watermark_digest{};
};
constexpr std::uint64_t kSuperblockBytes = 2 * kDiskBlock;
std::vector<std::byte> encode(const Superblock& superblock);  // one block
Result<Superblock> decode_superblock(std::span<const std::byte> block);

bool all_zero(std::span<const std::byte> bytes);

}  // namespace nostro
