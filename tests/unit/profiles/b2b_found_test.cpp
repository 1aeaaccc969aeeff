#include "nostro/profiles/b2b_found.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <deque>

#include "nostro/base/time.hpp"
#include "nostro/profiles/b2b_documents.hpp"

namespace nostro::b2b {
namespace {

// The rows of payments as an index keeps them: sorted by what counts of their text, then as they came.
class SortedRows final : public History {
public:
    void add(std::string_view id, std::string_view type, std::string_view originator, std::string_view at) {
        const std::string_view name = text(fmt::format("party:{}:USD", originator));
        Payment payment;
        payment.key = text(std::string(id));
        payment.type = text(std::string(type));
        payment.debtor_name = name;
        payment.amount = Money(100, *Currency::parse("USD"));
        payment.requested_at = parse_rfc3339(at).value();
        payment.attachment =
            text(fmt::format(R"({{"originator":{{"party_id":"{}","name":"A"}},"created_at":"{}"}})", originator, at));
        std::vector<IndexRow> rows;
        index_rows(payment, rows);
        for (const IndexRow& row : rows) {
            const std::string_view counts = cut_row(row.row);
            const auto behind = std::ranges::upper_bound(rows_, counts, {}, &Kept::row);
            rows_.insert(behind, {row.group, std::string(counts), payment});
        }
    }
    Result<Page<Recorded>> rows(const RowSearch& search) const override {
        if (reads == reads_max) return Error{ErrorCode::unavailable, "gone"};
        ++reads;
        Page<Recorded> page;
        std::size_t at = search.cursor.empty() ? 0 : std::stoul(search.cursor);
        for (; at < rows_.size() && page.items.size() < search.count_max; ++at) {
            const Kept& kept = rows_[at];
            if (kept.group != search.group || kept.row < search.from || kept.row >= search.to) continue;
            Recorded recorded;
            recorded.payment = kept.payment;
            recorded.outcomes.resize(1);
            recorded.outcomes[0].status = Status::settled;
            page.items.push_back(recorded);
        }
        if (at < rows_.size()) page.next = std::to_string(at);
        return page;
    }
    mutable int reads = 0;
    int reads_max = 1'000'000;

    AsOf as_of() const override { return {}; }
    Result<std::optional<Recorded>> payment(PaymentId) const override { return none(); }
    Result<Page<Recorded>> payments(const Search&) const override { return none(); }
    Result<Page<Recorded>> reviews(TenantNo, std::uint32_t, const std::string&) const override { return none(); }
    Result<std::optional<AccountRecord>> account(AccountId) const override { return none(); }
    Result<std::optional<AccountRecord>> account_as_of(AccountId, Seq) const override { return none(); }
    Result<Page<AccountRecord>> accounts(TenantNo, std::uint32_t, const std::string&) const override { return none(); }
    Result<AccountImage> account_at(AccountId, Seq) const override { return none(); }
    Result<Seq> seq_at(Instant) const override { return none(); }
    Result<Page<Entry>> entries(AccountId, std::optional<Instant>, std::optional<Instant>, bool, std::uint32_t,
                                const std::string&) const override {
        return none();
    }
    Result<Page<DeadLetter>> dead_letters(std::uint32_t, const std::string&) const override { return none(); }
    Result<std::optional<DeadLetter>> dead_letter(Place) const override { return none(); }
    Result<std::vector<Book::KindTotal>> totals_at(Seq) const override { return none(); }
    Result<std::optional<Seq>> frame_of_number(TenantNo, std::uint64_t) const override { return none(); }

private:
    struct Kept {
        std::string group, row;
        Payment payment;
    };
    static Error none() { return {ErrorCode::unavailable, "not asked"}; }
    std::string_view text(std::string each) { return texts_.emplace_back(std::move(each)); }

    std::deque<std::string> texts_;
    std::vector<Kept> rows_;
};

RowSearch all() { return {.group = std::string(kAllGroup), .from = "", .to = "~", .cursor = ""}; }

std::string whole(FoundPayments& found) {
    std::string text;
    while (!found.at_end()) EXPECT_TRUE(found.next(text));
    return text;
}

std::vector<std::string> ids_in(std::string_view text) {
    constexpr std::string_view kId = "\"payment_id\":\"";
    std::vector<std::string> ids;
    for (auto at = text.find(kId); at != std::string_view::npos; at = text.find(kId, at + 1)) {
        const auto begin = at + kId.size();
        ids.emplace_back(text.substr(begin, text.find('"', begin) - begin));
    }
    return ids;
}

TEST(B2bFoundTest, NothingIsAnEmptyArray) {
    SortedRows history;
    FoundPayments found(history, all());
    EXPECT_EQ(whole(found), "[]");
}

TEST(B2bFoundTest, FindsTheDaysThatWereAsked) {
    SortedRows history;
    history.add("c", "ACH", "C1", "2026-01-03T00:00:00Z");
    history.add("a", "WIRE", "C2", "2026-01-02T23:59:59Z");
    history.add("b", "ACH", "C2", "2026-01-02T00:00:00Z");
    history.add("d", "ACH", "C2", "2026-01-01T00:00:00Z");
    RowSearch search = all();
    search.from = "20260102";
    search.to = "20260103";
    FoundPayments days(history, search);
    EXPECT_THAT(ids_in(whole(days)), testing::ElementsAre("b", "a"));
    search.group = party_group("ACH", "C2");
    FoundPayments party(history, search);
    EXPECT_THAT(ids_in(whole(party)), testing::ElementsAre("b"));
}

// Of so long a type and originator the payment's id does not count in the index.
std::vector<std::string> add_alike(SortedRows& history, int count) {
    std::vector<std::string> ids;
    for (int i = 0; i < count; ++i) {
        ids.push_back(fmt::format("P{:06}", (i * 7919 + 13) % 100'003));
        history.add(ids.back(), "SEPA_CREDIT_TRANSFER", std::string(40, 'o'), "2026-01-02T03:04:05Z");
    }
    std::ranges::sort(ids);
    return ids;
}

TEST(B2bFoundTest, RowsAlikeInTheIndexAreStillInOrder) {
    SortedRows history;
    history.add("first", "ACH", "C", "2026-01-02T03:04:04Z");
    auto ids = add_alike(history, 150);
    history.add("last", "ACH", "C", "2026-01-02T03:04:06Z");
    ids.insert(ids.begin(), "first");
    ids.push_back("last");
    FoundPayments found(history, all());
    EXPECT_EQ(ids_in(whole(found)), ids);
    for (const std::size_t alike_max : {1u, 7u, 74u, 75u, 76u, 150u, 151u}) {
        FoundPayments few(history, all(), alike_max);
        EXPECT_EQ(ids_in(whole(few)), ids) << alike_max << " at once";
    }
}

TEST(B2bFoundTest, LongArraysComeInParts) {
    SortedRows history;
    const auto ids = add_alike(history, 1'000);
    FoundPayments found(history, all(), 100);
    std::string text;
    std::size_t parts = 0;
    for (; !found.at_end(); ++parts) {
        std::string part;
        ASSERT_TRUE(found.next(part));
        EXPECT_LT(part.size(), 128u * 1024);
        text += part;
    }
    EXPECT_GT(parts, 3u);
    EXPECT_EQ(ids_in(text), ids);
    EXPECT_TRUE(text.ends_with("}]"));
}

TEST(B2bFoundTest, TheFirstPartIsSmall) {
    SortedRows history;
    for (int i = 0; i < 500; ++i) history.add(fmt::format("P{:03}", i), "ACH", "C", "2026-01-02T03:04:05Z");
    FoundPayments found(history, all());
    std::string first;
    ASSERT_TRUE(found.next(first));
    EXPECT_EQ(ids_in(first).size(), FoundPayments::kFirstPage - 1) << "more may be alike to the last";
    EXPECT_EQ(history.reads, 1);
    EXPECT_EQ(ids_in(first + whole(found)).size(), 500u);
}

TEST(B2bFoundTest, AnIndexThatFailsLeavesTheArrayOpen) {
    SortedRows history;
    add_alike(history, 1'000);
    history.reads_max = 3;
    FoundPayments found(history, all(), 10);
    std::string text;
    Result<> read;
    while (!found.at_end() && read) read = found.next(text);
    ASSERT_FALSE(read);
    EXPECT_FALSE(found.at_end());
    EXPECT_FALSE(text.ends_with("]"));
}

}  // namespace
}  // namespace nostro::b2b
