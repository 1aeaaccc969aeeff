// The query index is what the frames imply: one entry less, more or other is found and named.
#include <gtest/gtest.h>

#include <filesystem>
#include <set>

#include "nostro/base/hex.hpp"
#include "nostro/journal/query_index.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/unit/journal/busy_journal.hpp"

namespace nostro {
namespace {

using namespace std::chrono_literals;
using test::a_command;
using test::a_payment;
using test::an_account;
using test::BusyJournal;
using test::payment_id_of;

// What busy_commands() leaves out: reviews, references, dead letters, reversals, accounts that are opened and changed.
void write_rarer(BusyJournal& busy) {
    auto& writer = *busy.writer;
    writer.write({a_command(ChangePolicy{test::a_policy("unknown_accounts = \"open\"\n"
                                                        "[thresholds]\nreview = 50\n"
                                                        "[[rule]]\nname = \"large\"\nkind = \"amount_band\"\n"
                                                        "at_least = { EUR = \"5.00\" }\npoints = 60\n",
                                                        2),
                                         "test"}),
                  an_account("ida").with(100'000).command(),
                  a_command(KeepDeadLetter{"queue", "7", "json", "unreadable", "{"}),
                  a_command(KeepDeadLetter{"queue", "8", "json", "unreadable", "["})});
    const Place letter{writer.head().seq, static_cast<std::uint32_t>(writer.changes().outcomes.size() - 1)};
    auto reference = a_payment().id(9'001).of("EUR", 100).from("ida").to("bob").submit();
    reference.payment.reference = "invoice 7";
    writer.write({{0, reference.payment.id, reference.meaning, reference},
                  a_payment().id(9'002).of("EUR", 900).from("ida").to("bob").command(),
                  a_payment().id(9'003).of("EUR", 901).from("ida").to("bob").manual().command(),
                  test::a_change("bob").floor(-5).command(),
                  a_command(ResolveDeadLetter{letter, true, "ada", ""}, payment_id_of(9'100), 1)});
    const Place settled{writer.head().seq, 0};
    ReversePayment reverse;
    reverse.payment = a_payment().id(9'004).of("EUR", 40).from("bob").to("ida").payment();
    reverse.original = payment_id_of(9'001);
    reverse.original_at = settled;
    reverse.original_minor = 100;
    reverse.original_settled_at = writer.now();
    writer.write({{0, reverse.payment.id, 0, reverse},
                  a_command(DecideReview{payment_id_of(9'002), false, "ada", ""}),
                  a_command(DecideReview{payment_id_of(9'003), true, "ada", ""})});
    for (const auto& answer : writer.answers()) ASSERT_EQ(answer.kind, Answer::Kind::recorded) << name(answer.reason);
}

// Rows of all that has a reference.
IndexRows by_reference() {
    return {[](TenantNo, const Payment& payment, std::vector<IndexRow>& into) {
                if (!payment.reference.empty()) into.push_back({"reference", std::string(payment.reference)});
            },
            3};
}

class VerifyIndexTest : public ::testing::Test {
protected:
    VerifyIndexTest() {
        write_rarer(busy_);
        for (std::uint64_t turn = 31; turn < 40; ++turn) busy_.writer->write(test::busy_commands(turn));
    }
    // Indexes all frames up to `through`, in files of a few frames each.
    void index(Seq through) {
        auto made = QueryIndex::open({folder(), 20, by_reference()}, [](Seq) -> Result<DecodedPtr> {
            return Error{ErrorCode::unavailable, "nothing is read here"};
        });
        ASSERT_TRUE(made) << made.error().what;
        const Seq first = (*made)->next().value();
        const auto read = busy_.journal->store().read(first, through, [&](const FramePtr& frame) {
            auto decoded = std::make_shared<DecodedFrame>();
            EXPECT_TRUE(decode_body(frame, Sections::all, *decoded));
            const DecodedPtr one = decoded;
            EXPECT_TRUE((*made)->project(std::span(&one, 1)));
            return true;
        });
        ASSERT_TRUE(read) << read.error().what;
    }
    VerifyReport look() {
        VerifyOptions options;
        options.index_folder = folder();
        options.index_rows = rows_;
        return *verify(*busy_.disk, options);
    }
    std::string says() {
        const auto report = look();
        std::string all;
        for (const auto& finding : report.findings) all += describe(finding) + "\n";
        return all;
    }
    // Changes the index behind nostro's back.
    void tamper(const std::function<void(IndexRunBuilder&)>& how) {
        auto store = IndexStore::open(folder());
        ASSERT_TRUE(store) << store.error().what;
        IndexRunBuilder builder;
        how(builder);
        const IndexRunPtr run = builder.finish();
        ASSERT_TRUE((*store)->ingest(std::span(&run, 1)));
    }
    std::string folder() const { return made_.path() + "/index"; }
    Seq last() const { return busy_.writer->head().seq; }

    BusyJournal busy_{30, false};
    IndexRows rows_ = by_reference();
    test::TemporaryFolder made_;
};

TEST_F(VerifyIndexTest, AWholeOneIsProvedAndCounted) {
    index(last());
    const auto report = look();
    for (const auto& finding : report.findings) ADD_FAILURE() << describe(finding);
    EXPECT_EQ(report.index, VerifyReport::Index::compared);
    EXPECT_EQ(report.index_through, last());
    EXPECT_GT(report.index_entries, 500u);
}

TEST_F(VerifyIndexTest, OneThatIsBehindIsComparedUpToWhereItStands) {
    index(20);
    const auto report = look();
    for (const auto& finding : report.findings) ADD_FAILURE() << describe(finding);
    EXPECT_EQ(report.index_through, 20u);
    index(last());
    EXPECT_EQ(look().index_through, last());
    EXPECT_TRUE(look().proved());
}

TEST_F(VerifyIndexTest, NoneIsSaidAndIsNoFault) {
    const auto report = look();
    EXPECT_TRUE(report.proved());
    EXPECT_EQ(report.index, VerifyReport::Index::missing);
    EXPECT_FALSE(std::filesystem::exists(folder())) << "whoever looks makes nothing";
    EXPECT_EQ(verify(*busy_.disk)->index, VerifyReport::Index::left_out);
}

TEST_F(VerifyIndexTest, IsReadWhileItsOwnerHasItOpen) {
    index(last());
    auto owner = IndexStore::open(folder());
    ASSERT_TRUE(owner);
    EXPECT_TRUE(look().proved());
    EXPECT_EQ(look().index, VerifyReport::Index::compared);
}

TEST_F(VerifyIndexTest, EachEntryThatIsMissingAddedOrChangedIsNamed) {
    index(last());
    std::vector<std::pair<std::string, std::string>> entries;
    {
        auto store = IndexStore::open(folder());
        ASSERT_TRUE(store);
        for (auto walk = (*store)->walk_all(); walk.valid(); walk.next())
            entries.emplace_back(walk.key(), walk.value());
    }
    std::set<char> kinds;
    for (const auto& [key, value] : entries) {
        if (!kinds.insert(key.front()).second) continue;
        const std::string hex = to_hex(std::as_bytes(std::span(key)));
        if (key.front() == static_cast<char>(IndexTag::next)) continue;  // below
        tamper([&](IndexRunBuilder& run) { run.remove(key); });
        std::string text = says();
        EXPECT_NE(text.find("misses an entry"), std::string::npos) << text;
        EXPECT_NE(text.find(hex), std::string::npos) << text;
        EXPECT_NE(text.find("nostro rebuild index"), std::string::npos) << text;
        tamper([&](IndexRunBuilder& run) { run.put(key, value + "!"); });
        text = says();
        EXPECT_NE(text.find("another value"), std::string::npos) << text;
        tamper([&](IndexRunBuilder& run) {
            run.put(key, value);
            run.put(key + "!", value);
        });
        text = says();
        EXPECT_NE(text.find("no frame gives"), std::string::npos) << text;
        EXPECT_NE(text.find(hex + "21"), std::string::npos) << text;
        tamper([&](IndexRunBuilder& run) { run.remove(key + "!"); });
        ASSERT_EQ(says(), "");
    }
    EXPECT_EQ(kinds.size(), 16u) << "the journal must have entries of every kind";
}

TEST_F(VerifyIndexTest, ACursorThatIsNotTheIndexsOwnIsFound) {
    index(last());
    const auto cursor = [&](Seq next) {
        tamper([&](IndexRunBuilder& run) { put_next({next, busy_.writer->head().time}, rows_, run); });
        return says();
    };
    EXPECT_NE(cursor(last() + 5).find("but the journal ends"), std::string::npos);
    EXPECT_NE(cursor(last() - 3).find("no frame gives"), std::string::npos);
    tamper([&](IndexRunBuilder& run) { run.put(IndexKey(IndexTag::next).view(), "short"); });
    EXPECT_NE(says().find("nostro rebuild index"), std::string::npos);
}

TEST_F(VerifyIndexTest, OneWithOtherRowsIsSaid) {
    index(last());
    ASSERT_EQ(says(), "");
    rows_.version = 4;
    EXPECT_NE(says().find("other profiles"), std::string::npos) << says();
    rows_ = by_reference();
    rows_.of = nullptr;  // the same version, and yet others
    EXPECT_NE(says().find("payment by row"), std::string::npos) << says();
}

TEST_F(VerifyIndexTest, DamagedFilesAreFound) {
    index(last());
    std::size_t damaged = 0;
    for (const auto& file : std::filesystem::directory_iterator(folder())) {
        if (file.path().extension() != ".run") continue;
        std::filesystem::resize_file(file.path(), file.file_size() / 2);
        ++damaged;
    }
    ASSERT_GT(damaged, 0u);
    EXPECT_NE(says().find("nostro rebuild index"), std::string::npos) << says();
}

TEST_F(VerifyIndexTest, AfterHistoryWasDroppedWhatIsLeftIsCompared) {
    index(last());
    FoldOptions few;
    few.keep_segments = 1;
    busy_.fold(few);
    const auto report = look();
    for (const auto& finding : report.findings) ADD_FAILURE() << describe(finding);
    EXPECT_GT(report.first, 1u);
    EXPECT_GT(report.index_entries, 20u);
    for (const char tag : {'A', 'M', 'P', 'S'}) {
        std::string kept;
        {
            auto store = IndexStore::open(folder());
            ASSERT_TRUE(store);
            for (auto walk = (*store)->walk_all(); walk.valid(); walk.next()) {
                const auto key = walk.key();
                if (key.front() != tag) continue;
                const Seq seq = tag == 'M' ? read_big_endian(key, 11, 8) : read_place(key).seq;
                if (seq >= report.first) kept = key;
            }
        }
        tamper([&](IndexRunBuilder& run) { run.remove(kept); });
        EXPECT_NE(says().find(to_hex(std::as_bytes(std::span(kept)))), std::string::npos) << tag;
    }
}

}  // namespace
}  // namespace nostro
