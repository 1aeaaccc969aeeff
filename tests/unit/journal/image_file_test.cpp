// Image files of more than one piece: what is written reads back, and nothing is in them twice.
#include "nostro/journal/image_file.hpp"

#include <gtest/gtest.h>

#include "nostro/adapters/memory/memory_disk.hpp"

namespace nostro {
namespace {

Changes some_accounts(std::uint64_t chunk) {
    Changes changes;
    for (std::uint64_t i = 0; i < 2'000; ++i) {
        AccountImage account;
        account.id = {chunk, i};
        account.currency = *Currency::parse("EUR");
        account.balance = static_cast<std::int64_t>(chunk * 1'000'003 + i);
        account.version = i + 1;
        changes.accounts.push_back(account);
    }
    return changes;
}

TEST(ImageFileTest, AnImageOfManyPiecesReadsBackAsItWasWritten) {
    constexpr std::uint64_t kChunks = 100;
    MemoryDisk disk(std::make_shared<MemoryStorage>());
    const ImageHead head{{1, 2}, 77, {}, Instant(std::chrono::seconds(1'700'000'000))};
    auto writer = ImageWriter::start(disk, head);
    ASSERT_TRUE(writer) << writer.error().what;
    for (std::uint64_t chunk = 0; chunk < kChunks; ++chunk) ASSERT_TRUE((*writer)->add(some_accounts(chunk)));
    const auto published = (*writer)->publish();
    ASSERT_TRUE(published) << published.error().what;
    ASSERT_GT((*writer)->bytes(), 4u << 20) << "this many cells were to be several pieces";

    std::uint64_t chunk = 0;
    const auto read = read_newest_image(disk, [&](const Changes& cells) {
        if (cells.accounts.empty()) return;
        EXPECT_EQ(cells.accounts, some_accounts(chunk).accounts) << "chunk " << chunk;
        ++chunk;
    });
    ASSERT_TRUE(read) << read.error().what;
    EXPECT_EQ(*read, 77u);
    EXPECT_EQ(chunk, kChunks);
}

}  // namespace
}  // namespace nostro
