// How commands come into the inbox, and what becomes of a COMMIT that nobody answers.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "nostro/adapters/postgres/intake.hpp"
#include "nostro/base/text.hpp"

namespace nostro {
namespace {

constexpr std::size_t kRoundMax = 2'000;  // requests

// One statement is one transaction: positions, rows and the notice, or none of them. It reaches the server as a whole,
// so the row of the head is never locked by somebody who does not go on.
constexpr const char* kInsert = R"(WITH head AS (
    UPDATE nostro.inbox_head SET next = greatest(next, $1) + $2 RETURNING next - $2 AS first
), added AS (
    INSERT INTO nostro.inbox (position, commands, sender, request, bytes)
    SELECT h.first + r.before, r.commands, $3, $4 + r.nth - 1, substring($9::bytea FROM r.begin FOR r.length)
    FROM head h, unnest($5::bigint[], $6::integer[], $7::integer[], $8::integer[]) WITH ORDINALITY
                 AS r(before, commands, begin, length, nth)
)
SELECT first, pg_notify('nostro_inbox', '') FROM head)";

std::string array(const std::vector<std::uint64_t>& numbers) { return fmt::format("{{{}}}", fmt::join(numbers, ",")); }

}  // namespace

void PostgresIntake::insert(const std::stop_token& stop) {
    ClientPtr client;
    for (;;) {
        {
            std::unique_lock lock(mutex_);
            // Nobody would hear the answer to what is inserted before.
            if (!changed_.wait(lock, stop, [&] { return has_listened_ && !queue_.empty(); })) return;
        }
        Round round = begin_round();
        if (client == nullptr || client->is_lost()) {
            auto connected = connect();
            if (!connected) {
                give_up(round, Error{ErrorCode::unavailable, "journal_unavailable: " + connected.error().what});
                continue;
            }
            client = std::move(*connected);
        }
        auto first = send(*client, round);
        if (!first && client->is_lost()) first = send_after_loss(client, round, stop);
        if (first) {
            note({});
            inserted(round, *first);
            continue;
        }
        if (first.error().code == ErrorCode::unknown) {
            give_up(round, first.error());
        } else {
            note(first.error().what);
            give_up(round, Error{ErrorCode::unavailable, "journal_unavailable: " + first.error().what});
        }
    }
}

// Those of the queue that fit into one statement wait from here on by their numbers, so that an answer finds them,
// however early it comes.
PostgresIntake::Round PostgresIntake::begin_round() {
    Round round;
    std::vector<const Submission*> submissions;
    std::uint64_t known_next = 0;
    {
        const std::lock_guard lock(mutex_);
        round.first_request = next_request_;
        known_next = followed_next_;
        std::size_t bytes = 0;
        while (!queue_.empty() && submissions.size() < kRoundMax) {
            Waiting& front = queue_.front();
            if (!submissions.empty() && bytes + front.bytes > options_.round_bytes_max) break;
            bytes += front.bytes;
            front.answers.resize(front.submission->commands.size());
            round.counts.push_back(front.answers.size());
            submissions.push_back(front.submission.get());
            waiting_.emplace(next_request_++, std::move(front));
            queue_.pop_front();
        }
    }
    // They stay where they are as long as nobody can have heard of them.
    std::vector<std::uint64_t> befores, begins, lengths;
    std::uint64_t commands = 0;
    for (const Submission* each : submissions) {
        befores.push_back(commands);
        commands += each->commands.size();
        const std::string own = inbox_bytes(each->encoded.view(), each->ends);
        begins.push_back(round.bytes.size() + 1);  // SQL counts from 1
        lengths.push_back(own.size());
        round.bytes += own;
    }
    round.parameters = {std::to_string(known_next),
                        std::to_string(commands),
                        std::to_string(sender_),
                        std::to_string(round.first_request),
                        array(befores),
                        array(round.counts),
                        array(begins),
                        array(lengths)};
    return round;
}

Result<PostgresIntake::ClientPtr> PostgresIntake::connect() {
    auto client = PostgresClient::connect(options_.address);
    note(client ? std::string() : client.error().what);
    return client;
}

Result<std::uint64_t> PostgresIntake::send(PostgresClient& client, const Round& round) {
    const auto answer =
        client.run({.sql = kInsert, .parameters = round.parameters, .bytes = std::as_bytes(std::span(round.bytes))});
    if (!answer) return answer.error();
    if (answer->rows() == 1) return parse_uint64(answer->text(0, 0));
    return Error{ErrorCode::invalid,
                 client.place() + ": nostro.inbox_head has no row, or more than one: run `nostro migrate`"};
}

// The connection was lost, perhaps during COMMIT. Whether the rows are there is asked of the table; the lock of the
// head waits for whatever the lost connection may still be doing.
Result<std::uint64_t> PostgresIntake::send_after_loss(ClientPtr& client, const Round& round,
                                                      const std::stop_token& stop) {
    const auto until = Clock::now() + options_.lost_patience;
    while (Clock::now() < until && !stop.stop_requested()) {
        auto connected = connect();
        if (connected) {
            client = std::move(*connected);
            const auto found = find_round(*client, round);
            if (found && *found) return **found;
            if (found) {
                auto first = send(*client, round);
                if (first || !client->is_lost()) return first;
            }
        }
        std::unique_lock lock(mutex_);
        changed_.wait_for(lock, stop, options_.pause, [] { return false; });
    }
    return Error{ErrorCode::unknown,
                 "outcome_unknown: the connection to the inbox was lost while it was taken in; ask again with the same "
                 "key"};
}

Result<std::optional<std::uint64_t>> PostgresIntake::find_round(PostgresClient& client, const Round& round) const {
    if (auto begun = client.script("BEGIN; SELECT next FROM nostro.inbox_head FOR UPDATE"); !begun) {
        client.rollback();
        return begun.error();
    }
    const auto found = client.run({"SELECT position FROM nostro.inbox WHERE sender = $1 AND request = $2",
                                   {std::to_string(sender_), std::to_string(round.first_request)}});
    client.rollback();
    if (!found) return found.error();
    if (found->rows() == 0) return std::optional<std::uint64_t>();
    const auto position = parse_uint64(found->text(0, 0));
    if (!position) return position.error();
    return std::optional(*position);
}

void PostgresIntake::inserted(const Round& round, std::uint64_t first) {
    const std::lock_guard lock(mutex_);
    std::uint64_t position = first;
    for (std::size_t i = 0; i < round.counts.size(); ++i) {
        // Who was answered meanwhile does not wait any more.
        const auto found = waiting_.find(round.first_request + i);
        if (found != waiting_.end()) found->second.position = position;
        position += round.counts[i];
    }
}

void PostgresIntake::give_up(const Round& round, const Error& error) {
    std::vector<Ready> left;
    {
        const std::lock_guard lock(mutex_);
        for (std::size_t i = 0; i < round.counts.size(); ++i) {
            const auto found = waiting_.find(round.first_request + i);
            if (found == waiting_.end()) continue;
            left.push_back(take(found));
            left.back().receipts = error;
        }
    }
    reply(std::move(left));
}

}  // namespace nostro
