// Where the service listens, out of the configuration.
#include <fmt/format.h>

#include "nostro/app/wiring.hpp"
#include "nostro/base/text.hpp"
#include "nostro/http/server.hpp"

namespace nostro {

Result<ListenAddress> parse_listen(std::string_view text) {
    Error wrong{ErrorCode::invalid, fmt::format("server.listen: {} is not HOST:PORT", quoted(text))};
    const auto colon = text.rfind(':');
    if (colon == std::string_view::npos || colon == 0) return wrong;
    const auto port = parse_uint32(text.substr(colon + 1));
    if (!port || *port > 65535) return wrong;
    std::string_view host = text.substr(0, colon);
    if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
    return ListenAddress{std::string(host), static_cast<std::uint16_t>(*port)};
}

Result<> check_listen(const Config& config) {
    const auto address = parse_listen(config.server.listen);
    if (!address) return address.error();
    ServerOptions options;
    options.address = address->host;
    options.insecure_listen = config.server.insecure_listen;
    return Server::check_address(options);
}

}  // namespace nostro
