// A socket that listens on a free port of this machine, for servers that tests write by hand.
#pragma once
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "nostro/base/unique_fd.hpp"
#include "nostro/cli/client.hpp"

namespace nostro::cli {

// Sets the port of `url`, whose host stays as it is.
inline UniqueFd listen_anywhere(Url& url) {
    UniqueFd listener(socket(AF_INET, SOCK_STREAM, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    EXPECT_EQ(bind(listener.get(), reinterpret_cast<sockaddr*>(&address), size), 0);
    EXPECT_EQ(listen(listener.get(), 64), 0);
    EXPECT_EQ(getsockname(listener.get(), reinterpret_cast<sockaddr*>(&address), &size), 0);
    url.port = ntohs(address.sin_port);
    return listener;
}

}  // namespace nostro::cli
