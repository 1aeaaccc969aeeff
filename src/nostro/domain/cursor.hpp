// How far a source has been read. Travels in the frame of what was read.
#pragma once
#include <compare>
#include <cstdint>

namespace nostro {

struct Cursor {
    std::uint32_t source = 0;  // number given in the configuration, for life
    std::uint32_t part = 0;    // partition, 0 if there is but one
    std::uint64_t next = 0;    // first position not yet taken in
    friend auto operator<=>(const Cursor&, const Cursor&) = default;
};

}  // namespace nostro
