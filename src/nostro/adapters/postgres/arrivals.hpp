// Rows that people insert into tables, as a topic of one part: what a trigger has noted in nostro.arrivals.
//
// Transactions commit in another order than that of their rows' numbers, so a reader who goes on from the highest
// number misses what commits late. Here a row gets its position when it is seen first, committed as it is, under a lock
// that one reader has at a time: each row has one position, positions have no gaps, and a row that commits late comes
// late. The note holds the whole row as JSON, so that it means the same however often it is read, whatever becomes of
// the row.
//
// Errors: those of a server that is lost or refuses are `unavailable`; it connects anew by itself. So is a trigger that
//         somebody has dropped or disabled: rows that it should note would be missed. `corrupt`: somebody has deleted
//         notes that were not read.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "nostro/adapters/postgres/client.hpp"
#include "nostro/base/time.hpp"
#include "nostro/ports/topic_reader.hpp"

namespace nostro {

// The table of the notes, of whoever migrates. Triggers write (message) into it.
std::string arrivals_sql();

class PostgresArrivals final : public TopicReader {
public:
    // `tables`: those that must have a trigger `nostro_arrivals`, "public.transactions"; it is looked for each second.
    explicit PostgresArrivals(std::string address, std::vector<std::string> tables = {})
        : address_(std::move(address)), tables_(std::move(tables)) {}

    Result<> seek(std::span<const Cursor> cursors) override;
    Result<> read(std::size_t count_max, std::chrono::milliseconds wait, std::vector<TopicMessage>& messages) override;
    std::vector<TopicPart> parts() const override { return {{0, end_}}; }
    void commit(std::span<const Cursor>) override {}

private:
    Result<> connected();
    Result<> check_triggers();
    // Appends rows of the answer, which begin with `next_`.
    Result<std::size_t> take(PostgresAnswer answer, std::vector<TopicMessage>& messages);
    Result<std::size_t> read_placed(std::size_t count_max, std::vector<TopicMessage>& messages);
    Result<std::size_t> place_new(std::size_t count_max, std::vector<TopicMessage>& messages);
    Result<std::size_t> read_some(std::size_t count_max, std::vector<TopicMessage>& messages);

    const std::string address_;
    const std::vector<std::string> tables_;
    SteadyTime checked_{};
    std::unique_ptr<PostgresClient> client_;
    std::vector<PostgresAnswer> answers_;  // what the messages point into
    std::uint64_t next_ = 0, end_ = 0;
    bool placed_are_read_ = false;  // all that had a position when it began
};

}  // namespace nostro
