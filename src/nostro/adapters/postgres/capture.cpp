#include "nostro/adapters/postgres/capture.hpp"

#include <algorithm>
#include <thread>

#include "nostro/base/log.hpp"
#include "nostro/base/text.hpp"

namespace nostro {
namespace {

constexpr const char* kTryLock = "SELECT pg_try_advisory_lock(hashtext('nostro.captures'), hashtext($1))";
constexpr const char* kPosition = "SELECT coalesce((SELECT next FROM nostro.captures WHERE target = $1), 0)";
// Never back: whoever had the lock before may still be speaking.
constexpr const char* kRemember =
    "INSERT INTO nostro.captures AS c (target, next) VALUES ($1, $2) "
    "ON CONFLICT (target) DO UPDATE SET next = greatest(c.next, excluded.next)";

Error later(const Error& error) { return {ErrorCode::unavailable, error.what}; }

}  // namespace

std::string captures_sql() {
    return R"(CREATE TABLE nostro.captures (
    target text PRIMARY KEY,
    next bigint NOT NULL
);
COMMENT ON TABLE nostro.captures IS 'How far nostro.arrivals was passed on: the first position that was not, by topic';
)";
}

PostgresCapture::~PostgresCapture() { static_cast<void>(remember()); }

Result<> PostgresCapture::seek(std::span<const Cursor>) { return {}; }

Result<> PostgresCapture::read(std::size_t count_max, std::chrono::milliseconds wait,
                               std::vector<TopicMessage>& messages) {
    if (auto remembered = remember(); !remembered) return remembered;
    const auto has_lock = holds_lock();
    if (!has_lock) return has_lock.error();
    standing_by_.store(!*has_lock, std::memory_order_relaxed);
    if (*has_lock) return arrivals_.read(count_max, wait, messages);
    std::this_thread::sleep_for(wait);  // between two looks
    return {};
}

Result<bool> PostgresCapture::holds_lock() {
    if (client_ != nullptr && !client_->is_lost()) return true;
    client_.reset();
    auto client = PostgresClient::connect(address_);
    if (!client) return later(client.error());
    const auto got = (*client)->run({kTryLock, {name_}});
    if (!got) return later(got.error());
    if (got->text(0, 0) != "t") return false;
    const auto position = (*client)->run({kPosition, {name_}});
    if (!position) return later(position.error());
    const auto next = parse_uint64(position->text(0, 0));
    if (!next) return next.error();
    const Cursor begin{0, 0, *next};
    if (auto sought = arrivals_.seek(std::span(&begin, 1)); !sought) return sought.error();
    remembered_ = *next;
    {
        const std::lock_guard lock(mutex_);
        passed_ = *next;
    }
    client_ = std::move(*client);
    log_info("capture_begins", {{"target", name_}, {"position", *next}});
    return true;
}

// A connection that is lost has taken the lock with it: whoever has it next reads what was not remembered again.
Result<> PostgresCapture::remember() {
    if (client_ == nullptr) return {};
    std::uint64_t passed = 0;
    {
        const std::lock_guard lock(mutex_);
        passed = passed_;
    }
    if (passed <= remembered_) return {};
    if (const auto done = client_->run({kRemember, {name_, std::to_string(passed)}}); !done) {
        client_.reset();
        return later(done.error());
    }
    remembered_ = passed;
    return {};
}

void PostgresCapture::commit(std::span<const Cursor> cursors) {
    const std::lock_guard lock(mutex_);
    for (const Cursor& cursor : cursors) passed_ = std::max(passed_, cursor.next);
}

}  // namespace nostro
