// Names of things. Different kinds do not mix.
#pragma once
#include <array>
#include <chrono>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>

namespace nostro {

// 128 bits, big-endian when shown or stored: `high` first, so ids sort as their text does.
template <class Kind>
struct Id {
    std::uint64_t high = 0, low = 0;
    friend constexpr auto operator<=>(const Id&, const Id&) = default;
    constexpr bool empty() const { return high == 0 && low == 0; }
};

// First byte: home slot, which tells the Book that decides it. Rest: 120 bits of SHA-256 over (tenant,
// door, key), which is what a Book remembers. So a retry has the same id on every node.
using PaymentId = Id<struct PaymentIdTag>;
using AccountId = Id<struct AccountIdTag>;  // 128 bits of SHA-256 over (tenant, account name)

using Seq = std::uint64_t;  // frame of one journal: 1, 2, 3...; 0 is before the first
using Instant = std::chrono::sys_time<std::chrono::nanoseconds>;
using Digest = std::array<std::uint8_t, 32>;  // SHA-256

}  // namespace nostro

// The ids are hashes already.
template <class Kind>
struct std::hash<nostro::Id<Kind>> {
    std::size_t operator()(const nostro::Id<Kind>& id) const noexcept {
        return id.low ^ (id.high * 0x9E3779B97F4A7C15u);
    }
};
