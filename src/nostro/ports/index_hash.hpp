// A hash of texts that stands in files and tables: it never changes.
#pragma once
#define XXH_INLINE_ALL
#include <xxhash.h>

#include <cstdint>
#include <string_view>

namespace nostro {

inline std::uint64_t index_hash(std::string_view text) { return XXH3_64bits(text.data(), text.size()); }

}  // namespace nostro
