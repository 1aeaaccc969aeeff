// Text in, policy out, and the form between two programs (docs/formats/policy.md): the text, and the day borders that
// its author's zone database gave.
#include <algorithm>

#include "nostro/base/bytes.hpp"
#include "nostro/base/crc32c.hpp"
#include "nostro/domain/policy_rules.hpp"
#include "nostro/domain/time_zone.hpp"

namespace nostro {
namespace {

constexpr std::string_view kMagic = "NSTRPOL1";
constexpr std::size_t kChecksumSize = 4;

Error corrupt(std::string_view why) { return Error{ErrorCode::corrupt, "compiled policy: " + std::string(why)}; }

std::span<const std::byte> bytes_of(std::string_view text) { return std::as_bytes(std::span(text)); }

std::vector<DayBorders> read_zones(ByteReader& reader) {
    std::vector<DayBorders> zones;
    const std::uint64_t count = reader.varint_at_most(kLimitsMax);
    while (reader.ok() && zones.size() < count) zones.push_back(read_day_borders(reader));
    return zones;
}

}  // namespace

Result<PolicyPtr> Policy::parse(std::string_view text, PolicyVersion version, Instant now) {
    const auto days_of = [&](std::string_view zone) { return make_day_borders(zone_database(), zone, now); };
    auto rules = read_policy(text, version, days_of, false);
    if (!rules) return rules.error();
    return PolicyPtr(new Policy(std::move(*rules)));
}

std::string Policy::compiled() const {
    ByteBuffer buffer;
    ByteWriter writer(buffer);
    writer.text(kMagic);
    writer.varint(rules_->version);
    writer.string(rules_->text);
    writer.varint(rules_->zones.size());
    for (const DayBorders& zone : rules_->zones) write_day_borders(writer, zone);
    writer.u32(crc32c(writer.view()));
    const auto bytes = writer.view();
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

Result<PolicyPtr> Policy::load(std::string_view compiled) {
    if (compiled.size() < kMagic.size() + kChecksumSize || !compiled.starts_with(kMagic)) {
        return corrupt("the bytes are none, or of a newer program");
    }
    const auto body = bytes_of(compiled).first(compiled.size() - kChecksumSize);
    ByteReader checksum(bytes_of(compiled).last(kChecksumSize));
    if (checksum.u32() != crc32c(body)) return corrupt("the checksum does not fit the bytes");

    ByteReader reader(body.subspan(kMagic.size()));
    const auto version = static_cast<PolicyVersion>(reader.varint_at_most(std::numeric_limits<PolicyVersion>::max()));
    const std::string_view text = reader.string();
    const std::vector<DayBorders> zones = read_zones(reader);
    if (!reader.done()) return corrupt("a table of days is damaged, or bytes are left over");

    const auto days_of = [&](std::string_view name) -> Result<DayBorders> {
        const auto found =
            std::find_if(zones.begin(), zones.end(), [&](const auto& zone) { return zone.zone == name; });
        if (found == zones.end()) return corrupt("the days of a zone are missing");
        return *found;
    };
    auto rules = read_policy(text, version, days_of, true);
    if (!rules) return corrupt(rules.error().what);
    if ((*rules)->zones != zones) return corrupt("it has days of zones that its text does not name");
    return PolicyPtr(new Policy(std::move(*rules)));
}

}  // namespace nostro
