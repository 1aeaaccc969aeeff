// The inbox as its owner reads it (inbox_table.hpp): a source of commands whose callers wait at other instances.
//
// Rows are read ahead of settlement's turn and decoded. What became of each command is told to its instance when it is
// durable; rows that have been taken are cleared away after a while.
//
// Errors: a server that is away is waited for, trouble() says so. A row that nobody can read is kept as a dead letter
//         and refused.
// Threads: as Source says; two of its own, each with a connection. trouble() from any.
#pragma once
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "nostro/adapters/postgres/inbox_table.hpp"
#include "nostro/base/trouble.hpp"
#include "nostro/ports/source.hpp"

namespace nostro {

struct PostgresInboxOptions {
    std::string address;
    std::size_t ahead_max = 16'384;         // commands that wait for settlement, before it stops to read
    std::size_t read_bytes_max = 4u << 20;  // of one statement, unless its first row is larger
    std::chrono::milliseconds pause{200};   // between tries to reach the server
    // Taken rows stay so long: an instance whose connection was lost during COMMIT looks for its own.
    std::chrono::milliseconds kept{15'000};
};

class PostgresInbox final : public Source {
public:
    explicit PostgresInbox(PostgresInboxOptions options);
    ~PostgresInbox() override;

    void on_arrival(std::function<void()> wake) override { wake_ = std::move(wake); }
    Result<> seek(std::span<const Cursor> cursors) override;  // begins to read
    Result<> poll(std::size_t count_max, std::vector<Arrival>& arrivals) override;
    bool is_answered() const override { return true; }
    void answered(std::vector<Answered> answers) override;

    void stop();                  // nothing more comes out; before whoever is woken goes
    std::string trouble() const;  // empty: none

private:
    using ClientPtr = std::unique_ptr<PostgresClient>;
    struct Row {
        std::uint64_t position = 0, sender = 0, request = 0;
        std::uint32_t commands = 0;
    };
    struct Decoded;  // the commands of what was read at once

    void read(const std::stop_token& stop);
    Result<ClientPtr> listening();
    Result<std::size_t> read_rows(PostgresClient& client);
    Result<> add_row(const std::shared_ptr<Decoded>& decoded, std::span<const std::byte> row);
    void tell(const std::stop_token& stop);
    Result<> tell_answers(PostgresClient& client, const std::vector<std::pair<std::uint64_t, InboxAnswer>>& answers);
    Result<> clear(PostgresClient& client);

    const PostgresInboxOptions options_;
    std::function<void()> wake_;

    mutable std::mutex mutex_;
    std::condition_variable_any changed_;
    bool stopped_ = false;
    std::uint64_t next_ = 0;   // first position not read yet
    std::uint64_t taken_ = 0;  // first one that is not in a durable frame
    std::deque<Arrival> ahead_;
    std::deque<Row> rows_;                                        // read, and not answered to the end
    std::vector<std::pair<std::uint64_t, InboxAnswer>> to_tell_;  // by sender
    Trouble reading_{"inbox_waits", "inbox_recovered", "reader"}, telling_{"inbox_waits", "inbox_recovered", "teller"},
        clearing_{"inbox_waits", "inbox_recovered", "clearing away"};

    bool at_a_row_ = false;  // the reader's: next_ is where a row begins

    // Last: their threads end first.
    std::jthread reader_, teller_;
};

}  // namespace nostro
