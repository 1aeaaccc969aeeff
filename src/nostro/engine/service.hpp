// The engine as its callers see it: HTTP handlers and the command line's embedded mode. Wiring builds one, start()s
// it, and stop()s it.
//
// Threads:  every member may be called from any thread once start() has returned, unless it says otherwise.
// Callbacks run on one of the engine's threads (settlement, feed) or, when the answer is there already, on the
//           caller's, inside the call. They must not block: post to where the work is done. None runs after
//           stop() has returned.
// Promise:  what a callback or a read tells is durable. Nothing is told before its frame is accepted.
// Errors:   of `unavailable`, nothing happened and `refusal_word` names why. `unknown`: it may have happened, ask
//           again with the same key.
#pragma once
#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "nostro/base/metrics.hpp"
#include "nostro/base/time.hpp"
#include "nostro/base/waker.hpp"
#include "nostro/domain/book.hpp"
#include "nostro/engine/live.hpp"
#include "nostro/engine/policies.hpp"
#include "nostro/engine/query.hpp"
#include "nostro/engine/submission_builder.hpp"
#include "nostro/ports/disk.hpp"
#include "nostro/ports/history.hpp"
#include "nostro/ports/intake.hpp"
#include "nostro/ports/journal.hpp"
#include "nostro/ports/projection.hpp"
#include "nostro/ports/source.hpp"

namespace nostro {

// An account as the Book has it after the last frame that is durable.
struct BalanceNow {
    AccountImage account;
    AsOf as_of;
};
// Trial balance after the last frame that is durable.
struct TotalsNow {
    std::vector<Book::KindTotal> totals;
    AsOf as_of;
};
// What would become of a command now. Nothing was moved, nothing was spent.
struct Simulated {
    Answer answer;
    std::vector<Outcome> outcomes;  // of a refused, replayed or reused command: none
    PolicyPtr policy;               // names the rules of `why`
    AsOf as_of;
};

// One part of the engine, for /readiness.
struct PartState {
    std::string name;  // "journal", "settlement", "feed index", ...
    bool ready = false;
    bool needed = true;  // for payments to be taken: the query index and other projections are not
    std::string reason;  // when not ready: what is wrong and what mends it
};

struct ServiceOptions {
    BookSize book;
    std::size_t inbox_commands_max = 200'000;  // more: `overloaded`
    std::size_t inbox_bytes_max = 256u << 20;  // of encoded commands
    std::size_t payments_per_frame_max = 8'192;
    std::size_t frame_bytes_max = 4u << 20;  // less where the journal says so
    std::size_t expiries_per_frame_max = 1'024;
    std::chrono::microseconds spin{50};         // before a stage sleeps; 0 where there is but one core
    std::chrono::milliseconds fresh_wait{100};  // how long when_readable() waits for the index at most
    std::size_t stream_events_max = 1'024;      // waiting for one subscriber; more stay in the journal until it reads
    std::size_t subscribers_max = 1'000;
    std::string default_policy;     // TOML; version 1 of tenant 0 in the first frame of an empty journal
    std::string tenant = "nostro";  // of tenant 0
};

// What wiring hands over. All of it outlives the Service.
struct ServiceParts {
    struct NamedProjection {
        std::string name;
        Projection* projection;
    };
    Journal* journal = nullptr;
    const SealedIds* sealed = nullptr;         // nullptr: known ids are kept in memory alone
    const History* index = nullptr;            // also one of `projections`, named "index"; nullptr: payments are
                                               // found among recent frames only, other reads are `unavailable`
    std::vector<NamedProjection> projections;  // each fed at its own pace by a thread of its own
    std::vector<Source*> sources;
    // Where commands go while another process owns the Book; nullptr: they are `unavailable`, "standby".
    Intake* writes = nullptr;
    // Hears each frame that others appended since follow(), whole and in order, in settlement's turn, once it can be
    // read: for whoever waits for the outcome of what went to `writes`. Must not block. May be absent.
    std::function<void(const DecodedPtr&)> on_followed;
    Disk* disk = nullptr;  // where `suspects` stands; nullptr: not kept
    const Clock* clock = nullptr;
    MetricsRegistry* metrics = nullptr;
    // A failure after which nothing may go on (fenced, corrupt, a failed write, a broken invariant). Called once, on
    // the thread that met it; by then no further answer is given. It should end the process; it must not call stop(),
    // which waits for that thread.
    std::function<void(const Error&)> fatal;
    // Adds the states of what works beside the service, for parts(). May be called from any thread; may be absent.
    std::function<void(std::vector<PartState>&)> beside;
};

enum class Role : std::uint8_t {
    owner,    // decides
    standby,  // installs what another process decides, answers reads, and can become the owner
};
std::string_view name(Role role);

// How far a standby is behind, as far as it knows.
struct StandbyLag {
    Seq frames = 0;
    std::chrono::nanoseconds time{};  // since its books were last known to be up to date
};

// The first word of an `unavailable` error's text: "overloaded", "no_space", "journal_unavailable", "stopping",
// "no_index", "index_behind", "standby", "handing_over". Other texts give "unavailable". The rest of the text is for
// people. (A full table of the Book refuses single commands: see Reason::book_full and full_table().)
std::string_view refusal_word(const Error& error);

class Service final : public Intake {
public:
    Service(ServiceParts parts, ServiceOptions options);
    ~Service() override;
    Service(const Service&) = delete;
    Service& operator=(const Service&) = delete;

    // Takes over the journal, recovers the Book, starts the threads. Returns when commands can be taken.
    Result<> start();
    // Instead of start(): recovers the Book without taking the journal over, and keeps it equal to what others append.
    // Reads are answered with the frame they stand at. Returns when they can be.
    Result<> follow();
    // A standby becomes the owner, with the Book it has: fences whoever is, installs the rest, and returns when
    // commands can be taken. After an error the process must end. One thread.
    Result<> take_over();
    // More for an owner that was a standby. A source is read from where the journal says it was read to.
    Result<> add_source(Source& source);
    void add_projection(const ServiceParts::NamedProjection& projection);
    // The owner decides nothing more: what waits is answered "handing_over", what is in flight is settled and answered.
    // Returns the last frame, once it is durable: somebody else may take over now. resume() undoes it, while nobody
    // has. `unavailable`: the journal does not confirm in time, and all goes on; `conflict`: this is no owner.
    Result<Seq> hand_over(std::chrono::milliseconds patience = std::chrono::seconds(5));
    void resume();
    Role role() const;
    StandbyLag lag() const;  // of an owner: none
    // Takes no more, settles and answers what it has taken (at most for `patience`; after that the rest is answered
    // `unknown`), then ends all threads. A second call does nothing.
    void stop(std::chrono::milliseconds patience = std::chrono::seconds(10));

    // --- commands ---------------------------------------------------------------------------------------
    // Starts a Submission; `memory` keeps alive what the added commands' views point into.
    SubmissionBuilder build(std::shared_ptr<const void> memory, TenantNo tenant = 0) const;
    // `invalid`, beginning with "too_large": a command would not fit into a frame. Receipts come in the order of the
    // commands; a group has one for each of its payments, all of one answer kind. Fewer receipts than commands: the
    // rest was not taken (no space, full, stopping), send it again.
    void submit(std::unique_ptr<Submission> submission) override;
    // Fills status, reason, accepted_at and place of `replayed` receipts with what was first answered, by reading the
    // frames. May read from disk: not for settlement's thread, so not inside the reply itself.
    Result<> complete_replayed(std::vector<Receipt>& receipts) const;
    // A thread that reads many requests says where a round of them begins and ends. What it submits in between wakes
    // nobody, unless it is much; at the end it takes settlement's turn itself, when nobody else has it, and answers
    // what was accepted meanwhile. `reader` wakes that thread once what it appended is durable; it ends a round then,
    // be it empty. Absent: settlement's own thread answers, and leaves it the turn for a few commands only. Where there
    // are sources the turn is settlement's alone.
    void round_begins();
    void round_ends(const std::shared_ptr<Waker>& reader = nullptr);
    // Called in settlement's turn after each round of replies: lets a server wake its threads once for many
    // replies. Set before start().
    void on_replies(std::function<void()> round_done);

    // --- reads in settlement's turn ----------------------------------------------------------------------
    // not_found: no such account.
    void balance(AccountId account, std::function<void(Result<BalanceNow>)> reply);
    void totals(std::function<void(Result<TotalsNow>)> reply);
    // Exactly one command. `memory` of the submission must live until the reply.
    void simulate(std::unique_ptr<Submission> submission, std::function<void(Result<Simulated>)> reply);

    // --- reads of what happened --------------------------------------------------------------------------
    // The newest frame that is durable. What it holds has been answered, or is about to be.
    Seq accepted() const;
    // Decoded, and shared with whoever else reads it. not_found: not accepted yet, or older than kept history.
    Result<DecodedPtr> frame(Seq seq) const;
    // As above, without images, for whoever walks through many: nothing is kept for the next reader.
    Result<DecodedPtr> frame_once(Seq seq) const;
    // Calls `then` once history() has read the frame `seq`, or after fresh_wait; at once when it has. For a read that
    // must see what a 202 said: when_readable(accepted(), [..] { post(history().payment(id)) }).
    void when_readable(Seq seq, std::function<void()> then) const;
    // Blocks on disk at most. payment() also looks into the frames that the index has not read yet, so a payment whose
    // 202 was sent is always found; lists say how far they had read (as_of).
    const Query& history() const;
    // Prefer: wait. Where intake and Book share a program a receipt is the first decided state already, so there is
    // nothing to wait for but the index: submit, then when_readable(receipt.place.seq), then history().payment(id).

    const Policies& policies() const;
    Live& live();

    // --- operating ---------------------------------------------------------------------------------------
    std::vector<PartState> parts() const;
    bool ready() const;  // every part that is needed is
    // The table for which some commands are refused with Reason::book_full, and what mends it, for people:
    // "[book] holds_max: raise it and start again". Empty: none.
    std::string full_table() const;
    // Brings gauges up to date; call it before the registry is printed.
    void refresh_gauges();
    // Gives memory back that nobody has to have now.
    void let_go() const;

private:
    struct Running;
    std::unique_ptr<Running> running_;
};

}  // namespace nostro
