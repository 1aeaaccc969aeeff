#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "nostro/base/random.hpp"
#include "tests/unit/journal/indexed_book.hpp"

namespace nostro {
namespace {

using namespace nostro::test;
using ::testing::HasSubstr;

Search of_account(std::string_view name) {
    Search search;
    search.account = account(name);
    return search;
}

// Everything that can be asked, as text.
std::string all_answers(IndexedBook& book, std::uint64_t payments) {
    std::string text;
    const auto add = [&](const Page<Recorded>& page) {
        for (const Recorded& recorded : page.items) {
            text += std::to_string(recorded.payment.id.low) + ":" +
                    std::to_string(static_cast<int>(recorded.last().status)) + " ";
        }
        text += "\n";
    };
    Search search;
    search.count_max = 1'000;
    search.rail = 0;
    for (int status = 0; status < 8; ++status) {
        search.status = static_cast<Status>(status);
        add(*book->payments(search));
    }
    for (const std::string_view name : {"ada", "bob", "carl"}) {
        Search by_account = of_account(name);
        by_account.count_max = 1'000;
        add(*book->payments(by_account));
        for (Seq seq = 1; seq <= book.book().seq(); seq += 7) {
            const auto image = book->account_at(account(name), seq);
            text += image ? std::to_string(image->balance) + "/" + std::to_string(image->held) + " " : "- ";
        }
    }
    add(*book->reviews(0, 1'000, ""));
    for (std::uint64_t n = 1; n <= payments; ++n) {
        const auto found = book->payment(payment_id_of(n));
        text += found && *found ? std::to_string((*found)->outcomes.size()) + " " : "- ";
    }
    const auto totals = book->totals_at(book.book().seq());
    for (const auto& total : *totals) {
        text += std::to_string(static_cast<std::int64_t>(total.posted)) + "/" +
                std::to_string(static_cast<std::int64_t>(total.held)) + " ";
    }
    return text;
}

TEST(QueryIndexTest, AnswersTheSameFromMemoryFromFilesAndRebuilt) {
    IndexedBook book(20);  // a file every twenty payments
    const std::string_view names[] = {"ada", "bob", "carl"};
    for (const auto name : names) book.run(an_account(name).with(1'000'000).command());
    Xoshiro256 random(17);
    constexpr std::uint64_t kPayments = 150;
    for (std::uint64_t n = 1; n <= kPayments; ++n) {
        const auto from = random.below(3);
        auto payment = a_payment().id(n).from(names[from]).to(names[(from + 1) % 3]);
        payment.of("EUR", static_cast<std::int64_t>(1 + random.below(70'000)));
        if (random.chance(1, 4)) payment.manual();
        book.run(payment.command());
        const auto earlier = payment_id_of(1 + random.below(n));
        if (random.chance(1, 3)) book.run(a_command(CapturePayment{earlier, {}}));
        if (random.chance(1, 3)) book.run(a_command(DecideReview{earlier, random.chance(1, 2), "rita", ""}));
        if (random.chance(1, 20)) book.wait(std::chrono::hours(30));
    }
    const std::string live = all_answers(book, kPayments);
    book.reopen();
    EXPECT_EQ(all_answers(book, kPayments), live);
    book.remove_index();
    book.reopen();
    EXPECT_EQ(all_answers(book, kPayments), live);
    book.reopen_for_whole_frames();
    EXPECT_EQ(all_answers(book, kPayments), live) << "read alone, or out of whole frames";
}

TEST(QueryIndexTest, ADamagedFileIsSaidNotReadAround) {
    IndexedBook book(1);
    book.run(an_account("ada").with(1'000'000).command());
    for (std::uint64_t n = 1; n <= 50; ++n) book.run(a_payment().id(n).of("EUR", 100).command());
    book.close();
    // Flip bytes of every table file.
    for (const auto& file : std::filesystem::directory_iterator(book.folder())) {
        if (file.path().extension() != ".run") continue;
        std::fstream bytes(file.path(), std::ios::in | std::ios::out | std::ios::binary);
        bytes.seekp(20);
        bytes.write("\xff\xff\xff\xff", 4);
    }
    auto index = QueryIndex::open({book.folder(), 1},
                                  [](Seq) -> Result<DecodedPtr> { return Error{ErrorCode::not_found, "no frame"}; });
    if (index) {
        const auto found = (*index)->payment(payment_id_of(1));
        ASSERT_FALSE(found);
        EXPECT_EQ(found.error().code, ErrorCode::corrupt) << found.error().what;
    } else {
        EXPECT_EQ(index.error().code, ErrorCode::corrupt) << index.error().what;
        EXPECT_THAT(index.error().what, HasSubstr("nostro rebuild index"));
    }
}

TEST(QueryIndexTest, ALongRowOfAccountsBecomesFilesToo) {
    IndexedBook book(5);
    const auto files = [&] {
        const auto all = std::filesystem::directory_iterator(book.folder());
        return std::count_if(begin(all), end(all), [](const auto& each) { return each.path().extension() == ".run"; });
    };
    for (int account = 0; account < 500; ++account) book.run(an_account(fmt::format("a{}", account)).command());
    EXPECT_GT(files(), 0);
}

// Where nothing can be written, one batch is gathered and no more is taken, however often frames are offered.
TEST(QueryIndexTest, AFullDiskStopsItAtOneBatchAndItGoesOnFromThere) {
    IndexedBook book(5);
    book.run(an_account("ada").with(1'000'000).command());
    // A folder in the place of the next file: it cannot be created.
    const auto blocked = book.folder() + "/000000000001-000000000001.t0.run.new";
    std::filesystem::create_directory(blocked);
    std::uint64_t number = 0;
    while (book.try_run(a_payment().id(++number).of("EUR", 100).command())) ASSERT_LT(number, 20u);
    EXPECT_EQ(number, 5u);
    const Seq stopped = *book->next();
    for (int tries = 0; tries < 3; ++tries) {
        EXPECT_FALSE(book.try_run(a_payment().id(++number).of("EUR", 100).command()));
        EXPECT_EQ(*book->next(), stopped);
    }
    EXPECT_EQ(book->payments(of_account("bob"))->items.size(), 5u) << "what it has taken is read";
    std::filesystem::remove(blocked);
    EXPECT_TRUE(book.try_run(a_payment().id(++number).of("EUR", 100).command()));
    EXPECT_EQ(book->payments(of_account("bob"))->items.size(), number);
}

}  // namespace
}  // namespace nostro
