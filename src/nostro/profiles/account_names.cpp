#include "nostro/profiles/account_names.hpp"

#include <algorithm>
#include <array>

#include "nostro/base/hex.hpp"
#include "nostro/base/sha256.hpp"

namespace nostro {
namespace {

constexpr std::size_t kNameMax = 64;
// No escape begins so: what stands behind is a digest.
constexpr std::string_view kCut = "+.";
constexpr std::size_t kDigestDigits = 32;

constexpr auto kPlain = [] {
    std::array<bool, 256> plain{};
    for (const char c : std::string_view("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._:@-")) {
        plain[static_cast<unsigned char>(c)] = true;
    }
    return plain;
}();
bool is_plain(char c) { return kPlain[static_cast<unsigned char>(c)]; }

std::string_view joined(std::string_view prefix, std::string_view id, std::string_view suffix, Arena& arena) {
    char* const name = arena.alloc(prefix.size() + id.size() + suffix.size());
    char* end = name;
    for (const std::string_view part : {prefix, id, suffix}) end = std::ranges::copy(part, end).out;
    return {name, end};
}

int hex_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

}  // namespace

std::string_view account_name_of(std::string_view prefix, std::string_view id, std::string_view suffix, Arena& arena) {
    if (prefix.size() + id.size() + suffix.size() <= kNameMax && std::ranges::all_of(id, is_plain)) {
        return joined(prefix, id, suffix, arena);  // nearly always
    }
    constexpr std::string_view kDigits = "0123456789abcdef";
    std::string name(prefix);
    for (const char c : id) {
        if (is_plain(c)) {
            name += c;
            continue;
        }
        const auto byte = static_cast<unsigned char>(c);
        name += '+';
        name += kDigits[byte >> 4];
        name += kDigits[byte & 15];
    }
    if (name.size() + suffix.size() > kNameMax) {
        std::size_t kept = kNameMax - suffix.size() - kCut.size() - kDigestDigits;
        // Not in the middle of an escape.
        for (std::size_t back = 1; back <= 2 && kept >= back; ++back) {
            if (name[kept - back] == '+') kept -= back;
        }
        name.resize(kept);
        name.append(kCut).append(to_hex(sha256(id)).substr(0, kDigestDigits));
    }
    name.append(suffix);
    return arena.copy(name);
}

bool is_cut(std::string_view name) { return name.find(kCut) != std::string_view::npos; }

std::optional<std::string> id_of_account(std::string_view name, std::string_view prefix, std::string_view suffix) {
    if (!name.starts_with(prefix) || !name.ends_with(suffix) || name.size() < prefix.size() + suffix.size()) {
        return std::nullopt;
    }
    name.remove_prefix(prefix.size());
    name.remove_suffix(suffix.size());
    std::string id;
    for (std::size_t i = 0; i < name.size(); ++i) {
        if (name[i] != '+') {
            id += name[i];
            continue;
        }
        if (i + 2 >= name.size()) return std::nullopt;
        const int high = hex_digit(name[i + 1]), low = hex_digit(name[i + 2]);
        if (high < 0 || low < 0) return std::nullopt;
        id += static_cast<char>(high * 16 + low);
        i += 2;
    }
    return id;
}

}  // namespace nostro
