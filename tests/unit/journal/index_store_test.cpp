// The index on disk holds what was put last, whichever files it has become, and damage is said.
#include "nostro/journal/index_store.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "nostro/base/random.hpp"
#include "nostro/journal/index_key.hpp"
#include "tests/support/temporary_folder.hpp"

namespace nostro {
namespace {

using ::testing::HasSubstr;
using Rows = std::map<std::string, std::string>;

class IndexStoreTest : public ::testing::Test {
protected:
    IndexStoreTest() { reopen(); }

    void reopen() {
        store_.reset();
        auto store = IndexStore::open(folder());
        ASSERT_TRUE(store) << store.error().what;
        store_ = std::move(*store);
    }
    void ingest(IndexRunBuilder& builder) {
        const IndexRunPtr run = builder.finish();
        const auto done = store_->ingest(std::span(&run, 1));
        ASSERT_TRUE(done) << done.error().what;
    }
    // Keys of several lengths, many of which come again: payments, which the filter knows, places, and texts.
    std::string some_key() {
        const std::uint64_t n = random_.below(3'000);
        switch (random_.below(3)) {
            case 0:
                return std::string(
                    IndexKey(IndexTag::payment).u64(n * 0x9E3779B97F4A7C15u).u64(n).place({n % 7, 3}).view());
            case 1: return std::string(IndexKey(IndexTag::status).u16(0).u16(1).u8(2).place({n, 1}).view());
            default: return "N" + std::string(n % 19, 'n') + std::to_string(n);
        }
    }
    void add_some(std::size_t count) {
        IndexRunBuilder builder;
        for (std::size_t i = 0; i < count; ++i) {
            const std::string key = some_key();
            if (random_.below(5) == 0) {
                builder.remove(key);
                rows_.erase(key);
            } else {
                rows_[key] = std::string(random_.below(3) == 0 ? random_.below(60) : 1, 'v') + std::to_string(i);
                builder.put(key, rows_[key]);
            }
        }
        ingest(builder);
    }
    std::vector<std::string> files() const {
        std::vector<std::string> names;
        for (const auto& file : std::filesystem::directory_iterator(folder())) names.push_back(file.path().filename());
        return names;
    }
    void expect_all() const {
        auto row = rows_.begin();
        auto walk = store_->walk_all();
        for (; walk.valid() && row != rows_.end(); walk.next(), ++row) {
            ASSERT_EQ(walk.key(), row->first);
            ASSERT_EQ(walk.value(), row->second);
        }
        EXPECT_TRUE(walk.status());
        EXPECT_FALSE(walk.valid());
        EXPECT_EQ(row, rows_.end());
    }
    std::string folder() const { return made_.path() + "/index"; }

    test::TemporaryFolder made_;
    Xoshiro256 random_{11};
    Rows rows_;
    std::unique_ptr<IndexStore> store_;
};

TEST_F(IndexStoreTest, HoldsWhatWasPutLastHoweverFilesAreMerged) {
    for (int round = 0; round < 80; ++round) {
        add_some(1 + random_.below(400));
        if (round % 10 == 9) {
            expect_all();
            reopen();
            expect_all();
        }
    }
    store_->wait_for_merges();
    EXPECT_LE(files().size(), 16u) << "eight of a kind become one";
    expect_all();
    reopen();
    expect_all();
}

TEST_F(IndexStoreTest, WalksBothWaysBetweenBoundsAndFindsSingleKeys) {
    for (int round = 0; round < 5; ++round) add_some(1'500);
    for (int round = 0; round < 300; ++round) {
        std::string lower = some_key(), upper = some_key();
        if (upper < lower) std::swap(lower, upper);
        if (lower == upper) continue;
        const auto begin = rows_.lower_bound(lower), end = rows_.lower_bound(upper);
        auto forwards = store_->walk(lower, upper, false);
        for (auto row = begin; row != end; ++row, forwards.next()) {
            ASSERT_TRUE(forwards.valid());
            ASSERT_EQ(forwards.key(), row->first);
        }
        EXPECT_FALSE(forwards.valid());
        auto backwards = store_->walk(lower, upper, true);
        for (auto row = end; row != begin; backwards.next()) {
            --row;
            ASSERT_TRUE(backwards.valid());
            ASSERT_EQ(backwards.key(), row->first);
            ASSERT_EQ(backwards.value(), row->second);
        }
        EXPECT_FALSE(backwards.valid());

        const auto found = store_->get(lower);
        ASSERT_TRUE(found);
        EXPECT_EQ(found->has_value(), rows_.contains(lower));
        if (*found) {
            EXPECT_EQ(**found, rows_[lower]);
        }
    }
}

TEST_F(IndexStoreTest, TellsTheNeighboursOfAKey) {
    for (int round = 0; round < 5; ++round) add_some(1'500);
    auto walk = store_->walk("P", "Q", false);
    for (int round = 0; round < 300; ++round) {
        const std::string key = some_key();
        const auto first = rows_.lower_bound("P"), end = rows_.lower_bound("Q");
        auto row = key < "P" ? first : rows_.lower_bound(key);
        if (key >= "Q") row = end;
        walk.seek(key);
        ASSERT_EQ(walk.valid(), row != end);
        if (walk.valid()) {
            EXPECT_EQ(walk.key(), row->first);
        }
        walk.previous();
        ASSERT_EQ(walk.valid(), row != first);
        if (walk.valid()) {
            EXPECT_EQ(walk.key(), std::prev(row)->first);
        }
    }
}

// Thousands of entries of one account fill pages whose first bytes are the same.
TEST_F(IndexStoreTest, KeysThatBeginAlikeFillManyPages) {
    IndexRunBuilder builder;
    const auto key = [](Seq seq) {
        return std::string(IndexKey(IndexTag::account).u64(7).u64(8).place({seq, 0}).view());
    };
    for (Seq seq = 1; seq <= 5'000; ++seq) builder.put(key(2 * seq), "+");
    ingest(builder);
    for (Seq seq = 1; seq <= 10'001; ++seq) {
        auto walk = store_->walk(key(seq), end_of(key(0).substr(0, 17)), false);
        ASSERT_EQ(walk.valid(), seq <= 10'000);
        if (walk.valid()) {
            ASSERT_EQ(walk.key(), key(seq + seq % 2));
        }
        ASSERT_EQ(store_->get(key(seq))->has_value(), seq % 2 == 0 && seq <= 10'000);
    }
}

TEST_F(IndexStoreTest, AFlippedByteIsSaid) {
    add_some(120);
    store_.reset();
    const std::string path = folder() + "/" + files().front();
    std::string bytes(std::filesystem::file_size(path), '\0');
    std::ifstream(path, std::ios::binary).read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    for (std::size_t at = 0; at < bytes.size(); at += 1 + at % 37) {
        bytes[at] = static_cast<char>(bytes[at] ^ 0x10);
        std::ofstream(path, std::ios::binary).write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
        bytes[at] = static_cast<char>(bytes[at] ^ 0x10);
        const auto opened = IndexStore::open(folder());
        if (!opened) {
            EXPECT_EQ(opened.error().code, ErrorCode::corrupt);
            EXPECT_THAT(opened.error().what, HasSubstr("nostro rebuild index"));
            continue;
        }
        auto walk = (*opened)->walk_all();
        std::size_t met = 0;
        for (; walk.valid(); walk.next()) ++met;
        ASSERT_FALSE(walk.status()) << "byte " << at;
        EXPECT_THAT(walk.status().error().what, HasSubstr("nostro rebuild index"));
        EXPECT_LT(met, rows_.size());
    }
}

TEST_F(IndexStoreTest, WhatACrashLeftBehindIsTakenAway) {
    add_some(50);
    add_some(50);
    store_.reset();
    std::ofstream(folder() + "/000000000003-000000000003.t0.run.new") << "half a file";
    reopen();
    expect_all();
    EXPECT_EQ(files().size(), 2u);
    // Merged, and the program ended before the first of the old ones went.
    std::filesystem::path old = folder() + "/000000000001-000000000001.t0.run", kept = made_.path() + "/kept";
    std::filesystem::copy_file(old, kept);
    for (int round = 0; round < 6; ++round) add_some(50);
    store_->wait_for_merges();
    store_.reset();
    if (!std::filesystem::exists(old)) std::filesystem::copy_file(kept, old);
    reopen();
    expect_all();
    EXPECT_FALSE(std::filesystem::exists(old));
}

TEST_F(IndexStoreTest, AFileThatIsMissingIsSaid) {
    for (int round = 0; round < 3; ++round) add_some(50);
    store_.reset();
    std::filesystem::remove(folder() + "/000000000002-000000000002.t0.run");
    const auto opened = IndexStore::open(folder());
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().code, ErrorCode::corrupt);
    EXPECT_THAT(opened.error().what, HasSubstr("is missing before 000000000003"));
}

TEST_F(IndexStoreTest, OneOfAnEarlierProgramIsSaid) {
    std::ofstream(folder() + "/CURRENT") << "MANIFEST-000004\n";
    const auto opened = IndexStore::open(folder());
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().code, ErrorCode::corrupt);
    EXPECT_THAT(opened.error().what, HasSubstr("another version"));
    EXPECT_FALSE(IndexStore::open_to_look(folder()));
}

TEST_F(IndexStoreTest, IsReadWhileItGrows) {
    add_some(500);
    for (int round = 0; round < 30; ++round) {
        const auto looked = IndexStore::open_to_look(folder());
        ASSERT_TRUE(looked) << looked.error().what;
        const Rows then = rows_;
        add_some(200);
        auto walk = (*looked)->walk_all();
        for (const auto& [key, value] : then) {
            ASSERT_TRUE(walk.valid());
            ASSERT_EQ(walk.key(), key);
            walk.next();
        }
    }
}

}  // namespace
}  // namespace nostro
