#include "nostro/journal/checkpoint_files.hpp"

#include <gtest/gtest.h>

#include "nostro/adapters/memory/memory_disk.hpp"
#include "nostro/base/sha256.hpp"

namespace nostro {
namespace {

class CheckpointFilesTest : public ::testing::Test {
protected:
    Checkpoint checkpoint(Seq seq) const {
        return sign_checkpoint(seq, sha256(std::to_string(seq)), Instant{std::chrono::seconds{seq}}, key_);
    }
    void write(const std::string& name, std::string_view text) {
        ASSERT_TRUE(disk_.replace(name, std::as_bytes(std::span(text))));
    }

    std::shared_ptr<MemoryStorage> storage_ = std::make_shared<MemoryStorage>();
    MemoryDisk disk_{storage_};
    SigningKey key_ = SigningKey::random();
};

TEST_F(CheckpointFilesTest, WhatIsAddedIsReadBackInOrderOverSeveralFiles) {
    constexpr Seq kSeqs[] = {1'000, 2'000, 999'000, 1'000'000, 1'001'000, 7'000'000};
    {
        auto files = CheckpointFiles::open(disk_);
        ASSERT_TRUE(files);
        EXPECT_TRUE(files->known().empty());
        for (const Seq seq : kSeqs) ASSERT_TRUE(files->add(checkpoint(seq)));
    }
    EXPECT_EQ(disk_.list("checkpoints")->size(), 3u);
    auto again = CheckpointFiles::open(disk_);
    ASSERT_TRUE(again) << again.error().what;
    ASSERT_EQ(again->known().size(), std::size(kSeqs));
    for (std::size_t i = 0; i < std::size(kSeqs); ++i) EXPECT_EQ(again->known()[i].seq, kSeqs[i]);
    // The newest file goes on.
    ASSERT_TRUE(again->add(checkpoint(7'001'000)));
    EXPECT_EQ(CheckpointFiles::open(disk_)->known().size(), std::size(kSeqs) + 1);
}

TEST_F(CheckpointFilesTest, ADamagedFileIsRefusedByNameAndLine) {
    auto files = CheckpointFiles::open(disk_);
    ASSERT_TRUE(files->add(checkpoint(1'000)));
    ASSERT_TRUE(files->add(checkpoint(2'000)));
    const std::string name = "checkpoints/000000000000.ndjson";
    const auto mapping = disk_.map(name);
    ASSERT_TRUE(mapping);
    const auto bytes = (*mapping)->bytes();
    const std::string text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    const std::size_t second = text.find('\n') + 1;

    std::string forged = text;
    forged.replace(forged.find("2000", second), 4, "2001");
    const struct {
        std::string text;
        const char* what;
    } cases[] = {{text.substr(0, second + 20), "line 2"},
                 {forged, "the signature is wrong"},
                 {text.substr(second) + text.substr(0, second), "not behind the one before"}};
    for (const auto& [spoilt, what] : cases) {
        write(name, spoilt);
        const auto refused = CheckpointFiles::open(disk_);
        ASSERT_FALSE(refused) << what;
        EXPECT_EQ(refused.error().code, ErrorCode::corrupt);
        EXPECT_NE(refused.error().what.find(name), std::string::npos) << refused.error().what;
        EXPECT_NE(refused.error().what.find(what), std::string::npos) << refused.error().what;
    }
}

}  // namespace
}  // namespace nostro
