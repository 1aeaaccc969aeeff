#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>

#include "nostro/adapters/redis/client.hpp"
#include "tests/servers/postgres/redis_server.hpp"

namespace nostro::redis::test {
namespace {

using Words = std::vector<std::string_view>;

// A port on which nobody listens, as long as this lives.
class SilentPort {
public:
    SilentPort() : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
        sockaddr_in name{};
        name.sin_family = AF_INET;
        name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        EXPECT_EQ(::bind(socket_, reinterpret_cast<const sockaddr*>(&name), sizeof name), 0);
        socklen_t size = sizeof name;
        EXPECT_EQ(::getsockname(socket_, reinterpret_cast<sockaddr*>(&name), &size), 0);
        number = ntohs(name.sin_port);
    }
    ~SilentPort() { ::close(socket_); }
    std::uint16_t number = 0;

private:
    int socket_;
};

struct Case {
    std::string_view url, shown, user, password;
};

TEST(RedisAddressTest, ReadsWhatOperatorsWrite) {
    for (const Case& each : {
             Case{"redis://h", "redis://h:6379/0", "", ""},
             Case{"redis://:secret@127.0.0.1:7000/3", "redis://127.0.0.1:7000/3", "", "secret"},
             Case{"rediss://ann:p%40ss%2f1@cache.example:1/", "rediss://cache.example:1/0", "ann", "p@ss/1"},
             Case{"redis://:a@b@[::1]:6400/2", "redis://[::1]:6400/2", "", "a@b"},
         }) {
        const auto address = parse_address(each.url);
        ASSERT_TRUE(address) << each.url << ": " << address.error().what;
        EXPECT_EQ(address->shown(), each.shown);
        EXPECT_EQ(address->user, each.user);
        EXPECT_EQ(address->password, each.password);
    }
}

TEST(RedisAddressTest, RefusesTheRestAndShowsNoSecret) {
    for (const std::string_view url :
         {"", "h:6379", "http://h", "redis://", "redis://:secret@", "redis://:secret", "redis://user:secret",
          "redis://h:0", "redis://h:65536", "redis://h/secret", "redis://secret@h", "redis://:secret%2@h",
          "redis://[::1", "redis://secret host/0"}) {
        const auto address = parse_address(url);
        ASSERT_FALSE(address) << url;
        EXPECT_EQ(address.error().code, ErrorCode::invalid);
        EXPECT_EQ(address.error().what.find("secret"), std::string::npos) << address.error().what;
    }
}

using RedisClientTest = RedisTest;

TEST_F(RedisClientTest, AnswersComeInOrder) {
    Client client(address, patient());
    constexpr std::int64_t kCount = 20'000;
    for (std::int64_t i = 0; i < kCount; ++i) client.add(Words{"INCR", "n"});
    const auto replies = client.replies();
    ASSERT_TRUE(replies) << replies.error().what;
    ASSERT_EQ(replies->size(), kCount);
    for (std::int64_t i = 0; i < kCount; ++i) ASSERT_EQ((*replies)[i].number, i + 1);
}

TEST_F(RedisClientTest, TextsComeBackToTheLastByte) {
    Client client(address, patient());
    const std::string odd("a\0b\r\n$3\r\nc", 10);
    ASSERT_TRUE(client.ask(Words{"SET", odd, odd}));
    EXPECT_EQ(client.ask(Words{"GET", odd})->text, odd);
    const auto list = client.ask(Words{"MGET", odd, "none"});
    ASSERT_EQ(list->items.size(), 2u);
    EXPECT_EQ(list->items[1].kind, Reply::Kind::nothing);
}

TEST_F(RedisClientTest, AWrongPasswordIsForTheOperatorToMendAndIsNotShown) {
    Address wrong = address;
    wrong.password = "not-the-secret";
    Client client(wrong, patient());
    const auto reply = client.ask(Words{"PING"});
    ASSERT_FALSE(reply);
    EXPECT_EQ(reply.error().code, ErrorCode::invalid);
    EXPECT_NE(reply.error().what.find("redis.url"), std::string::npos) << reply.error().what;
    EXPECT_EQ(reply.error().what.find("not-the-secret"), std::string::npos) << reply.error().what;
}

TEST_F(RedisClientTest, AUserWithoutTheRightsIsForTheOperatorToMend) {
    ASSERT_EQ(say({"ACL", "SETUSER", "narrow", "on", ">pw", "~txn:*", "+get", "+select"}).text, "OK");
    Address narrow = address;
    narrow.user = "narrow";
    narrow.password = "pw";
    Client client(narrow, patient());
    EXPECT_TRUE(client.ask(Words{"GET", "txn:1"}));
    const auto reply = client.ask(Words{"SET", "txn:1", "x"});
    ASSERT_FALSE(reply);
    EXPECT_EQ(reply.error().code, ErrorCode::invalid);
    EXPECT_NE(reply.error().what.find("may not do"), std::string::npos) << reply.error().what;
    say({"ACL", "DELUSER", "narrow"});
}

TEST_F(RedisClientTest, AServerThatIsNotThereIsForLater) {
    const SilentPort port;
    Address away = address;
    away.port = port.number;
    Client client(away, {});
    const auto reply = client.ask(Words{"PING"});
    ASSERT_FALSE(reply);
    EXPECT_EQ(reply.error().code, ErrorCode::unavailable);
    EXPECT_NE(reply.error().what.find(away.shown()), std::string::npos) << reply.error().what;
}

TEST_F(RedisClientTest, ASlowServerIsGivenUpAndAskedAnewLater) {
    ClientOptions options;
    options.reply_timeout = std::chrono::milliseconds(150);
    Client hasty(address, options);
    while (!hasty.ask(Words{"SET", "k", "1"})) {  // this machine may be too slow for it
    }
    pause_server();
    const auto reply = hasty.ask(Words{"GET", "k"});
    ASSERT_FALSE(reply);
    EXPECT_EQ(reply.error().code, ErrorCode::unavailable);
    EXPECT_NE(reply.error().what.find("no answer in time"), std::string::npos) << reply.error().what;
    EXPECT_EQ(text("k"), "1");  // who waits longer is answered when the pause is over
    auto again = hasty.ask(Words{"GET", "k"});
    while (!again) again = hasty.ask(Words{"GET", "k"});
    EXPECT_EQ(again->text, "1");
}

TEST_F(RedisClientTest, AConnectionThatIsCutComesBackWithTheNextCommand) {
    Client client(address, patient());
    const std::string id = std::to_string(client.ask(Words{"CLIENT", "ID"})->number);
    ASSERT_EQ(say({"CLIENT", "KILL", "ID", id}).number, 1);
    const auto lost = client.ask(Words{"PING"});
    ASSERT_FALSE(lost);
    EXPECT_EQ(lost.error().code, ErrorCode::unavailable);
    EXPECT_EQ(client.ask(Words{"PING"})->text, "PONG");
}

}  // namespace
}  // namespace nostro::redis::test
