// Stands between a client and its server, and cuts the connection at a chosen moment of their talk.
#pragma once
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <stdexcept>
#include <thread>
#include <vector>

#include "nostro/adapters/postgres/client.hpp"
#include "nostro/base/text.hpp"
#include "nostro/base/unique_fd.hpp"
#include "tests/servers/postgres/database.hpp"

namespace nostro::test {

class CuttingProxy {
public:
    enum class When : std::uint8_t {
        unsent,      // what the client says does not arrive
        on_its_way,  // it arrives, and nobody waits for what becomes of it
        unheard,     // the server has answered, and the client does not hear it
    };
    explicit CuttingProxy(std::uint16_t server) : server_(server), listener_(::socket(AF_INET, SOCK_STREAM, 0)) {
        sockaddr_in address = loopback(0);
        socklen_t size = sizeof address;
        if (::bind(listener_.get(), reinterpret_cast<sockaddr*>(&address), size) != 0 ||
            ::listen(listener_.get(), 8) != 0 ||
            ::getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&address), &size) != 0) {
            throw std::runtime_error("the proxy cannot listen");
        }
        port_ = ntohs(address.sin_port);
        thread_ = std::jthread([this](const std::stop_token& stop) { serve(stop); });
    }
    ~CuttingProxy() {
        thread_.request_stop();
        ::shutdown(listener_.get(), SHUT_RDWR);
        thread_.join();
    }
    CuttingProxy(const CuttingProxy&) = delete;
    CuttingProxy& operator=(const CuttingProxy&) = delete;

    static constexpr std::array kWhen{When::unsent, When::on_its_way, When::unheard};

    std::uint16_t port() const { return port_; }
    // The same database, on the way through here.
    std::string address(const Database& database) const {
        const std::vector<std::pair<std::string, std::string>> there = {{"port", std::to_string(port_)}};
        return *postgres_address(database.address(), there);
    }
    // To the server that the tests have.
    CuttingProxy() : CuttingProxy(server_port()) {}
    // With the `nth` thing that the client says from now on, 1 being the next; once.
    void cut(int nth, When when) {
        when_ = when;
        left_ = nth;
    }
    // Whether it has; if not, it does not any more.
    bool has_cut() { return left_.exchange(0) <= 0; }

private:
    static std::uint16_t server_port() {
        const std::string url = server_url();
        const auto port = parse_uint32(url.substr(url.rfind(':') + 1, url.rfind('/') - url.rfind(':') - 1));
        return static_cast<std::uint16_t>(*port);
    }
    static sockaddr_in loopback(std::uint16_t port) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(port);
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        return address;
    }
    void serve(const std::stop_token& stop) {
        while (!stop.stop_requested()) {
            const UniqueFd client(::accept(listener_.get(), nullptr, nullptr));
            if (!client) return;
            const UniqueFd server(::socket(AF_INET, SOCK_STREAM, 0));
            const sockaddr_in address = loopback(server_);
            if (::connect(server.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) continue;
            talk(client.get(), server.get(), stop);
        }
    }
    // One connection at a time is enough: the journal's writer has one.
    void talk(int client, int server, const std::stop_token& stop) {
        std::array<char, 1 << 16> bytes;
        bool deaf = false;
        while (!stop.stop_requested()) {
            std::array<pollfd, 2> ready{{{client, POLLIN, 0}, {server, POLLIN, 0}}};
            if (::poll(ready.data(), 2, 50) <= 0) continue;
            for (std::size_t side = 0; side < 2; ++side) {
                if (ready[side].revents == 0) continue;
                const ssize_t size = ::recv(ready[side].fd, bytes.data(), bytes.size(), 0);
                if (size <= 0 || (side == 1 && deaf)) return;
                const bool cuts = side == 0 && left_ > 0 && --left_ == 0;
                if (cuts && when_ == When::unsent) return;
                const int to = side == 0 ? server : client;
                if (::send(to, bytes.data(), static_cast<std::size_t>(size), MSG_NOSIGNAL) != size) return;
                if (cuts && when_ == When::on_its_way) return;
                deaf = deaf || cuts;
            }
        }
    }

    const std::uint16_t server_;
    const UniqueFd listener_;
    std::uint16_t port_ = 0;
    std::atomic<int> left_ = 0;
    std::atomic<When> when_ = When::unsent;
    std::jthread thread_;
};

}  // namespace nostro::test
