// Owning the chain and writing it. postgres_journal_read.cpp reads it back.
#include "nostro/adapters/postgres/postgres_journal.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "nostro/adapters/postgres/projection.hpp"
#include "nostro/base/hex.hpp"
#include "nostro/base/log.hpp"
#include "nostro/base/random.hpp"
#include "nostro/base/text.hpp"
#include "nostro/wire/frame_record.hpp"

namespace nostro {
namespace {

using std::chrono::steady_clock;

std::string bytea(const Digest& digest) { return "\\x" + to_hex(digest); }

// A right that was taken away or a table that was changed can be given back: frames wait for that, too.
bool may_be_mended(const Error& error) {
    return error.code == ErrorCode::unavailable || error.code == ErrorCode::invalid;
}

Error wrong_use(std::string what) { return {ErrorCode::invalid, "journal: " + std::move(what)}; }

}  // namespace

PostgresJournal::PostgresJournal(PostgresJournalOptions options)
    : options_(std::move(options)), tail_(options_.tail_bytes) {}

PostgresJournal::~PostgresJournal() { stop(); }

void PostgresJournal::stop() {
    writer_.request_stop();
    if (writer_.joinable()) writer_.join();
}

Result<std::unique_ptr<PostgresJournal>> PostgresJournal::open(PostgresJournalOptions options) {
    auto client = PostgresClient::connect(options.address, options.tries, options.connect_pause);
    if (!client) return client.error();
    std::unique_ptr<PostgresJournal> journal(new PostgresJournal(std::move(options)));
    if (auto made = journal->make_tables(**client); !made) return made.error();
    journal->client_ = std::move(*client);
    return journal;
}

Result<> PostgresJournal::make_tables(PostgresClient& client) const {
    auto answer = client.run({"SHOW fsync"});
    if (!answer) return answer.error();
    if (answer->text(0, 0) != "on") {
        return Error{ErrorCode::invalid, client.place() +
                                             ": fsync is off, so a crash of the machine would lose payments "
                                             "that were answered; set it to on"};
    }
    // Asked first: whoever only writes frames needs no right to make tables.
    const std::string frames = options_.schema + ".frames";
    answer = client.run(
        {"SELECT to_regclass($1) IS NOT NULL AND to_regclass($2) IS NOT NULL", {options_.schema + ".books", frames}});
    if (!answer) return answer.error();
    if (answer->text(0, 0) == "t") return {};
    if (!options_.make_tables) {
        return Error{ErrorCode::not_found,
                     fmt::format("{}: there is no journal in schema {}", client.place(), options_.schema)};
    }
    // Two programs may come here at once.
    const std::string schema = sql_name(options_.schema);
    return client.script(fmt::format(R"(
BEGIN;
SELECT pg_advisory_xact_lock(hashtextextended('nostro journal', 0));
CREATE SCHEMA IF NOT EXISTS {0};
CREATE TABLE IF NOT EXISTS {0}.books (
  book bigint PRIMARY KEY,
  seq bigint NOT NULL,
  digest bytea NOT NULL,
  epoch bigint NOT NULL,
  origin bigint NOT NULL
) WITH (fillfactor = 10);
CREATE TABLE IF NOT EXISTS {0}.frames (
  book bigint NOT NULL,
  seq bigint NOT NULL,
  frame bytea NOT NULL,
  PRIMARY KEY (book, seq)
);
ALTER TABLE {0}.frames ALTER COLUMN frame SET STORAGE EXTERNAL;
COMMIT)",
                                     schema));
}

Result<PostgresJournal::Row> PostgresJournal::read_row(PostgresClient& client, bool lock) const {
    auto answer =
        client.run({fmt::format("SELECT seq, encode(digest, 'hex'), epoch, origin FROM {}.books WHERE book = $1{}",
                                sql_name(options_.schema), lock ? " FOR UPDATE" : ""),
                    {std::to_string(options_.book)}});
    if (!answer) return answer.error();
    if (answer->rows() == 0) return Row{};
    const auto seq = parse_uint64(answer->text(0, 0));
    const auto epoch = parse_uint32(answer->text(0, 2));
    const auto digest = digest_from_hex(answer->text(0, 1));
    const auto origin = parse_uint64(answer->text(0, 3));
    if (!seq || !epoch || !digest || !origin) {
        return Error{ErrorCode::corrupt, fmt::format("{}: {}.books says of Book {} what cannot be", client.place(),
                                                     options_.schema, options_.book)};
    }
    return Row{*seq, *digest, *epoch, *origin};
}

void PostgresJournal::expect_origin(std::uint64_t origin, std::string says_who) {
    expected_origin_ = origin;
    origin_expected_by_ = std::move(says_who);
}

void PostgresJournal::expect(Seq seq, std::string says_who) {
    if (seq <= expected_) return;
    expected_ = seq;
    expected_by_ = std::move(says_who);
}

Result<Head> PostgresJournal::take_over() {
    if (taken_over_) return wrong_use("take_over twice");
    auto head = claim(*client_);
    if (!head) {
        client_->rollback();
        return head;
    }
    // What is kept in memory has no gaps.
    if (followed_) {
        if (auto caught_up = follow_to(head->seq); !caught_up) return caught_up.error();
    }
    taken_over_ = true;
    client_place_ = client_->place();
    epoch_ = head->epoch;
    {
        const std::lock_guard lock(mutex_);
        accepted_ = head->seq;
    }
    writer_ = std::jthread([this](const std::stop_token& stop) { write(stop); });
    return head;
}

Result<Head> PostgresJournal::claim(PostgresClient& client) {
    const std::string schema = sql_name(options_.schema), book = std::to_string(options_.book);
    if (auto begun = client.script("BEGIN"); !begun) return begun.error();
    auto made =
        client.run({fmt::format("INSERT INTO {}.books VALUES ($1, 0, $2, 0, $3) ON CONFLICT DO NOTHING", schema),
                    {book, bytea(Digest{}), std::to_string(random_u64() >> 1)}});
    if (!made) return made.error();
    const auto row = read_row(client, true);
    if (!row) return row.error();
    if (expected_origin_ && *expected_origin_ != row->origin) {
        return Error{
            ErrorCode::corrupt,
            fmt::format("{}: Book {} of {} is not the journal that {} was made from. Name the right database, or "
                        "another folder",
                        client.place(), options_.book, options_.schema, origin_expected_by_)};
    }
    const auto point = point_at(client, *row);
    if (!point) return point.error();
    if (row->seq < expected_) {
        return Error{
            ErrorCode::corrupt,
            fmt::format("{}: the journal ends with frame {}, but {} has seen frame {}: acknowledged frames are "
                        "missing. Restore the database, or name the right one",
                        client.place(), row->seq, expected_by_, expected_)};
    }
    const std::uint32_t epoch = std::max(row->epoch, point->epoch) + 1;
    auto claimed = client.run(
        {fmt::format("UPDATE {}.books SET epoch = $2 WHERE book = $1", schema), {book, std::to_string(epoch)}});
    if (!claimed) return claimed.error();
    if (auto committed = client.script("COMMIT"); !committed) return committed.error();
    if (ledger_ != nullptr) {
        if (auto joined = ledger_->join(client); !joined) return joined.error();
    }
    written_ = *point;
    origin_ = row->origin;
    return Head{point->seq, point->digest, epoch, point->time, point->cursors};
}

Result<> PostgresJournal::ready(Need) {
    const std::lock_guard lock(mutex_);
    if (ended_) return *ended_;
    if (!trouble_.empty()) return Error{ErrorCode::unavailable, "journal_unavailable: " + trouble_};
    const auto waits_since = in_flight_.empty() ? looking_since_ : std::min(looking_since_, in_flight_.front().began);
    if (waits_since >= steady_clock::now() - options_.stalled_after) return {};
    return Error{ErrorCode::unavailable,
                 fmt::format("journal_unavailable: {} does not store what is written", client_place_)};
}

Result<> PostgresJournal::append(FramePtr frame) {
    if (!taken_over_) return wrong_use("append before take_over");
    if (record_of(*frame).size() > options_.frame_bytes_max) return wrong_use("the frame is too big");
    if (frame->header.epoch != epoch_) return wrong_use("the frame is of another epoch");
    const Digest previous = written_.digest;
    {
        const std::lock_guard lock(mutex_);
        if (in_flight_.size() >= options_.in_flight_max) return wrong_use("too many frames in flight");
        if (frame->header.accepted > accepted_) return wrong_use("the frame says more is durable than is");
    }
    if (auto continues = advance(written_, *frame); !continues) return continues;
    {
        const std::lock_guard lock(mutex_);
        in_flight_.push_back({std::move(frame), previous, std::chrono::steady_clock::now()});
    }
    changed_.notify_one();
    return {};
}

Result<Seq> PostgresJournal::accepted() {
    const std::lock_guard lock(mutex_);
    if (ended_) return *ended_;
    return accepted_;
}

// --- the writer

void PostgresJournal::write(const std::stop_token& stop) {
    std::vector<Sent> frames;
    for (;;) {
        {
            std::unique_lock lock(mutex_);
            changed_.wait_for(lock, stop, options_.look_every, [&] { return !in_flight_.empty(); });
            frames.assign(in_flight_.begin(), in_flight_.end());
        }
        if (stop.stop_requested()) return;
        if (frames.empty()) {
            look_for_server();
            continue;
        }
        auto done = store(frames);
        while (!done && may_be_mended(done.error())) {
            if (!pause(done.error().what, stop)) return;
            done = store_after_loss(frames);
        }
        if (!done) return end(done.error());
        stored(frames);
    }
}

Result<> PostgresJournal::store(const std::vector<Sent>& frames) {
    if (ledger_ == nullptr) return store_frames(frames);
    auto done = store_with_ledger(frames, false);
    if (!done && done.error().code == ErrorCode::conflict) done = store_with_ledger(frames, true);
    return done;
}

// We were let in before, so a refusal is an operator's change, or a server that has too many clients: tried again too.
Result<PostgresJournal::ClientPtr> PostgresJournal::reconnect() const {
    auto client = PostgresClient::connect(options_.address);
    if (!client) return Error{ErrorCode::unavailable, client.error().what};
    return client;
}

// In one transaction, unless somebody has begun one.
Result<> PostgresJournal::store_frames(const std::vector<Sent>& frames) {
    const std::string sql = fmt::format(
        "WITH head AS (UPDATE {0}.books SET seq = $2, digest = $3 "
        "WHERE book = $1 AND seq = $2 - 1 AND digest = $4 AND epoch = $5 RETURNING book) "
        "INSERT INTO {0}.frames (book, seq, frame) SELECT book, $2, $6 FROM head RETURNING seq",
        sql_name(options_.schema));
    std::vector<PostgresClient::Statement> statements;
    for (const Sent& each : frames) {
        statements.push_back({sql,
                              {std::to_string(options_.book), std::to_string(each.frame->header.seq),
                               bytea(each.frame->digest), bytea(each.previous), std::to_string(epoch_)},
                              record_of(*each.frame)});
    }
    const auto answers = client_->pipeline(statements);
    if (!answers) return answers.error();
    for (const PostgresAnswer& answer : *answers) {
        if (answer.rows() == 1) continue;
        return Error{ErrorCode::fenced, client_->place() + ": another owner has taken over the journal"};
    }
    return {};
}

// A connection on which the ledger cannot write is none: the lost one stays, so whoever looks for the server tries
// again.
Result<> PostgresJournal::connect_anew() {
    auto client = reconnect();
    if (!client) return client.error();
    if (ledger_ != nullptr) {
        if (auto joined = ledger_->join(**client); !joined) {
            return Error{ErrorCode::unavailable, joined.error().what};
        }
    }
    client_ = std::move(*client);
    return {};
}

// Nobody tells a writer that has nothing to write that its server is gone. Who owns the Book is not asked here.
void PostgresJournal::look_for_server() {
    const auto note = [this](steady_clock::time_point since) {
        const std::lock_guard lock(mutex_);
        looking_since_ = since;
    };
    note(steady_clock::now());
    const auto there = client_->is_lost() ? connect_anew() : client_->script("");
    note(steady_clock::time_point::max());
    set_trouble(there ? std::string() : there.error().what);
}

// What became of the frames that were sent is asked of the Book's row. Its lock waits for whatever the lost connection
// may still be doing. A frame that is seen may have been committed on this server alone, by somebody who waited for a
// synchronous standby when the connection was cut: the lock is a transaction of its own, whose commit waits for all
// that came before it.
Result<> PostgresJournal::store_after_loss(std::vector<Sent>& frames) {
    if (auto connected = connect_anew(); !connected) return connected;
    if (auto begun = client_->script("BEGIN"); !begun) return begun;
    const auto row = read_row(*client_, true);
    if (!row) {
        client_->rollback();
        return row.error();
    }
    if (auto committed = client_->script("COMMIT"); !committed) return committed;
    if (row->epoch != epoch_) {
        return Error{ErrorCode::fenced, client_->place() + ": another owner has taken over the journal"};
    }
    std::vector<Sent> there;
    while (!frames.empty() && frames.front().frame->header.seq <= row->seq) {
        there.push_back(std::move(frames.front()));
        frames.erase(frames.begin());
    }
    const Digest& last = !there.empty() ? there.back().frame->digest : frames.front().previous;
    if (last != row->digest) {
        return Error{ErrorCode::corrupt, fmt::format("{}: frame {} is not the one that was written; was the database "
                                                     "restored under a running service?",
                                                     client_->place(), row->seq)};
    }
    if (!there.empty()) stored(there);
    return frames.empty() ? Result<>() : store(frames);
}

void PostgresJournal::stored(const std::vector<Sent>& frames) {
    for (const Sent& each : frames) tail_.add(each.frame);
    set_trouble({});
    {
        const std::lock_guard lock(mutex_);
        in_flight_.erase(in_flight_.begin(), in_flight_.begin() + static_cast<std::ptrdiff_t>(frames.size()));
        if (!frames.empty()) accepted_ = frames.back().frame->header.seq;
    }
    if (wake_) wake_();
}

void PostgresJournal::set_trouble(const std::string& trouble) {
    const std::lock_guard lock(mutex_);
    if (trouble_.empty() && !trouble.empty()) log_warn("journal_waits", {{"why", trouble}});
    if (trouble.empty() && !trouble_.empty()) log_info("journal_recovered", {{"server", client_place_}});
    trouble_ = trouble;
}

// False: it is to end.
bool PostgresJournal::pause(const std::string& trouble, const std::stop_token& stop) {
    set_trouble(trouble);
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, stop, options_.pause, [] { return false; });
    return !stop.stop_requested();
}

void PostgresJournal::end(const Error& error) {
    {
        const std::lock_guard lock(mutex_);
        ended_ = error;
    }
    if (wake_) wake_();
}

}  // namespace nostro
