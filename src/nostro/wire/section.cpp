#include "nostro/wire/section.hpp"

#include <fmt/format.h>

namespace nostro {

std::string_view name(SectionKind kind) {
    switch (kind) {
        case SectionKind::commands: return "commands";
        case SectionKind::outcomes: return "outcomes";
        case SectionKind::accounts: return "accounts";
        case SectionKind::counters: return "counters";
        case SectionKind::holds: return "holds";
        case SectionKind::reversed: return "reversed";
        case SectionKind::known: return "known";
        case SectionKind::bounds: return "bounds";
        case SectionKind::tenants: return "tenants";
        case SectionKind::policies: return "policies";
        case SectionKind::cursors_first: return "cursors_first";
        case SectionKind::cursors_last: return "cursors_last";
    }
    return "unknown";
}

Result<Section> SectionWalk::next() {
    const auto wrong = [&](std::string_view what) {
        return Error{ErrorCode::corrupt, fmt::format("section at byte {}: {}", at_, what)};
    };
    ByteReader in(bytes_.subspan(at_));
    if (in.remaining() < kSectionHeaderBytes) return wrong("its header is cut off");
    const std::uint32_t kind = in.u32(), count = in.u32(), length = in.u32(), crc = in.u32();
    if (kind <= last_kind_ || kind > kSectionKindMax) return wrong(fmt::format("kind {} where none may stand", kind));
    if (length > in.remaining()) return wrong(fmt::format("{} bytes beyond the end", length - in.remaining()));
    const Section section{static_cast<SectionKind>(kind), count, at_ + kSectionHeaderBytes, in.bytes(length)};
    if (checksums_ && crc32c(section.payload, crc32c(bytes_.subspan(at_, 12))) != crc) {
        return wrong(fmt::format("{}: the checksum is wrong", name(section.kind)));
    }
    // Every entry takes a byte at least: so a count bounds what is reserved for it.
    if (count == 0 || count > length) {
        return wrong(fmt::format("{}: {} entries in {} bytes", name(section.kind), count, length));
    }
    last_kind_ = static_cast<std::uint8_t>(kind);
    at_ += kSectionHeaderBytes + length;
    return section;
}

Error PayloadReader::error(std::string_view where) const {
    return {ErrorCode::corrupt, fmt::format("{}: byte {}: {}", where, wrong_at_, wrong_)};
}

Currency PayloadReader::currency() {
    const std::size_t before = at();
    const auto raw = bytes(3);
    const std::string_view code(reinterpret_cast<const char*>(raw.data()), raw.size());
    if (!ok() || code == last_currency_.code()) return last_currency_;
    if (code == Currency{}.code()) return last_currency_ = Currency{};
    const auto parsed = Currency::parse_historic(code);
    if (!parsed) {
        fail("no currency", before);
        return {};
    }
    return last_currency_ = *parsed;
}

}  // namespace nostro
