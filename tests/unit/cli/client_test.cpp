#include "nostro/cli/client.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <thread>

#include "nostro/cli/load.hpp"
#include "tests/unit/cli/listener.hpp"

namespace nostro::cli {
namespace {

using ::testing::HasSubstr;

TEST(UrlTest, ReadsWhatPeopleType) {
    struct Case {
        std::string_view text, host;
        std::uint16_t port;
    };
    for (const Case& c : {Case{"http://127.0.0.1:8000", "127.0.0.1", 8000}, Case{"http://127.0.0.1:9/", "127.0.0.1", 9},
                          Case{"localhost", "localhost", 8000}, Case{"localhost:81", "localhost", 81},
                          Case{"http://[::1]:82", "::1", 82}}) {
        const auto url = parse_url(c.text);
        ASSERT_TRUE(url) << c.text;
        EXPECT_EQ(url->host, c.host);
        EXPECT_EQ(url->port, c.port);
    }
}

TEST(UrlTest, RefusesWhatIsNone) {
    for (const std::string_view text : {"", "http://", "https://x", "x:0", "x:65536", "x:y", "x/y", "[::1", "[::1]8"}) {
        EXPECT_FALSE(parse_url(text)) << text;
    }
}

TEST(UrlTest, EncodesWhatIsReserved) { EXPECT_EQ(percent_encoded("a b/c?d&e=ü"), "a%20b%2Fc%3Fd%26e%3D%C3%BC"); }

// A server for one connection that sends what it is told to, whatever it is asked.
class CannedServer {
public:
    explicit CannedServer(std::vector<std::string> answers) : answers_(std::move(answers)) {
        listener_ = listen_anywhere(url_);
        thread_ = std::thread([this] { serve(); });
    }
    ~CannedServer() { thread_.join(); }
    const Url& url() const { return url_; }

private:
    void serve() {
        const UniqueFd connection(accept(listener_.get(), nullptr, nullptr));
        listener_.reset();
        char buffer[4096];
        for (const std::string& answer : answers_) {
            std::string request;
            while (request.find("\r\n\r\n") == std::string::npos) {
                const ssize_t got = recv(connection.get(), buffer, sizeof buffer, 0);
                if (got <= 0) return;
                request.append(buffer, static_cast<std::size_t>(got));
            }
            (void)send(connection.get(), answer.data(), answer.size(), MSG_NOSIGNAL);
        }
    }

    std::vector<std::string> answers_;
    UniqueFd listener_;
    Url url_;
    std::thread thread_;
};

TEST(ClientTest, ReadsAnswersOnOneConnection) {
    CannedServer server({"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}",
                         "HTTP/1.1 202 Accepted\r\nIdempotent-Replayed: true\r\nContent-Length: 3\r\n\r\nabc"});
    Client client(server.url());
    const auto first = client.get("/a");
    ASSERT_TRUE(first) << first.error().what;
    EXPECT_EQ(first->status, 200);
    EXPECT_EQ(first->content_type, "application/json");
    EXPECT_FALSE(first->replayed);
    const auto second = client.get("/b");
    ASSERT_TRUE(second) << second.error().what;
    EXPECT_EQ(second->body, "abc");
    EXPECT_TRUE(second->replayed);
}

TEST(ClientTest, AnAnswerThatBreaksOffIsUnknownNotRefused) {
    CannedServer server({"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc"});
    Client client(server.url());
    const auto answer = client.get("/");
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().code, ErrorCode::unknown);
}

TEST(ClientTest, NobodyListeningIsUnavailableAndSaysWhere) {
    Url url;
    const UniqueFd bound = bind_anywhere(url);
    Client client(url);
    const auto answer = client.get("/");
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().code, ErrorCode::unavailable);
    EXPECT_THAT(answer.error().what, HasSubstr("nostro serve"));
}

TEST(LoadTest, GivesEachAnswerBackWithItsTagAndAsksAgainAfterIt) {
    CannedServer server({"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 1\r\n\r\nA",
                         "HTTP/1.1 202 Accepted\r\ncontent-length: 1\r\n\r\nB"});
    LoadOptions options;
    options.url = server.url();
    options.connections = 1;
    std::vector<std::pair<std::uint64_t, int>> answers;
    bool send = true;
    const auto result = Load::run(
        options,
        [&](std::string& request, std::uint64_t& tag) {
            if (!send) return false;
            send = false;
            tag = 7 + answers.size();
            append_post(request, post_head(options.url, "/x", "application/json"), "key", "{}");
            return true;
        },
        [&](std::uint64_t tag, int status, std::string_view) {
            answers.emplace_back(tag, status);
            send = status == 503;
            return true;
        });
    ASSERT_TRUE(result) << result.error().what;
    EXPECT_THAT(answers, ::testing::ElementsAre(std::pair(std::uint64_t{7}, 503), std::pair(std::uint64_t{8}, 202)));
    EXPECT_EQ(result->requests, 2u);
}

}  // namespace
}  // namespace nostro::cli
