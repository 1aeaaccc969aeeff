#include "nostro/domain/account.hpp"

#include <array>
#include <cstddef>
#include <span>

#include "nostro/base/bytes.hpp"
#include "nostro/base/sha256.hpp"
#include "nostro/base/text.hpp"

namespace nostro {
namespace {

constexpr std::string_view kHousePrefix = "house:";
constexpr std::array<std::string_view, 4> kHouses = {"equity", "cash", "suspense", "fees"};
constexpr std::size_t kNameMax = 64;

constexpr auto kNameCharacters = [] {
    std::array<bool, 256> taken{};
    for (int c = 0; c < 256; ++c) {
        const bool letter = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
        taken[static_cast<std::size_t>(c)] = letter || (c >= '0' && c <= '9');
    }
    for (const char c : std::string_view("._:@+-")) taken[static_cast<unsigned char>(c)] = true;
    return taken;
}();

bool is_name_character(char c) { return kNameCharacters[static_cast<unsigned char>(c)]; }

AccountId first_half(const Digest& digest) {
    AccountId id;
    for (std::size_t i = 0; i < 8; ++i) {
        id.high = id.high << 8 | digest[i];
        id.low = id.low << 8 | digest[i + 8];
    }
    return id;
}

// The enum value whose name is `text`; `what` and the names themselves make the error.
template <class Enum, std::size_t N>
Result<Enum> parse_name(std::string_view text, std::string_view what, const std::array<Enum, N>& values) {
    std::string known;
    for (const Enum value : values) {
        if (name(value) == text) return value;
        if (!known.empty()) known += ", ";
        known += name(value);
    }
    return Error{ErrorCode::invalid, std::string(what) + ": " + quoted(text) + " is none of " + known};
}

}  // namespace

std::string house_name(House house, Currency currency) {
    std::string text(kHousePrefix);
    text += kHouses[static_cast<std::size_t>(house)];
    text += ':';
    text += currency.code();
    return text;
}

bool is_house_name(std::string_view name) { return name.starts_with(kHousePrefix); }

Result<Currency> house_currency(std::string_view name) {
    if (is_house_name(name)) {
        const auto [house, code] = split_once(name.substr(kHousePrefix.size()), ':');
        for (const std::string_view known : kHouses) {
            if (house == known) return Currency::parse(code);
        }
    }
    return Error{ErrorCode::invalid,
                 quoted(name) + " is no house account; those are house:{equity|cash|suspense|fees}:{currency}"};
}

Result<> check_account_name(std::string_view name) {
    if (name.empty()) return Error{ErrorCode::invalid, "an account name has at least one character"};
    for (const char c : name) {
        if (is_name_character(c)) continue;
        return Error{ErrorCode::invalid,
                     quoted(name) + " is no account name: it may hold A-Z a-z 0-9 . _ : @ + - and nothing else"};
    }
    if (name.size() > kNameMax) {
        return Error{ErrorCode::invalid, quoted(name) + " is no account name: it has " + std::to_string(name.size()) +
                                             " characters, at most 64 are allowed"};
    }
    return {};
}

AccountId account_id(std::string_view tenant, std::string_view name) {
    // Lengths stand before the texts, so ("ab", "c") and ("a", "bc") differ. One block of SHA-256 up to 53
    // characters together, on the stack for every name that may be.
    std::array<std::byte, 256> memory;
    if (tenant.size() + name.size() + 2 * kVarintMax <= memory.size()) {
        RawWriter raw(memory.data());
        raw.string(tenant);
        raw.string(name);
        return first_half(sha256(std::span<const std::byte>(memory.data(), raw.at())));
    }
    ByteBuffer buffer;
    ByteWriter writer(buffer);
    writer.string(tenant);
    writer.string(name);
    return first_half(sha256(writer.view()));
}

std::string_view name(AccountKind kind) {
    switch (kind) {
        case AccountKind::customer: return "customer";
        case AccountKind::merchant: return "merchant";
        case AccountKind::bank: return "bank";
        case AccountKind::external: return "external";
        case AccountKind::house: return "house";
    }
    return "unknown";
}

std::string_view name(AccountStatus status) {
    switch (status) {
        case AccountStatus::active: return "active";
        case AccountStatus::frozen_debit: return "frozen_debit";
        case AccountStatus::frozen: return "frozen";
        case AccountStatus::closed: return "closed";
    }
    return "unknown";
}

std::string_view name(RiskLevel level) {
    switch (level) {
        case RiskLevel::unrated: return "unrated";
        case RiskLevel::low: return "low";
        case RiskLevel::medium: return "medium";
        case RiskLevel::high: return "high";
        case RiskLevel::prohibited: return "prohibited";
    }
    return "unknown";
}

Result<AccountKind> parse_account_kind(std::string_view text) {
    using enum AccountKind;
    return parse_name(text, "kind", std::array{customer, merchant, bank, external, house});
}

Result<AccountStatus> parse_account_status(std::string_view text) {
    using enum AccountStatus;
    return parse_name(text, "status", std::array{active, frozen_debit, frozen, closed});
}

Result<RiskLevel> parse_risk_level(std::string_view text) {
    using enum RiskLevel;
    return parse_name(text, "risk_level", std::array{unrated, low, medium, high, prohibited});
}

}  // namespace nostro
