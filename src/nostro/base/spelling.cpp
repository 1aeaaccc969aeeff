#include "nostro/base/spelling.hpp"

#include <algorithm>
#include <array>
#include <string>

#include "nostro/base/text.hpp"

namespace nostro {
namespace {
constexpr std::size_t kWordMax = 64;
using Row = std::array<std::size_t, kWordMax + 1>;
}  // namespace

std::size_t edit_distance(std::string_view a, std::string_view b) {
    if (a.size() > kWordMax || b.size() > kWordMax) return std::max(a.size(), b.size()) - std::min(a.size(), b.size());
    // Row i holds the distances of a's first i letters to every beginning of b; a swap looks two rows back.
    Row before_last{}, last{}, row{};
    for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
    for (std::size_t i = 1; i <= a.size(); ++i) {
        before_last = last;
        last = row;
        row[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const std::size_t changed = last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
            row[j] = std::min({last[j] + 1, row[j - 1] + 1, changed});
            const bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
            if (swapped) row[j] = std::min(row[j], before_last[j - 2] + 1);
        }
    }
    return row[b.size()];
}

std::optional<std::string_view> nearest_word(std::string_view word, std::span<const std::string_view> known) {
    const std::string lower = to_lower(word);
    std::optional<std::string_view> nearest;
    std::size_t nearest_distance = std::max<std::size_t>(1, word.size() / 3) + 1;
    for (const std::string_view each : known) {
        const std::size_t distance = edit_distance(lower, to_lower(each));
        if (distance >= nearest_distance || (distance != 0 && distance >= word.size())) continue;
        nearest = each;
        nearest_distance = distance;
    }
    return nearest;
}

}  // namespace nostro
