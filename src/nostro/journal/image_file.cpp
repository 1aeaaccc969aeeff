#include "nostro/journal/image_file.hpp"

#include <algorithm>
#include <utility>

#include "nostro/base/crc32c.hpp"
#include "nostro/journal/data_directory.hpp"
#include "nostro/journal/sealed_block.hpp"
#include "nostro/wire/command_codec.hpp"

namespace nostro {
namespace {

constexpr std::string_view kHeadMagic = "nostroIM";
constexpr std::string_view kTailMagic = "nostroIE";
constexpr std::size_t kTailBytes = 128;
constexpr std::size_t kChunkHead = 8;  // length, CRC32C
constexpr std::uint32_t kChunkMax = 64u << 20;
constexpr std::uint32_t kTailMark = 0xffffffff;  // in the place of a length
constexpr std::size_t kPiece = 1 << 20;

}  // namespace

CellCounts count_cells(const Changes& cells) {
    return {cells.accounts.size(), cells.counters.size(), cells.holds.size(),   cells.reversed.size(),
            cells.bounds.size(),   cells.tenants.size(),  cells.policies.size()};
}

Result<std::unique_ptr<ImageWriter>> ImageWriter::start(Disk& disk, const ImageHead& head) {
    auto file = NewFile::start(disk, image_name(head.through));
    if (!file) return file.error();
    auto writer = std::unique_ptr<ImageWriter>(new ImageWriter(disk, std::move(*file)));
    SealedBlock block(kHeadMagic, kDiskBlock);
    block.fields().u64(head.journal.high);
    block.fields().u64(head.journal.low);
    block.fields().u64(head.through);
    put_digest(block.fields(), head.digest);
    put_instant(block.fields(), head.time);
    writer->pending_ = block.finish();
    return writer;
}

Result<> ImageWriter::flush(bool all) {
    if (!all && pending_.size() < kPiece) return {};
    if (auto appended = file_.append(pending_); !appended) return appended;
    written_ += pending_.size();
    pending_.clear();
    return {};
}

Result<> ImageWriter::add(const Changes& cells) {
    encoded_.clear();
    encode_changes(cells, encoded_);
    const auto crc = crc32c(encoded_);
    {
        ByteWriter out(pending_);  // ends before flush() empties what it writes to
        out.u32(static_cast<std::uint32_t>(encoded_.size()));
        out.u32(crc);
        out.bytes(encoded_);
    }
    crc_ = crc32c(std::as_bytes(std::span(&crc, 1)), crc_);
    ++chunks_;
    const auto added = count_cells(cells);
    for (std::size_t kind = 0; kind < kCellKinds; ++kind) counts_[kind] += added[kind];
    return flush(false);
}

Result<> ImageWriter::publish() {
    {
        ByteWriter out(pending_);
        out.u32(kTailMark);
        out.u32(crc_);
        SealedBlock block(kTailMagic, kTailBytes);
        block.fields().u64(chunks_);
        for (const auto count : counts_) block.fields().u64(count);
        out.bytes(block.finish());
    }
    if (auto flushed = flush(true); !flushed) return flushed;
    if (auto sealed = file_.seal(); !sealed) return sealed;
    if (auto read = read_back(); !read) return read;
    return file_.publish();
}

Result<> ImageWriter::read_back() const {
    const std::string name = file_.temporary_name();
    auto reader = ImageReader::open(disk_, name);
    if (!reader) return reader.error();
    Changes cells;
    for (;;) {
        auto more = (*reader)->next(cells);
        if (!more) return more.error();
        if (!*more) break;
    }
    if ((*reader)->counts() == counts_) return {};
    return Error{ErrorCode::corrupt, name + ": reads back with other cells than were written"};
}

Error ImageReader::damaged(std::uint64_t at, const std::string& why) const {
    return {ErrorCode::corrupt,
            window_->file().name() + ", byte " + std::to_string(at) + ": " + why +
                "; remove this image if the journal is whole without it, or restore it from a backup"};
}

Result<std::unique_ptr<ImageReader>> ImageReader::open(Disk& disk, const std::string& name) {
    auto file = OpenFile::open(disk, name);
    if (!file) return file.error();
    auto reader = std::unique_ptr<ImageReader>(new ImageReader());
    reader->window_ = std::make_unique<FileWindow>(std::move(*file));
    auto block = reader->window_->view(0, kDiskBlock);
    if (!block) return block.error();
    auto in = open_sealed(*block, kHeadMagic);
    if (!in) return reader->damaged(0, "the head " + in.error().what);
    reader->head_.journal.high = in->u64();
    reader->head_.journal.low = in->u64();
    reader->head_.through = in->u64();
    reader->head_.digest = take_digest(*in);
    reader->head_.time = take_instant(*in);
    return reader;
}

Result<bool> ImageReader::finish() {
    auto bytes = window_->view(at_ + kChunkHead, kTailBytes);
    if (!bytes) return bytes.error();
    auto in = open_sealed(*bytes, kTailMagic);
    if (!in) return damaged(at_ + kChunkHead, "the tail " + in.error().what);
    bool same = in->u64() == chunks_;
    for (const auto count : counts_) same = in->u64() == count && same;
    if (!same || at_ + kChunkHead + kTailBytes != window_->file().bytes()) {
        return damaged(at_, "holds another number of cells than its tail says");
    }
    return false;
}

Result<bool> ImageReader::next(Changes& into) {
    into.clear();
    auto head = window_->view(at_, kChunkHead);
    if (!head) return head.error();
    ByteReader in(*head);
    const auto length = in.u32();
    const auto crc = in.u32();
    if (length == kTailMark) {
        if (crc != crc_) return damaged(at_, "a chunk is missing or out of order");
        return finish();
    }
    if (length > kChunkMax) return damaged(at_, "a chunk cannot be that long");
    auto bytes = window_->view(at_ + kChunkHead, length);
    if (!bytes) return bytes.error();
    if (crc32c(*bytes) != crc) return damaged(at_, "the checksum of a chunk does not match");
    if (auto decoded = decode_changes(*bytes, into); !decoded) return damaged(at_, decoded.error().what);
    crc_ = crc32c(std::as_bytes(std::span(&crc, 1)), crc_);
    ++chunks_;
    const auto added = count_cells(into);
    for (std::size_t kind = 0; kind < kCellKinds; ++kind) counts_[kind] += added[kind];
    at_ += kChunkHead + length;
    return true;
}

Result<> ImageReader::read(const std::function<void(const Changes&)>& install) {
    Changes cells, tenants;
    for (;;) {
        auto more = next(cells);
        if (!more) return more.error();
        if (!*more) break;
        tenants.tenants.insert(tenants.tenants.end(), cells.tenants.begin(), cells.tenants.end());
        tenants.policies.insert(tenants.policies.end(), cells.policies.begin(), cells.policies.end());
        if (cells.tenants.empty() && cells.policies.empty()) install(cells);
    }
    install(tenants);
    return {};
}

Result<Seq> newest_image(Disk& disk) {
    auto files = disk.list(kImageFolder);
    if (!files) return files.error();
    Seq newest = 0;
    for (const auto& file : *files) newest = std::max(newest, image_seq(file).value_or(0));
    return newest;
}

Result<Seq> read_newest_image(Disk& disk, const std::function<void(const Changes&)>& install) {
    auto newest = newest_image(disk);
    if (!newest || *newest == 0) return newest;
    auto reader = ImageReader::open(disk, image_name(*newest));
    if (!reader) return reader.error();
    if ((*reader)->head().through != *newest) {
        return Error{ErrorCode::corrupt,
                     image_name(*newest) + ": is an image of frame " + std::to_string((*reader)->head().through)};
    }
    if (auto read = (*reader)->read(install); !read) return read.error();
    return *newest;
}

}  // namespace nostro
