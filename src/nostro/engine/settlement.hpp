// The heart: one Book, one Journal, one thread at a time.
//
// step(): takes what has arrived, decides it, appends one frame, and answers for every frame accepted meanwhile.
// Nothing is told before its frame is accepted: the Book in memory is ahead of the journal by the frames in flight, and
// whatever was decided without a record (replays, refusals, reads) is answered with the newest frame it may have seen.
//
// Production calls step() under a lock, on a thread of its own or at the end of a reader's round; tests and the
// simulator call it by hand. Time comes in as an argument; the Book sees it never go back.
#pragma once
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "nostro/base/time.hpp"
#include "nostro/domain/book.hpp"
#include "nostro/engine/engine_metrics.hpp"
#include "nostro/engine/follower.hpp"
#include "nostro/engine/frame_cache.hpp"
#include "nostro/engine/inbox.hpp"
#include "nostro/engine/policies.hpp"
#include "nostro/engine/suspects.hpp"
#include "nostro/ports/journal.hpp"
#include "nostro/ports/source.hpp"

namespace nostro {

struct SettlementLimits {
    std::size_t payments_per_frame_max = 8'192;
    std::size_t frame_bytes_max = 4u << 20;  // less where the journal says so
    std::size_t expiries_per_frame_max = 1'024;
    // A frame under way for longer says nothing of when a further one will be taken: intake asks the journal.
    std::chrono::milliseconds journal_slow_after{1'000};
};

// What it works with; all of it outlives it.
struct SettlementParts {
    Book* book = nullptr;
    Journal* journal = nullptr;
    Inbox* inbox = nullptr;
    FrameCache* frames = nullptr;  // told what is accepted
    Policies* policies = nullptr;
    SettlementMetrics* metrics = nullptr;
    const SealedIds* sealed = nullptr;  // may be absent
    Suspects* suspects = nullptr;       // may be absent
    std::vector<Source*> sources;
    std::uint64_t nonce = 0;  // random, of this process
    // Runs after a frame became tellable, before its answers go out: wakes the feeds.
    std::function<void(Seq accepted)> on_accepted;
    // Hears each frame that is followed, whole and in order, once it can be read and before its readers are answered.
    std::function<void(const DecodedPtr&)> on_followed;
    // Runs after a round of answers.
    std::function<void()> on_replies;
    // Whether the Book is sound after a frame, beyond what it checks itself. For tests.
    std::function<bool(const Changes&)> audit;
};

class Settlement {
public:
    Settlement(SettlementParts parts, SettlementLimits limits);
    ~Settlement();
    Settlement(const Settlement&) = delete;
    Settlement& operator=(const Settlement&) = delete;

    // Takes over the journal, installs what it holds, seeks the sources, and appends the take-over frame: empty, or
    // with `first_policy` when the journal is. Nothing is decided before that frame is accepted. Once, before step().
    Result<> recover(Instant now, const PolicyPtr& first_policy);

    // Instead of recover(), or before it: installs what the journal holds without taking it over. step() then installs
    // what others append, answers reads, and decides nothing; commands are turned away. recover() ends that.
    Result<> follow();
    bool follows() const { return following_; }  // in the turn alone

    // `fenced`, `corrupt` and every other error: the caller must end the process and tell nothing more. Returns how
    // much it did: 0 means that there is nothing to do until something arrives, is accepted, or falls due.
    // `caller`: whether there is anything better to do than to wait for a quick write.
    enum class Caller : std::uint8_t { idle, busy };
    Result<std::size_t> step(Instant now, Caller caller = Caller::idle);

    // One more source, which has been sent to where cursors() said it was read to. After recover(), in the turn.
    void add_source(Source& source) { sources_.push_back({&source, {}, 0}); }
    const std::vector<Cursor>& cursors() const { return cursors_; }  // in the turn
    // True: nothing more is decided, neither what comes nor what falls due; what is in flight is answered. In the turn.
    void rest(bool rests);

    // Asks the journal whether commands would be taken now, as turned_away() tells then. In the turn.
    void look_at_journal();
    bool idle() const;  // nothing waits here and nothing is in flight
    bool has_in_flight() const { return !in_flight_.empty(); }
    bool has_sources() const { return !sources_.empty(); }
    // Why commands are turned away at present ("no_space: ...", "journal_unavailable: ..."); empty: they are not.
    // Threads: any.
    std::string turned_away() const;
    // Which key of [book] should be raised ("holds_max"); empty: none. Threads: any.
    std::string_view full_table() const { return full_table_.load(std::memory_order_relaxed); }
    // Ids of frames up to here may have left the Book: who builds a submission asks the sealed ids for them, and what
    // is forgotten later is asked in the turn. Threads: any.
    Seq forgotten_through() const { return forgotten_through_.load(std::memory_order_acquire); }
    Seq deciding() const { return turn_.seq; }  // the frame that is open, while audit looks at it
    // Answers all that is still here with `unknown`; step() must not be called again.
    void give_up();

private:
    // A submission on its way through one or more frames.
    struct Pending {
        std::unique_ptr<Submission> submission;
        std::size_t next = 0;         // first command not decided yet
        std::size_t next_sealed = 0;  // first of submission->sealed not passed yet
        std::vector<Receipt> receipts;
    };
    using PendingPtr = std::unique_ptr<Pending>;
    using ReadPtr = std::unique_ptr<Inbox::Read>;
    // What to do once a frame is accepted.
    struct Turn {
        Seq seq = 0;
        Instant time{};
        SteadyTime handed_over{};
        std::vector<PendingPtr> answers;
        std::vector<std::pair<Source*, std::vector<Answered>>> source_answers;
        std::vector<ReadPtr> reads;
        std::vector<std::pair<TenantNo, PolicyPtr>> policies;
        void clear();
    };
    enum class Taken { yes, no_room };
    enum class Queue { singles, arrivals, bulk };
    // What a source has brought, in order. Sources do not wait for each other.
    struct FromSource {
        Source* source = nullptr;
        std::vector<Arrival> arrivals;
        std::size_t next = 0;
        bool empty() const { return next == arrivals.size(); }
    };

    // settlement_recovery.cpp
    void note_followed();
    Result<std::size_t> step_behind(Instant now);
    Result<> tell_followed();
    Result<> install_up_to(const Head& head);
    Result<> append_take_over(Instant now, const PolicyPtr& first_policy);

    Result<std::size_t> release();
    void answer(Turn& turn);
    void arrive();
    void answer_reads(Instant now);
    Result<std::size_t> decide(Instant now);
    Result<std::size_t> wait_for_journal();
    Result<bool> may_take_commands();
    bool closes_segment();
    void note_full_table();
    void note_forgotten();
    void set_turned_away(std::string reason);
    void turn_away();

    // settlement_frame.cpp
    Result<> poll_sources();
    bool has_arrivals() const;
    Result<> take_arrivals(std::size_t payments_max);
    void open_frame(Instant now, std::size_t expiries_max);
    Result<> fill_frame();
    Result<> take_from(Queue queue, std::size_t payments_max);
    Result<Taken> take(Pending& pending, std::size_t& payments_left);
    Result<Taken> take(FromSource& from, std::size_t& payments_left);
    void pass(const Cursor& after);
    void keep_letter(const Arrival& arrival, std::span<const std::byte> encoded, const Answer& answer);
    Result<Taken> settle(const Command& command, std::span<const std::byte> encoded, Answer& answer);
    Result<Taken> settle_suspect(const Command& command, std::span<const std::byte> encoded, PaymentId key,
                                 Answer& answer);
    Answer apply(const Command& command, std::span<const std::byte> encoded, PaymentId key);
    Result<std::optional<Answer>> sealed_answer(Pending& pending, const Command& command);
    Result<std::optional<SealedIds::Found>> find_sealed(PaymentId id) const;
    Result<std::optional<Answer>> ask_sealed(const Command& command) const;
    Result<> find_ended(const Command& command, Answer& answer) const;
    void tell_source(Source& source, const Arrival& arrival, const Answer& answer);
    void count(const Answer& answer);
    void finish(PendingPtr pending);
    Result<> close_frame(bool even_if_empty);
    Result<> append_frame();
    void keep_turn_without_frame();
    Error broken(const char* what);
    bool has_room(const Command& command, std::size_t encoded_bytes);

    SettlementParts parts_;
    SettlementLimits limits_;
    Book& book_;
    Journal& journal_;

    Head head_;  // newest frame appended
    Seq take_over_seq_ = 0;
    std::vector<Cursor> cursors_;  // of what is decided; head_.cursors: of what is in a frame
    std::unique_ptr<FrameBuilder> builder_;
    Changes changes_;

    // The frame that is open.
    Turn turn_;
    SteadyTime opened_{};
    std::uint32_t recorded_ = 0;  // commands
    std::size_t payments_ = 0;
    bool alone_ = false;          // a suspect is in it: nothing else may be
    bool suspect_waits_ = false;  // there was no room because it wants a frame of its own
    std::size_t waiting_ = 0;     // commands of sources that find no room in the Book
    std::optional<Queue> first_;  // a suspect waits at its front: it begins the next frame
    std::vector<PaymentId> working_on_;

    std::deque<PendingPtr> singles_, bulk_;
    std::vector<FromSource> sources_;
    std::size_t first_source_ = 0;  // whose turn it is to begin
    std::vector<ReadPtr> reads_;
    std::deque<Turn> in_flight_;
    std::vector<Turn> spare_turns_;
    std::vector<std::unique_ptr<Submission>> arrived_;
    std::vector<std::byte> scratch_;
    Follower follower_;
    bool following_ = false, resting_ = false;
    Seq told_ = 0;  // newest frame that on_followed heard
    bool replied_ = false;
    Caller caller_ = Caller::idle;  // of the running step
    mutable std::mutex turned_away_mutex_;
    std::string turned_away_;
    std::atomic<const char*> full_table_{""};
    std::atomic<Seq> forgotten_through_{0};
};

}  // namespace nostro
