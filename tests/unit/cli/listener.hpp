// Sockets on a free port of this machine: for servers that tests write by hand, and for none.
#pragma once
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "nostro/base/unique_fd.hpp"
#include "nostro/cli/client.hpp"

namespace nostro::cli {

// Nobody listens there, and nobody else can. Sets the port of `url`, whose host stays as it is.
inline UniqueFd bind_anywhere(Url& url) {
    UniqueFd bound(socket(AF_INET, SOCK_STREAM, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    EXPECT_EQ(bind(bound.get(), reinterpret_cast<sockaddr*>(&address), size), 0);
    EXPECT_EQ(getsockname(bound.get(), reinterpret_cast<sockaddr*>(&address), &size), 0);
    url.port = ntohs(address.sin_port);
    return bound;
}

inline UniqueFd listen_anywhere(Url& url) {
    UniqueFd listener = bind_anywhere(url);
    EXPECT_EQ(listen(listener.get(), 64), 0);
    return listener;
}

}  // namespace nostro::cli
