// One connection to a Redis server: commands are gathered, sent together, and answered in order.
//
// It connects with the first command, and again with the next one after a failure; what was on its way then may have
// happened or not, so commands should do no harm when they are sent again.
// Errors: `unavailable`: not reached, too slow, or not able now; `invalid`: what an operator has to mend (address,
//         password, rights). Texts name the server, never its password.
// Threads: one at a time.
#pragma once
#include <chrono>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "nostro/base/result.hpp"

namespace nostro::redis {

struct Address {
    bool tls = false;
    std::string host;
    std::uint16_t port = 6379;
    std::string user, password;  // empty: the default user; nobody is asked for one
    std::uint32_t database = 0;

    std::string shown() const;  // redis://127.0.0.1:6379/0
};

// redis://[[user]:password@]host[:port][/database], rediss:// for TLS. User and password may be %-escaped.
Result<Address> parse_address(std::string_view url);

struct ClientOptions {
    std::chrono::milliseconds connect_timeout{2'000};
    std::chrono::milliseconds reply_timeout{5'000};  // without a byte from the server
    std::string ca_file;                             // certificates that a server may be signed by; empty: the system's
};

struct Reply {
    enum class Kind : std::uint8_t { nothing, text, number, list, error } kind = Kind::nothing;
    std::string text;  // of an error, too
    std::int64_t number = 0;
    std::vector<Reply> items;
};

class Client {
public:
    Client(Address address, ClientOptions options);
    ~Client();
    Client(Client&&) noexcept;
    Client& operator=(Client&&) noexcept;

    // Gathers a command.
    void add(std::span<const std::string_view> words);
    std::size_t added_bytes() const;
    // Sends what was gathered and waits for all replies. The first that is an error is the result.
    Result<std::vector<Reply>> replies();
    // Both, of one command.
    Result<Reply> ask(std::span<const std::string_view> words);

    const Address& address() const;

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace nostro::redis
