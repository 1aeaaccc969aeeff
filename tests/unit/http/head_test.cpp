#include "nostro/http/head.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

namespace nostro {
namespace {

// Finds the end and reads the head, as a session does.
std::expected<std::optional<std::size_t>, Refusal> read(std::string_view bytes, RequestHead& head,
                                                        HeadLimits limits = {}) {
    HeadEnd end;
    auto size = end.find(bytes, limits);
    if (!size || !*size) return size;
    if (auto good = parse_head(bytes.substr(0, **size), limits, head); !good) return std::unexpected(good.error());
    return size;
}

std::string get(std::string_view fields, std::string_view target = "/v1/payments") {
    return "GET " + std::string(target) + " HTTP/1.1\r\n" + std::string(fields) + "\r\n";
}
std::string get_target(std::string_view target) { return get("Host: h\r\n", target); }
std::string post(std::string_view fields) {
    return "POST /v1/payments HTTP/1.1\r\nHost: h\r\n" + std::string(fields) + "\r\n";
}

TEST(HeadTest, TakesWhatIsWellFormed) {
    const std::vector<std::string> heads{
        get("Host: localhost\r\n"),
        get("Host: localhost:8000\r\n"),
        get("Host: 127.0.0.1:8000\r\n"),
        get("Host: [::1]:8000\r\n"),
        get("Host: [::1]\r\n"),
        get("host:h\r\n"),
        get("HOST: h\t \r\n"),
        get("Host: h\r\nX-Empty:\r\n"),
        get("Host: h\r\nX-Spaces:   a b  \r\n"),
        get("Host: h\r\nX-High: caf\xc3\xa9\r\n"),
        get("Host: h\r\nConnection: keep-alive\r\n"),
        get("Host: h\r\nUpgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\n"),
        get_target("/"),
        get_target("/?"),
        get_target("/v1/payments?account=A%2FB&limit=5"),
        get_target("/v1/accounts/house:equity:USD"),
        get_target("/v1/accounts/a.b"),
        get_target("/v1/accounts/a..b"),
        get_target("/v1/accounts/.a"),
        get_target("/v1/accounts/%41CC"),
        get_target("/v1//payments"),
        get_target("/v1/payments?from=2026-11-21T00:00:00%2B01:00"),
        get_target("/v1/payments?a=/?b"),
        get_target("http://h/v1/payments?x=1"),
        get_target("HTTP://H"),
        "OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n",
        "PATCH /v1/accounts/A HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\n{}",
        post("Content-Length: 0\r\n"),
        post("Content-Length: 17\r\n"),
        post("content-LENGTH:17\r\n"),
        post("Transfer-Encoding: chunked\r\n"),
        post("Transfer-Encoding: Chunked\r\n"),
        post("Content-Length: 17\r\nExpect: 100-continue\r\n"),
        "BREW /pot HTTP/1.1\r\nHost: h\r\n\r\n",
        "CONNECT h:443 HTTP/1.1\r\nHost: h:443\r\n\r\n",
    };
    for (const std::string& bytes : heads) {
        RequestHead head;
        const auto size = read(bytes, head);
        EXPECT_TRUE(size && *size) << bytes << (size ? "" : size.error().detail);
    }
}

struct Refused {
    std::string bytes;
    std::uint16_t status;
    std::string_view code;
};

// long: it is a table.
TEST(HeadTest, RefusesWhateverCouldBeReadInTwoWays) {
    using namespace std::string_literals;
    const std::vector<Refused> cases{
        // request line
        {"GET /\r\nHost: h\r\n\r\n", 400, "bad_request_line"},
        {"GET\r\n\r\n", 400, "bad_request_line"},
        {"GET / HTTP/1.0\r\nHost: h\r\n\r\n", 505, "http_version_not_supported"},
        {"GET / HTTP/2.0\r\nHost: h\r\n\r\n", 505, "http_version_not_supported"},
        {"PRI * HTTP/2.0\r\n\r\n", 505, "http_version_not_supported"},
        {"GET / HTTP/0.9\r\n\r\n", 505, "http_version_not_supported"},
        {"GET / http/1.1\r\nHost: h\r\n\r\n", 400, "bad_request_line"},
        {"GET / HTTP/1.1 \r\nHost: h\r\n\r\n", 400, "bad_request_line"},
        {"GET / HTTP/1.10\r\nHost: h\r\n\r\n", 400, "bad_request_line"},
        {"GET / HTTP/11\r\nHost: h\r\n\r\n", 400, "bad_request_line"},
        {"GET / XHTTP/1.1\r\nHost: h\r\n\r\n", 400, "bad_request_line"},
        {"GET  / HTTP/1.1\r\nHost: h\r\n\r\n", 400, "bad_request_line"},
        {"GET /  HTTP/1.1\r\nHost: h\r\n\r\n", 400, "bad_request_line"},
        {"GET /a b HTTP/1.1\r\nHost: h\r\n\r\n", 400, "bad_request_line"},
        {"GET\t/ HTTP/1.1\r\nHost: h\r\n\r\n", 400, "bad_request_line"},
        {" GET / HTTP/1.1\r\nHost: h\r\n\r\n", 400, "bad_request_line"},
        {"G(T / HTTP/1.1\r\nHost: h\r\n\r\n", 400, "bad_request_line"},
        {std::string(33, 'A') + " / HTTP/1.1\r\nHost: h\r\n\r\n", 400, "bad_request_line"},
        {"GET / HTTP/1.1\rHost: h\r\n\r\n", 400, "bad_request_line"},
        {"\x16\x03\x01\x02"s, 400, "bad_request_line"},  // TLS
        {"\0"s, 400, "bad_request_line"},
        {"{\"a\":1}", 400, "bad_request_line"},
        // targets
        {get_target("v1/payments"), 400, "bad_request_line"},
        {get_target("h:80"), 400, "bad_request_line"},
        {get_target("*"), 400, "bad_request_line"},
        {get_target("https://h/"), 400, "bad_request_line"},
        {get_target("http://"), 400, "bad_request_line"},
        {get_target("http://u@h/"), 400, "bad_request_line"},
        {get_target("http://other/"), 400, "bad_host"},
        {get_target("/%"), 400, "bad_target"},
        {get_target("/%4"), 400, "bad_target"},
        {get_target("/%zz"), 400, "bad_target"},
        {get_target("/%00"), 400, "bad_target"},
        {get_target("/%0a"), 400, "bad_target"},
        {get_target("/a%2Fb"), 400, "bad_target"},
        {get_target("/a%5cb"), 400, "bad_target"},
        {get_target("/a\\b"), 400, "bad_target"},
        {get_target("/."), 400, "bad_target"},
        {get_target("/.."), 400, "bad_target"},
        {get_target("/v1/../health"), 400, "bad_target"},
        {get_target("/v1/./health"), 400, "bad_target"},
        {get_target("/v1/%2e%2E/health"), 400, "bad_target"},
        {get_target("/v1/.%2e"), 400, "bad_target"},
        {get_target("/#a"), 400, "bad_target"},
        {get_target("/a?b#c"), 400, "bad_target"},
        {get_target("/a?b=%"), 400, "bad_target"},
        {get_target("/a?b=%0d%0a"), 400, "bad_target"},
        {get_target("/a?b=\"c\""), 400, "bad_target"},
        {get_target("/caf\xc3\xa9"), 400, "bad_target"},
        {get_target("/a\x01"), 400, "bad_target"},
        {get_target("/" + std::string(5000, 'a')), 414, "target_too_long"},
        // lines
        {"GET / HTTP/1.1\nHost: h\n\n", 400, "bad_framing"},
        {"GET / HTTP/1.1\r\nHost: h\n\r\n", 400, "bad_framing"},
        {"GET / HTTP/1.1\r\nHost: h\r\n\n", 400, "bad_framing"},
        {"\nGET / HTTP/1.1\r\nHost: h\r\n\r\n", 400, "bad_request_line"},
        {get("Host: h\r\nX-A: b\rc\r\n"), 400, "bad_header"},
        {get("Host: h\r\nX-A: b\r\r\n"), 400, "bad_header"},
        {get("Host: h\r\nX-A: b\r\n c\r\n"), 400, "bad_header"},
        {get("Host: h\r\nX-A: b\r\n\tc\r\n"), 400, "bad_header"},
        {get(" Host: h\r\n"), 400, "bad_header"},
        {get("Host : h\r\n"), 400, "bad_header"},
        {get("Host\t: h\r\n"), 400, "bad_header"},
        {get("Host: h\r\n: b\r\n"), 400, "bad_header"},
        {get("Host: h\r\nX-A\r\n"), 400, "bad_header"},
        {get("Host: h\r\nX A: b\r\n"), 400, "bad_header"},
        {get("Host: h\r\nX(A): b\r\n"), 400, "bad_header"},
        {get("Host: h\r\nX-A: b\x01\r\n"), 400, "bad_header"},
        {get("Host: h\r\nX-A: b\0c\r\n"s), 400, "bad_header"},
        {get("Host: h\r\nX-A: b\x7f\r\n"), 400, "bad_header"},
        // host
        {get(""), 400, "bad_host"},
        {get("Host:\r\n"), 400, "bad_host"},
        {get("Host: h\r\nHost: h\r\n"), 400, "bad_header"},
        {get("Host: h\r\nhost: other\r\n"), 400, "bad_header"},
        {get("Host: a b\r\n"), 400, "bad_host"},
        {get("Host: a,b\r\n"), 400, "bad_host"},
        {get("Host: h/x\r\n"), 400, "bad_host"},
        {get("Host: u@h\r\n"), 400, "bad_host"},
        {get("Host: h:\r\n"), 400, "bad_host"},
        {get("Host: h:port\r\n"), 400, "bad_host"},
        {get("Host: h:80:80\r\n"), 400, "bad_host"},
        {get("Host: h:123456\r\n"), 400, "bad_host"},
        {get("Host: [::1\r\n"), 400, "bad_host"},
        {get("Host: [zz]\r\n"), 400, "bad_host"},
        {get("Host: []:80\r\n"), 400, "bad_host"},
        // lengths
        {post("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"), 400, "bad_framing"},
        {post("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n"), 400, "bad_framing"},
        {post("Content-Length: 5\r\nContent-Length: 5\r\n"), 400, "bad_framing"},
        {post("Content-Length: 5\r\ncontent-length: 6\r\n"), 400, "bad_framing"},
        {post("Content-Length: 5, 5\r\n"), 400, "bad_framing"},
        {post("Content-Length: -5\r\n"), 400, "bad_framing"},
        {post("Content-Length: +5\r\n"), 400, "bad_framing"},
        {post("Content-Length: 0x5\r\n"), 400, "bad_framing"},
        {post("Content-Length: 5 5\r\n"), 400, "bad_framing"},
        {post("Content-Length: 05\r\n"), 400, "bad_framing"},
        {post("Content-Length: 1e3\r\n"), 400, "bad_framing"},
        {post("Content-Length:\r\n"), 400, "bad_framing"},
        {post("Content-Length: 99999999999999999999\r\n"), 400, "bad_framing"},
        {post("Content-Length: \xef\xbc\x95\r\n"), 400, "bad_framing"},
        {post("Transfer-Encoding: gzip\r\n"), 501, "transfer_encoding_not_supported"},
        {post("Transfer-Encoding: gzip, chunked\r\n"), 501, "transfer_encoding_not_supported"},
        {post("Transfer-Encoding: chunked, chunked\r\n"), 501, "transfer_encoding_not_supported"},
        {post("Transfer-Encoding: identity\r\n"), 501, "transfer_encoding_not_supported"},
        {post("Transfer-Encoding: xchunked\r\n"), 501, "transfer_encoding_not_supported"},
        {post("Transfer-Encoding: chunked;q=1\r\n"), 501, "transfer_encoding_not_supported"},
        {post("Transfer-Encoding: \r\n"), 501, "transfer_encoding_not_supported"},
        {post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"), 400, "bad_framing"},
        {post("Transfer-Encoding : chunked\r\n"), 400, "bad_header"},
        {post("Content-Type: a/b\r\nContent-Type: a/b\r\n"), 400, "bad_header"},
        {post("Origin: http://h\r\nOrigin: http://h\r\n"), 400, "bad_header"},
    };
    for (const Refused& refused : cases) {
        RequestHead head;
        const auto size = read(refused.bytes, head);
        ASSERT_FALSE(size) << refused.bytes;
        EXPECT_EQ(size.error().status, refused.status) << refused.bytes;
        EXPECT_EQ(size.error().code, refused.code) << refused.bytes << size.error().detail;
        EXPECT_FALSE(size.error().detail.empty());
    }
}

TEST(HeadTest, TellsWhatTheFieldsSay) {
    RequestHead head;
    const std::string bytes =
        "POST http://h:80/v1/payments?mode=atomic HTTP/1.1\r\nHost: H:80\r\nContent-Length: 12\r\n"
        "Content-Type: application/json\r\nConnection: keep-alive, Close\r\nExpect: 100-Continue\r\nOrigin: "
        "null\r\n\r\n";
    ASSERT_TRUE(read(bytes, head));
    EXPECT_EQ(head.method, Method::post);
    EXPECT_EQ(head.path, "/v1/payments");
    EXPECT_EQ(head.query, "mode=atomic");
    EXPECT_EQ(head.host, "H:80");
    EXPECT_EQ(head.content_length, 12u);
    EXPECT_EQ(head.content_type, "application/json");
    EXPECT_EQ(head.origin, "null");
    EXPECT_TRUE(head.close);
    EXPECT_TRUE(head.expects_continue);
    EXPECT_FALSE(head.chunked);
    EXPECT_EQ(head.field_count, 6u);
    EXPECT_EQ(head.headers()[1].name, "Content-Length");
}

TEST(HeadTest, NothingOfAnEarlierHeadStays) {
    RequestHead head;
    ASSERT_TRUE(read(post("Transfer-Encoding: chunked\r\nConnection: close\r\nExpect: x\r\nOrigin: a\r\n"), head));
    ASSERT_TRUE(read(get("Host: h\r\n"), head));
    EXPECT_FALSE(head.chunked || head.close || head.expects_other || head.expects_continue);
    EXPECT_TRUE(head.origin.empty() && head.query.empty() && head.content_type.empty());
    EXPECT_EQ(head.field_count, 1u);
}

TEST(HeadTest, OverlargeHeadsAreRefusedBeforeTheyEnd) {
    RequestHead head;
    const std::string line = "X-Long: " + std::string(1000, 'a') + "\r\n";
    std::string bytes = "GET / HTTP/1.1\r\nHost: h\r\n";
    for (int i = 0; i < 20; ++i) bytes += line;
    auto size = read(bytes, head);
    ASSERT_FALSE(size);
    EXPECT_EQ(size.error().status, 431);
    size = read("GET /" + std::string(20'000, 'a'), head);
    ASSERT_FALSE(size);
    EXPECT_EQ(size.error().status, 414);
    bytes = "GET / HTTP/1.1\r\nHost: h\r\n";
    for (int i = 0; i < 64; ++i) bytes += "X: y\r\n";
    size = read(bytes + "\r\n", head);
    ASSERT_FALSE(size);
    EXPECT_EQ(size.error().status, 431);
}

TEST(HeadTest, AHeadThatComesByteByByteEndsWhereAWholeOneDoes) {
    const std::string whole = get("Host: h\r\nX-A: b\r\n");
    HeadEnd end;
    for (std::size_t size = 0; size < whole.size(); ++size) {
        const auto found = end.find(std::string_view(whole).substr(0, size), {});
        ASSERT_TRUE(found);
        ASSERT_FALSE(*found) << size;
    }
    const auto found = end.find(whole + "GET", {});
    ASSERT_TRUE(found);
    EXPECT_EQ(*found, whole.size());
}

TEST(HeadTest, HostNamesComeWithoutTheirPort) {
    EXPECT_EQ(host_name("localhost:8000"), "localhost");
    EXPECT_EQ(host_name("[::1]:8000"), "[::1]");
    EXPECT_EQ(host_name("127.0.0.1"), "127.0.0.1");
    EXPECT_EQ(host_name("a b"), "");
}

}  // namespace
}  // namespace nostro
