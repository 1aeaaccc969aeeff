#include "nostro/journal/archive_file.hpp"

#include <zstd.h>

#include <cstring>
#include <utility>

#include "nostro/base/crc32c.hpp"
#include "nostro/journal/sealed_block.hpp"

namespace nostro {
namespace {

constexpr std::string_view kHeadMagic = "nostroSZ";
constexpr std::string_view kTailMagic = "nostroSA";
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
    auto in = open_sealed(block, kTailMagic);
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
    const std::uint64_t lengths = (about.last - about.first + 1) * sizeof(std::uint32_t);
    if (!in->ok() || about.first == 0 || about.last < about.first ||
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
    const std::size_t before = pending_.size();
    pending_.resize(before + ZSTD_compressBound(bytes.size()));
    const std::size_t made = ZSTD_compressCCtx(context_->zstd, pending_.data() + before, pending_.size() - before,
                                               bytes.data(), bytes.size(), kLevel);
    if (ZSTD_isError(made) != 0) {
        return Error{ErrorCode::unavailable, name_ + ": compressing failed: " + ZSTD_getErrorName(made)};
    }
    pending_.resize(before + made);
    lengths_.push_back(static_cast<std::uint32_t>(made));
    return flush(false);
}

Result<> ArchiveWriter::finish(const ArchiveTail& tail) {
    const std::uint64_t lengths_at = written_ + pending_.size();
    const auto lengths = std::as_bytes(std::span(lengths_));
    pending_.insert(pending_.end(), lengths.begin(), lengths.end());
    SealedBlock block(kTailMagic, kArchiveTailBytes);
    auto& out = block.fields();
    out.u64(tail.journal.high);
    out.u64(tail.journal.low);
    out.u64(tail.segment_bytes);
    out.u64(lengths_at);
    out.u32(crc32c(lengths));
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
    const auto count = static_cast<std::size_t>(reader->tail_.about.last - reader->tail_.about.first + 1);
    std::vector<std::uint32_t> lengths(count);
    const auto bytes = std::as_writable_bytes(std::span(lengths));
    if (auto read = reader->file_->read(reader->tail_.lengths_at, bytes); !read) return read.error();
    if (crc32c(bytes) != reader->tail_.lengths_crc) return damaged(name, "the checksum of its lengths does not match");
    reader->offsets_.reserve(count + 1);
    std::uint64_t at = kHeadBytes;
    for (const auto length : lengths) {
        reader->offsets_.push_back(at);
        at += length;
    }
    reader->offsets_.push_back(at);
    if (at != reader->tail_.lengths_at) return damaged(name, "its lengths do not add up");
    return std::shared_ptr<const ArchiveReader>(std::move(reader));
}

Result<FramePtr> ArchiveReader::frame(Seq seq) const {
    const auto which = static_cast<std::size_t>(seq - tail_.about.first);
    const std::uint64_t at = offsets_[which];
    const std::string where = "frame " + std::to_string(seq) + " at byte " + std::to_string(at);
    std::vector<std::byte> packed(static_cast<std::size_t>(offsets_[which + 1] - at));
    if (auto read = file_->read(at, packed); !read) return read.error();
    const auto size = ZSTD_getFrameContentSize(packed.data(), packed.size());
    if (size == ZSTD_CONTENTSIZE_ERROR || size == ZSTD_CONTENTSIZE_UNKNOWN || size > kFrameBodyMax + 2 * kDiskBlock) {
        return damaged(file_->name(), where + " is no compressed frame");
    }
    std::vector<std::byte> bytes(static_cast<std::size_t>(size));
    const auto made = ZSTD_decompress(bytes.data(), bytes.size(), packed.data(), packed.size());
    if (ZSTD_isError(made) != 0 || made != bytes.size()) {
        return damaged(file_->name(), where + " cannot be unpacked");
    }
    auto frame = decode_frame(bytes);
    if (!frame) return damaged(file_->name(), where + ": " + frame.error().what);
    if ((*frame)->header.seq != seq) return damaged(file_->name(), where + " is another frame");
    return frame;
}

Result<std::array<std::byte, kFrameHeaderBytes>> ArchiveReader::header(Seq seq) const {
    const auto which = static_cast<std::size_t>(seq - tail_.about.first);
    const std::uint64_t at = offsets_[which];
    const std::string where = "frame " + std::to_string(seq) + " at byte " + std::to_string(at);
    // One block of the compression is enough for the first bytes.
    std::vector<std::byte> packed(
        static_cast<std::size_t>(std::min<std::uint64_t>(offsets_[which + 1] - at, ZSTD_DStreamInSize())));
    if (auto read = file_->read(at, packed); !read) return read.error();

    const std::unique_ptr<ZSTD_DCtx, decltype(&ZSTD_freeDCtx)> context(ZSTD_createDCtx(), ZSTD_freeDCtx);
    std::array<std::byte, kFrameHeaderBytes> bytes;
    ZSTD_outBuffer out{bytes.data(), bytes.size(), 0};
    ZSTD_inBuffer in{packed.data(), packed.size(), 0};
    while (out.pos < out.size) {
        const std::size_t before = in.pos + out.pos;
        const auto more = ZSTD_decompressStream(context.get(), &out, &in);
        if (ZSTD_isError(more) != 0 || in.pos + out.pos == before) {
            return damaged(file_->name(), where + " cannot be unpacked");
        }
    }
    const auto header = decode_frame_header(bytes);
    if (!header) return damaged(file_->name(), where + ": " + header.error().what);
    if (header->seq != seq) return damaged(file_->name(), where + " is another frame");
    return bytes;
}

}  // namespace nostro
