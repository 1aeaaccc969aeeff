#include "nostro/adapters/redis/client.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <hiredis/hiredis.h>
#include <hiredis/hiredis_ssl.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <iterator>
#include <optional>
#include <utility>

#include "nostro/base/text.hpp"

namespace nostro::redis {
namespace {

// What may be written in a URL as it is, and what a person would mistype.
Result<std::string> unescaped(std::string_view text) {
    std::string plain;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '%') {
            plain.push_back(text[i]);
            continue;
        }
        const auto digit = [&](std::size_t at) {
            const auto found = at < text.size()
                                   ? std::string_view("0123456789abcdef").find(to_lower(text.substr(at, 1)))
                                   : std::string_view::npos;
            return found == std::string_view::npos ? -1 : static_cast<int>(found);
        };
        if (digit(i + 1) < 0 || digit(i + 2) < 0) {
            return Error{ErrorCode::invalid, "a % is followed by two hex digits; write %25 for one of its own"};
        }
        plain.push_back(static_cast<char>(digit(i + 1) * 16 + digit(i + 2)));
        i += 2;
    }
    return plain;
}

Error wrong_address(std::string_view what) {
    return {ErrorCode::invalid, fmt::format("{}; write it as redis://:password@host:6379/0", what)};
}

Result<> read_user(Address& address, std::string_view text) {
    const auto [user, password] = split_once(text, ':');
    auto plain_user = unescaped(user);
    if (!plain_user) return wrong_address("user: " + plain_user.error().what);
    auto plain_password = unescaped(password);
    if (!plain_password) return wrong_address("password: " + plain_password.error().what);
    address.user = std::move(*plain_user);
    address.password = std::move(*plain_password);
    if (!address.user.empty() && address.password.empty()) return wrong_address("a user has a password");
    return {};
}

Result<> read_host(Address& address, std::string_view text) {
    std::string_view port;
    if (text.starts_with('[')) {
        const auto end = text.find(']');
        if (end == std::string_view::npos) return wrong_address("the host's [ has no ]");
        address.host = text.substr(1, end - 1);
        port = text.substr(end + 1);
    } else {
        const auto end = std::min(text.rfind(':'), text.size());
        address.host = text.substr(0, end);
        port = text.substr(end);
    }
    // What stands there may be a password whose host was forgotten: it is not shown.
    constexpr std::string_view kHost = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_";
    if (address.host.empty()) return wrong_address("there is no host");
    if (!text.starts_with('[') && address.host.find_first_not_of(kHost) != std::string::npos) {
        return wrong_address("the host has characters that no host has");
    }
    if (port.empty()) return {};
    const auto number = parse_uint32(port.substr(1));
    if (!port.starts_with(':') || !number || *number == 0 || *number > 65535) {
        return wrong_address("the port is no number from 1 to 65535");
    }
    address.port = static_cast<std::uint16_t>(*number);
    return {};
}

}  // namespace

std::string Address::shown() const {
    const bool is_v6 = host.find(':') != std::string::npos;
    return fmt::format("{}://{}{}{}:{}/{}", tls ? "rediss" : "redis", is_v6 ? "[" : "", host, is_v6 ? "]" : "", port,
                       database);
}

Result<Address> parse_address(std::string_view url) {
    Address address;
    const auto scheme = url.find("://");
    if (scheme == std::string_view::npos) return wrong_address("there is no redis:// or rediss://");
    const std::string_view name = url.substr(0, scheme);
    if (name != "redis" && name != "rediss") return wrong_address(quoted(name) + " is neither redis nor rediss");
    address.tls = name == "rediss";
    std::string_view rest = url.substr(scheme + 3);
    if (const auto path = rest.rfind('/'); path != std::string_view::npos && rest.find('@', path) == rest.npos) {
        if (const std::string_view database = rest.substr(path + 1); !database.empty()) {
            const auto number = parse_uint32(database);
            if (!number) return wrong_address("what stands behind the last / is no number of a database");
            address.database = *number;
        }
        rest = rest.substr(0, path);
    }
    if (const auto at = rest.rfind('@'); at != std::string_view::npos) {
        if (auto done = read_user(address, rest.substr(0, at)); !done) return done.error();
        rest = rest.substr(at + 1);
    }
    if (auto done = read_host(address, rest); !done) return done.error();
    return address;
}

namespace {

struct FreeContext {
    void operator()(redisContext* context) const { redisFree(context); }
};
struct FreeReply {
    void operator()(redisReply* reply) const { freeReplyObject(reply); }
};
struct FreeTls {
    void operator()(SSL_CTX* tls) const { SSL_CTX_free(tls); }
    void operator()(SSL* tls) const { SSL_free(tls); }
};

timeval time_of(std::chrono::milliseconds span) {
    return {.tv_sec = span.count() / 1000, .tv_usec = span.count() % 1000 * 1000};
}

void append_command(std::string& to, std::span<const std::string_view> words) {
    fmt::format_to(std::back_inserter(to), "*{}\r\n", words.size());
    for (const std::string_view word : words) {
        fmt::format_to(std::back_inserter(to), "${}\r\n", word.size());
        to.append(word).append("\r\n");
    }
}

Reply reply_of(const redisReply& from) {
    Reply reply;
    switch (from.type) {
        case REDIS_REPLY_STRING:
        case REDIS_REPLY_STATUS:
            reply.kind = Reply::Kind::text;
            reply.text.assign(from.str, from.len);
            break;
        case REDIS_REPLY_ERROR:
            reply.kind = Reply::Kind::error;
            reply.text.assign(from.str, from.len);
            break;
        case REDIS_REPLY_INTEGER:
            reply.kind = Reply::Kind::number;
            reply.number = from.integer;
            break;
        case REDIS_REPLY_ARRAY:
            reply.kind = Reply::Kind::list;
            for (std::size_t i = 0; i < from.elements; ++i) reply.items.push_back(reply_of(*from.element[i]));
            break;
        default: break;
    }
    return reply;
}

}  // namespace

struct Client::State {
    Address address;
    ClientOptions options;
    std::unique_ptr<SSL_CTX, FreeTls> tls;
    std::unique_ptr<redisContext, FreeContext> context;
    std::string pending;
    std::size_t count = 0;

    Error error(ErrorCode code, std::string_view what) const {
        return {code, fmt::format("Redis at {}: {}", address.shown(), what)};
    }
    // Of the connection, which is given up.
    Error broken() {
        const bool is_late = context->err == REDIS_ERR_IO && (errno == EAGAIN || errno == EWOULDBLOCK);
        Error what = error(ErrorCode::unavailable, is_late ? "no answer in time" : context->errstr);
        context.reset();
        return what;
    }
    Error refused(std::string_view text) const;
    Result<> connect();
    Result<> secure();
    Result<> prepare_tls();
    Result<> greet();
    Result<std::vector<Reply>> exchange(std::string_view commands, std::size_t replies);
};

// An error reply, by its first word.
Error Client::State::refused(std::string_view text) const {
    constexpr std::array<std::string_view, 7> kLater = {"OOM",  "LOADING", "READONLY", "MASTERDOWN",
                                                        "BUSY", "MISCONF", "TRYAGAIN"};
    const std::string_view word = split_once(text, ' ').first;
    for (const std::string_view later : kLater) {
        if (word == later) return error(ErrorCode::unavailable, text);
    }
    if (word == "NOAUTH" || word == "WRONGPASS") {
        return error(ErrorCode::invalid, fmt::format("user and password of redis.url are not the server's ({})", text));
    }
    if (word == "NOPERM") {
        return error(ErrorCode::invalid, fmt::format("its user may not do what nostro needs ({})", text));
    }
    return error(ErrorCode::invalid, text);
}

Result<> Client::State::connect() {
    const timeval connect_time = time_of(options.connect_timeout), reply_time = time_of(options.reply_timeout);
    redisOptions how{};
    REDIS_OPTIONS_SET_TCP(&how, address.host.c_str(), address.port);
    how.connect_timeout = &connect_time;
    how.command_timeout = &reply_time;
    context.reset(redisConnectWithOptions(&how));
    if (context == nullptr) return error(ErrorCode::unavailable, "no memory for a connection");
    if (context->err != 0) {
        Error what = error(ErrorCode::unavailable, context->errstr);
        context.reset();
        return what;
    }
    if (address.tls) {
        if (auto done = secure(); !done) {
            context.reset();
            return done;
        }
    }
    auto done = greet();
    if (!done) context.reset();
    return done;
}

Result<> Client::State::prepare_tls() {
    tls.reset(SSL_CTX_new(TLS_client_method()));
    if (tls == nullptr) return error(ErrorCode::unavailable, "no TLS in this OpenSSL");
    SSL_CTX_set_min_proto_version(tls.get(), TLS1_2_VERSION);
    SSL_CTX_set_verify(tls.get(), SSL_VERIFY_PEER, nullptr);
    const bool loaded = options.ca_file.empty()
                            ? SSL_CTX_set_default_verify_paths(tls.get()) == 1
                            : SSL_CTX_load_verify_locations(tls.get(), options.ca_file.c_str(), nullptr) == 1;
    if (loaded) return {};
    tls.reset();
    return error(ErrorCode::invalid, fmt::format("redis.ca_file: {} cannot be read as PEM", options.ca_file));
}

// hiredis alone would take any certificate of a trusted signer, whoever it names.
Result<> Client::State::secure() {
    if (tls == nullptr) {
        if (auto done = prepare_tls(); !done) return done;
    }
    std::unique_ptr<SSL, FreeTls> session(SSL_new(tls.get()));
    if (session == nullptr) return error(ErrorCode::unavailable, "no memory for TLS");
    std::array<std::byte, 16> number{};
    const bool is_number = inet_pton(AF_INET, address.host.c_str(), number.data()) == 1 ||
                           inet_pton(AF_INET6, address.host.c_str(), number.data()) == 1;
    if (is_number) {
        X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(session.get()), address.host.c_str());
    } else {
        SSL_set_tlsext_host_name(session.get(), address.host.c_str());
        SSL_set1_host(session.get(), address.host.c_str());
    }
    if (redisInitiateSSL(context.get(), session.get()) == REDIS_OK) {
        static_cast<void>(session.release());  // the context's now
        return {};
    }
    const long verified = SSL_get_verify_result(session.get());
    if (verified == X509_V_OK) return error(ErrorCode::unavailable, context->errstr);
    return error(ErrorCode::invalid, fmt::format("its certificate is not trusted: {}; redis.ca_file names who signs it",
                                                 X509_verify_cert_error_string(verified)));
}

Result<> Client::State::greet() {
    std::string commands;
    std::size_t replies = 0;
    const auto command = [&](std::initializer_list<std::string_view> words) {
        append_command(commands, std::span(words.begin(), words.size()));
        ++replies;
    };
    if (!address.user.empty()) {
        command({"AUTH", address.user, address.password});
    } else if (!address.password.empty()) {
        command({"AUTH", address.password});
    }
    command({"SELECT", std::to_string(address.database)});
    const auto done = exchange(commands, replies);
    if (!done) return done.error();
    return {};
}

Result<std::vector<Reply>> Client::State::exchange(std::string_view commands, std::size_t replies) {
    if (redisAppendFormattedCommand(context.get(), commands.data(), commands.size()) != REDIS_OK) return broken();
    std::vector<Reply> all;
    all.reserve(replies);
    std::optional<Error> first;
    for (std::size_t i = 0; i < replies; ++i) {
        void* raw = nullptr;
        errno = 0;
        if (redisGetReply(context.get(), &raw) != REDIS_OK) return broken();
        const std::unique_ptr<redisReply, FreeReply> reply(static_cast<redisReply*>(raw));
        all.push_back(reply_of(*reply));
        if (!first && all.back().kind == Reply::Kind::error) first = refused(all.back().text);
    }
    if (first) return std::move(*first);
    return all;
}

Client::Client(Address address, ClientOptions options) : state_(std::make_unique<State>()) {
    state_->address = std::move(address);
    state_->options = std::move(options);
}
Client::~Client() = default;
Client::Client(Client&&) noexcept = default;
Client& Client::operator=(Client&&) noexcept = default;

const Address& Client::address() const { return state_->address; }

void Client::add(std::span<const std::string_view> words) {
    append_command(state_->pending, words);
    ++state_->count;
}

std::size_t Client::added_bytes() const { return state_->pending.size(); }

Result<std::vector<Reply>> Client::replies() {
    const std::string commands = std::exchange(state_->pending, {});
    const std::size_t count = std::exchange(state_->count, 0);
    if (state_->context == nullptr) {
        if (auto done = state_->connect(); !done) return done.error();
    }
    return state_->exchange(commands, count);
}

Result<Reply> Client::ask(std::span<const std::string_view> words) {
    add(words);
    auto all = replies();
    if (!all) return all.error();
    return std::move(all->front());
}

}  // namespace nostro::redis
