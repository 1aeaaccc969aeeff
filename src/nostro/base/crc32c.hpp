// CRC-32C (Castagnoli), the checksum of journal sections: finds damage, proves nothing against intent.
//
// Uses the processor's instruction where there is one (chosen at start), a table otherwise.
// Threads: any.
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>

namespace nostro {

// `seed` is the checksum of what came before, so crc32c(b, crc32c(a)) is that of a and b together.
std::uint32_t crc32c(std::span<const std::byte> bytes, std::uint32_t seed = 0);

// The same by table alone; for machines without the instruction, and as the tests' second opinion.
std::uint32_t crc32c_portable(std::span<const std::byte> bytes, std::uint32_t seed = 0);

}  // namespace nostro
