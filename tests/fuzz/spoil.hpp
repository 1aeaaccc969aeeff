// Damage to the files of a disk in memory, as a fuzzer's input says.
#pragma once
#include <algorithm>
#include <cstddef>

#include "nostro/adapters/memory/memory_disk.hpp"
#include "nostro/base/bytes.hpp"

namespace nostro::fuzz {

// One edit: file, what, offset (3), length, bytes.
constexpr std::size_t kEditLeast = 6;

inline void spoil(MemoryStorage& storage, ByteReader& in) {
    const auto names = storage.names();
    const auto& name = names[in.u8() % names.size()];
    auto bytes = storage.bytes(name);
    const auto what = in.u8() % 5;
    const std::size_t offset = (in.u8() | in.u8() << 8 | in.u8() << 16) % (bytes.size() + 1);
    const std::size_t length = in.u8();
    if (what == 0) {  // overwrite
        for (std::size_t i = offset; i < std::min(bytes.size(), offset + length); ++i) bytes[i] = std::byte{in.u8()};
        storage.set_bytes(name, bytes);
    } else if (what == 1) {  // cut
        bytes.resize(offset);
        storage.set_bytes(name, bytes);
    } else if (what == 2) {  // a block over another
        for (std::size_t i = 0; i < 4096 && offset + i < bytes.size() && length * 4096 + i < bytes.size(); ++i) {
            bytes[offset / 4096 * 4096 + i] = bytes[length * 4096 + i];
        }
        storage.set_bytes(name, bytes);
    } else if (what == 3) {  // zeros
        for (std::size_t i = offset; i < std::min(bytes.size(), offset + length * 64); ++i) bytes[i] = std::byte{0};
        storage.set_bytes(name, bytes);
    } else {  // another file's content
        storage.set_bytes(name, storage.bytes(names[length % names.size()]));
    }
}

}  // namespace nostro::fuzz
