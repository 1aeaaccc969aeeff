#include "nostro/journal/archive_file.hpp"

#include <zstd.h>

#include <algorithm>
#include <cstring>
#include <numeric>
#include <utility>

#include "nostro/base/crc32c.hpp"
#include "nostro/journal/sealed_block.hpp"

namespace nostro {
namespace {

constexpr std::string_view kHeadMagic = "nostroSZ";
constexpr std::string_view kTailMagic = "nostroSA";        // one zstd frame a frame
constexpr std::string_view kBlocksTailMagic = "nostroSB";  // one a block
// Small ones cost a twentieth in size against whole frames, and a reader of one payment unpacks a few.
constexpr std::size_t kBlock = kFrameAlign;
constexpr std::size_t kHeadBytes = 32;
constexpr int kLevel = 3;  // about 2.5 times smaller at several hundred MB/s; higher ones cost more than they save
constexpr std::size_t kPiece = 1 << 20;

Error damaged(const std::string& name, std::string why) {
    return {ErrorCode::corrupt, name + ": " + std::move(why) + "; restore this archive from a backup"};
}

}  // namespace

Result<ArchiveTail> read_archive_tail(const OpenFile& file) {
    if (file.bytes() < kHeadBytes + kArchiveTailBytes) return damaged(file.name(), "is too short for an archive");
    std::vector<std::byte> block(kArchiveTailBytes);
    if (auto read = file.read(file.bytes() - block.size(), block); !read) return read.error();
    const bool in_blocks = std::memcmp(block.data(), kBlocksTailMagic.data(), kBlocksTailMagic.size()) == 0;
    auto in = open_sealed(block, in_blocks ? kBlocksTailMagic : kTailMagic);
    if (!in) return damaged(file.name(), "its tail " + in.error().what);
    ArchiveTail tail;
    tail.journal.high = in->u64();
    tail.journal.low = in->u64();
    tail.segment_bytes = in->u64();
    tail.lengths_at = in->u64();
    tail.lengths_crc = in->u32();
    auto& about = tail.about;
    about.number = in->u64();
    about.first = in->u64();
    about.last = in->u64();
    about.end = in->u64();
    about.last_offset = in->u64();
    about.before = take_digest(*in);
    about.digest = take_digest(*in);
    about.first_time = take_instant(*in);
    about.last_time = take_instant(*in);
    about.epoch = in->u32();
    tail.in_blocks = in_blocks;
    tail.blocks = in_blocks ? in->u64() : 0;
    const std::uint64_t frames = about.last - about.first + 1;
    const std::uint64_t lengths = frames * sizeof(std::uint32_t) + tail.blocks * sizeof(std::uint16_t);
    if (!in->ok() || about.first == 0 || about.last < about.first || tail.blocks > file.bytes() ||
        tail.lengths_at + lengths + kArchiveTailBytes != file.bytes()) {
        return damaged(file.name(), "its tail holds values that cannot be");
    }
    return tail;
}

struct ArchiveWriter::Context {
    ZSTD_CCtx* zstd = ZSTD_createCCtx();
    ~Context() { ZSTD_freeCCtx(zstd); }
};

ArchiveWriter::ArchiveWriter(Disk& disk, std::string name, Disk::FileNo file)
    : disk_(disk), name_(std::move(name)), file_(file), context_(std::make_unique<Context>()) {}

ArchiveWriter::~ArchiveWriter() { static_cast<void>(disk_.close(file_).has_value()); }

Result<std::unique_ptr<ArchiveWriter>> ArchiveWriter::start(Disk& disk, const std::string& name) {
    auto file = disk.start(name);
    if (!file) return file.error();
    auto writer = std::unique_ptr<ArchiveWriter>(new ArchiveWriter(disk, name, *file));
    writer->pending_ = SealedBlock(kHeadMagic, kHeadBytes).finish();
    return writer;
}

Result<> ArchiveWriter::flush(bool all) {
    if (!all && pending_.size() < kPiece) return {};
    if (auto appended = disk_.append(file_, pending_); !appended) return appended;
    written_ += pending_.size();
    pending_.clear();
    return {};
}

Result<> ArchiveWriter::add(const EncodedFrame& frame) {
    const auto bytes = frame.bytes();
    for (std::size_t at = 0; at < bytes.size(); at += kBlock) {
        const auto block = bytes.subspan(at, std::min(kBlock, bytes.size() - at));
        const std::size_t before = pending_.size();
        pending_.resize(before + ZSTD_COMPRESSBOUND(kBlock));
        const std::size_t made = ZSTD_compressCCtx(context_->zstd, pending_.data() + before, pending_.size() - before,
                                                   block.data(), block.size(), kLevel);
        if (ZSTD_isError(made) != 0) {
            return Error{ErrorCode::unavailable, name_ + ": compressing failed: " + ZSTD_getErrorName(made)};
        }
        pending_.resize(before + made);
        lengths_.push_back(static_cast<std::uint16_t>(made));
    }
    counts_.push_back(static_cast<std::uint32_t>((bytes.size() + kBlock - 1) / kBlock));
    return flush(false);
}

Result<> ArchiveWriter::finish(const ArchiveTail& tail) {
    const std::uint64_t lengths_at = written_ + pending_.size();
    const std::size_t before = pending_.size();
    for (const auto table : {std::as_bytes(std::span(counts_)), std::as_bytes(std::span(lengths_))}) {
        pending_.insert(pending_.end(), table.begin(), table.end());
    }
    const std::uint32_t crc = crc32c(std::span(pending_).subspan(before));
    SealedBlock block(kBlocksTailMagic, kArchiveTailBytes);
    auto& out = block.fields();
    out.u64(tail.journal.high);
    out.u64(tail.journal.low);
    out.u64(tail.segment_bytes);
    out.u64(lengths_at);
    out.u32(crc);
    out.u64(tail.about.number);
    out.u64(tail.about.first);
    out.u64(tail.about.last);
    out.u64(tail.about.end);
    out.u64(tail.about.last_offset);
    put_digest(out, tail.about.before);
    put_digest(out, tail.about.digest);
    put_instant(out, tail.about.first_time);
    put_instant(out, tail.about.last_time);
    out.u32(tail.about.epoch);
    out.u64(lengths_.size());
    const auto sealed = block.finish();
    pending_.insert(pending_.end(), sealed.begin(), sealed.end());
    if (auto flushed = flush(true); !flushed) return flushed;
    return disk_.sync(file_);
}

Result<std::shared_ptr<const ArchiveReader>> ArchiveReader::open(Disk& disk, const std::string& name) {
    auto reader = std::make_shared<ArchiveReader>();
    auto file = OpenFile::open(disk, name);
    if (!file) return file.error();
    reader->file_ = std::move(*file);
    std::vector<std::byte> head(kHeadBytes);
    if (auto read = reader->file_->read(0, head); !read) return read.error();
    if (auto in = open_sealed(head, kHeadMagic); !in) return damaged(name, "its head " + in.error().what);
    auto tail = read_archive_tail(*reader->file_);
    if (!tail) return tail.error();
    reader->tail_ = std::move(*tail);
    if (auto loaded = reader->tail_.in_blocks ? reader->load_blocks() : reader->load_lengths(); !loaded) {
        return loaded.error();
    }
    if (reader->offsets_.back() != reader->tail_.lengths_at) return damaged(name, "its lengths do not add up");
    return std::shared_ptr<const ArchiveReader>(std::move(reader));
}

// Where each frame begins, of an archive with one zstd frame a frame.
Result<> ArchiveReader::load_lengths() {
    std::vector<std::uint32_t> lengths(static_cast<std::size_t>(tail_.about.last - tail_.about.first + 1));
    const auto bytes = std::as_writable_bytes(std::span(lengths));
    if (auto read = file_->read(tail_.lengths_at, bytes); !read) return read.error();
    if (crc32c(bytes) != tail_.lengths_crc) return damaged(file_->name(), "the checksum of its lengths does not match");
    offsets_.reserve(lengths.size() + 1);
    std::uint64_t at = kHeadBytes;
    for (const auto length : lengths) {
        offsets_.push_back(at);
        at += length;
    }
    offsets_.push_back(at);
    return {};
}

Result<> ArchiveReader::load_blocks() {
    std::vector<std::uint32_t> counts(static_cast<std::size_t>(tail_.about.last - tail_.about.first + 1));
    block_lengths_.resize(static_cast<std::size_t>(tail_.blocks));
    const auto count_bytes = std::as_writable_bytes(std::span(counts));
    const auto length_bytes = std::as_writable_bytes(std::span(block_lengths_));
    if (auto read = file_->read(tail_.lengths_at, count_bytes); !read) return read.error();
    if (auto read = file_->read(tail_.lengths_at + count_bytes.size(), length_bytes); !read) return read.error();
    if (crc32c(length_bytes, crc32c(count_bytes)) != tail_.lengths_crc) {
        return damaged(file_->name(), "the checksum of its lengths does not match");
    }
    offsets_.reserve(counts.size() + 1);
    first_blocks_.reserve(counts.size() + 1);
    std::uint64_t at = kHeadBytes, block = 0;
    for (const auto count : counts) {
        offsets_.push_back(at);
        first_blocks_.push_back(static_cast<std::uint32_t>(block));
        if (count > tail_.blocks - block) return damaged(file_->name(), "its frames have more blocks than there are");
        for (std::uint32_t i = 0; i < count; ++i) at += block_lengths_[static_cast<std::size_t>(block++)];
    }
    if (block != tail_.blocks) return damaged(file_->name(), "its frames have fewer blocks than there are");
    offsets_.push_back(at);
    first_blocks_.push_back(static_cast<std::uint32_t>(block));
    return {};
}

Error ArchiveReader::damaged_frame(Seq seq, std::string_view why) const {
    return damaged(file_->name(),
                   "frame " + std::to_string(seq) + " at byte " + std::to_string(offset(seq)) + " " + std::string(why));
}

ArchiveReader::Packed ArchiveReader::packed(Seq seq, std::uint64_t begin, std::uint64_t end) const {
    Packed found{offsets_[which(seq)], offsets_[which(seq) + 1], 0, 0};
    if (!tail_.in_blocks) return found;
    const std::size_t first = first_blocks_[which(seq)], count = first_blocks_[which(seq) + 1] - first;
    const auto low = static_cast<std::size_t>(std::min<std::uint64_t>(begin / kBlock, count));
    const auto high = static_cast<std::size_t>(std::min<std::uint64_t>((end + kBlock - 1) / kBlock, count));
    const auto bytes_of = [&](std::size_t a, std::size_t b) {
        return std::accumulate(block_lengths_.begin() + static_cast<std::ptrdiff_t>(first + a),
                               block_lengths_.begin() + static_cast<std::ptrdiff_t>(first + b), std::uint64_t{0});
    };
    found.from += bytes_of(0, low);
    found.through = found.from + bytes_of(low, std::max(low, high));
    found.begin = low * kBlock;
    found.size = (std::max(low, high) - low) * kBlock;
    return found;
}

void ArchiveReader::will_read(Seq seq, std::uint32_t begin, std::uint32_t bytes) const {
    const Packed wanted = packed(seq, begin, std::uint64_t{begin} + bytes);
    file_->will_read(wanted.from, wanted.through - wanted.from);
}

Result<ArchiveReader::Unpacked> ArchiveReader::unpack(Seq seq, std::uint64_t begin, std::uint64_t end) const {
    const Packed wanted = this->packed(seq, begin, end);
    std::uint64_t size = wanted.size;
    Unpacked unpacked;
    unpacked.begin = wanted.begin;
    std::vector<std::byte> packed(static_cast<std::size_t>(wanted.through - wanted.from));
    if (auto read = file_->read(wanted.from, packed); !read) return read.error();
    if (!tail_.in_blocks) size = ZSTD_getFrameContentSize(packed.data(), packed.size());
    if (size == ZSTD_CONTENTSIZE_ERROR || size == ZSTD_CONTENTSIZE_UNKNOWN || size > kFrameBodyMax + 2 * kDiskBlock) {
        return damaged_frame(seq, "is no compressed frame");
    }
    unpacked.bytes.resize(static_cast<std::size_t>(size));
    // One a thread: making one costs more than a block.
    thread_local const std::unique_ptr<ZSTD_DCtx, decltype(&ZSTD_freeDCtx)> context(ZSTD_createDCtx(), ZSTD_freeDCtx);
    const auto made =
        ZSTD_decompressDCtx(context.get(), unpacked.bytes.data(), unpacked.bytes.size(), packed.data(), packed.size());
    if (ZSTD_isError(made) != 0 || made != unpacked.bytes.size()) return damaged_frame(seq, "cannot be unpacked");
    return unpacked;
}

Result<FramePtr> ArchiveReader::frame(Seq seq) const {
    const auto unpacked = unpack(seq, 0, kFrameBodyMax + 2 * kDiskBlock);
    if (!unpacked) return unpacked.error();
    auto frame = decode_frame(unpacked->bytes);
    if (!frame) return damaged_frame(seq, frame.error().what);
    if ((*frame)->header.seq != seq) return damaged_frame(seq, "is another frame");
    return frame;
}

Result<> ArchiveReader::bytes(Seq seq, std::uint32_t begin, std::span<std::byte> into) const {
    const std::uint64_t end = begin + into.size();
    const auto unpacked = unpack(seq, begin, end);
    if (!unpacked) return unpacked.error();
    if (end > unpacked->begin + unpacked->bytes.size())
        return damaged_frame(seq, "ends before byte " + std::to_string(end));
    std::memcpy(into.data(), unpacked->bytes.data() + (begin - unpacked->begin), into.size());
    return {};
}

Result<std::array<std::byte, kFrameHeaderBytes>> ArchiveReader::header(Seq seq) const {
    std::array<std::byte, kFrameHeaderBytes> bytes;
    if (tail_.in_blocks) {
        if (auto read = this->bytes(seq, 0, bytes); !read) return read.error();
    } else {
        // One block of the compression is enough for the first bytes.
        const std::uint64_t at = offset(seq);
        std::vector<std::byte> packed(
            static_cast<std::size_t>(std::min<std::uint64_t>(offsets_[which(seq) + 1] - at, ZSTD_DStreamInSize())));
        if (auto read = file_->read(at, packed); !read) return read.error();
        const std::unique_ptr<ZSTD_DCtx, decltype(&ZSTD_freeDCtx)> context(ZSTD_createDCtx(), ZSTD_freeDCtx);
        ZSTD_outBuffer out{bytes.data(), bytes.size(), 0};
        ZSTD_inBuffer in{packed.data(), packed.size(), 0};
        while (out.pos < out.size) {
            const std::size_t before = in.pos + out.pos;
            const auto more = ZSTD_decompressStream(context.get(), &out, &in);
            if (ZSTD_isError(more) != 0 || in.pos + out.pos == before) return damaged_frame(seq, "cannot be unpacked");
        }
    }
    const auto header = decode_frame_header(bytes);
    if (!header) return damaged_frame(seq, header.error().what);
    if (header->seq != seq) return damaged_frame(seq, "is another frame");
    return bytes;
}

}  // namespace nostro
