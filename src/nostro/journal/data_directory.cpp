#include "nostro/journal/data_directory.hpp"

#include <cstdio>

#include "nostro/base/text.hpp"

namespace nostro {
namespace {

constexpr std::size_t kNumberDigits = 12;
constexpr std::size_t kSeqDigits = 18;

std::string padded(std::uint64_t value, std::size_t digits) {
    std::string text = std::to_string(value);
    if (text.size() < digits) text.insert(0, digits - text.size(), '0');
    return text;
}

// Takes the digits off the front.
std::optional<std::uint64_t> take_number(std::string_view& text) {
    std::size_t n = 0;
    std::uint64_t value = 0;
    for (; n < text.size() && text[n] >= '0' && text[n] <= '9' && n < 19; ++n) {
        value = value * 10 + static_cast<std::uint64_t>(text[n] - '0');
    }
    if (n == 0) return std::nullopt;
    text.remove_prefix(n);
    return value;
}

std::optional<std::uint64_t> only_number(std::string_view file, std::string_view suffix) {
    const auto value = take_number(file);
    return value && file == suffix ? value : std::nullopt;
}

}  // namespace

std::string segment_name(std::uint64_t number) {
    return std::string(kSegmentsFolder) + "/" + padded(number, kNumberDigits) + ".seg";
}
std::string archive_name(std::uint64_t number) {
    return std::string(kArchiveFolder) + "/" + padded(number, kNumberDigits) + ".seg.zst";
}
std::string image_name(Seq through) { return std::string(kImageFolder) + "/" + padded(through, kSeqDigits) + ".image"; }
std::string id_run_name(Seq first, Seq through, int tier) {
    return std::string(kIdsFolder) + "/" + padded(first, kSeqDigits) + "-" + padded(through, kSeqDigits) + ".t" +
           std::to_string(tier) + ".ids";
}

std::optional<std::uint64_t> segment_number(std::string_view file) { return only_number(file, ".seg"); }
std::optional<std::uint64_t> archive_number(std::string_view file) { return only_number(file, ".seg.zst"); }
std::optional<Seq> image_seq(std::string_view file) { return only_number(file, ".image"); }

std::optional<IdRunName> parse_id_run_name(std::string_view file) {
    const auto first = take_number(file);
    if (!first || !file.starts_with("-")) return std::nullopt;
    file.remove_prefix(1);
    const auto through = take_number(file);
    if (!through || !file.starts_with(".t")) return std::nullopt;
    file.remove_prefix(2);
    const auto tier = take_number(file);
    if (!tier || file != ".ids" || *tier > 64) return std::nullopt;
    return IdRunName{*first, *through, static_cast<int>(*tier)};
}

bool is_temporary(std::string_view file) { return file.ends_with(kTemporarySuffix); }

}  // namespace nostro
