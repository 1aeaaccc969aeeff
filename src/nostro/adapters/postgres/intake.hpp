// The way in at an instance that does not own the Book: commands go into nostro.inbox (inbox_table.hpp), and callers
// are answered when this instance can read the frame that holds what became of theirs.
//
// Durable: a request that is answered stands in the journal. All that arrives while one COMMIT is under way goes into
//          the next one.
// Bounded: by commands and by bytes, of what was taken and not answered: more is `unavailable` (overloaded).
// Errors:  `unavailable`: nothing was taken in, the server is away or refuses. `unknown`: it was, or may have been, and
//          nobody says what became of it: the same key again is always safe.
// Threads: submit and followed from any; replies come on threads of its own.
#pragma once
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "nostro/adapters/postgres/inbox_table.hpp"
#include "nostro/ports/intake.hpp"

namespace nostro {

struct PostgresIntakeOptions {
    std::string address;
    std::size_t commands_max = 100'000;
    std::size_t bytes_max = 128u << 20;
    std::size_t round_bytes_max = 8u << 20;          // of one statement, unless its first request is larger
    std::chrono::milliseconds pause{200};            // between tries to reach a server that is away
    std::chrono::milliseconds lost_patience{5'000};  // to learn what became of a COMMIT whose connection was lost
    std::chrono::milliseconds patience{10'000};      // for the answer of what stands in the inbox
    std::chrono::milliseconds derive_after{500};     // a frame has taken it, and its owner says nothing: looked up
    // A durable frame, whole. Read by threads of the intake's own.
    std::function<Result<DecodedPtr>(Seq)> frame;
};

class PostgresIntake final : public Intake {
public:
    explicit PostgresIntake(PostgresIntakeOptions options);
    ~PostgresIntake() override;

    void submit(std::unique_ptr<Submission> submission) override;
    // This instance can read that frame now, and all before it. To be told of the newest one before the first submit,
    // so that positions go on behind what the journal has taken, whatever became of the table.
    void followed(const DecodedPtr& frame);
    // Takes no more. What is in the inbox is waited for, at most so long; then all that is left is answered `unknown`,
    // and threads end. Once.
    void stop(std::chrono::milliseconds patience);
    std::string trouble() const;  // why nothing is taken in at present; empty: it is

private:
    using ClientPtr = std::unique_ptr<PostgresClient>;
    using Clock = std::chrono::steady_clock;
    struct Waiting {
        std::unique_ptr<Submission> submission;
        std::size_t bytes = 0;
        Clock::time_point since{};
        std::optional<std::uint64_t> position{};  // of its first command
        std::vector<std::optional<InboxAnswer>> answers{};
        std::size_t answered = 0;
        Seq last = 0;                               // newest frame that its answers name
        std::optional<Clock::time_point> passed{};  // since when a frame that is followed has taken all of it
    };
    struct Passed {  // a frame that has taken some
        Seq seq = 0;
        std::uint64_t next = 0;  // first position that it has not
    };
    // Requests that are inserted together.
    struct Round {
        std::uint64_t first_request = 0;
        std::vector<std::uint64_t> counts;  // of their commands
        std::vector<std::string> parameters;
        std::string bytes;
    };
    struct Ready {
        Waiting waiting;
        Result<std::vector<Receipt>> receipts;
    };

    // intake_insert.cpp
    void insert(const std::stop_token& stop);
    Round begin_round();
    Result<ClientPtr> connect();
    static Result<std::uint64_t> send(PostgresClient& client, const Round& round);
    Result<std::uint64_t> send_after_loss(ClientPtr& client, const Round& round, const std::stop_token& stop);
    Result<std::optional<std::uint64_t>> find_round(PostgresClient& client, const Round& round) const;
    void inserted(const Round& round, std::uint64_t first);
    void give_up(const Round& round, const Error& error);

    void listen(const std::stop_token& stop);
    void hear(const std::vector<std::string>& notices);
    void finish_ready();
    void look_after();  // those who wait for long
    Ready take(std::map<std::uint64_t, Waiting>::iterator waiting);
    Result<std::vector<Receipt>> receipts_of(const Waiting& waiting) const;
    Result<> derive(Waiting& waiting, const std::vector<Passed>& passed) const;
    void reply(std::vector<Ready> ready);
    void note(const std::string& trouble);

    const PostgresIntakeOptions options_;
    const std::uint64_t sender_;

    mutable std::mutex mutex_;
    std::condition_variable_any changed_;  // something to insert, or something was answered
    bool closed_ = false;
    bool has_listened_ = false;  // or tried to
    std::size_t commands_ = 0, bytes_ = 0;
    std::uint64_t next_request_ = 1;
    std::deque<Waiting> queue_;                 // not sent yet
    std::map<std::uint64_t, Waiting> waiting_;  // sent, by request
    std::multimap<Seq, std::uint64_t> ready_;   // wholly answered, by the frame that must be followed first
    Seq followed_ = 0;
    std::uint64_t followed_next_ = 0;  // positions before it are in frames that are followed
    std::deque<Passed> passed_;        // as long as somebody waits
    std::string trouble_;
    Clock::time_point away_until_{};  // whoever comes before is told at once

    // Last: their threads end first.
    std::jthread inserter_, listener_;
};

}  // namespace nostro
