// Sealed ids: everything that was put in is found, nothing else is, and damage is an error, never "not known".
#include "nostro/journal/id_run.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "nostro/adapters/memory/memory_disk.hpp"
#include "nostro/base/random.hpp"
#include "nostro/journal/data_directory.hpp"
#include "nostro/journal/posix_disk.hpp"
#include "nostro/journal/sealed_runs.hpp"
#include "tests/support/temporary_folder.hpp"

namespace nostro {
namespace {

std::vector<SealedId> some_ids(std::size_t count, Seq first, Xoshiro256& random, bool close = false) {
    std::vector<SealedId> ids;
    for (std::size_t i = 0; i < count; ++i) {
        // Home slot byte 0, as a Book of one slot has it; close: many share their first half.
        const std::uint64_t high = close ? random.below(3) : random.next() >> 8;
        ids.push_back(
            {{high, random.next()}, {first + random.below(10), static_cast<std::uint32_t>(i)}, random.next()});
    }
    return ids;
}

class IdRunSizes : public testing::TestWithParam<std::size_t> {};

TEST_P(IdRunSizes, FindsWhatIsInItAndNothingElse) {
    for (const bool close : {false, true}) {
        Xoshiro256 random(GetParam() + 7);
        MemoryDisk disk(std::make_shared<MemoryStorage>());
        auto ids = some_ids(GetParam(), 1, random, close);
        auto runs = SealedRuns::open(disk, false);
        ASSERT_TRUE(runs);
        auto sorted = ids;
        ASSERT_TRUE((*runs)->add({1, 2}, 10, sorted));
        EXPECT_EQ((*runs)->through(), 10u);
        for (const auto& id : ids) {
            auto found = (*runs)->find(id.id, (*runs)->through());
            ASSERT_TRUE(found) << found.error().what;
            ASSERT_TRUE(*found);
            EXPECT_EQ((*found)->place, id.place);
            EXPECT_EQ((*found)->meaning, id.meaning);
        }
        for (const auto& other : some_ids(1000, 1, random, close))
            EXPECT_FALSE(*(*runs)->find(other.id, (*runs)->through()));
        std::size_t count = 0;
        PaymentId last;
        const auto all = (*runs)->runs();
        for (const auto& run : *all) {
            ASSERT_TRUE(run->each([&](const SealedId& id) -> Result<> {
                EXPECT_TRUE(count == 0 || last < id.id);
                last = id.id;
                ++count;
                return {};
            }));
        }
        EXPECT_EQ(count, ids.size());
    }
}
INSTANTIATE_TEST_SUITE_P(Sizes, IdRunSizes, testing::Values(0, 1, 126, 127, 128, 127 * 21, 127 * 21 + 1, 20'000));

// Pages that come from the disk again are checked again, those of filters and the fence too.
TEST(SealedRunsTest, WhatWasLetGoIsCheckedWhenItIsReadAgain) {
    constexpr std::size_t kCount = 127 * 21;  // one group: a page of filters, 21 of records, the fence
    for (const std::size_t flipped : {std::size_t{100}, 22 * kDiskBlock + 3}) {
        Xoshiro256 random(5);
        const test::TemporaryFolder folder;
        auto disk = std::move(*PosixDisk::open(folder.path(), {}));
        auto runs = std::move(*SealedRuns::open(*disk, false));
        auto ids = some_ids(kCount, 1, random);
        ASSERT_TRUE(runs->add({1, 2}, 10, ids));
        for (const auto& id : ids) ASSERT_TRUE(*runs->find(id.id, runs->through()));
        runs->let_go();
        for (const auto& id : ids) ASSERT_TRUE(*runs->find(id.id, runs->through())) << "nothing is lost by that";
        const auto file = *disk->open(runs->runs()->front()->name());
        std::byte byte[1];
        ASSERT_TRUE(disk->read(file, flipped, byte));
        byte[0] ^= std::byte{0xFF};
        ASSERT_TRUE(disk->write_now(file, flipped, byte));
        runs->let_go();
        const auto found = runs->find(ids.front().id, runs->through());
        ASSERT_FALSE(found) << "byte " << flipped;
        EXPECT_EQ(found.error().code, ErrorCode::corrupt);
    }
}

TEST(SealedRunsTest, RunsOfNewerFramesThanAreMeantAreNotAsked) {
    Xoshiro256 random(6);
    MemoryDisk disk(std::make_shared<MemoryStorage>());
    auto runs = std::move(*SealedRuns::open(disk, false));
    auto older = some_ids(100, 1, random), newer = some_ids(100, 11, random);
    ASSERT_TRUE(runs->add({1, 2}, 10, older));
    ASSERT_TRUE(runs->add({1, 2}, 20, newer));
    EXPECT_FALSE(*runs->find(older.front().id, 0));
    EXPECT_TRUE(*runs->find(older.front().id, 1)) << "a run that holds frame 1 is asked whole";
    EXPECT_FALSE(*runs->find(newer.front().id, 10));
    EXPECT_TRUE(*runs->find(newer.front().id, 11));
}

TEST(SealedRunsTest, TiersMergeSoThatFewFilesAreAskedAndReopeningFindsTheSame) {
    Xoshiro256 random(3);
    auto storage = std::make_shared<MemoryStorage>();
    MemoryDisk disk(storage);
    auto runs = SealedRuns::open(disk, false);
    ASSERT_TRUE(runs);
    std::vector<SealedId> all;
    for (Seq step = 0; step < 100; ++step) {
        auto ids = some_ids(random.below(300), step * 10 + 1, random);
        all.insert(all.end(), ids.begin(), ids.end());
        ASSERT_TRUE((*runs)->add({1, 2}, step * 10 + 10, ids));
        while (*(*runs)->merge_step()) {
        }
        EXPECT_LE((*runs)->runs()->size(), 12u);
    }
    EXPECT_EQ(disk.list(kIdsFolder)->size(), (*runs)->runs()->size());
    auto reopened = SealedRuns::open(disk, false);
    ASSERT_TRUE(reopened);
    EXPECT_EQ((*reopened)->through(), 1000u);
    for (const auto& id : all) {
        auto found = (*reopened)->find(id.id, (*reopened)->through());
        ASSERT_TRUE(found && *found);
        EXPECT_EQ((*found)->place, id.place);
    }
}

TEST(SealedRunsTest, AFlippedBitIsAnErrorOrChangesNoAnswer) {
    Xoshiro256 random(5);
    auto storage = std::make_shared<MemoryStorage>();
    auto ids = some_ids(300, 1, random);
    {
        MemoryDisk disk(storage);
        auto runs = SealedRuns::open(disk, false);
        auto sorted = ids;
        ASSERT_TRUE((*runs)->add({1, 2}, 10, sorted));
    }
    const std::string name = id_run_name(1, 10, 0);
    const auto size = storage->bytes(name).size();
    std::size_t noticed = 0;
    for (std::uint64_t at = 0; at < size; at += 1 + random.below(7)) {
        auto spoilt = storage->copy();
        spoilt->flip(name, at, static_cast<std::uint8_t>(1u << random.below(8)));
        MemoryDisk disk(spoilt);
        auto runs = SealedRuns::open(disk, true);
        if (!runs) {
            EXPECT_EQ(runs.error().code, ErrorCode::corrupt);
            ++noticed;
            continue;
        }
        for (const auto& id : ids) {
            auto found = (*runs)->find(id.id, (*runs)->through());
            if (!found) {
                EXPECT_EQ(found.error().code, ErrorCode::corrupt);
                ++noticed;
                break;
            }
            ASSERT_TRUE(*found) << "byte " << at << ": an id is forgotten in silence";
            ASSERT_EQ((*found)->place, id.place) << "byte " << at;
            ASSERT_EQ((*found)->meaning, id.meaning) << "byte " << at;
        }
    }
    EXPECT_GT(noticed, 1000u);
}

TEST(SealedRunsTest, AMissingFileIsNamed) {
    Xoshiro256 random(9);
    auto storage = std::make_shared<MemoryStorage>();
    MemoryDisk disk(storage);
    auto runs = SealedRuns::open(disk, false);
    for (Seq step = 0; step < 3; ++step) {
        auto ids = some_ids(10, step * 10 + 1, random);
        ASSERT_TRUE((*runs)->add({1, 2}, step * 10 + 10, ids));
    }
    ASSERT_TRUE(disk.remove(id_run_name(11, 20, 0)));
    auto reopened = SealedRuns::open(disk, false);
    ASSERT_FALSE(reopened);
    EXPECT_EQ(reopened.error().code, ErrorCode::corrupt);
    EXPECT_NE(reopened.error().what.find("frame 11"), std::string::npos) << reopened.error().what;
}

TEST(SealedRunsTest, FilesThatWereMergedAlreadyAreRemovedAtTheNextStart) {
    Xoshiro256 random(11);
    auto storage = std::make_shared<MemoryStorage>();
    std::map<std::string, std::vector<std::byte>> inputs;
    {
        MemoryDisk disk(storage);
        auto runs = SealedRuns::open(disk, false);
        for (Seq step = 0; step < 4; ++step) {
            auto ids = some_ids(10, step * 10 + 1, random);
            ASSERT_TRUE((*runs)->add({1, 2}, step * 10 + 10, ids));
        }
        for (const auto& name : storage->names()) inputs[name] = storage->bytes(name);
        ASSERT_TRUE(*(*runs)->merge_step());
    }
    for (const auto& [name, bytes] : inputs) storage->set_bytes(name, bytes);  // the process ended before removing them
    storage->set_bytes("ids/half.new", std::vector<std::byte>(5));
    MemoryDisk disk(storage);
    auto runs = SealedRuns::open(disk, false);
    ASSERT_TRUE(runs) << runs.error().what;
    EXPECT_EQ((*runs)->runs()->size(), 1u);
    EXPECT_EQ(storage->names().size(), 1u);
}

}  // namespace
}  // namespace nostro
