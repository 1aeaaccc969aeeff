#include "nostro/base/crc32c.hpp"

#include <array>
#include <cstring>

#if defined(__x86_64__)
#include <nmmintrin.h>
#endif

namespace nostro {
namespace {

constexpr std::uint32_t kPolynomial = 0x82F63B78;  // bit-reversed

using ByteTable = std::array<std::uint32_t, 256>;

// tables[k][b]: what byte b contributes when k more bytes follow it in the same step.
constexpr std::array<ByteTable, 8> make_tables() {
    std::array<ByteTable, 8> tables{};
    for (std::uint32_t b = 0; b < 256; ++b) {
        std::uint32_t crc = b;
        for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? kPolynomial : 0);
        tables[0][b] = crc;
    }
    for (std::size_t k = 1; k < 8; ++k) {
        for (std::size_t b = 0; b < 256; ++b) {
            const std::uint32_t before = tables[k - 1][b];
            tables[k][b] = (before >> 8) ^ tables[0][before & 0xFF];
        }
    }
    return tables;
}

constexpr auto kTables = make_tables();

std::uint64_t load64(const std::byte* from) {
    std::uint64_t value;
    std::memcpy(&value, from, sizeof value);
    return value;
}

std::uint32_t by_table(const std::byte* at, std::size_t size, std::uint32_t crc) {
    for (; size >= 8; size -= 8, at += 8) {
        const std::uint64_t x = load64(at) ^ crc;
        crc = 0;
        for (std::size_t k = 0; k < 8; ++k) crc ^= kTables[7 - k][(x >> (8 * k)) & 0xFF];
    }
    for (; size != 0; --size, ++at) crc = (crc >> 8) ^ kTables[0][(crc ^ static_cast<std::uint32_t>(*at)) & 0xFF];
    return crc;
}

#if defined(__x86_64__)

// Appending zero bytes to a message is a linear map of its crc, so a lane's crc can be moved past the
// lanes behind it with four look-ups. `kLane` bytes a lane are long enough to make that cost vanish.
constexpr std::size_t kLane = 1024;

using Shift = std::array<ByteTable, 4>;

constexpr Shift make_shift(std::size_t zero_bytes) {
    std::array<std::uint32_t, 32> image{};  // where each single bit goes
    for (std::size_t bit = 0; bit < 32; ++bit) {
        std::uint32_t crc = std::uint32_t{1} << bit;
        for (std::size_t i = 0; i < zero_bytes; ++i) crc = (crc >> 8) ^ kTables[0][crc & 0xFF];
        image[bit] = crc;
    }
    Shift shift{};
    for (std::size_t k = 0; k < 4; ++k) {
        for (std::size_t b = 0; b < 256; ++b) {
            for (std::size_t bit = 0; bit < 8; ++bit) {
                if (((b >> bit) & 1) != 0) shift[k][b] ^= image[8 * k + bit];
            }
        }
    }
    return shift;
}

const Shift kShiftLane = make_shift(kLane);

std::uint32_t shifted(std::uint32_t crc) {
    return kShiftLane[0][crc & 0xFF] ^ kShiftLane[1][(crc >> 8) & 0xFF] ^ kShiftLane[2][(crc >> 16) & 0xFF] ^
           kShiftLane[3][crc >> 24];
}

// The instruction has three cycles of latency and one of throughput: three lanes keep it busy.
__attribute__((target("sse4.2"))) std::uint32_t three_lanes(const std::byte* at, std::uint32_t crc) {
    std::uint64_t a = crc, b = 0, c = 0;
    for (std::size_t i = 0; i < kLane; i += 8) {
        a = _mm_crc32_u64(a, load64(at + i));
        b = _mm_crc32_u64(b, load64(at + kLane + i));
        c = _mm_crc32_u64(c, load64(at + 2 * kLane + i));
    }
    const std::uint32_t ab = shifted(static_cast<std::uint32_t>(a)) ^ static_cast<std::uint32_t>(b);
    return shifted(ab) ^ static_cast<std::uint32_t>(c);
}

__attribute__((target("sse4.2"))) std::uint32_t by_instruction(const std::byte* at, std::size_t size,
                                                               std::uint32_t crc) {
    for (; size >= 3 * kLane; size -= 3 * kLane, at += 3 * kLane) crc = three_lanes(at, crc);
    std::uint64_t wide = crc;
    for (; size >= 8; size -= 8, at += 8) wide = _mm_crc32_u64(wide, load64(at));
    crc = static_cast<std::uint32_t>(wide);
    for (; size != 0; --size, ++at) crc = _mm_crc32_u8(crc, static_cast<std::uint8_t>(*at));
    return crc;
}

#endif

using Function = std::uint32_t (*)(const std::byte*, std::size_t, std::uint32_t);

Function chosen() {
#if defined(__x86_64__)
    if (__builtin_cpu_supports("sse4.2")) return by_instruction;
#endif
    return by_table;
}

}  // namespace

std::uint32_t crc32c(std::span<const std::byte> bytes, std::uint32_t seed) {
    static const Function function = chosen();
    return ~function(bytes.data(), bytes.size(), ~seed);
}

std::uint32_t crc32c_portable(std::span<const std::byte> bytes, std::uint32_t seed) {
    return ~by_table(bytes.data(), bytes.size(), ~seed);
}

}  // namespace nostro
