// The rows of arrivals.hpp, for programs that pass them on: any number may run, one at a time reads, and how far it has
// come stands in the database.
//
// Whoever holds a lock of the server reads; the others wait for it, and have it as soon as the connection of whoever
// had it ends. The lock decides only who works: two that read at once publish the same rows, which are known by their
// positions.
//
// Errors: as those of arrivals.hpp. Threads: as the port says; standing_by() from any.
#pragma once
#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "nostro/adapters/postgres/arrivals.hpp"

namespace nostro {

// The table of how far rows were passed on, of whoever migrates.
std::string captures_sql();

class PostgresCapture final : public TopicReader {
public:
    // `name`: of the lock and of what is remembered: where the rows go. `tables`: as PostgresArrivals has them.
    PostgresCapture(std::string address, std::string name, std::vector<std::string> tables)
        : address_(std::move(address)), name_(std::move(name)), arrivals_(address_, std::move(tables)) {}
    ~PostgresCapture() override;

    // Where it begins is in the database: no cursors.
    Result<> seek(std::span<const Cursor> cursors) override;
    Result<> read(std::size_t count_max, std::chrono::milliseconds wait, std::vector<TopicMessage>& messages) override;
    std::vector<TopicPart> parts() const override { return arrivals_.parts(); }
    // Remembered before the next read().
    void commit(std::span<const Cursor> cursors) override;

    bool standing_by() const { return standing_by_.load(std::memory_order_relaxed); }  // another one reads

private:
    Result<bool> holds_lock();
    Result<> remember();

    const std::string address_, name_;
    PostgresArrivals arrivals_;
    std::unique_ptr<PostgresClient> client_;  // that has the lock; nullptr: nobody of us
    std::atomic<bool> standing_by_{false};
    std::mutex mutex_;
    std::uint64_t passed_ = 0;  // mutex_
    std::uint64_t remembered_ = 0;
};

}  // namespace nostro
