#include "nostro/app/production.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <vector>

#include "nostro/base/text.hpp"

namespace nostro {
namespace {

Error refused(std::string_view key, std::string what) {
    return {ErrorCode::invalid, fmt::format("{}: {}, and server.production is set", key, what)};
}

// What never leaves this machine: loopback, a socket in a folder, no host at all.
bool is_here(std::string_view host) {
    return host.empty() || host.starts_with('/') || host.starts_with('@') || host == "localhost" || host == "::1" ||
           host == "[::1]" || host.starts_with("127.");
}

std::vector<std::string_view> pieces(std::string_view text, char at) {
    std::vector<std::string_view> all;
    while (!text.empty()) {
        const auto end = std::min(text.find(at), text.size());
        if (end != 0) all.push_back(trim(text.substr(0, end)));
        text.remove_prefix(std::min(text.size(), end + 1));
    }
    return all;
}

// "host:port", "[::1]:port", "host"
std::string_view host_of(std::string_view place) {
    if (place.starts_with('[')) return place.substr(0, std::min(place.find(']'), place.size() - 1) + 1);
    return place.substr(0, place.find(':'));
}

// Between "//" with whoever asks, and the path.
std::string_view authority_of(std::string_view url) {
    url = split_once(url, '/').second;
    if (url.starts_with('/')) url.remove_prefix(1);
    url = url.substr(0, url.find_first_of("/?"));
    const auto at = url.rfind('@');
    return at == std::string_view::npos ? url : url.substr(at + 1);
}

struct PostgresAddress {
    std::vector<std::string_view> hosts;
    std::string_view sslmode;
};

PostgresAddress parse_postgres(std::string_view address) {
    PostgresAddress parsed;
    const auto take = [&](std::string_view pair) {
        const auto [name, value] = split_once(pair, '=');
        if (trim(name) == "sslmode") parsed.sslmode = trim(value);
        if (trim(name) != "host" && trim(name) != "hostaddr") return;
        for (const std::string_view host : pieces(trim(value), ',')) parsed.hosts.push_back(host);
    };
    const bool is_url = address.starts_with("postgresql://") || address.starts_with("postgres://");
    if (!is_url) {
        for (const std::string_view pair : pieces(address, ' ')) take(pair);
        return parsed;
    }
    for (const std::string_view place : pieces(authority_of(address), ',')) parsed.hosts.push_back(host_of(place));
    for (const std::string_view pair : pieces(split_once(address, '?').second, '&')) take(pair);
    return parsed;
}

}  // namespace

Result<> check_production_postgres(std::string_view key, std::string_view address) {
    constexpr std::array<std::string_view, 3> kEncrypted{"require", "verify-ca", "verify-full"};
    const PostgresAddress parsed = parse_postgres(address);
    if (std::ranges::find(kEncrypted, parsed.sslmode) != kEncrypted.end()) return {};
    for (const std::string_view host : parsed.hosts) {
        if (is_here(host) || host.starts_with("%2F")) continue;
        return refused(key, fmt::format("{} is another machine and the connection may be in plain text; add "
                                        "sslmode=verify-full",
                                        host));
    }
    return {};
}

Result<> check_production(const Config& config) {
    if (!config.server.production) return {};
    if (config.journal.kind == "memory") return refused("journal.kind", "a journal in memory is for trying out");
    if (config.journal.kafka_single_broker) {
        return refused("journal.kafka_single_broker", "the loss of one broker would be the loss of the journal");
    }
    if (!config.kafka.tls) {
        for (const std::string_view place : pieces(config.kafka.bootstrap_servers, ',')) {
            if (is_here(host_of(place))) continue;
            return refused("kafka.tls",
                           fmt::format("{} is another machine and the connection is in plain text", place));
        }
    }
    for (const auto& [key, address] :
         {std::pair<std::string_view, std::string_view>{"postgres.url", config.postgres.url},
          {"journal.postgres_url", config.journal.postgres_url}}) {
        if (auto fine = check_production_postgres(key, address); !fine) return fine;
    }
    if (config.redis.url.starts_with("redis://") && !is_here(host_of(authority_of(config.redis.url)))) {
        return refused("redis.url", fmt::format("{} is another machine and the connection is in plain text; write "
                                                "rediss://",
                                                host_of(authority_of(config.redis.url))));
    }
    return {};
}

}  // namespace nostro
