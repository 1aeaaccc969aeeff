#include "nostro/adapters/postgres/arrivals.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <thread>
#include <utility>

#include "nostro/base/text.hpp"
#include "nostro/base/time.hpp"

namespace nostro {
namespace {

constexpr std::chrono::milliseconds kLookEvery{5};
constexpr std::chrono::seconds kCheckEvery{1};
// $1: a table. One whose triggers are switched off for replicas alone fires for everybody else.
constexpr const char* kHasTrigger =
    "SELECT EXISTS (SELECT FROM pg_trigger WHERE tgrelid = to_regclass($1) AND tgname = 'nostro_arrivals' "
    "AND tgenabled IN ('O', 'A'))";

// $1: the next position to be read. Whether rows wait for a place, and whether another connection, an earlier one of
// ours or another program's, has placed some that are not read.
constexpr const char* kWaiting =
    "SELECT EXISTS (SELECT FROM nostro.arrivals WHERE position IS NULL), "
    "EXISTS (SELECT FROM nostro.arrivals_head WHERE next > $1::bigint)";

// The lock is a statement of its own: the next one sees what whoever had it has placed. A database that was restored
// from a backup goes on behind what the journal has read.
constexpr const char* kLock = "UPDATE nostro.arrivals_head SET next = greatest(next, $1) RETURNING next";
constexpr const char* kPlace = R"(WITH waiting AS MATERIALIZED (
    SELECT serial, row_number() OVER (ORDER BY serial) - 1 AS nth FROM nostro.arrivals
    WHERE position IS NULL ORDER BY serial LIMIT $1
), placed AS (
    UPDATE nostro.arrivals a SET position = h.next + w.nth FROM waiting w, nostro.arrivals_head h
    WHERE a.serial = w.serial RETURNING a.position, a.message
), moved AS (
    UPDATE nostro.arrivals_head SET next = next + (SELECT count(*) FROM waiting)
)
SELECT position, message FROM placed ORDER BY position)";

}  // namespace

std::string arrivals_sql() {
    return R"(CREATE TABLE nostro.arrivals (
    serial bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    message text NOT NULL,
    position bigint
);
CREATE UNIQUE INDEX arrivals_placed ON nostro.arrivals (position) WHERE position IS NOT NULL;
CREATE INDEX arrivals_waiting ON nostro.arrivals (serial) WHERE position IS NULL;
COMMENT ON TABLE nostro.arrivals IS 'Rows that were inserted for nostro to take; those with a position have been seen';
CREATE TABLE nostro.arrivals_head (next bigint NOT NULL);
INSERT INTO nostro.arrivals_head VALUES (0);
)";
}

Result<> PostgresArrivals::seek(std::span<const Cursor> cursors) {
    next_ = 0;
    for (const Cursor& cursor : cursors) next_ = std::max(next_, cursor.next);
    end_ = next_;
    placed_are_read_ = false;
    return {};
}

Result<> PostgresArrivals::connected() {
    if (client_ != nullptr && !client_->is_lost()) return {};
    client_.reset();
    auto client = PostgresClient::connect(address_);
    if (!client) return Error{ErrorCode::unavailable, client.error().what};
    client_ = std::move(*client);
    placed_are_read_ = false;  // what was placed last may not have been heard
    checked_ = SteadyTime{};
    return {};
}

Result<> PostgresArrivals::check_triggers() {
    if (tables_.empty() || steady_now() < checked_ + kCheckEvery) return {};
    for (const std::string& table : tables_) {
        const auto found = client_->run({kHasTrigger, {table}});
        if (!found) return found.error();
        if (found->text(0, 0) == "t") continue;
        return Error{ErrorCode::unavailable,
                     fmt::format("{}: {} has no trigger nostro_arrivals that is enabled, so rows that are inserted are "
                                 "not noted; docs/operations/postgres.md says how to bring it back",
                                 client_->place(), table)};
    }
    checked_ = steady_now();
    return {};
}

Result<> PostgresArrivals::read(std::size_t count_max, std::chrono::milliseconds wait,
                                std::vector<TopicMessage>& messages) {
    answers_.clear();
    const SteadyTime until = steady_now() + wait;
    while (true) {
        if (auto done = connected(); !done) return done;
        const auto checked = check_triggers();
        const auto count = checked ? read_some(count_max, messages) : Result<std::size_t>(checked.error());
        if (!count && count.error().code == ErrorCode::corrupt) return count.error();
        if (!count) {
            placed_are_read_ = false;
            client_->rollback();
            return Error{ErrorCode::unavailable, count.error().what};
        }
        if (*count != 0 || steady_now() >= until) return {};
        std::this_thread::sleep_for(kLookEvery);
    }
}

Result<std::size_t> PostgresArrivals::read_some(std::size_t count_max, std::vector<TopicMessage>& messages) {
    if (!placed_are_read_) {
        const auto count = read_placed(count_max, messages);
        if (!count || *count != 0) return count;
        placed_are_read_ = true;
    }
    return place_new(count_max, messages);
}

Result<std::size_t> PostgresArrivals::read_placed(std::size_t count_max, std::vector<TopicMessage>& messages) {
    auto answer =
        client_->run({"SELECT position, message FROM nostro.arrivals WHERE position >= $1 ORDER BY position "
                      "LIMIT $2",
                      {std::to_string(next_), std::to_string(count_max)}});
    if (!answer) return answer.error();
    return take(std::move(*answer), messages);
}

Result<std::size_t> PostgresArrivals::place_new(std::size_t count_max, std::vector<TopicMessage>& messages) {
    const auto waiting = client_->run({kWaiting, {std::to_string(next_)}});
    if (!waiting) return waiting.error();
    if (waiting->text(0, 0) != "t") {
        if (waiting->text(0, 1) != "t") return std::size_t{0};
        placed_are_read_ = false;
        return read_placed(count_max, messages);
    }
    const std::array<PostgresClient::Statement, 2> statements{
        {{.sql = kLock, .parameters = {std::to_string(next_)}},
         {.sql = kPlace, .parameters = {std::to_string(count_max)}}}};
    auto answers = client_->pipeline(statements);
    if (!answers) return answers.error();
    const auto first = parse_uint64(answers->front().text(0, 0));
    if (first && *first > next_) {  // another program has placed some meanwhile
        placed_are_read_ = false;
        return read_some(count_max, messages);
    }
    return take(std::move(answers->back()), messages);
}

Result<std::size_t> PostgresArrivals::take(PostgresAnswer answer, std::vector<TopicMessage>& messages) {
    const int rows = answer.rows();
    if (rows == 0) return std::size_t{0};
    answers_.push_back(std::move(answer));
    const PostgresAnswer& kept = answers_.back();
    for (int row = 0; row < rows; ++row) {
        const auto position = parse_uint64(kept.text(row, 0));
        if (!position || *position != next_) {
            return Error{
                ErrorCode::corrupt,
                fmt::format("{}: nostro.arrivals goes on at position {}, but the next that was not read is {}: "
                            "those between were deleted, or the journal is older than this database",
                            client_->place(), kept.text(row, 0), next_)};
        }
        messages.push_back(
            {.part = 0, .position = next_, .key = std::nullopt, .value = kept.text(row, 1), .headers = {}});
        end_ = ++next_;
    }
    return static_cast<std::size_t>(rows);
}

}  // namespace nostro
