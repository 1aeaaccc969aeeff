#include "nostro/adapters/postgres/comparison.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <thread>
#include <utility>

#include "nostro/adapters/postgres/compared_sql.hpp"
#include "nostro/base/text.hpp"
#include "nostro/base/time.hpp"

namespace nostro {
namespace {

constexpr int kRowsFetched = 10'000;  // at once
constexpr std::size_t kDifferingMax = 1'000'000;
constexpr std::chrono::milliseconds kLookAgain{20};

}  // namespace

PostgresComparison::PostgresComparison(PostgresComparisonOptions options)
    : options_(std::move(options)), tables_(options_.tables), rows_(options_.tables.size()) {}

PostgresComparison::~PostgresComparison() = default;

// --- the server's side

Result<> PostgresComparison::connect() {
    if (client_ != nullptr && client_->is_idle()) return {};
    client_.reset();
    auto client = PostgresClient::connect(options_.address);
    if (!client) return client.error();
    if (auto fine = check_version(**client, options_.schema); !fine) return fine;
    // Scans of large tables take their time; triggers of ours pass over what is rewritten.
    if (auto set = (*client)->script("SET statement_timeout = '1h'; SET nostro.feeding = 'on'"); !set) return set;
    client_ = std::move(*client);
    return {};
}

Result<> PostgresComparison::read_types() {
    for (ComparedTable& table : tables_.tables) {
        const auto answer = client_->run(
            {"SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute WHERE attrelid = to_regclass($1) AND "
             "attnum > 0 AND NOT attisdropped",
             {table.name}});
        if (!answer) return answer.error();
        for (ComparedTable::Column& column : table.columns) {
            column.type.clear();
            for (int row = 0; row < answer->rows(); ++row) {
                if (answer->text(row, 0) == column.name) column.type = answer->text(row, 1);
            }
            if (column.type.empty()) {
                return Error{ErrorCode::invalid, fmt::format("{}: {} has no column {}: somebody changed the table; "
                                                             "change it back",
                                                             client_->place(), table.name, column.name)};
            }
            column.kind = kind_of(column.type);
        }
    }
    return {};
}

// Begins it; the newest frame that the tables have.
Result<Seq> PostgresComparison::snapshot(const Run& run) {
    const std::vector<PostgresClient::Statement> statements = {
        {"BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"},
        {"SELECT next_seq, digest FROM nostro.cursor WHERE projection = $1", {options_.schema.name}}};
    const auto answers = client_->pipeline(statements);
    if (!answers) return answers.error();
    if (answers->back().rows() == 0) return Seq{0};
    const auto next = parse_uint64(answers->back().text(0, 0));
    if (!next || *next == 0) {
        return Error{ErrorCode::corrupt, fmt::format("{}: nostro.cursor of {} says {}", client_->place(),
                                                     options_.schema.name, quoted(answers->back().text(0, 0)))};
    }
    const Seq through = *next - 1;
    if (through == 0) return through;
    const std::string digest(answers->back().text(0, 1));
    auto same = read_newest(run, through, [&](const DecodedFrame& frame) -> Result<> {
        if (to_hex(frame.frame->digest) == digest) return {};
        return Error{ErrorCode::corrupt,
                     fmt::format("{}: its tables of {} are of another journal: frame {} has another digest there",
                                 client_->place(), options_.schema.name, through)};
    });
    if (!same) return same.error();
    return through;
}

// The newest frame that the tables have. Rows that are written with their frame are seen before the journal has heard
// that they are: a moment, or as long as it takes to find out about a commit whose answer was lost.
Result<> PostgresComparison::read_newest(const Run& run, Seq through,
                                         const std::function<Result<>(const DecodedFrame&)>& each) {
    const SteadyTime until = steady_now() + options_.patience;
    for (;;) {
        auto done = options_.read(through, through, each);
        if (done || done.error().code != ErrorCode::not_found) return done;
        if (!options_.is_ledger) {
            return Error{ErrorCode::corrupt,
                         fmt::format("{}: its tables of {} go to frame {}, which the journal does not have",
                                     client_->place(), options_.schema.name, through)};
        }
        if (run.watch.stopped() || steady_now() >= until) {
            return Error{ErrorCode::unavailable,
                         fmt::format("{}: its tables of {} go to frame {}, which the journal does not know to be "
                                     "written yet; try again",
                                     client_->place(), options_.schema.name, through)};
        }
        std::this_thread::sleep_for(kLookAgain);
    }
}

Result<PostgresComparison::Buckets> PostgresComparison::digests(const Run& run, const ComparedTable& table) const {
    std::string sums;
    for (std::size_t i = 0; i < table.groups.size(); ++i) sums += fmt::format(", sum({})", digest_sql(i));
    const auto answer = client_->run({fmt::format("SELECT {} AS bucket, count(*){} FROM (SELECT {} FROM {} t) r GROUP "
                                                  "BY 1",
                                                  kBucketSql, sums, groups_sql(table), table.name)},
                                     run.watch.stopped);
    if (!answer) return answer.error();
    Buckets buckets(kBuckets, {0, std::vector<__int128>(table.groups.size())});
    for (int row = 0; row < answer->rows(); ++row) {
        const auto number = parse_uint64(answer->text(row, 0)), count = parse_uint64(answer->text(row, 1));
        if (!number || !count || *number >= kBuckets) return Error{ErrorCode::corrupt, "PostgreSQL counts no buckets"};
        buckets[*number].rows = *count;
        for (std::size_t i = 0; i < table.groups.size(); ++i) {
            const auto sum = answer->sum(row, static_cast<int>(2 + i));
            if (!sum) return sum.error();
            buckets[*number].sums[i] = *sum;
        }
    }
    return buckets;
}

void PostgresComparison::note(Run& run, std::size_t table, std::uint64_t id) {
    std::vector<std::uint64_t>& rows = run.different_rows[table];
    if (rows.size() < kDifferingMax) {
        rows.push_back(id);
    } else {
        run.result.more = true;
    }
}

// The sums of the rows in some buckets, taken from those that the journal expects.
Result<> PostgresComparison::take_sums(Run& run, std::size_t number, ExpectedSums& expected) {
    const ComparedTable& table = tables_.tables[number];
    if (expected.wanted()[number].empty()) return {};
    std::string sums;
    for (std::size_t i = 0; i < table.groups.size(); ++i) sums += ", " + digest_sql(i);
    std::string buckets;
    for (const std::size_t bucket : expected.wanted()[number]) {
        buckets += fmt::format("{}{}", buckets.empty() ? "" : ",", bucket);
    }
    const auto opened = client_->run(
        {fmt::format("DECLARE compared NO SCROLL CURSOR FOR SELECT {}{} FROM (SELECT {} FROM {} t) r WHERE {} = ANY "
                     "('{{{}}}')",
                     id_sql("k"), sums, groups_sql(table), table.name, kBucketSql, buckets)});
    if (!opened) return opened.error();
    for (;;) {
        const auto rows = client_->run({fmt::format("FETCH {} FROM compared", kRowsFetched)}, run.watch.stopped);
        if (!rows) return rows.error();
        for (int row = 0; row < rows->rows(); ++row) {
            std::array<std::uint64_t, 2> read{};  // id, sum
            for (int i = 0; i <= static_cast<int>(table.groups.size()); ++i) {
                const auto number_there = parse_int64(rows->text(row, i));
                if (!number_there) return Error{ErrorCode::corrupt, "PostgreSQL gives no digests"};
                read[i == 0 ? 0 : 1] += static_cast<std::uint64_t>(*number_there);
            }
            if (expected.take(number, read[0], read[1])) continue;
            if (table.others_insert) {
                ++run.result.unknown;
            } else {
                note(run, number, read[0]);
            }
        }
        if (rows->rows() < kRowsFetched) break;
    }
    return client_->script("CLOSE compared");
}

// --- the journal's side

Result<> PostgresComparison::expect_digests(Run& run, BucketRange range) {
    ExpectedDigests expected(tables_, range);
    const auto done = read_rows(run, 1, run.result.through, [&](Seq) {
        expected.add(rows_);
        run.watch.progress(++run.read, run.to_read);
    });
    if (!done) return done;
    for (std::size_t table = 0; table < tables_.tables.size(); ++table) {
        for (std::size_t bucket = range.from; bucket < range.to; ++bucket) {
            ++run.result.buckets;
            if (run.found[table][bucket] == expected.buckets(table)[bucket]) continue;
            ++run.result.different;
            run.different_buckets[table][bucket] = expected.buckets(table)[bucket].rows;
        }
    }
    return {};
}

// Which rows they are, in buckets that differ. Where others insert that is all buckets, so what is kept of a row is its
// sum, of some of them at a time.
Result<> PostgresComparison::narrow(Run& run) {
    bool has_more = true;
    std::vector<std::unordered_map<std::size_t, std::size_t>> to_do = run.different_buckets;
    while (has_more) {
        WantedBuckets wanted(tables_.tables.size());
        std::size_t rows = 0;
        has_more = false;
        for (std::size_t table = 0; table < wanted.size(); ++table) {
            for (auto each = to_do[table].begin(); each != to_do[table].end();) {
                if (has_more = rows > options_.rows_at_once / 2; has_more) break;
                rows += each->second + 1;
                wanted[table].insert(each->first);
                each = to_do[table].erase(each);
            }
        }
        ExpectedSums sums(tables_, std::move(wanted));
        if (auto done = read_rows(run, 1, run.result.through, [&](Seq) { sums.add(rows_); }); !done) return done;
        // What nobody expects comes first: it may be in the way of what is missing.
        for (std::size_t table = 0; table < tables_.tables.size(); ++table) {
            if (auto done = take_sums(run, table, sums); !done) return done;
            for (const std::uint64_t id : sums.left(table)) note(run, table, id);
        }
    }
    return {};
}

// Into rows_, frame by frame.
Result<> PostgresComparison::read_rows(const Run& run, Seq from, Seq through, const std::function<void(Seq)>& each) {
    if (from > through) return {};
    return options_.read(from, through, [&](const DecodedFrame& frame) -> Result<> {
        if (run.watch.stopped()) return Error{ErrorCode::unavailable, "stopping: it was told to end"};
        rows_.clear();
        if (auto made = options_.rows_of(frame, rows_); !made) return made;
        each(frame.seq());
        return {};
    });
}

Result<> PostgresComparison::compare(Run& run) {
    const auto through = snapshot(run);
    if (!through) return through.error();
    run.result.through = *through;
    std::uint64_t changing = 0;
    for (const ComparedTable& table : tables_.tables) {
        auto buckets = digests(run, table);
        if (!buckets) return buckets.error();
        for (const ExpectedDigests::Bucket& bucket : *buckets) {
            run.result.rows += bucket.rows;
            if (table.changes()) changing += bucket.rows;
        }
        run.found.push_back(std::move(*buckets));
    }
    const std::size_t parts = std::min<std::size_t>(kBuckets, 1 + changing / options_.rows_at_once);
    run.to_read = parts * run.result.through;
    for (std::size_t part = 0; part < parts; ++part) {
        const BucketRange range{kBuckets * part / parts, kBuckets * (part + 1) / parts};
        if (auto done = expect_digests(run, range); !done) return done;
    }
    if (run.result.different == 0) return {};
    if (auto done = narrow(run); !done) return done;
    // Rows that only seem to differ are passed by: what was looked up, and was not there by then.
    bool has_more = next_ids(run);
    while (has_more && run.result.drift == 0) {
        if (auto done = look_into(run); !done) return done;
        has_more = next_ids(run);
    }
    run.result.more |= has_more;
    return {};
}

// The next of the rows that differ, of each table as many as are looked into at once. False: there are none.
bool PostgresComparison::next_ids(Run& run) const {
    run.ids.assign(tables_.tables.size(), {});
    bool has_any = false;
    for (std::size_t i = 0; i < run.ids.size(); ++i) {
        auto& from = run.different_rows[i];
        const auto count = static_cast<std::ptrdiff_t>(std::min(from.size(), options_.looked_into_max));
        run.ids[i].insert(from.begin(), from.begin() + count);
        from.erase(from.begin(), from.begin() + count);
        has_any |= count != 0;
    }
    return has_any;
}

Result<> PostgresComparison::look_into(Run& run) {
    ExpectedRows expected(tables_, run.ids);
    const auto done = read_rows(run, 1, run.result.through, [&](Seq seq) { expected.add(rows_, seq); });
    if (!done) return done;
    const auto found = rows_of_ids(run);
    if (!found) return found.error();
    differences(expected, *found, run.result);
    return run.mends && run.result.drift != 0 ? mend(run, expected, *found) : Result<>();
}

Result<Comparison> PostgresComparison::compare_once(bool mend_it, const CompareWatch& watch) {
    if (auto done = connect(); !done) return done.error();
    if (auto done = read_types(); !done) return done.error();
    Run run{.watch = watch, .mends = mend_it};
    run.different_buckets.resize(tables_.tables.size());
    run.different_rows.resize(tables_.tables.size());
    const auto done = compare(run);
    client_->rollback();
    if (!client_->is_idle()) client_.reset();
    if (done) return run.result;
    if (done.error().code == ErrorCode::not_found) {
        return Error{ErrorCode::unavailable,
                     fmt::format("{}: cannot be compared: the journal has dropped frames that its rows are made of",
                                 client_ == nullptr ? options_.name : client_->place())};
    }
    return done.error();
}

// So many rows are rewritten at a time, until none is left that differs.
Result<Comparison> PostgresComparison::compare(bool mend_it, const CompareWatch& watch) {
    auto found = compare_once(mend_it, watch);
    while (mend_it && found && found->more && found->mended != 0) {
        auto rest = compare_once(mend_it, watch);
        if (!rest) return rest;
        Comparison before = std::exchange(*found, std::move(*rest));
        found->drift += before.drift;
        found->mended += before.mended;
        std::ranges::move(found->drifts, std::back_inserter(before.drifts));
        found->drifts = std::move(before.drifts);
        found->drifts.resize(std::min(found->drifts.size(), Comparison::kDriftsMax));
    }
    return found;
}

}  // namespace nostro
