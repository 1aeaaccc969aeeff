#include "nostro/cli/answer_reader.hpp"

#include <gtest/gtest.h>

#include <string>

namespace nostro::cli {
namespace {

constexpr std::string_view kAnswer = "HTTP/1.1 202 Accepted\r\nContent-Length: 5\r\nX-A: b\r\n\r\nhello";

TEST(AnswerReaderTest, ReadsStatusAndWhereTheBodyEnds) {
    AnswerReader reader;
    const auto answer = reader.read(std::string(kAnswer) + "HTTP/1.1 500");
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->status, 202);
    EXPECT_EQ(answer->bytes(), kAnswer.size());
    EXPECT_EQ(answer->body_bytes, 5u);
}

TEST(AnswerReaderTest, EveryCutOfAHeadIsNotYetThere) {
    AnswerReader reader;
    const std::size_t head = kAnswer.size() - 5;
    for (std::size_t size = 0; size < head; ++size) {
        const auto answer = reader.read(kAnswer.substr(0, size));
        ASSERT_TRUE(answer) << size;
        EXPECT_EQ(answer->head_bytes, 0u) << size;
    }
    EXPECT_EQ(reader.read(kAnswer.substr(0, head))->head_bytes, head);
}

TEST(AnswerReaderTest, TheNextHeadMayLookOtherwise) {
    AnswerReader reader;
    const std::pair<std::string, int> answers[] = {
        {std::string(kAnswer), 202},
        {"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 12\r\n\r\n123456789012", 503},
        {"HTTP/1.1 202 Accepted\r\nContent-Length: 7\r\nX-A: b\r\n\r\n1234567", 202},
        {"HTTP/1.1 202 Accepted\r\nA: b\r\nContent-Length: 1\r\n\r\n1", 202}};
    for (const auto& [text, status] : answers) {
        const auto answer = reader.read(text);
        ASSERT_TRUE(answer) << text;
        EXPECT_EQ(answer->status, status) << text;
        EXPECT_EQ(answer->bytes(), text.size()) << text;
    }
}

TEST(AnswerReaderTest, RefusesWhatItCannotFollow) {
    for (const std::string_view text :
         {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n",
          "SSH-2.0-x\r\nContent-Length: 1\r\n\r\n1"}) {
        AnswerReader reader;
        EXPECT_FALSE(reader.read(text)) << text;
    }
}

TEST(AnswerReaderTest, CountsWhatSettledAndNothingThatOnlyLooksLikeIt) {
    EXPECT_EQ(count_settled(""), 0u);
    EXPECT_EQ(count_settled("led\""), 0u);
    EXPECT_EQ(count_settled(R"({"data":[{"status":"settled"},{"status":"rejected"},{"status":"settled"}]})"), 2u);
    EXPECT_EQ(count_settled(R"({"settled_at":null,"status":"unsettled","x":"settle)"), 0u);
}

TEST(AnswerReaderTest, KnowsHowManyOfABatchWereTaken) {
    EXPECT_EQ(taken_of(R"({"mode":"independent","taken":997,"refused":3,"data":[]})", 1000), 997u);
    EXPECT_EQ(taken_of("", 1000), 1000u);
}

}  // namespace
}  // namespace nostro::cli
