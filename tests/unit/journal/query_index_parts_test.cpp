// Payments that are read alone are those that whole frames give, wherever their frames stand.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "nostro/journal/archive_file.hpp"
#include "nostro/journal/data_directory.hpp"
#include "nostro/journal/query_index.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/unit/journal/busy_journal.hpp"
#include "tests/unit/wire/equal_things.hpp"

namespace nostro {
namespace {

using test::a_command;
using test::a_payment;
using test::BusyJournal;
using test::payment_id_of;

bool same(const Recorded& a, const Recorded& b) {
    return test::same(a.payment, b.payment) && a.outcomes == b.outcomes && a.places == b.places && a.times == b.times &&
           a.reversals == b.reversals && a.reversed_minor == b.reversed_minor && a.reviewed_by == b.reviewed_by &&
           a.review_note == b.review_note && a.meaning == b.meaning;
}

class QueryIndexPartsTest : public ::testing::Test {
protected:
    QueryIndexPartsTest() {
        auto& writer = *busy_.writer;
        // A frame of many parts, some of it decided later, some reversed.
        std::vector<Command> many;
        for (std::uint64_t n = 1; n <= 100; ++n) {
            auto payment = a_payment().id(9'000 + n).of("EUR", static_cast<std::int64_t>(n)).from("zoe").to("bob");
            if (n % 9 == 0) payment.manual();
            many.push_back(payment.opening(100'000, 0).command());
        }
        writer.write(many);
        const Place first{writer.head().seq, 0};
        std::vector<Command> later;
        later.push_back(a_command(CapturePayment{payment_id_of(9'090), 7}));
        later.push_back(a_command(VoidPayment{payment_id_of(9'018)}));
        later.push_back(a_command(KeepRecord{payment_id_of(9'200), Reason::none, "{}"}, payment_id_of(9'200)));
        for (std::uint64_t n = 0; n < 3; ++n) {
            ReversePayment reverse;
            reverse.payment = a_payment().id(9'300 + n).of("EUR", 3).from("bob").to("zoe").payment();
            reverse.original = payment_id_of(9'041);
            reverse.original_at = {first.seq, index_of(payment_id_of(9'041))};
            reverse.original_minor = 41;
            reverse.original_settled_at = writer.now();
            later.push_back({0, reverse.payment.id, n, reverse});
        }
        writer.write(later);
        for (const auto& answer : writer.answers())
            EXPECT_EQ(answer.kind, Answer::Kind::recorded) << name(answer.reason);
        writer.write(test::busy_commands(200));
    }
    std::uint32_t index_of(PaymentId id) const {
        const auto& outcomes = busy_.writer->changes().outcomes;
        return static_cast<std::uint32_t>(std::ranges::find(outcomes, id, &Outcome::payment) - outcomes.begin());
    }
    Result<DecodedPtr> whole(Seq seq) const {
        Result<DecodedPtr> found = Error{ErrorCode::not_found, "no such frame"};
        const auto read = store().read(seq, seq, [&](const FramePtr& frame) {
            auto decoded = std::make_shared<DecodedFrame>();
            if (auto done = decode_body(frame, Sections::all, *decoded); !done) {
                found = done.error();
            } else {
                found = DecodedPtr(std::move(decoded));
            }
            return true;
        });
        if (!read) return read.error();
        return found;
    }
    std::unique_ptr<QueryIndex> open(bool in_parts) {
        QueryIndexOptions options{made_.path() + (in_parts ? "/parts" : "/whole"), 50};
        if (in_parts) {
            options.read_bytes = [this](Seq seq, std::uint32_t begin, std::span<std::byte> into) {
                reads_.push_back({seq, begin, begin + into.size()});
                return store().bytes(seq, begin, into);
            };
            options.will_read = [this](Seq seq, std::uint32_t begin, std::uint32_t bytes) {
                if (reads_.empty()) told_.push_back({seq, begin, std::uint64_t{begin} + bytes});
                store().will_read(seq, begin, bytes);
            };
        }
        auto index = QueryIndex::open(options, [this](Seq seq) { return whole(seq); });
        EXPECT_TRUE(index) << index.error().what;
        for (Seq seq = 1; seq <= busy_.writer->head().seq; ++seq) {
            const DecodedPtr frame = *whole(seq);
            EXPECT_TRUE((*index)->project(std::span(&frame, 1)));
        }
        return std::move(*index);
    }
    void expect_alike() {
        const auto parts = open(true), wholes = open(false);
        std::size_t compared = 0;
        for (Seq seq = 1; seq <= busy_.writer->head().seq; ++seq) {
            const DecodedPtr frame = *whole(seq);
            for (const Outcome& outcome : frame->changes.outcomes) {
                if (outcome.payment.empty()) continue;
                const auto a = parts->payment(outcome.payment), b = wholes->payment(outcome.payment);
                ASSERT_TRUE(a) << seq << ": " << a.error().what;
                ASSERT_TRUE(b && *a && *b) << seq;
                ASSERT_TRUE(same(**a, **b)) << seq;
                ++compared;
            }
        }
        EXPECT_GT(compared, 150u);
        for (const std::string_view name : {"ada", "bob", "zoe"}) {
            Search search;
            search.account = test::account(name);
            search.count_max = 1'000;
            const auto a = parts->payments(search), b = wholes->payments(search);
            ASSERT_TRUE(a && b);
            EXPECT_TRUE(std::ranges::equal(a->items, b->items, same));
            for (const Recorded& one : a->items) EXPECT_TRUE(same(one, **wholes->payment(one.payment.id)));
            const auto c = parts->entries(*search.account, {}, {}, true, 1'000, "");
            const auto d = wholes->entries(*search.account, {}, {}, true, 1'000, "");
            ASSERT_TRUE(c && d);
            EXPECT_TRUE(std::ranges::equal(c->items, d->items, [](const Entry& x, const Entry& y) {
                return x.place == y.place && x.at == y.at && x.outcome == y.outcome && x.debit == y.debit &&
                       x.before_minor == y.before_minor && x.after_minor == y.after_minor;
            }));
        }
    }
    const SegmentStore& store() const { return busy_.journal->store(); }

    struct Range {
        Seq seq;
        std::uint64_t begin, end;
    };
    std::vector<Range> reads_, told_;  // told before the first read

    BusyJournal busy_{20, false};
    test::TemporaryFolder made_;
};

TEST_F(QueryIndexPartsTest, AreTheSameOutOfSegments) { expect_alike(); }

TEST_F(QueryIndexPartsTest, AreTheSameOutOfArchives) {
    busy_.fold();
    ASSERT_FALSE(busy_.disk->list(kArchiveFolder)->empty());
    expect_alike();
}

// So that a page waits for the disk once, not for each payment.
TEST_F(QueryIndexPartsTest, WhatAPageReadsIsToldBeforeItsFirstRead) {
    const auto index = open(true);
    Search search;
    search.account = test::account("zoe");
    search.count_max = 50;
    reads_.clear();
    told_.clear();
    const auto page = index->payments(search);
    ASSERT_TRUE(page) << page.error().what;
    ASSERT_EQ(page->items.size(), 50u);
    const Seq many = page->items.back().places.front().seq;  // nearly all of them stand in this frame
    std::size_t looked_at = 0;
    for (const Range& read : reads_) {
        if (read.seq != many) continue;
        ++looked_at;
        EXPECT_TRUE(std::ranges::any_of(told_, [&](const Range& told) {
            return told.seq == read.seq && told.begin <= read.begin && read.end <= told.end;
        })) << read.begin;
    }
    EXPECT_GE(looked_at, 45u);
}

TEST_F(QueryIndexPartsTest, DamageIsSaidNotReadAround) {
    const auto index = open(true);
    const auto segment = segment_name(store().segments().front().about.number);
    auto file = busy_.disk->open(segment);
    ASSERT_TRUE(file);
    const auto frame = *whole(1);
    ASSERT_TRUE(index->payment(payment_id_of(101)).value());
    const Place place = index->payment(payment_id_of(101)).value()->places[0];
    const auto where = store().place(place.seq);
    ASSERT_TRUE(where);
    const std::byte zeros[64] = {};
    ASSERT_TRUE(busy_.disk->write_now(*file, where->offset + 160, zeros));
    const auto found = index->payment(payment_id_of(101));
    ASSERT_FALSE(found);
    EXPECT_EQ(found.error().code, ErrorCode::corrupt);
    EXPECT_NE(found.error().what.find("frame"), std::string::npos) << found.error().what;
}

TEST_F(QueryIndexPartsTest, BytesOfFramesAreThoseOfTheWhole) {
    for (const bool archived : {false, true}) {
        if (archived) busy_.fold();
        for (Seq seq = 1; seq <= busy_.writer->head().seq; ++seq) {
            const DecodedPtr frame = *whole(seq);
            const auto all = frame->frame->bytes();
            for (const std::size_t begin : {std::size_t{0}, std::size_t{130}, all.size() / 2, all.size() - 1}) {
                std::vector<std::byte> some(std::min<std::size_t>(5'000, all.size() - begin));
                const auto read = store().bytes(seq, static_cast<std::uint32_t>(begin), some);
                ASSERT_TRUE(read) << read.error().what;
                EXPECT_TRUE(std::ranges::equal(some, all.subspan(begin, some.size()))) << seq << " " << begin;
            }
        }
        std::vector<std::byte> some(10);
        const auto none = store().bytes(busy_.writer->head().seq + 1, 0, some);
        ASSERT_FALSE(none);
        EXPECT_EQ(none.error().code, ErrorCode::not_found);
    }
}

}  // namespace
}  // namespace nostro
