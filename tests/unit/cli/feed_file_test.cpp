#include "nostro/cli/feed_file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace nostro::cli {
namespace {

using ::testing::HasSubstr;

class FeedFileTest : public testing::Test {
protected:
    std::string written(std::string_view text) const {
        std::ofstream(path_, std::ios::binary) << text;
        return path_;
    }
    // All messages; the error's text behind them.
    std::string read(std::string_view text, const FeedColumns& columns = {}) const {
        auto file = FeedFile::open(written(text), columns);
        if (!file) return file.error().what;
        std::string all;
        for (;;) {
            const auto more = file->next(all);
            if (!more) return all + more.error().what;
            if (!*more) {
                EXPECT_EQ(file->bytes_read(), file->bytes());
                return all;
            }
            EXPECT_LE(file->bytes_read(), file->bytes());
        }
    }

    const std::string path_ =
        (std::filesystem::temp_directory_path() / ("feed_file_test." + std::to_string(getpid()) + "." +
                                                   testing::UnitTest::GetInstance()->current_test_info()->name()))
            .string();

    void TearDown() override { std::filesystem::remove(path_); }
};

struct Case {
    const char* text;
    const char* messages;
};

TEST_F(FeedFileTest, ShapesAreToldByTheirContent) {
    const Case cases[] = {
        {"{\"a\":1}\n{\"a\":2}\n", "{\"a\":1}\n{\"a\":2}\n"},
        {"{\"a\":1}\r\n\r\n  {\"a\":2}", "{\"a\":1}\n{\"a\":2}\n"},
        {"{\"a\":1}\nnonsense\n{\"a\":2}\n", "{\"a\":1}\nnonsense\n{\"a\":2}\n"},
        {"{\"transactions\": [ {\"a\":\"]}\"},\n {\"b\":[1,\n{}]} ]}", "{\"a\":\"]}\"}\n{\"b\":[1, {}]}\n"},
        {"{\"x\":1,\"transactions\":[{\"a\":\"\\\"\"}]}", "{\"a\":\"\\\"\"}\n"},
        {"{\"transactions\":[]}", ""},
        {"[{\"a\":1},{\"b\":2}]", "{\"a\":1}\n{\"b\":2}\n"},
        {"a,b\n1,\"x\"\"y\"\n2,z\n", "{\"a\":\"1\",\"b\":\"x\\\"y\"}\n{\"a\":\"2\",\"b\":\"z\"}\n"},
    };
    for (const auto& [text, messages] : cases) EXPECT_EQ(read(text), messages) << text;
}

TEST_F(FeedFileTest, ColumnsBecomeMembers) {
    FeedColumns columns;
    columns.columns = {{"nameOrig", "sender"}, {"amount", "amount"}};
    columns.more_members = "\"status\":\"Historical\"";
    EXPECT_EQ(read("step,amount,nameOrig\n1,2.50,C1\n", columns),
              "{\"sender\":\"C1\",\"amount\":\"2.50\",\"status\":\"Historical\"}\n");
    EXPECT_THAT(read("step,amount\n1,2.50\n", columns),
                HasSubstr("has no column nameOrig; its header is: step,amount"));
}

TEST_F(FeedFileTest, SaysWhatIsWrong) {
    EXPECT_THAT(read("{\n \"a\": 1\n}\n"), HasSubstr("without a list in its member \"transactions\""));
    EXPECT_THAT(read("{\"transactions\":[{\"a\":1},{\"b\""), HasSubstr("{\"a\":1}\n"));
    EXPECT_THAT(read("{\"transactions\":[{\"a\":1},{\"b\""), HasSubstr("the list has no end; 1 messages were read"));
    EXPECT_FALSE(FeedFile::open("/nothing/there.json", {}));
}

TEST_F(FeedFileTest, TheDigestIsOfTheContent) {
    const auto digest = FeedFile::open(written("{\"a\":1}"), {})->digest();
    EXPECT_EQ(digest, "015abd7f5cc57a2dd94b7590f04ad8084273905ee33ec5cebeae62276a97f862");
}

}  // namespace
}  // namespace nostro::cli
