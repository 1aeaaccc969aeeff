// The journal in one partition of a Kafka topic.
//
// Durability: an accepted frame is on every broker that is in sync, at least min.insync.replicas of them. It survives
//             the loss of this machine and of all brokers but one in sync; whether it survives the loss of power of all
//             at once is the brokers' setting flush.messages.
// Acceptance: a frame is one batch of an idempotent producer with acks=all. If its report tells the very offset that is
//             to be read next, nothing can stand between it and the chain: it is accepted. Whatever else a report tells
//             is looked up in the log.
// The topic:  one that was cut, or made anew under its name, ends whoever owns or follows it within seconds, also where
//             it is longer by now than the old one was: `corrupt`.
// Owners:     take_over() writes a claim with the next epoch; from there on no frame of an older owner counts. The old
//             one finds the claim with its next frame, or by itself within `watch_every` when it is idle, and is
//             `fenced`. No lock, no lease, no clock, no transaction.
// Threads:    as Journal says. It has two of its own: one serves reports, one watches the log while nothing is written.
#pragma once
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "nostro/adapters/kafka/client.hpp"
#include "nostro/adapters/kafka/partition_chain.hpp"
#include "nostro/adapters/kafka/partition_reader.hpp"
#include "nostro/base/metrics.hpp"
#include "nostro/ports/journal.hpp"
#include "nostro/wire/frame_tail.hpp"

namespace nostro {

struct KafkaJournalOptions {
    KafkaSettings cluster;
    std::string topic = "nostro-journal";
    std::int32_t partition = 0;  // one a Book
    // Allows a topic that lives on one broker, whose loss is the loss of the journal: for trying out.
    bool single_broker = false;
    std::size_t in_flight_max = 3;                    // at most 5: so many batches of a producer a broker knows again
    std::size_t frame_bytes_max = 8u << 20;           // less where the topic's max.message.bytes says so
    std::size_t tail_bytes = 32u << 20;               // newest accepted frames kept in memory for readers
    std::chrono::milliseconds reach_patience{3'000};  // of open(): for a broker to answer
    std::chrono::milliseconds take_over_patience{60'000};  // for a cluster that comes up, too
    std::chrono::milliseconds look_up_patience{10'000};    // for a frame that is said to be in the log
    std::chrono::milliseconds stalled_after{2'000};        // a frame that waits longer for its report stops intake
    std::chrono::milliseconds watch_every{250};
    // The owner was fenced, or the log is gone, while nothing was in flight: told on a thread of the journal's own.
    std::function<void(const Error&)> on_lost;
    Gauge* void_records = nullptr;  // of the metrics; may be absent
    Gauge* looked_up = nullptr;
    bool make_topic = true;     // where there is none; else `not_found`
    bool look_at_topic = true;  // false: it is there and fit; for tests against what is no whole broker
};

// What keeps a topic from being a journal, one line each with the mend; empty: nothing. A pure function.
std::vector<std::string> journal_topic_faults(const KafkaTopicState& topic, const KafkaJournalOptions& options);

class KafkaJournal final : public Journal {
public:
    // Reaches the cluster, makes the topic where there is none, and looks at its settings. `invalid`: the cluster does
    // not let us in, or the topic is not fit, with every fault; `unavailable`: no broker answers.
    static Result<std::unique_ptr<KafkaJournal>> open(KafkaJournalOptions options);
    ~KafkaJournal() override;

    // `unavailable`: the brokers do not take the claim in time; `corrupt`: frames are missing at the beginning, or the
    // chain ends before what somebody expects.
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

    // Somebody else has seen that frame accepted: a log that ends before it lacks acknowledged frames, and is refused.
    // Before take_over.
    void expect(Seq seq, std::string says_who);
    // The same of the log as a whole, by origin().
    void expect_origin(std::uint64_t origin, std::string says_who);
    // Somebody has the chain up to there: reading begins behind it, and not with the log's first record; read() gives
    // what comes then. A frame that is not in the log changes nothing. After expect_origin, if that is
    // known, and before follow and take_over. `corrupt`: it is not, and the log's first records are gone.
    Result<> begin_behind(const ChainPoint& known);
    // A number that this log alone has; 0 before anybody took it over.
    std::uint64_t origin() const;

    // Of the process that claimed the log last; 0: nobody did. And what this one claims by.
    std::uint64_t owner() const;
    std::uint64_t nonce() const { return nonce_; }
    std::uint64_t void_records() const;
    std::uint32_t epoch() const;
    std::uint64_t looked_up() const { return looked_up_.load(std::memory_order_relaxed); }

private:
    struct Report {
        Seq seq = 0;
        rd_kafka_resp_err_t error = RD_KAFKA_RESP_ERR_NO_ERROR;
        std::int64_t offset = -1;
    };
    struct InFlight {
        FramePtr frame;
        std::chrono::steady_clock::time_point began;
        bool reported = false, met = false;  // met: read in the log, and it counts
        Report report;
    };
    explicit KafkaJournal(KafkaJournalOptions options);

    Result<> connect();
    Result<> check_topic();
    void delivered(const rd_kafka_message_t& message);
    Result<> produce(std::span<const std::byte> record, Seq seq);
    void serve(const std::stop_token& stop);
    void watch(const std::stop_token& stop);
    Result<> watch_once();
    Result<bool> is_another_topic() const;  // `unavailable`: nobody says

    // kafka_journal_begin.cpp
    struct Met {
        std::int64_t offset = 0;
        Seq seq = 0;
        std::uint32_t epoch = 0;
        Digest digest{};
    };
    Result<std::optional<Met>> first_frame(std::int64_t from);
    Result<std::optional<std::int64_t>> offset_of(const ChainPoint& known, std::int64_t first, std::int64_t next);
    Result<std::optional<std::int64_t>> scan_for(const ChainPoint& known, std::int64_t from, std::int64_t until);

    Result<std::uint64_t> owner_of(std::uint32_t epoch, std::int64_t first, std::int64_t frame);

    // With mutex_ held.
    Result<> read_log(std::chrono::milliseconds patience);
    void looked(PartitionChain::Verdict verdict, const FramePtr& frame);
    Result<> check_expected() const;
    Result<> claim();
    Result<std::optional<Report>> claim_report(std::chrono::steady_clock::time_point deadline);
    void take_reports();
    Result<> settle(InFlight& front);
    Result<> look_up(InFlight& front);
    Error lost(Error error);
    Error fenced() const;
    Error made_anew() const;
    void keep(const FramePtr& frame);
    // Out of the partition: frames from `next` on, up to those in memory. True: go on.
    Result<bool> read_stored(Seq& next, std::unique_ptr<PartitionReader>& reader,
                             const std::function<bool(const FramePtr&)>& each) const;
    Result<std::unique_ptr<PartitionReader>> idle_reader() const;
    std::chrono::steady_clock::time_point oldest_in_flight() const;

    KafkaJournalOptions options_;
    std::function<void()> wake_;
    Seq expected_ = 0;
    std::uint64_t expected_origin_ = 0;
    std::string expected_by_, origin_expected_by_;
    const std::uint64_t nonce_;

    // Of the owner's thread.
    ChainPoint written_;

    mutable std::mutex mutex_;
    PartitionChain chain_;
    Seq begun_behind_ = 0;     // set before anybody reads
    std::uint32_t epoch_ = 0;  // ours; 0: not taken over
    std::deque<InFlight> in_flight_;
    std::optional<Error> failure_;
    FrameTail tail_;
    std::chrono::steady_clock::time_point shrunk_since_{};
    std::atomic<Seq> accepted_{0};
    std::atomic<std::uint64_t> looked_up_{0};
    std::atomic<std::size_t> under_way_{0};
    std::atomic<bool> unreachable_{false};  // no broker answers

    std::mutex reports_mutex_;
    std::condition_variable reports_changed_;
    std::atomic<bool> frame_reported_{false};  // since serve() looked last
    std::vector<Report> reports_;  // in the order in which they came, which is not always that of the frames

    mutable std::mutex readers_mutex_;
    mutable std::vector<std::unique_ptr<PartitionReader>> readers_;  // idle ones
    std::unique_ptr<PartitionReader> log_;                           // mutex_
    std::unique_ptr<PartitionReader> watcher_;                       // of watch()
    std::unique_ptr<PartitionReader> follower_;                      // of follow(); nullptr: not yet
    std::vector<std::byte> claim_;                                   // while it is on its way
    std::unique_ptr<KafkaClient> producer_;                          // its memory stands above: it is destroyed first
    KafkaTopicHandle topic_;
    int unanswered_ = 0;                                  // of watch()
    std::string topic_id_;                                // set once; empty: not known
    std::chrono::steady_clock::time_point identified_{};  // of follow(), then of watch()
    std::condition_variable_any watch_woken_;
    std::mutex watch_mutex_;
    std::jthread serving_, watching_;  // last: they end first
};

}  // namespace nostro
