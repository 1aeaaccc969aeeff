// Random numbers of two kinds: from the operating system, for nonces; and from a seed, for simulation and
// generators, where the same seed must give the same bytes on every machine and with every compiler.
// (The distributions of the standard library promise no such thing.)
#pragma once
#include <array>
#include <bit>
#include <cstdint>

#include "nostro/base/assert.hpp"

namespace nostro {

// From the operating system's generator. Threads: any. Never fails: a system without randomness stops the process.
std::uint64_t random_u64();

// Spreads a seed; also a fine generator by itself where little is drawn.
class SplitMix64 {
public:
    explicit constexpr SplitMix64(std::uint64_t seed) : state_(seed) {}

    constexpr std::uint64_t next() {
        state_ += 0x9E3779B97F4A7C15u;
        std::uint64_t z = state_;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
        return z ^ (z >> 31);
    }

private:
    std::uint64_t state_;
};

// xoshiro256** of Blackman and Vigna, seeded through SplitMix64. One thread.
class Xoshiro256 {
public:
    explicit constexpr Xoshiro256(std::uint64_t seed) {
        SplitMix64 spread(seed);
        for (auto& word : state_) word = spread.next();
    }

    constexpr std::uint64_t next() {
        const std::uint64_t result = std::rotl(state_[1] * 5, 7) * 9;
        const std::uint64_t shifted = state_[1] << 17;
        state_[2] ^= state_[0];
        state_[3] ^= state_[1];
        state_[1] ^= state_[2];
        state_[0] ^= state_[3];
        state_[2] ^= shifted;
        state_[3] = std::rotl(state_[3], 45);
        return result;
    }

    // 0 .. n-1, each equally likely. n > 0.
    constexpr std::uint64_t below(std::uint64_t n) {
        NOSTRO_ASSERT(n > 0, "below: nothing to choose from");
        // The high half of next() * n; the low half tells the few draws that would favour some values.
        auto product = wide_product(n);
        if (low(product) < n) {
            const std::uint64_t refused = (0 - n) % n;
            while (low(product) < refused) product = wide_product(n);
        }
        return static_cast<std::uint64_t>(product >> 64);
    }

    // first .. last, both included.
    constexpr std::int64_t between(std::int64_t first, std::int64_t last) {
        NOSTRO_ASSERT(first <= last, "between: first is after last");
        const std::uint64_t span = static_cast<std::uint64_t>(last) - static_cast<std::uint64_t>(first);
        if (span == UINT64_MAX) return static_cast<std::int64_t>(next());
        return static_cast<std::int64_t>(static_cast<std::uint64_t>(first) + below(span + 1));
    }

    // True in `times` of `of` draws.
    constexpr bool chance(std::uint64_t times, std::uint64_t of) { return below(of) < times; }

private:
    using Wide = unsigned __int128;

    constexpr Wide wide_product(std::uint64_t n) { return static_cast<Wide>(next()) * n; }
    static constexpr std::uint64_t low(Wide product) { return static_cast<std::uint64_t>(product); }

    std::array<std::uint64_t, 4> state_{};
};

}  // namespace nostro
