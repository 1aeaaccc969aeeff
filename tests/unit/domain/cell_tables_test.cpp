#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <map>
#include <set>

#include "nostro/domain/cell_table.hpp"
#include "nostro/domain/due_table.hpp"
#include "nostro/domain/known_ids.hpp"

namespace nostro {

// At namespace level, where the table looks for them.
struct DueImage {
    PaymentId id;
    Instant due;
    int value;
};
static PaymentId id_of(const DueImage& image) { return image.id; }
static Instant due_of(const DueImage& image) { return image.due; }

namespace {

struct Number {
    using Key = std::uint64_t;
    std::uint64_t key;
    int value;
    bool empty() const { return key == 0; }
    bool is(const Key& other) const { return key == other; }
    static CellSpot spot(const Key& key) { return {mixed(key % 7, 1)}; }  // seven homes: long probes
};

Instant at(int seconds) { return Instant(std::chrono::seconds(seconds)); }

TEST(CellMemoryTest, IsZeroedAndAlignedToLinesAtEverySize) {
    for (const auto fault : {CellMemory::Fault::at_once, CellMemory::Fault::as_used}) {
        for (const std::size_t bytes :
             {std::size_t{0}, std::size_t{1}, std::size_t{100}, std::size_t{4096}, std::size_t{3} << 20}) {
            const CellMemory memory(bytes, fault);
            ASSERT_NE(memory.data(), nullptr);
            EXPECT_EQ(reinterpret_cast<std::uintptr_t>(memory.data()) % 64, 0u);
            const auto* at = static_cast<const unsigned char*>(memory.data());
            for (std::size_t i = 0; i < bytes; i += 1) ASSERT_EQ(at[i], 0) << i;
        }
    }
}

TEST(CellTableTest, FindsWhatWasAddedUpToItsLastCell) {
    CellTable<Number> table(100);
    for (std::uint64_t key = 1; key <= 100; ++key) {
        Number& cell = table.look(key);
        ASSERT_TRUE(cell.empty());
        table.added();
        cell = {key, static_cast<int>(key) * 2};
    }
    EXPECT_EQ(table.room(), 0u);
    for (std::uint64_t key = 1; key <= 100; ++key) EXPECT_EQ(table.find(key)->value, static_cast<int>(key) * 2);
    EXPECT_EQ(table.find(101), nullptr);
    std::set<std::uint64_t> keys;
    table.each([&](const Number& cell) { keys.insert(cell.key); });
    EXPECT_EQ(keys.size(), 100u);
}

TEST(CellTableTest, TheNewestMayBeTakenBackInTurn) {
    CellTable<Number> table(100);
    for (std::uint64_t key = 1; key <= 50; ++key) {
        table.look(key) = {key, 1};
        table.added();
    }
    for (std::uint64_t key = 50; key > 10; --key) {
        table.look(key) = {};
        table.taken_back();
    }
    for (std::uint64_t key = 1; key <= 50; ++key) EXPECT_EQ(table.find(key) != nullptr, key <= 10) << key;
}

// Opens, closes and moves at random, beside a std::map.
TEST(DueTableTest, AgreesWithAMapWhateverHappens) {
    ASSERT_TRUE(rc::check([] {
        constexpr std::size_t kCells = 40;
        DueTable<DueImage> table(kCells);
        std::map<PaymentId, DueImage> model;
        const auto steps = *rc::gen::container<std::vector<std::pair<std::uint64_t, int>>>(
            rc::gen::pair(rc::gen::inRange<std::uint64_t>(1, 60), rc::gen::inRange(0, 20)));
        for (const auto& [low, seconds] : steps) {
            const PaymentId id{low % 3, low};
            auto* cell = table.find(id);
            RC_ASSERT((cell != nullptr) == (model.count(id) != 0));
            if (cell == nullptr && table.room() != 0) {
                table.open({id, at(seconds), seconds});
                model[id] = {id, at(seconds), seconds};
            } else if (cell != nullptr && seconds % 2 == 0) {
                cell->image.due = at(seconds);
                table.reschedule(*cell);
                model[id].due = at(seconds);
            } else if (cell != nullptr) {
                table.close(*cell);
                table.release(*cell);
                model.erase(id);
            }
            RC_ASSERT(table.size() == model.size());
            RC_ASSERT(table.room() == kCells - model.size());
        }
        std::set<std::pair<Instant, PaymentId>> order;
        for (const auto& [id, image] : model) order.insert({image.due, id});
        for (const auto& [due, id] : order) {
            auto* first = table.first_due();
            RC_ASSERT(first != nullptr);
            RC_ASSERT(first->image.due == due);
            RC_ASSERT(first->image.id == id);
            table.close(*first);
            RC_ASSERT(table.find(id) == nullptr);
            table.release(*first);
        }
        RC_ASSERT(table.first_due() == nullptr);
    }));
}

TEST(DueTableTest, AClosedCellKeepsItsImageUntilItIsReleasedAndMayComeBack) {
    DueTable<DueImage> table(2);
    auto& cell = table.open({{0, 1}, at(5), 50});
    table.close(cell);
    EXPECT_EQ(cell.image.value, 50);
    EXPECT_EQ(table.room(), 1u);
    EXPECT_EQ(table.find({0, 1}), nullptr);
    table.reopen(cell, cell.image);
    EXPECT_EQ(table.find({0, 1}), &cell);
    EXPECT_EQ(table.first_due(), &cell);
}

// --- known ids

PaymentId id(std::uint64_t n) { return {n << 8, n}; }

TEST(KnownIdsTest, RememberPlaceMeaningAndState) {
    KnownIds known(400);
    known.begin_frame(1, 10);
    KnownCell& cell = known.insert(id(7), {KnownCell::kSeqMax, KnownCell::kIndexMax}, 0xfedcba9876543210u);
    cell.set_state(Status::quarantined);
    cell.set_reviewed();
    const KnownCell* found = known.find(id(7));
    ASSERT_NE(found, nullptr);
    EXPECT_EQ(found->place(), (Place{KnownCell::kSeqMax, KnownCell::kIndexMax}));
    EXPECT_EQ(found->meaning, 0xfedcba9876543210u);
    EXPECT_EQ(found->state(), Status::quarantined);
    EXPECT_TRUE(found->is_reviewed());
    cell.set_place({5, 6});
    EXPECT_EQ(found->place(), (Place{5, 6}));
    EXPECT_EQ(found->state(), Status::quarantined);
    EXPECT_EQ(known.find(id(8)), nullptr);
}

TEST(KnownIdsTest, AGenerationIsReusedOnlyWhenItsRunIsSealed) {
    constexpr std::size_t kReserve = 10;
    KnownIds known(400);  // 101 a generation
    std::uint64_t next = 0;
    Seq seq = 0;
    const auto frame = [&](std::size_t count) {
        known.begin_frame(++seq, kReserve);
        for (std::size_t i = 0; i < count; ++i) known.insert(id(++next), {seq, static_cast<std::uint32_t>(i)}, 1);
    };
    for (int i = 0; i < 4; ++i) frame(95);
    for (std::uint64_t n = 1; n <= next; ++n) ASSERT_NE(known.find(id(n)), nullptr) << n;
    EXPECT_EQ(known.forgotten_through(), 0u);
    EXPECT_FALSE(known.has_next());
    known.forget(0);
    EXPECT_FALSE(known.has_next());
    frame(6);  // what is left of the fourth
    EXPECT_EQ(known.room(), 0u);

    known.forget(1);
    EXPECT_TRUE(known.has_next());
    EXPECT_NE(known.find(id(1)), nullptr) << "stays until its memory is needed";
    frame(1);
    EXPECT_EQ(known.forgotten_through(), 1u);
    EXPECT_EQ(known.find(id(1)), nullptr);
    EXPECT_EQ(known.find(id(95)), nullptr);
    EXPECT_NE(known.find(id(96)), nullptr);
    EXPECT_EQ(known.room(), 100u);
    known.insert(id(1), {seq, 1}, 2);
    EXPECT_EQ(known.find(id(1))->meaning, 2u);
}

TEST(KnownIdsTest, SurviveManyTurnsWithoutMixingUpLives) {
    KnownIds known(80);
    std::uint64_t next = 0;
    for (Seq seq = 1; seq <= 500; ++seq) {
        known.begin_frame(seq, 5);
        for (std::uint32_t i = 0; i < 5; ++i) known.insert(id(++next), {seq, i}, seq);
        known.forget(seq);
        const std::uint64_t first = known.forgotten_through() * 5;
        for (std::uint64_t n = first < 20 ? 1 : first - 19; n <= next; ++n) {
            const KnownCell* cell = known.find(id(n));
            ASSERT_EQ(cell != nullptr, n > first) << n << " in frame " << seq;
            if (cell == nullptr) continue;
            ASSERT_EQ(cell->seq(), (n + 4) / 5);
        }
    }
}

TEST(KnownIdsTest, WhatAnImageFileHoldsMustBeAskedOfTheSealedRuns) {
    KnownIds behind_image(400);
    behind_image.begin_frame(42, 10);
    EXPECT_EQ(behind_image.forgotten_through(), 41u);
    KnownIds told(400);
    told.forget(41);
    EXPECT_EQ(told.forgotten_through(), 41u);
}

TEST(KnownIdsTest, TheNewestMayBeTakenBack) {
    KnownIds known(400);
    known.begin_frame(1, 10);
    known.insert(id(1), {1, 0}, 1);
    KnownCell& newest = known.insert(id(2), {1, 1}, 1);
    const std::size_t room = known.room();
    known.take_back(newest);
    EXPECT_EQ(known.room(), room + 1);
    EXPECT_EQ(known.find(id(2)), nullptr);
    EXPECT_NE(known.find(id(1)), nullptr);
}

}  // namespace
}  // namespace nostro
