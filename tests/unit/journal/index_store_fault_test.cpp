// The index's own files on a disk that fails: whatever happens, and whenever, what a flush was told to have written is
// there, what was half written is not, and the next one goes on.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "nostro/adapters/memory/faulty_disk.hpp"
#include "nostro/adapters/memory/memory_disk.hpp"
#include "nostro/base/random.hpp"
#include "nostro/journal/index_key.hpp"
#include "nostro/journal/index_store.hpp"

namespace nostro {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using Fault = FaultyDisk::Plan::Fault;
using Rows = std::map<std::string, std::string>;

constexpr std::uint64_t kFlushes = 19, kInFirstProcess = 10;  // both processes merge once

// What flush number `n` puts and removes, and the cursor beside it.
IndexRunPtr run_of(std::uint64_t n, Rows& rows) {
    Xoshiro256 random(n);
    IndexRunBuilder builder;
    for (int i = 0; i < 40; ++i) {
        const std::uint64_t id = random.below(60);
        const std::string key(
            id % 2 == 0 ? IndexKey(IndexTag::payment).u64(id * 0x9E3779B97F4A7C15u).u64(id).place({id, 0}).view()
                        : IndexKey(IndexTag::status).u16(0).u16(1).u8(2).place({id, 1}).view());
        if (random.below(4) == 0) {
            builder.remove(key);
            rows.erase(key);
        } else {
            rows[key] = std::to_string(n) + std::string(random.below(200), '.');
            builder.put(key, rows[key]);
        }
    }
    rows["Z"] = std::to_string(n);
    builder.put("Z", rows["Z"]);
    return builder.finish();
}

class IndexStoreFaultTest : public ::testing::Test {
protected:
    IndexStoreFaultTest() {
        Rows rows;
        after_.push_back(rows);
        runs_.push_back(nullptr);
        for (std::uint64_t n = 1; n <= kFlushes; ++n) {
            runs_.push_back(run_of(n, rows));
            after_.push_back(rows);
        }
    }

    static Result<std::unique_ptr<IndexStore>> open(Disk& disk) {
        return IndexStore::open(std::shared_ptr<Disk>(std::shared_ptr<Disk>(), &disk), IndexStore::Merging::by_hand);
    }
    static std::uint64_t newest_in(const IndexStore& store) {
        const auto found = store.get("Z");
        EXPECT_TRUE(found) << found.error().what;
        return found && *found ? std::stoull(**found) : 0;
    }

    struct Told {
        std::uint64_t written = 0, asked = 0;
    };
    // One process, from where the files end: each flush that fails is asked for again, together with the next one.
    void run(Disk& disk, std::uint64_t through, Told& told) const {
        auto store = open(disk);
        if (!store) return;
        std::vector<IndexRunPtr> gathered;
        const auto at = (*store)->get("Z");
        if (!at) return;
        for (std::uint64_t n = *at ? std::stoull(**at) + 1 : 1; n <= through; ++n) {
            gathered.push_back(runs_[n]);
            told.asked = n;
            if ((*store)->ingest(gathered)) {
                gathered.clear();
                told.written = n;
            }
            for (auto merged = (*store)->merge(); merged && *merged;) merged = (*store)->merge();
        }
    }
    void run_both(Disk& disk, Told& told) const {
        run(disk, kInFirstProcess, told);
        run(disk, kFlushes, told);
    }

    // By a process whose disk works.
    void check(const std::shared_ptr<MemoryStorage>& storage, const Told& told, const std::string& where) const {
        MemoryDisk disk(storage);
        const auto store = open(disk);
        ASSERT_TRUE(store) << where << ": " << store.error().what;
        const std::uint64_t newest = newest_in(**store);
        ASSERT_GE(newest, told.written) << where << ": a flush is lost";
        ASSERT_LE(newest, told.asked) << where;
        ASSERT_EQ(rows_of(**store), after_[newest]) << where;
        for (const std::string& name : storage->names()) ASSERT_THAT(name, EndsWith(".run")) << where;
    }
    // That a flush takes on a disk with room.
    std::uint64_t bytes_of_next(const std::shared_ptr<MemoryStorage>& storage, std::uint64_t flush) const {
        const auto roomy = storage->copy();
        MemoryDisk disk(roomy);
        auto store = open(disk);
        EXPECT_TRUE(store && (*store)->ingest({&runs_[flush], 1}));
        return roomy->used() - storage->used();
    }
    static Rows rows_of(const IndexStore& store) {
        Rows rows;
        auto walk = store.walk_all();
        for (; walk.valid(); walk.next()) rows.emplace(walk.key(), walk.value());
        EXPECT_TRUE(walk.status());
        return rows;
    }

    std::vector<Rows> after_;  // each flush
    std::vector<IndexRunPtr> runs_;
};

TEST_F(IndexStoreFaultTest, EveryOperationFailsOrTearsOnceAndEveryFlushIsThere) {
    std::uint64_t operations = 0;
    {
        MemoryDisk disk(std::make_shared<MemoryStorage>());
        FaultyDisk counted(disk);
        Told told;
        run_both(counted, told);
        operations = counted.operations();
        ASSERT_EQ(told.written, kFlushes);
    }
    ASSERT_GT(operations, 200u);
    for (const Fault fault : {Fault::fails, Fault::tears}) {
        for (std::uint64_t at = 1; at <= operations; ++at) {
            const std::string where = "operation " + std::to_string(at) + (fault == Fault::tears ? " tears" : " fails");
            const auto storage = std::make_shared<MemoryStorage>();
            Told told;
            {
                MemoryDisk disk(storage);
                FaultyDisk faulty(disk);
                faulty.plan({at, fault, false});
                run_both(faulty, told);
                ASSERT_TRUE(faulty.has_failed()) << where;
            }
            check(storage, told, where);
            if (HasFailure()) return;
        }
    }
}

TEST_F(IndexStoreFaultTest, APowerCutAtEveryStepLeavesWhatWasFlushed) {
    bool ended = false;
    for (std::uint64_t at = 1; !ended; ++at) {
        for (const Fault fault : {Fault::is_lost, Fault::tears}) {
            const std::string where = "power cut at operation " + std::to_string(at);
            const auto storage = std::make_shared<MemoryStorage>();
            Told told;
            {
                MemoryDisk disk(storage);
                FaultyDisk faulty(disk);
                faulty.plan({at, fault, true});
                run_both(faulty, told);
                ended = !faulty.has_failed();
                Xoshiro256 random(at);
                disk.cut_power(random);
            }
            check(storage, told, where);
            // The next process goes on to the end.
            MemoryDisk disk(storage);
            run(disk, kFlushes, told);
            check(storage, {kFlushes, kFlushes}, where + ", and on");
            if (HasFailure()) return;
        }
    }
}

TEST_F(IndexStoreFaultTest, AFullDiskTakesNothingAndLosesNothing) {
    const auto storage = std::make_shared<MemoryStorage>();
    MemoryDisk disk(storage);
    auto store = open(disk);
    ASSERT_TRUE(store);
    for (std::uint64_t n = 1; n <= 8; ++n) ASSERT_TRUE((*store)->ingest({&runs_[n], 1}));
    const auto names = storage->names();
    const std::uint64_t needed = bytes_of_next(storage, 9);
    for (const std::uint64_t left : {std::uint64_t{0}, needed / 2, needed - 1}) {
        storage->set_capacity(storage->used() + left);
        const auto written = (*store)->ingest({&runs_[9], 1});
        ASSERT_FALSE(written) << left;
        EXPECT_EQ(written.error().code, ErrorCode::unavailable);
        EXPECT_THAT(written.error().what, HasSubstr("no space"));
        const auto merged = (*store)->merge();
        ASSERT_FALSE(merged);
        EXPECT_EQ(merged.error().code, ErrorCode::unavailable);
        EXPECT_EQ(storage->names(), names) << "what was half written is gone";
        EXPECT_EQ(rows_of(**store), after_[8]) << "and reads go on";
    }
    storage->set_capacity(std::uint64_t{1} << 30);
    EXPECT_TRUE((*store)->ingest({&runs_[9], 1}));
    EXPECT_TRUE((*store)->merge().value());
    EXPECT_EQ(rows_of(**store), after_[9]);
}

TEST_F(IndexStoreFaultTest, AFileThatIsCutOffIsSaid) {
    const auto storage = std::make_shared<MemoryStorage>();
    {
        MemoryDisk disk(storage);
        Told told;
        run(disk, 1, told);
    }
    const std::string name = storage->names().front();
    const auto whole = storage->bytes(name);
    for (std::size_t size = 0; size < whole.size(); size += size < 300 || whole.size() - size < 300 ? 1 : 97) {
        storage->set_bytes(name, {whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size)});
        MemoryDisk disk(storage);
        const auto opened = open(disk);
        ASSERT_FALSE(opened) << size;
        EXPECT_EQ(opened.error().code, ErrorCode::corrupt);
        EXPECT_THAT(opened.error().what, HasSubstr("rebuild index"));
    }
}

// Any but the newest: without that one the index is an older one, whose cursor says from where frames are read again.
TEST_F(IndexStoreFaultTest, AnyFileThatIsMissingIsSaid) {
    const auto storage = std::make_shared<MemoryStorage>();
    {
        MemoryDisk disk(storage);
        Told told;
        run_both(disk, told);
    }
    const auto names = storage->names();
    ASSERT_EQ(names.size(), 5u) << "two that were merged, three that were not";
    for (std::size_t gone = 0; gone < names.size(); ++gone) {
        const auto without = storage->copy();
        MemoryDisk disk(without);
        ASSERT_TRUE(disk.remove(names[gone]));
        const auto opened = open(disk);
        if (gone + 1 == names.size()) {
            ASSERT_TRUE(opened) << opened.error().what;
            EXPECT_EQ(rows_of(**opened), after_[kFlushes - 1]);
            continue;
        }
        ASSERT_FALSE(opened) << names[gone];
        EXPECT_EQ(opened.error().code, ErrorCode::corrupt);
        EXPECT_THAT(opened.error().what, HasSubstr("a file is missing before " + names[gone + 1]));
    }
}

TEST_F(IndexStoreFaultTest, AMergeOfADamagedFileLeavesItWhereItIs) {
    const auto storage = std::make_shared<MemoryStorage>();
    MemoryDisk disk(storage);
    {
        auto store = open(disk);
        ASSERT_TRUE(store);
        for (std::uint64_t n = 1; n <= 8; ++n) ASSERT_TRUE((*store)->ingest({&runs_[n], 1}));
    }
    const auto names = storage->names();
    storage->flip(names[3], 77, 0x10);
    auto store = open(disk);
    ASSERT_TRUE(store) << "pages are checked when they are read";
    const auto merged = (*store)->merge();
    ASSERT_FALSE(merged);
    EXPECT_EQ(merged.error().code, ErrorCode::corrupt);
    EXPECT_THAT(merged.error().what, HasSubstr(names[3]));
    EXPECT_EQ(storage->names(), names);
}

TEST_F(IndexStoreFaultTest, AMergeBeginsOnceThereIsRoomForAllOfItAndForTheJournal) {
    const auto storage = std::make_shared<MemoryStorage>();
    MemoryDisk memory(storage);
    FaultyDisk disk(memory);
    auto store = open(disk);
    ASSERT_TRUE(store);
    for (std::uint64_t n = 1; n <= 8; ++n) ASSERT_TRUE((*store)->ingest({&runs_[n], 1}));
    const std::uint64_t spare = 256u << 20, needed = storage->used() + spare;
    storage->set_capacity(storage->used() + needed - 1);
    const std::uint64_t operations = disk.operations();
    const auto merged = (*store)->merge();
    ASSERT_FALSE(merged);
    EXPECT_EQ(merged.error().code, ErrorCode::unavailable);
    EXPECT_THAT(merged.error().what, HasSubstr(std::to_string(needed) + " bytes must be free"));
    EXPECT_EQ(disk.operations(), operations) << "nothing is begun";
    storage->set_capacity(storage->used() + needed);
    EXPECT_TRUE((*store)->merge().value());
    EXPECT_EQ(rows_of(**store), after_[8]);
}

TEST_F(IndexStoreFaultTest, AMergeWithoutRoomKeepsNoSmallerOneBehindIt) {
    const auto storage = std::make_shared<MemoryStorage>();
    MemoryDisk disk(storage);
    auto store = open(disk);
    ASSERT_TRUE(store);
    // Eight large files, and eight small ones behind them, of which the last one removes what stands in the large.
    Rows rows;
    std::uint64_t large = 0;
    for (std::uint64_t n = 1; n <= 16; ++n) {
        IndexRunBuilder builder;
        for (std::uint64_t i = 0; i < (n <= 8 ? 400 : 1); ++i) {
            const std::string key = "K" + std::to_string(i);
            if (n == 16) {
                rows.erase(key);
                builder.remove(key);
            } else {
                rows[key] = std::to_string(n) + std::string(200, '.');
                builder.put(key, rows[key]);
            }
        }
        const IndexRunPtr run = builder.finish();
        ASSERT_TRUE((*store)->ingest({&run, 1}));
        if (n == 8) large = storage->used();
    }
    const auto names = storage->names();
    const std::uint64_t needed = large + (256u << 20);
    storage->set_capacity(storage->used() + needed - 1);
    const auto merged = (*store)->merge();
    ASSERT_TRUE(merged) << merged.error().what;
    EXPECT_TRUE(*merged);
    const auto left = storage->names();
    ASSERT_EQ(left.size(), 9u);
    EXPECT_TRUE(std::equal(left.begin(), left.end() - 1, names.begin())) << "the large ones wait";
    EXPECT_EQ(rows_of(**store), rows) << "and what was removed stays so";
    storage->set_capacity(storage->used() + needed - 1);
    const auto refused = (*store)->merge();
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::unavailable);
    EXPECT_THAT(refused.error().what, HasSubstr(std::to_string(needed) + " bytes must be free"));
    storage->set_capacity(storage->used() + needed);
    EXPECT_TRUE((*store)->merge().value());
    EXPECT_EQ(rows_of(**store), rows);
}

TEST_F(IndexStoreFaultTest, DamageIsMetByOneMergeAndByNoneAfterIt) {
    const auto storage = std::make_shared<MemoryStorage>();
    MemoryDisk memory(storage);
    {
        auto store = open(memory);
        ASSERT_TRUE(store);
        for (std::uint64_t n = 1; n <= 8; ++n) ASSERT_TRUE((*store)->ingest({&runs_[n], 1}));
    }
    const std::string damaged = storage->names()[3];
    storage->flip(damaged, 77, 0x10);
    FaultyDisk disk(memory);
    auto store =
        IndexStore::open(std::shared_ptr<Disk>(std::shared_ptr<Disk>(), &disk), IndexStore::Merging::on_own_thread);
    ASSERT_TRUE(store);
    EXPECT_EQ((*store)->trouble(), "");
    (*store)->wait_for_merges();
    EXPECT_THAT((*store)->trouble(), HasSubstr(damaged));
    // Flushes go on, and wait for no merge.
    const std::uint64_t operations = disk.operations();
    ASSERT_TRUE((*store)->ingest({&runs_[9], 1}));
    const std::uint64_t of_flush = disk.operations() - operations;
    EXPECT_EQ(newest_in(**store), 9u);
    for (std::uint64_t n = 10; n <= kFlushes; ++n) ASSERT_TRUE((*store)->ingest({&runs_[n], 1}));
    EXPECT_LE(disk.operations(), operations + 2 * of_flush * (kFlushes - 8)) << "the others are not read again";
    EXPECT_EQ(newest_in(**store), kFlushes);
}

}  // namespace
}  // namespace nostro
