#include "nostro/cli/client.hpp"

#include <fmt/format.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <cerrno>
#include <cstring>
#include <system_error>
#include <thread>

#include "nostro/base/text.hpp"

namespace nostro::cli {
namespace {

namespace http = boost::beast::http;

constexpr std::uint64_t kBodyMax = 4ull << 30;

Error unavailable(const Url& url, std::string_view what) {
    return {ErrorCode::unavailable, fmt::format("http://{}:{}: {}", url.host, url.port, what)};
}

Result<> send_all(int socket, std::string_view bytes) {
    while (!bytes.empty()) {
        const ssize_t sent = ::send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR) continue;
        if (sent <= 0) return Error{ErrorCode::unavailable, std::generic_category().message(errno)};
        bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return {};
}

}  // namespace

Result<Url> parse_url(std::string_view text) {
    const std::string_view given = text;
    const auto wrong = [&] {
        return Error{ErrorCode::invalid,
                     fmt::format("--url or NOSTRO_URL: {} is none; expected http://HOST:PORT", quoted(given))};
    };
    if (text.starts_with("http://")) text.remove_prefix(7);
    if (text.find("://") != std::string_view::npos) return wrong();
    while (text.ends_with('/')) text.remove_suffix(1);
    Url url;
    std::string_view host = text, port;
    if (text.starts_with('[')) {
        const auto end = text.find(']');
        if (end == std::string_view::npos) return wrong();
        host = text.substr(1, end - 1);
        port = text.substr(end + 1);
        if (!port.empty()) {
            if (port.front() != ':') return wrong();
            port.remove_prefix(1);
        }
    } else if (const auto colon = text.rfind(':'); colon != std::string_view::npos) {
        host = text.substr(0, colon);
        port = text.substr(colon + 1);
    }
    if (host.empty() || host.find('/') != std::string_view::npos) return wrong();
    url.host = host;
    if (!port.empty()) {
        const auto number = parse_uint32(port);
        if (!number || *number == 0 || *number > 65535) return wrong();
        url.port = static_cast<std::uint16_t>(*number);
    }
    return url;
}

std::string percent_encoded(std::string_view text) {
    std::string encoded;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (std::isalnum(byte) != 0 || std::strchr("-._~", c) != nullptr) {
            encoded += c;
        } else {
            encoded += fmt::format("%{:02X}", byte);
        }
    }
    return encoded;
}

Result<UniqueFd> connect_to(const Url& url, std::chrono::milliseconds timeout) {
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    const int failed = getaddrinfo(url.host.c_str(), std::to_string(url.port).c_str(), &hints, &found);
    if (failed != 0) return unavailable(url, gai_strerror(failed));
    Error last = unavailable(url, "no address");
    for (const addrinfo* at = found; at != nullptr; at = at->ai_next) {
        UniqueFd socket(::socket(at->ai_family, at->ai_socktype | SOCK_CLOEXEC, at->ai_protocol));
        if (socket.get() < 0 || ::connect(socket.get(), at->ai_addr, at->ai_addrlen) != 0) {
            last = unavailable(
                url, fmt::format("{}; is `nostro serve` running there?", std::generic_category().message(errno)));
            continue;
        }
        const int on = 1;
        (void)setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        const timeval limit{timeout.count() / 1000, (timeout.count() % 1000) * 1000};
        (void)setsockopt(socket.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
        (void)setsockopt(socket.get(), SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
        freeaddrinfo(found);
        return socket;
    }
    freeaddrinfo(found);
    return last;
}

Result<> Client::await_listener(std::chrono::nanoseconds patience, const std::function<bool(SteadyTime)>& stopped) {
    constexpr auto kPause = std::chrono::milliseconds(200);
    const SteadyTime last = steady_now() + patience;
    for (bool is_first = true;; is_first = false) {
        auto connected = connect_to(url_, timeout_);
        if (connected) {
            socket_ = std::move(*connected);
            return {};
        }
        const SteadyTime next = steady_now() + kPause;
        if (next > last) return connected.error();
        if (is_first) {
            fmt::print(stderr, "nostro: http://{}:{} does not listen yet; trying for {}\n", url_.host, url_.port,
                       format_duration(patience));
        }
        if (stopped ? stopped(next) : (std::this_thread::sleep_until(next), false)) return connected.error();
    }
}

Result<HttpAnswer> Client::request(std::string_view method, std::string_view target, std::string_view body,
                                   const std::vector<Header>& headers) {
    std::string head = fmt::format("{} {} HTTP/1.1\r\nHost: {}:{}\r\n", method, target, url_.host, url_.port);
    bool typed = false;
    for (const auto& [name, value] : headers) {
        head += fmt::format("{}: {}\r\n", name, value);
        typed = typed || equal_ignoring_case(name, "Content-Type");
    }
    if (!body.empty() && !typed) head += "Content-Type: application/json\r\n";
    if (!body.empty() || method != "GET") head += fmt::format("Content-Length: {}\r\n", body.size());
    head += "\r\n";

    const bool fresh = socket_.get() < 0;
    auto answer = exchange(head, body);
    if (answer) return answer;
    socket_ = UniqueFd();
    // A kept connection may have been closed by the other side meanwhile. Asking again is harmless: what moves money
    // carries its key.
    if (!fresh) answer = exchange(head, body);
    if (!answer) socket_ = UniqueFd();
    return answer;
}

Result<HttpAnswer> Client::exchange(std::string_view head, std::string_view body) {
    if (socket_.get() < 0) {
        auto connected = connect_to(url_, timeout_);
        if (!connected) return connected.error();
        socket_ = std::move(*connected);
    }
    if (auto done = send_all(socket_.get(), head); !done) return unavailable(url_, done.error().what);
    if (auto done = send_all(socket_.get(), body); !done) return unavailable(url_, done.error().what);

    http::response_parser<http::string_body> parser;
    parser.body_limit(kBodyMax);
    parser.eager(true);
    if (head.starts_with("HEAD ")) parser.skip(true);
    std::string buffer(64 * 1024, '\0');
    std::size_t held = 0;
    while (!parser.is_done()) {
        if (held == buffer.size()) buffer.resize(buffer.size() * 2);
        const ssize_t got = ::recv(socket_.get(), buffer.data() + held, buffer.size() - held, 0);
        if (got < 0 && errno == EINTR) continue;
        boost::system::error_code error;
        if (got == 0) {
            parser.put_eof(error);
            if (!error && parser.is_done()) break;
            return Error{ErrorCode::unknown,
                         unavailable(url_, "the connection was closed before the answer was whole").what};
        }
        if (got < 0) {
            const bool late = errno == EAGAIN || errno == EWOULDBLOCK;
            return Error{ErrorCode::unknown,
                         unavailable(url_, late ? "no answer in time" : std::generic_category().message(errno)).what};
        }
        held += static_cast<std::size_t>(got);
        const std::size_t used = parser.put(boost::asio::buffer(buffer.data(), held), error);
        if (error && error != http::error::need_more) {
            return Error{ErrorCode::unknown,
                         unavailable(url_, fmt::format("answer is no HTTP: {}", error.message())).what};
        }
        std::memmove(buffer.data(), buffer.data() + used, held - used);
        held -= used;
    }
    const auto& message = parser.get();
    HttpAnswer answer;
    answer.status = static_cast<int>(message.result_int());
    answer.content_type = std::string(message[http::field::content_type]);
    answer.replayed = message["Idempotent-Replayed"] == "true";
    const bool keep = message.keep_alive();
    answer.body = std::move(parser.get().body());
    if (!keep) socket_ = UniqueFd();
    return answer;
}

}  // namespace nostro::cli
