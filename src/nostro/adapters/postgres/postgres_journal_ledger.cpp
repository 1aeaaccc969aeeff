// Frames and the rows that tell of them, in one transaction.
#include <fmt/format.h>

#include "nostro/adapters/postgres/postgres_journal.hpp"
#include "nostro/adapters/postgres/projection.hpp"
#include "nostro/base/random.hpp"

namespace nostro {
namespace {

constexpr Seq kFramesAtOnce = 64;

Result<std::vector<DecodedPtr>> decoded(const std::vector<FramePtr>& frames) {
    std::vector<DecodedPtr> all;
    for (const FramePtr& frame : frames) {
        auto one = std::make_shared<DecodedFrame>();
        if (auto done = decode_body(frame, Sections::all, *one); !done) return done.error();
        all.push_back(std::move(one));
    }
    return all;
}

// Rows that cannot be written stop intake, until somebody has mended what is wrong; the frame waits.
Error of_rows(const Error& error) {
    const bool is_final = error.code == ErrorCode::corrupt || error.code == ErrorCode::conflict;
    return {is_final ? error.code : ErrorCode::unavailable, error.what};
}

}  // namespace

// A lock of one database is met there, and nowhere else.
Result<> PostgresJournal::set_ledger(PostgresProjection& ledger, const std::string& address) {
    auto there = PostgresClient::connect(address);
    if (!there) return there.error();
    const std::string key = std::to_string(random_u64() >> 1);
    const auto locked = (*there)->run({"SELECT pg_advisory_lock($1)", {key}});
    if (!locked) return locked.error();
    const auto tried = client_->run({"SELECT pg_try_advisory_lock($1)", {key}});
    if (!tried) return tried.error();
    if (tried->text(0, 0) == "t") {
        return Error{ErrorCode::invalid,
                     fmt::format("journal.sql_is_the_ledger: the journal is in {}, the tables are in {}: one "
                                 "transaction cannot hold both; name the same database, or leave journal.postgres_url "
                                 "empty",
                                 client_->place(), (*there)->place())};
    }
    ledger_ = &ledger;
    return {};
}

Result<> PostgresJournal::add_to_ledger(const std::vector<Sent>& frames, bool carefully) {
    const auto next = ledger_->locked_next();
    if (!next) return of_rows(next.error());
    const Seq first = frames.front().frame->header.seq;
    if (*next > first) {
        return Error{ErrorCode::corrupt,
                     fmt::format("{}: the tables go to frame {}, and the journal to frame {}: acknowledged frames are "
                                 "missing. Restore the database",
                                 client_->place(), *next - 1, first - 1)};
    }
    for (Seq from = *next; from < first; from += kFramesAtOnce) {
        const auto before = read_stored(*client_, from, std::min(from + kFramesAtOnce, first) - 1);
        if (!before) return before.error();
        const auto behind = decoded(*before);
        if (!behind) return behind.error();
        if (auto done = ledger_->add(*behind, carefully); !done) return of_rows(done.error());
    }
    std::vector<FramePtr> sent;
    for (const Sent& each : frames) sent.push_back(each.frame);
    const auto fresh = decoded(sent);
    if (!fresh) return fresh.error();
    if (auto done = ledger_->add(*fresh, carefully); !done) return of_rows(done.error());
    return {};
}

Result<> PostgresJournal::store_with_ledger(const std::vector<Sent>& frames, bool carefully) {
    auto done = client_->script("BEGIN");
    if (done) done = store_frames(frames);
    if (done) done = add_to_ledger(frames, carefully);
    if (done) done = client_->script("COMMIT");
    if (!done) client_->rollback();
    return done;
}

}  // namespace nostro
