#include "nostro/adapters/postgres/owner_lock.hpp"

#include <fmt/format.h>

#include <utility>

#include "nostro/base/text.hpp"

namespace nostro {
namespace {

using std::chrono::steady_clock;

constexpr std::uint32_t kWithIdleTimeout = 140'000;  // server_version_num

}  // namespace

void PostgresOwnerLock::begin(Told told) {
    told_ = std::move(told);
    thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
}

void PostgresOwnerLock::stop() {
    if (!thread_.joinable()) return;
    thread_.request_stop();
    thread_.join();
    const std::lock_guard lock(mutex_);
    client_.reset();
}

void PostgresOwnerLock::run(const std::stop_token& stop) {
    while (!stop.stop_requested()) {
        Result<Seen> seen = Seen::nothing;
        {
            std::unique_lock lock(mutex_);
            seen = look();
            trouble_.set(seen);
            if (!seen) held_.reset();
        }
        if (seen && *seen == Seen::vacant) told_.vacant();
        if (seen && *seen == Seen::overtaken) {
            return told_.overtaken({ErrorCode::fenced, "journal: another owner has taken over the journal"});
        }
        std::unique_lock lock(mutex_);
        woken_.wait_for(lock, stop, options_.look_every, [] { return false; });
    }
}

Result<PostgresOwnerLock::Seen> PostgresOwnerLock::look() {
    if (auto connected = connect(); !connected) return connected.error();
    const auto now = epoch();
    if (!now) return now.error();
    if (owns_ && *now > ours_) return Seen::overtaken;
    if (!owns_ && steady_clock::now() < patient_until_) return Seen::nothing;
    const auto locked = lock(*now);
    if (!locked) return locked.error();
    if (owns_ || !*locked) return Seen::nothing;
    // Asked again: the lock may have become free because its holder was overtaken.
    const auto still = epoch();
    if (!still) return still.error();
    return *still == *now ? Seen::vacant : Seen::nothing;
}

Result<> PostgresOwnerLock::connect() {
    if (client_ && !client_->is_lost()) return {};
    client_.reset();
    held_.reset();
    auto client = PostgresClient::connect(options_.address);
    if (!client) return client.error();
    const auto version = (*client)->run({"SHOW server_version_num"});
    if (!version) return version.error();
    const auto ms = options_.session_timeout.count();
    has_idle_timeout_ = parse_uint32(version->text(0, 0)).value_or(0) >= kWithIdleTimeout;
    const std::string settings = fmt::format(
        "SET tcp_keepalives_idle = {0}; SET tcp_keepalives_interval = 1; SET tcp_keepalives_count = 2; "
        "SET tcp_user_timeout = {1}",
        std::max<std::int64_t>(1, ms / 2000), ms);
    if (auto set = (*client)->script(settings); !set) return set;
    client_ = std::move(*client);
    if (auto set = let_idle(options_.session_timeout); !set) return set;
    // Whoever lost its connection may have lost it together with the owner, who comes first.
    if (was_connected_) patient_until_ = steady_clock::now() + options_.session_timeout;
    was_connected_ = true;
    return {};
}

Result<> PostgresOwnerLock::let_idle(std::chrono::milliseconds at_most) {
    if (!has_idle_timeout_) return {};
    return client_->script(fmt::format("SET idle_session_timeout = {}", at_most.count()));
}

Result<std::uint32_t> PostgresOwnerLock::epoch() {
    const auto answer =
        client_->run({fmt::format("SELECT epoch FROM {}.books WHERE book = $1", sql_name(options_.schema)),
                      {std::to_string(options_.book)}});
    if (!answer) return answer.error();
    if (answer->rows() == 0) return std::uint32_t{0};
    const auto epoch = parse_uint32(answer->text(0, 0));
    if (epoch) return *epoch;
    return Error{ErrorCode::corrupt, fmt::format("{}.books: the epoch is no number", options_.schema)};
}

Result<bool> PostgresOwnerLock::lock(std::uint32_t epoch) {
    if (held_ == epoch) return true;
    const auto answer = client_->run({"SELECT pg_try_advisory_lock(hashtextextended($1, 0))",
                                      {fmt::format("nostro owner {} {} {}", options_.schema, options_.book, epoch)}});
    if (!answer) return answer.error();
    if (answer->text(0, 0) != "t") return false;
    held_ = epoch;
    return true;
}

// The lock of the epoch that the claim will have, before anybody can see that epoch. Nobody may be here to say anything
// until it is ours: the thread that does is often the very one that takes over.
void PostgresOwnerLock::claims() {
    const std::lock_guard guard(mutex_);
    trouble_.set(claim());
}

Result<> PostgresOwnerLock::claim() {
    if (auto connected = connect(); !connected) return connected;
    if (auto idle = let_idle(std::chrono::milliseconds(0)); !idle) return idle;
    const auto now = epoch();
    if (!now) return now.error();
    if (auto locked = lock(*now + 1); !locked) return locked.error();
    return {};
}

void PostgresOwnerLock::owns() {
    const std::lock_guard guard(mutex_);
    owns_ = true;
    ours_ = options_.epoch();
    trouble_.set(own());
}

Result<> PostgresOwnerLock::own() {
    if (auto connected = connect(); !connected) return connected;
    if (auto idle = let_idle(options_.session_timeout); !idle) return idle;
    if (auto locked = lock(ours_); !locked) return locked.error();
    return {};
}

}  // namespace nostro
