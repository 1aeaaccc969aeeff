// From a signed checkpoint on: who signed it, what it says, and which image the books begin with.
#include <gtest/gtest.h>

#include "nostro/journal/checkpoint_files.hpp"
#include "nostro/journal/data_directory.hpp"
#include "tests/unit/journal/busy_journal.hpp"

namespace nostro {
namespace {

using test::BusyJournal;

class VerifyCheckpointTest : public ::testing::Test {
protected:
    void SetUp() override {
        for (const Seq seq : {Seq{20}, Seq{40}, Seq{60}}) sign(seq, busy_.digest_of(seq));
    }
    void sign(Seq seq, const Digest& digest) {
        auto files = CheckpointFiles::open(*busy_.disk);
        ASSERT_TRUE(files) << files.error().what;
        ASSERT_TRUE(files->add(sign_checkpoint(seq, digest, busy_.writer->now(), key_)));
    }
    VerifyReport from(Seq seq) {
        VerifyOptions options;
        options.from_checkpoint = seq;
        options.key = key_.public_key();
        return *verify(*busy_.disk, options);
    }
    std::string says(Seq seq) {
        const auto report = from(seq);
        return report.proved() ? "proved" : describe(report.findings.front());
    }

    BusyJournal busy_{60};
    SigningKey key_ = SigningKey::random();
};

TEST_F(VerifyCheckpointTest, TheBooksBeginWithTheImageBeforeIt) {
    const auto report = from(VerifyOptions::kNewest);
    for (const auto& finding : report.findings) ADD_FAILURE() << describe(finding);
    ASSERT_TRUE(report.from);
    EXPECT_EQ(report.from->seq, 60u);
    EXPECT_GT(report.begun_with, 40u);
    EXPECT_EQ(report.first, report.begun_with);
    EXPECT_EQ(report.last, 61u);
    EXPECT_EQ(report.decided_through, 61u);
    EXPECT_EQ(report.checkpoints, 1u);
    EXPECT_EQ(report.digest, busy_.writer->head().digest);
}

TEST_F(VerifyCheckpointTest, WithoutAnImageBeforeItTheyBeginWithTheFirstFrame) {
    const auto report = from(20);
    EXPECT_TRUE(report.proved());
    EXPECT_EQ(report.begun_with, 0u);
    EXPECT_EQ(report.first, 1u);
    EXPECT_EQ(report.checkpoints, 3u);
}

TEST_F(VerifyCheckpointTest, DroppedHistoryAndNoImageIsRefused) {
    FoldOptions few;
    few.keep_segments = 1;
    busy_.fold(few);
    const Seq newest = *newest_image(*busy_.disk);
    const auto images = busy_.disk->list(kImageFolder);
    for (const auto& file : *images) {
        if (*image_seq(file) == newest) continue;
        ASSERT_TRUE(busy_.disk->remove("image/" + file));
    }
    EXPECT_NE(says(20).find("no image stands at or before"), std::string::npos) << says(20);
    EXPECT_EQ(says(60), "proved");
}

TEST_F(VerifyCheckpointTest, AnotherKeyIsNotTrusted) {
    VerifyOptions options;
    options.from_checkpoint = 40;
    options.key = SigningKey::random().public_key();
    const auto report = *verify(*busy_.disk, options);
    ASSERT_FALSE(report.proved());
    EXPECT_NE(report.findings[0].what.find("not by the key"), std::string::npos);
    options.key.reset();
    const auto unsure = *verify(*busy_.disk, options);
    EXPECT_TRUE(unsure.proved());
    EXPECT_FALSE(unsure.is_key_known);
}

TEST_F(VerifyCheckpointTest, ASignatureThatIsWrongIsFoundWithAndWithoutAsking) {
    const std::string name = "checkpoints/000000000000.ndjson";
    auto bytes = busy_.storage->bytes(name);
    const std::string text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    busy_.storage->flip(name, text.find("signature") + 14, 1);
    EXPECT_NE(says(40).find("line 1"), std::string::npos) << says(40);
    EXPECT_FALSE(verify(*busy_.disk)->proved());
}

// The journal was exchanged for another one: sound in itself, but not the one that was signed.
TEST_F(VerifyCheckpointTest, AJournalThatIsNotTheOneThatWasSignedIsFound) {
    sign(61, busy_.digest_of(60));
    EXPECT_NE(says(61).find("not the one that its checkpoint signs"), std::string::npos) << says(61);
    EXPECT_NE(says(40).find("not the one that its checkpoint signs"), std::string::npos) << says(40);
    EXPECT_FALSE(verify(*busy_.disk)->proved());
}

TEST_F(VerifyCheckpointTest, FramesThatWereSignedAndAreGoneAreMissed) {
    sign(99, busy_.digest_of(61));
    EXPECT_NE(says(99).find("frames are missing"), std::string::npos) << says(99);
    EXPECT_FALSE(verify(*busy_.disk)->proved());
}

TEST_F(VerifyCheckpointTest, WhereNothingIsSignedNothingIsProved) {
    EXPECT_NE(says(41).find("no checkpoint is signed at this frame"), std::string::npos) << says(41);
    BusyJournal young(3);
    VerifyOptions options;
    options.from_checkpoint = VerifyOptions::kNewest;
    EXPECT_FALSE(verify(*young.disk, options)->proved());
}

}  // namespace
}  // namespace nostro
