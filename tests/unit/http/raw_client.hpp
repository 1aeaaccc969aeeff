// A blocking client over a real socket, which sends whatever bytes a test wants.
#pragma once
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "nostro/base/unique_fd.hpp"

namespace nostro::test {

struct RawResponse {
    int status = 0;  // 0: the connection ended before one was whole
    std::string head, body;
    bool has(std::string_view line) const { return head.find(line) != std::string::npos; }
};

class RawClient {
public:
    explicit RawClient(std::uint16_t port) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        // Only bounds how long a broken server holds a test up.
        const timeval patience{20, 0};
        ::setsockopt(fd_.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
        const int one = 1;
        ::setsockopt(fd_.get(), IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(port);
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        connected_ = ::connect(fd_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
    }

    bool connected() const { return connected_; }

    bool send(std::string_view bytes) {
        while (!bytes.empty()) {
            const auto sent = ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
            if (sent <= 0) return false;
            bytes.remove_prefix(static_cast<std::size_t>(sent));
        }
        return true;
    }
    void end_sending() { ::shutdown(fd_.get(), SHUT_WR); }
    void close() { fd_.reset(); }
    void receive_buffer(int bytes) { ::setsockopt(fd_.get(), SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes); }

    // Reads until `mark` has come; false: the connection ended first. Everything read so far is in seen().
    bool read_until(std::string_view mark) {
        while (seen_.find(mark) == std::string::npos) {
            if (!read_some()) return false;
        }
        return true;
    }
    std::string read_all() {
        while (read_some()) {
        }
        return seen_;
    }
    // Nothing but the end is left.
    bool ended() { return seen_.empty() && !read_some() && seen_.empty() && !timed_out_; }
    const std::string& seen() const { return seen_; }
    void forget() { seen_.clear(); }

    // The next response, chunked or with a length.
    RawResponse response(bool head_only = false) {
        RawResponse response;
        if (!read_until("\r\n\r\n")) return response;
        const std::size_t end = seen_.find("\r\n\r\n") + 4;
        response.head = seen_.substr(0, end);
        seen_.erase(0, end);
        response.status = std::stoi(response.head.substr(9, 3));
        if (head_only || response.status == 204 || response.status == 100) return response;
        if (response.has("Transfer-Encoding: chunked")) {
            while (read_chunk(response.body)) {
            }
            return response;
        }
        const std::size_t at = response.head.find("Content-Length: ");
        const std::size_t size = std::stoul(response.head.substr(at + 16));
        while (seen_.size() < size && read_some()) {
        }
        response.body = seen_.substr(0, size);
        seen_.erase(0, size);
        return response;
    }
    // Appends the next chunk; false: it was the last one, or the connection ended.
    bool read_chunk(std::string& to) {
        if (!read_until("\r\n")) return false;
        const std::size_t line = seen_.find("\r\n");
        const std::size_t size = std::stoul(seen_.substr(0, line), nullptr, 16);
        while (seen_.size() < line + 2 + size + 2 && read_some()) {
        }
        to += seen_.substr(line + 2, size);
        seen_.erase(0, line + 2 + size + 2);
        return size != 0;
    }

private:
    bool read_some() {
        char bytes[16384];
        const auto got = ::recv(fd_.get(), bytes, sizeof bytes, 0);
        timed_out_ = got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
        if (got <= 0) return false;
        seen_.append(bytes, static_cast<std::size_t>(got));
        return true;
    }

    UniqueFd fd_;
    bool connected_ = false, timed_out_ = false;
    std::string seen_;
};

}  // namespace nostro::test
