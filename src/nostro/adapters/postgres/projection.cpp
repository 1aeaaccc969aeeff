#include "nostro/adapters/postgres/projection.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "nostro/base/text.hpp"
#include "nostro/base/time.hpp"

namespace nostro {
namespace {

using Write = PostgresTable::Write;

// Whoever holds the cursor and is gone, or stands still, holds up the others no longer than that.
constexpr std::array<const char*, 4> kAmongOthers = {"SET idle_in_transaction_session_timeout = '6s'",
                                                     "SET tcp_keepalives_idle = 3", "SET tcp_keepalives_interval = 1",
                                                     "SET tcp_keepalives_count = 3"};

// Whether the role of this session may tell the server not to look up foreign keys.
Result<bool> may_vouch(PostgresClient& client) {
    const auto known = client.run(
        {"SELECT current_setting('is_superuser') = 'on', current_setting('server_version_num')::integer >= 150000"});
    if (!known) return known.error();
    if (known->text(0, 0) == "t") return true;
    if (known->text(0, 1) != "t") return false;  // it can be granted since then
    const auto granted = client.run({"SELECT has_parameter_privilege('session_replication_role', 'SET')"});
    if (!granted) return granted.error();
    return granted->text(0, 0) == "t";
}

std::string span_of(std::span<const DecodedPtr> frames) {
    const Seq first = frames.front()->seq(), last = frames.back()->seq();
    return first == last ? fmt::format("frame {}", first) : fmt::format("frames {} to {}", first, last);
}

}  // namespace

PostgresProjection::PostgresProjection(PostgresProjectionOptions options)
    : options_(std::move(options)), references_(reference_sql(options_.tables)), rows_(options_.tables.size()) {
    for (std::size_t i = 0; i < options_.tables.size(); ++i) sql_.push_back(projection_sql(options_.tables, i));
}

PostgresProjection::~PostgresProjection() = default;

// --- connection and cursor

Result<> PostgresProjection::open(std::uint32_t tries, std::chrono::nanoseconds pause) {
    auto client = PostgresClient::connect(options_.address, tries, pause);
    if (!client) return client.error();
    own_ = std::move(*client);
    client_ = own_.get();
    if (auto begun = begin_session(); !begun) {
        own_.reset();
        client_ = nullptr;
        return begun;
    }
    return {};
}

Result<> PostgresProjection::join(PostgresClient& client) {
    own_.reset();
    client_ = &client;
    auto begun = begin_session();
    if (!begun) client_ = nullptr;
    return begun;
}

Result<> PostgresProjection::begin_session() {
    auto begun = check_version(*client_, options_.schema);
    std::vector<PostgresClient::Statement> stages{{"SET nostro.feeding = 'on'"}};  // triggers of ours pass it over
    if (options_.shared) {
        for (const char* setting : kAmongOthers) stages.push_back({setting});
    }
    for (const ProjectionSql& sql : sql_) stages.push_back({sql.make_stage});
    if (begun) {
        if (const auto made = client_->pipeline(stages); !made) begun = made.error();
    }
    if (!begun || references_.vouch.empty()) return begun;
    const auto may = may_vouch(*client_);
    if (!may) return may.error();
    may_vouch_ = *may;
    return {};
}

Result<> PostgresProjection::ready() {
    if (client_ != nullptr && !client_->is_lost()) return {};
    own_.reset();
    client_ = nullptr;
    return open(1, std::chrono::nanoseconds(0));
}

Result<PostgresProjection::Cursor> PostgresProjection::cursor(Lock lock) {
    const std::string& name = options_.schema.name;
    std::vector<PostgresClient::Statement> statements;
    if (lock == Lock::begin) statements.push_back({"BEGIN"});
    if (lock != Lock::none) {
        statements.push_back(
            {"INSERT INTO nostro.cursor (projection, next_seq, digest, read_at) VALUES ($1, 1, '', now()) "
             "ON CONFLICT DO NOTHING",
             {name}});
    }
    statements.push_back({fmt::format("SELECT next_seq, digest FROM nostro.cursor WHERE projection = $1{}",
                                      lock != Lock::none ? " FOR UPDATE" : ""),
                          {name}});
    const std::size_t asked = statements.size() - 1;
    if (lock != Lock::none && may_vouch_) {
        statements.push_back({references_.lock});
        statements.push_back({references_.vouch});
    }
    const auto answers = client_->pipeline(statements);
    if (!answers) return answers.error();
    const PostgresAnswer& found = (*answers)[asked];
    if (found.rows() == 0) return Cursor{};
    const auto next = parse_uint64(found.text(0, 0));
    if (!next || *next == 0) {
        return Error{ErrorCode::corrupt,
                     fmt::format("{}: nostro.cursor of {} says {}", client_->place(), name, quoted(found.text(0, 0)))};
    }
    return Cursor{*next, std::string(found.text(0, 1))};
}

Result<Seq> PostgresProjection::next() {
    if (auto done = ready(); !done) return done.error();
    const auto at = cursor(Lock::none);
    if (!at) return at.error();
    return at->next;
}

// --- frames

Result<> PostgresProjection::project(std::span<const DecodedPtr> frames) {
    while (!frames.empty()) {
        std::size_t count = 0, outcomes = 0;
        do {
            outcomes += frames[count++]->changes.outcomes.size();
        } while (count < frames.size() && outcomes < options_.outcomes_at_once);
        if (auto done = write(frames.first(count)); !done) return done;
        frames = frames.subspan(count);
    }
    return {};
}

Result<> PostgresProjection::write(std::span<const DecodedPtr> frames) {
    if (auto done = ready(); !done) return done;
    if (options_.shared) {
        const auto left = not_written(frames);
        if (!left) return left.error();
        if (left->empty()) return {};
        frames = *left;
    }
    auto done = write_in_transaction(frames, false);
    if (!done && done.error().code == ErrorCode::conflict) {
        // Rows of these frames are there, though the cursor does not say so.
        client_->rollback();
        done = write_in_transaction(frames, true);
    }
    if (!done) {
        client_->rollback();
        if (!client_->is_idle()) own_.reset(), client_ = nullptr;
    }
    return done;
}

// As it stands now: whoever writes at this moment is met behind the lock.
Result<std::span<const DecodedPtr>> PostgresProjection::not_written(std::span<const DecodedPtr> frames) {
    const auto at = cursor(Lock::none);
    if (!at) return at.error();
    const auto fresh = std::ranges::find_if(frames, [&](const DecodedPtr& frame) { return frame->seq() >= at->next; });
    return frames.subspan(static_cast<std::size_t>(fresh - frames.begin()));
}

Result<> PostgresProjection::write_in_transaction(std::span<const DecodedPtr> frames, bool carefully) {
    const auto at = cursor(Lock::begin);
    if (!at) return at.error();
    const auto fresh = std::ranges::find_if(frames, [&](const DecodedPtr& frame) { return frame->seq() >= at->next; });
    const auto behind = frames.first(static_cast<std::size_t>(fresh - frames.begin()));
    const auto ahead = frames.subspan(behind.size());
    if (!behind.empty() && !options_.shared) {
        if (may_vouch_) {
            // What is added to these frames may refer to rows that somebody has deleted since.
            const auto looks_up = client_->run({"SET LOCAL session_replication_role TO DEFAULT"});
            if (!looks_up) return looks_up.error();
        }
        if (auto done = compare(behind); !done) return done;
    }
    if (ahead.empty()) return client_->script("COMMIT");
    if (auto done = check_chain(*ahead.front(), *at); !done) return done;
    if (auto done = gather(ahead); !done) return done;
    if (auto done = add_rows(carefully, ahead); !done) return done;
    const std::vector<PostgresClient::Statement> last = {cursor_moved(*ahead.back()), {"COMMIT"}};
    const auto done = client_->pipeline(last);
    if (!done) return done.error();
    return {};
}

Result<Seq> PostgresProjection::locked_next() {
    const auto at = cursor(Lock::in_transaction);
    if (!at) return at.error();
    return at->next;
}

Result<> PostgresProjection::add(std::span<const DecodedPtr> frames, bool carefully) {
    const auto at = cursor(Lock::in_transaction);
    if (!at) return at.error();
    if (auto done = check_chain(*frames.front(), *at); !done) return done;
    if (auto done = gather(frames); !done) return done;
    if (auto done = add_rows(carefully, frames); !done) return done;
    const auto done = client_->run(cursor_moved(*frames.back()));
    if (!done) return done.error();
    return {};
}

Result<> PostgresProjection::check_chain(const DecodedFrame& frame, const Cursor& cursor) const {
    if (frame.seq() != cursor.next) {
        return Error{ErrorCode::invalid,
                     fmt::format("{}: its tables of {} end at frame {}, and the next is frame {}: they were set back; "
                                 "start nostro again, and it goes on from there",
                                 client_->place(), options_.schema.name, cursor.next - 1, frame.seq())};
    }
    if (frame.seq() == 1 || cursor.digest == to_hex(frame.frame->header.previous)) return {};
    return Error{
        ErrorCode::corrupt,
        fmt::format("{}: history differs: frame {} has the digest {} there and {} in the journal; its tables of "
                    "{} are of another journal",
                    client_->place(), cursor.next - 1, cursor.digest, to_hex(frame.frame->header.previous),
                    options_.schema.name)};
}

Result<> PostgresProjection::gather(std::span<const DecodedPtr> frames) {
    rows_.clear();
    for (const DecodedPtr& frame : frames) {
        if (auto done = options_.rows_of(*frame, rows_); !done) return done;
    }
    return {};
}

Result<> PostgresProjection::compare(std::span<const DecodedPtr> frames) {
    if (auto done = gather(frames); !done) return done;
    for (std::size_t i = 0; i < options_.tables.size(); ++i) {
        // What is newer stands in the others.
        if (options_.tables[i].write != Write::once || rows_.empty(i)) continue;
        if (auto done = client_->copy(sql_[i].copy_to_stage, rows_.lines(i)); !done) return done;
        if (auto done = compare_table(i, frames); !done) return done;
        const auto emptied = client_->run({sql_[i].empty_stage});
        if (!emptied) return emptied.error();
    }
    return {};
}

Result<> PostgresProjection::compare_table(std::size_t table, std::span<const DecodedPtr> frames) {
    if (!sql_[table].difference.empty()) {
        const auto found = client_->run({sql_[table].difference});
        if (!found) return found.error();
        if (found->rows() > 0) {
            return Error{
                ErrorCode::corrupt,
                fmt::format("{}: history differs: a row of {} is not what {} of the journal say: {}; it has: {}",
                            client_->place(), options_.tables[table].name, span_of(frames), found->text(0, 0),
                            found->text(0, 1))};
        }
    }
    const auto added = client_->run({sql_[table].add_missing});
    if (!added) return added.error();
    return {};
}

// In the order of the tables, since one may refer to the one before.
Result<> PostgresProjection::add_rows(bool carefully, std::span<const DecodedPtr> frames) {
    Statements waiting;
    for (std::size_t i = 0; i < options_.tables.size(); ++i) {
        if (rows_.empty(i)) continue;
        if (options_.tables[i].write != Write::once) {
            if (auto done = client_->copy(sql_[i].copy_to_stage, rows_.lines(i)); !done) return done;
            waiting.push_back({sql_[i].apply});
            continue;
        }
        const auto directly = nothing_is_there(i, carefully, waiting);
        if (!directly) return directly.error();
        if (auto done = client_->copy(*directly ? sql_[i].copy : sql_[i].copy_to_stage, rows_.lines(i)); !done) {
            return done;
        }
        if (*directly) continue;
        if (auto done = compare_table(i, frames); !done) return done;
    }
    return apply(waiting);
}

Result<> PostgresProjection::apply(Statements& waiting) {
    if (waiting.empty()) return {};
    const auto applied = client_->pipeline(waiting);
    waiting.clear();
    if (!applied) return applied.error();
    return {};
}

Result<bool> PostgresProjection::nothing_is_there(std::size_t table, bool carefully, Statements& waiting) {
    const PostgresTable& of = options_.tables[table];
    const bool asks = !carefully && !of.has_own_index && of.part_of && !rows_.empty(*of.part_of);
    if (!asks) {
        if (auto done = apply(waiting); !done) return done.error();
        return !carefully && of.has_own_index;  // a row that is there is met by the server
    }
    waiting.push_back({sql_[table].parts});
    const auto applied = client_->pipeline(waiting);
    waiting.clear();
    if (!applied) return applied.error();
    return applied->back().rows() == 0;
}

PostgresClient::Statement PostgresProjection::cursor_moved(const DecodedFrame& last) const {
    return {
        "UPDATE nostro.cursor SET next_seq = $2, digest = $3, read_at = $4 WHERE projection = $1",
        {options_.schema.name, std::to_string(last.seq() + 1), to_hex(last.frame->digest), to_rfc3339(last.time())}};
}

}  // namespace nostro
