#include "nostro/profiles/column_values.hpp"

#include <string>

namespace nostro {

Result<Instant> parse_column_time(std::string_view text) {
    constexpr std::size_t kSeconds = 19;  // 2026-11-21T09:30:00
    const bool has_zone = text.find_first_of("Zz+-", kSeconds) != std::string_view::npos;
    return parse_rfc3339(has_zone ? std::string(text) : std::string(text) + 'Z');
}

}  // namespace nostro
