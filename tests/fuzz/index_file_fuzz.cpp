// The files of a small query index, spoiled, and, if the first byte is odd, sealed again with right checksums, so that
// what stands behind those is reached. Whatever there is: opening refuses with words, or every walk ends, whatever is
// asked is answered or refused, and a merge writes no file that cannot be opened.
//
// The input: the first byte, then a list of edits (spoil.hpp).
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "nostro/adapters/memory/memory_disk.hpp"
#include "nostro/base/assert.hpp"
#include "nostro/base/crc32c.hpp"
#include "nostro/base/random.hpp"
#include "nostro/journal/index_extract.hpp"
#include "nostro/journal/index_file.hpp"
#include "nostro/journal/index_store.hpp"
#include "nostro/wire/frame_parts.hpp"
#include "tests/fuzz/spoil.hpp"

namespace nostro {
namespace {

std::unique_ptr<IndexStore> open(Disk& disk) {
    auto store = IndexStore::open(std::shared_ptr<Disk>(std::shared_ptr<Disk>(), &disk), IndexStore::Merging::by_hand);
    if (store) return std::move(*store);
    NOSTRO_ASSERT(store.error().code == ErrorCode::corrupt && !store.error().what.empty(), "a refusal has words");
    return nullptr;
}

// Keys of one length and of several, values of both kinds, entries that say "removed".
void put_some(Xoshiro256& random, std::uint64_t flush, IndexRunBuilder& run) {
    for (std::uint64_t i = 0; i < 60; ++i) {
        const std::uint64_t id = random.below(90);
        const IndexKey payment = IndexKey(IndexTag::payment).u64(id * 0x9E3779B97F4A7C15u).u64(id).place({flush, 0});
        const IndexKey status = IndexKey(IndexTag::status).u16(0).u16(1).u8(2).place({id, 1});
        run.put(payment.view());
        if (id % 3 == 0) {
            run.remove(status.view());
        } else {
            run.put(status.view());
        }
        run.put("N" + std::string(id % 19, 'n') + std::to_string(id), std::string(id % 40, 'v'));
    }
    FramePart part;
    std::vector<std::byte> bytes;
    part.shapes.add({1, 2, 3, 4});
    part.pieces.push_back({0, 7});
    for (std::uint32_t i = 0; i < 3; ++i) {
        run.put(IndexKey(IndexTag::part).place({flush, i}).view(), encode_part(part, bytes));
    }
    put_next({flush + 1, Instant{}}, {}, run);
}

std::shared_ptr<MemoryStorage> small_index() {
    auto storage = std::make_shared<MemoryStorage>();
    MemoryDisk disk(storage);
    const auto store = open(disk);
    Xoshiro256 random(3);
    IndexRunBuilder builder;
    for (std::uint64_t flush = 1; flush <= 9; ++flush) {
        put_some(random, flush, builder);
        const IndexRunPtr run = builder.finish();
        NOSTRO_ASSERT(store->ingest({&run, 1}), "the index to be spoilt is sound");
    }
    return storage;
}

// docs/formats/query_index.md draws where they stand.
void seal(std::vector<std::byte>& file) {
    constexpr std::size_t kPage = IndexPage::kBytes, kTail = 256;
    if (file.size() < kTail) return;
    const auto all = std::span(file);
    const auto put_crc = [](std::span<std::byte> at, std::span<const std::byte> of) {
        const std::uint32_t crc = crc32c(of);
        std::memcpy(at.data(), &crc, sizeof crc);
    };
    const auto tail = all.last(kTail);
    std::uint64_t pages = 0;
    std::uint32_t blocks = 0;
    std::memcpy(&pages, &tail[32], sizeof pages);
    std::memcpy(&blocks, &tail[40], sizeof blocks);
    for (std::size_t at = 0; at / kPage < pages && at + kPage + kTail <= file.size(); at += kPage) {
        put_crc(all.subspan(at), all.subspan(at + 4, kPage - 4));
    }
    const std::uint64_t filter = std::uint64_t{blocks} * 64;
    if (pages < file.size() && pages * (kPage + 8) + filter + kTail == file.size()) {
        put_crc(tail.subspan(44), all.subspan(pages * kPage, filter));
        put_crc(tail.subspan(48), all.subspan(pages * kPage + filter, pages * 8));
    }
    put_crc(tail.subspan(12), tail.subspan(16));
}

void look_at(std::string_view key, std::string_view value) {
    if (key.starts_with('F') && key.size() == 9) {
        const auto part = decode_part(value, 1, 0);
        NOSTRO_ASSERT(part || !part.error().what.empty(), "a refusal has words");
    }
    if (key == "Z") static_cast<void>(read_next(value, {}).has_value());
}

void ask(const IndexStore& store, std::size_t entries_max) {
    std::vector<std::string> keys;
    std::size_t met = 0;
    auto all = store.walk_all();
    for (; all.valid(); all.next()) {
        NOSTRO_ASSERT(++met <= entries_max, "a walk ends");
        look_at(all.key(), all.value());
        if (met % 31 == 1) keys.emplace_back(all.key());
    }
    NOSTRO_ASSERT(all.status() || all.status().error().code == ErrorCode::corrupt, "damage is said to be that");
    auto between = store.walk("F", "T", false);
    for (const std::string& key : keys) {
        static_cast<void>(store.get(key).has_value());
        between.seek(key);
        between.previous();
        met = 0;
        for (auto back = store.walk("A", key, true); back.valid(); back.next()) {
            NOSTRO_ASSERT(++met <= entries_max, "a walk ends");
        }
        for (auto same = store.walk(key, end_of(key), false); same.valid(); same.next()) {
            NOSTRO_ASSERT(++met <= 2 * entries_max, "a walk ends");
        }
    }
}

}  // namespace
}  // namespace nostro

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace nostro;
    static const auto original = small_index();
    auto storage = original->copy();
    ByteReader in(std::as_bytes(std::span(data, size)));
    const bool sealed = in.remaining() != 0 && in.u8() % 2 != 0;
    for (int edits = 0; edits < 16 && in.remaining() >= fuzz::kEditLeast; ++edits) fuzz::spoil(*storage, in);
    for (const auto& name : storage->names()) {
        auto bytes = storage->bytes(name);
        if (sealed) seal(bytes);
        storage->set_bytes(name, std::move(bytes));
    }
    const std::size_t entries_max = storage->used();
    MemoryDisk disk(storage);
    if (const auto store = open(disk)) {
        ask(*store, entries_max);
        auto merged = store->merge();
        for (int merges = 0; merges < 4 && merged && *merged; ++merges) merged = store->merge();
        NOSTRO_ASSERT(merged || merged.error().code == ErrorCode::corrupt, "damage is said to be that");
        if (merged) ask(*store, entries_max);
    }
    return 0;
}
