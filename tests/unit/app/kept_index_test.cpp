#include "nostro/app/kept_index.hpp"

#include <gtest/gtest.h>

#include <fstream>

#include "nostro/cli/index_rows.hpp"
#include "nostro/journal/data_directory.hpp"
#include "nostro/profiles/profile.hpp"
#include "tests/support/frames_of_a_book.hpp"
#include "tests/support/temporary_folder.hpp"

namespace nostro {
namespace {

// A data directory with an index of all frames, and segments by name alone.
class KeptIndexTest : public testing::Test {
protected:
    KeptIndexTest() { config_.data.dir = data_.path(); }

    std::string path(const std::string& name) const { return data_.path() + "/" + name; }
    void put_segment(std::uint64_t number) const {
        std::filesystem::create_directories(path(kSegmentsFolder));
        EXPECT_TRUE(std::ofstream(path(segment_name(number))) << "frames");
    }
    void make_index(std::uint32_t version) const {
        IndexRows rows = cli::index_rows();
        rows.version = version;
        const auto index = QueryIndex::open({.folder = path(kIndexFolder), .rows = rows},
                                            [this](Seq seq) { return frames_.frame(seq); });
        ASSERT_TRUE(index);
        ASSERT_TRUE((*index)->project(frames_.all()));
        ASSERT_TRUE((*index)->flush());
    }
    Seq seen() const {
        const auto kept =
            KeptIndex::open(config_, {.journal = &journal_, .read_bytes = {}, .will_read = {}, .readable = [this] {
                                          return Seq{frames_.all().size()};
                                      }});
        return kept ? (*kept)->seen().value_or(0) : 0;
    }

    const FramesOfABook frames_;
    const test::TemporaryFolder data_;
    const MemoryJournal journal_{std::make_shared<MemoryLog>()};
    Config config_;
};

TEST_F(KeptIndexTest, OfAnEarlierVersionIsMadeAnewWhereThatCanBe) {
    make_index(kProfileRowsSince);
    put_segment(1);
    put_segment(2);
    EXPECT_FALSE(beginning_is_dropped(data_.path()));
    EXPECT_EQ(seen(), 0u);
}

TEST_F(KeptIndexTest, OfAnEarlierVersionStaysWhereFramesWereDropped) {
    make_index(kProfileRowsSince);
    put_segment(2);
    EXPECT_TRUE(beginning_is_dropped(data_.path()));
    EXPECT_EQ(seen(), frames_.all().size());
    EXPECT_EQ(seen(), frames_.all().size());  // and at the start after that
}

TEST_F(KeptIndexTest, WithRowsThatAreWrongDoesNotStay) {
    make_index(kProfileRowsSince - 1);
    put_segment(2);
    EXPECT_EQ(seen(), 0u);
}

TEST_F(KeptIndexTest, OfNoJournalNothingIsDropped) { EXPECT_FALSE(beginning_is_dropped(data_.path())); }

}  // namespace
}  // namespace nostro
