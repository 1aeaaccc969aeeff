// The journal in two tables of a PostgreSQL database: one row a frame, and one row a Book that says where its chain
// ends.
//
// Durability: an accepted frame is committed on the server's disk, and on its synchronous standbys where it has some. A
//             server that does not wait for its disk (fsync = off) is refused.
// Acceptance: the row of the Book moves by compare-and-set from the frame before to this one, in the transaction that
//             stores the frame. So a frame that is sent again after its connection was lost is stored once, whatever
//             became of the first attempt, and a server that is away for a while costs time alone.
// Owners:     take_over() raises the epoch in that row; a frame of an older owner changes nothing, and he is `fenced`.
// Threads:    as Journal says, and one of its own, which writes.
#pragma once
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "nostro/adapters/postgres/client.hpp"
#include "nostro/ports/journal.hpp"
#include "nostro/wire/chain.hpp"
#include "nostro/wire/frame_tail.hpp"

namespace nostro {

struct PostgresJournalOptions {
    std::string address;  // postgresql://..., as libpq reads it
    std::string schema = "nostro_journal";
    std::uint32_t book = 0;  // several Books share the tables
    // Of open(), for a server that may not be up yet.
    std::uint32_t tries = 5;
    std::chrono::nanoseconds connect_pause = std::chrono::seconds(1);
    std::chrono::milliseconds pause{1'000};       // between tries to store a frame, as long as the server is away
    std::chrono::milliseconds look_every{1'000};  // whether the server is there, while there is nothing to write
    bool make_tables = true;                      // where there are none; else `not_found`
    std::size_t in_flight_max = 3;
    std::size_t frame_bytes_max = 8u << 20;
    std::size_t tail_bytes = 32u << 20;              // newest accepted frames kept in memory for readers
    std::chrono::milliseconds stalled_after{2'000};  // a frame that is not stored by then stops intake
};

class PostgresProjection;

class PostgresJournal final : public Journal {
public:
    // Connects, and makes the tables where there are none. `invalid`: the server does not let us in or is not fit, and
    // what mends it; `unavailable`: nobody answers.
    static Result<std::unique_ptr<PostgresJournal>> open(PostgresJournalOptions options);
    ~PostgresJournal() override;

    // `corrupt`: the tables lack frames that somebody knows, or that the Book's row names.
    Result<Head> take_over() override;
    Result<Seq> follow(std::chrono::milliseconds patience) override;
    Result<> ready(Need need) override;
    Result<> append(FramePtr frame) override;
    std::size_t in_flight_max() const override { return options_.in_flight_max; }
    std::size_t frame_bytes_max() const override { return options_.frame_bytes_max; }
    Result<Seq> accepted() override;
    void on_progress(std::function<void()> wake) override { wake_ = std::move(wake); }
    Result<Seq> image(const std::function<void(const Changes&)>& install) const override;
    Result<Seq> read(Seq from, const std::function<bool(const FramePtr&)>& each) const override;

    // Somebody else has seen that frame accepted: a chain that ends before it lacks acknowledged frames, and is
    // refused. Before take_over.
    void expect(Seq seq, std::string says_who);
    // The same with the journal that something was made from, by a number that is drawn with its first owner. A journal
    // that is another one is refused. Before take_over.
    void expect_origin(std::uint64_t origin, std::string says_who);
    // 0: nobody has taken it over yet, as far as this one has followed. Threads: any.
    std::uint64_t origin() const { return origin_.load(std::memory_order_relaxed); }
    std::uint32_t epoch() const { return epoch_; }  // after take_over
    // Rows of these tables, which are in the same database, are written in the transaction of the frames they tell of:
    // both are there or neither. Tables that are behind catch up with the first frame. Before take_over; outlives it.
    // `invalid`: `address`, where the tables are, is another database.
    Result<> set_ledger(PostgresProjection& ledger, const std::string& address);
    // Writes nothing more, however long the server has been away: what is in flight is not waited for, and the ledger
    // may go. Twice is once.
    void stop();

private:
    using ClientPtr = std::unique_ptr<PostgresClient>;
    struct Sent {
        FramePtr frame;
        Digest previous{};
        std::chrono::steady_clock::time_point began;
    };
    struct Row {  // of the Book
        Seq seq = 0;
        Digest digest{};
        std::uint32_t epoch = 0;
        std::uint64_t origin = 0;
    };
    explicit PostgresJournal(PostgresJournalOptions options);

    Result<> make_tables(PostgresClient& client) const;
    Result<ClientPtr> reconnect() const;
    Result<Row> read_row(PostgresClient& client, bool lock) const;
    Result<Head> claim(PostgresClient& client);
    Result<ChainPoint> point_at(PostgresClient& client, const Row& row) const;

    // The writer's.
    void write(const std::stop_token& stop);
    Result<> store(const std::vector<Sent>& frames);
    Result<> store_frames(const std::vector<Sent>& frames);
    Result<> store_with_ledger(const std::vector<Sent>& frames, bool carefully);
    Result<> add_to_ledger(const std::vector<Sent>& frames, bool carefully);
    Result<> connect_anew();
    Result<> store_after_loss(std::vector<Sent>& frames);
    void look_for_server();
    void set_trouble(const std::string& trouble);
    bool pause(const std::string& trouble, const std::stop_token& stop);
    void stored(const std::vector<Sent>& frames);
    void end(const Error& error);

    // postgres_journal_read.cpp
    Result<Seq> follow_from(const Row& row);
    Result<Seq> follow_to(Seq through);
    Result<> check_begin(PostgresClient& client, Seq from) const;
    Result<std::vector<FramePtr>> read_stored(Seq from, Seq through) const;
    Result<std::vector<FramePtr>> read_stored(PostgresClient& client, Seq from, Seq through) const;

    const PostgresJournalOptions options_;
    std::function<void()> wake_;
    Seq expected_ = 0;
    std::string expected_by_;
    std::optional<std::uint64_t> expected_origin_;
    std::string origin_expected_by_;
    PostgresProjection* ledger_ = nullptr;

    std::atomic<std::uint64_t> origin_{0};

    // Of the owner's thread.
    bool taken_over_ = false, followed_ = false;
    std::string client_place_;
    std::uint32_t epoch_ = 0;
    ChainPoint written_;

    mutable std::mutex mutex_;
    std::condition_variable_any changed_;
    std::deque<Sent> in_flight_;  // not accepted yet, oldest first
    Seq accepted_ = 0;
    std::optional<Error> ended_;
    std::string trouble_;  // the server is away; empty: it is not
    std::chrono::steady_clock::time_point looking_since_ = std::chrono::steady_clock::time_point::max();

    mutable std::mutex readers_mutex_;
    mutable std::vector<ClientPtr> readers_;
    FrameTail tail_;
    ClientPtr client_;  // open()'s, then the writer's
    std::jthread writer_;
};

}  // namespace nostro
