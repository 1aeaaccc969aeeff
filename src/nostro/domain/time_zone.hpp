// The computer's time zone database (TZif files, RFC 8536): when a zone's clocks change.
//
// Own, because the zone library of Debian leaves out the rule at a file's end. Files that hold nothing but that
// rule for the future ("slim", the default of most systems) would give days without summer time, and the others
// end in 2037.
// Threads: any. I/O: reads one small file; asked when a policy is parsed, never for a decision.
#pragma once
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "nostro/base/result.hpp"

namespace nostro {

// From `at` on (seconds since 1970, UTC) local time is UTC + offset.
struct ZoneChange {
    std::int64_t at_s;
    std::int64_t offset_s;
    friend bool operator==(const ZoneChange&, const ZoneChange&) = default;
};

// $TZDIR, else where Linux and the BSDs keep it. Empty: there is none.
std::filesystem::path zone_database();

// The changes of a zone up to the end of `last_year`, in order; the first holds from the beginning of time.
// `invalid`: no such zone, with the nearest name. `unavailable`: no database, or its file cannot be read or is damaged.
Result<std::vector<ZoneChange>> read_zone(const std::filesystem::path& database, std::string_view zone, int last_year);

// The same from a file's bytes; read_zone without the disk.
Result<std::vector<ZoneChange>> parse_zone(std::string_view bytes, int last_year);

}  // namespace nostro
