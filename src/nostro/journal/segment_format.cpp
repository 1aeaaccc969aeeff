#include "nostro/journal/segment_format.hpp"

#include <algorithm>
#include <cstring>

#include "nostro/journal/sealed_block.hpp"

namespace nostro {
namespace {

constexpr std::string_view kHeaderMagic = "nostroSG";
constexpr std::string_view kFooterMagic = "nostroSF";
constexpr std::string_view kSuperblockMagic = "nostroSB";
constexpr std::size_t kFooterFixed = 8 + 4 + 4 + 8 * 5 + 32 * 2 + 8 * 2 + 4 + 4;

std::uint64_t round_up(std::uint64_t value) { return (value + kDiskBlock - 1) / kDiskBlock * kDiskBlock; }

}  // namespace

bool all_zero(std::span<const std::byte> bytes) {
    return bytes.empty() ||
           (bytes[0] == std::byte{0} && std::memcmp(bytes.data(), bytes.data() + 1, bytes.size() - 1) == 0);
}

std::uint64_t footer_bytes(std::uint64_t file_bytes) {
    return round_up(kFooterFixed + (file_bytes / kMarkStep + 1) * sizeof(SegmentMark));
}
std::uint64_t frames_end_max(std::uint64_t file_bytes) { return file_bytes - footer_bytes(file_bytes); }

std::vector<std::byte> encode(const SegmentHeader& header) {
    SealedBlock sealed(kHeaderMagic, kDiskBlock);
    auto& out = sealed.fields();
    out.u64(header.journal.high);
    out.u64(header.journal.low);
    out.u64(header.number);
    out.u64(header.replaces);
    out.u64(header.file_bytes);
    return sealed.finish();
}

Result<SegmentHeader> decode_segment_header(std::span<const std::byte> block) {
    auto in = open_sealed(block, kHeaderMagic);
    if (!in) return in.error();
    SegmentHeader header;
    header.journal.high = in->u64();
    header.journal.low = in->u64();
    header.number = in->u64();
    header.replaces = in->u64();
    header.file_bytes = in->u64();
    const bool sane = in->ok() && header.replaces != 0 && header.replaces <= header.number &&
                      header.file_bytes % kDiskBlock == 0 && header.file_bytes > footer_bytes(header.file_bytes);
    if (!sane) return Error{ErrorCode::corrupt, "holds values that cannot be"};
    return header;
}

std::vector<std::byte> encode(const SegmentFooter& footer, std::uint64_t file_bytes) {
    SealedBlock sealed(kFooterMagic, footer_bytes(file_bytes));
    auto& out = sealed.fields();
    out.u64(footer.number);
    out.u64(footer.first);
    out.u64(footer.last);
    out.u64(footer.end);
    out.u64(footer.last_offset);
    put_digest(out, footer.before);
    put_digest(out, footer.digest);
    put_instant(out, footer.first_time);
    put_instant(out, footer.last_time);
    out.u32(footer.epoch);
    const std::size_t room = (footer_bytes(file_bytes) - kFooterFixed) / sizeof(SegmentMark);
    const std::size_t count = std::min(room, footer.marks.size());
    out.u32(static_cast<std::uint32_t>(count));
    for (std::size_t i = 0; i < count; ++i) {
        out.u32(footer.marks[i].seq_after);
        out.u32(footer.marks[i].offset_block);
    }
    return sealed.finish();
}

Result<SegmentFooter> decode_segment_footer(std::span<const std::byte> bytes) {
    auto in = open_sealed(bytes, kFooterMagic);
    if (!in) return in.error();
    SegmentFooter footer;
    footer.number = in->u64();
    footer.first = in->u64();
    footer.last = in->u64();
    footer.end = in->u64();
    footer.last_offset = in->u64();
    footer.before = take_digest(*in);
    footer.digest = take_digest(*in);
    footer.first_time = take_instant(*in);
    footer.last_time = take_instant(*in);
    footer.epoch = in->u32();
    const auto count = in->u32();
    if (count > in->remaining() / sizeof(SegmentMark))
        return Error{ErrorCode::corrupt, "counts marks it has no room for"};
    footer.marks.resize(count);
    for (auto& mark : footer.marks) {
        mark.seq_after = in->u32();
        mark.offset_block = in->u32();
    }
    const bool sane = in->ok() && footer.first != 0 && footer.first <= footer.last && !footer.marks.empty() &&
                      footer.last_offset < footer.end;
    if (!sane) return Error{ErrorCode::corrupt, "holds values that cannot be"};
    return footer;
}

std::vector<std::byte> encode(const Superblock& superblock) {
    SealedBlock sealed(kSuperblockMagic, kDiskBlock);
    auto& out = sealed.fields();
    out.u64(superblock.journal.high);
    out.u64(superblock.journal.low);
    out.u64(superblock.generation);
    out.u32(superblock.epoch);
    out.u64(superblock.watermark);
    put_digest(out, superblock.watermark_digest);
    return sealed.finish();
}

Result<Superblock> decode_superblock(std::span<const std::byte> block) {
    auto in = open_sealed(block, kSuperblockMagic);
    if (!in) return in.error();
    Superblock superblock;
    superblock.journal.high = in->u64();
    superblock.journal.low = in->u64();
    superblock.generation = in->u64();
    superblock.epoch = in->u32();
    superblock.watermark = in->u64();
    superblock.watermark_digest = take_digest(*in);
    if (!in->ok()) return Error{ErrorCode::corrupt, "holds values that cannot be"};
    return superblock;
}

}  // namespace nostro
