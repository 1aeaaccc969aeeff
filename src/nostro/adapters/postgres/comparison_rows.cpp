// Rows that differ: looked at one by one, and rewritten.
#include <fmt/format.h>

#include <algorithm>

#include "nostro/adapters/postgres/compared_sql.hpp"
#include "nostro/adapters/postgres/comparison.hpp"
#include "nostro/base/text.hpp"

namespace nostro {
namespace {

constexpr std::size_t kStatementsSent = 256;  // at once

ColumnText text_at(const PostgresAnswer& answer, int row, int column) {
    if (answer.is_null(row, column)) return std::nullopt;
    return std::string(answer.text(row, column));
}

std::string key_text(const ComparedTable& table, const std::vector<ColumnText>& values) {
    std::string text;
    for (std::size_t i = 0; i < table.keys; ++i) {
        text += fmt::format("{}{} = {}", i == 0 ? "" : ", ", table.columns[i].name, values[i].value_or("NULL"));
    }
    return text;
}

}  // namespace

void PostgresComparison::add_found(const PostgresAnswer& answer, const ComparedTable& table, FoundRows& rows) {
    for (int row = 0; row < answer.rows(); ++row) {
        std::string key;
        Found one;
        for (std::size_t i = 0; i < table.columns.size(); ++i) {
            const int at = static_cast<int>(i * 2);
            one.values.push_back(text_at(answer, row, at));
            one.comparable.push_back(text_at(answer, row, at + 1));
            if (i < table.keys) append_value(key, one.values.back(), table.columns[i].kind);
        }
        Found& known = rows[key];
        const std::size_t count = known.count + 1;
        known = std::move(one);
        known.count = count;
    }
}

// By table. The whole of each is read for it.
Result<std::vector<PostgresComparison::FoundRows>> PostgresComparison::rows_of_ids(const Run& run) const {
    std::vector<FoundRows> found(tables_.tables.size());
    for (std::size_t i = 0; i < found.size(); ++i) {
        if (run.ids[i].empty()) continue;
        const ComparedTable& table = tables_.tables[i];
        std::string ids;
        for (const std::uint64_t id : run.ids[i]) {
            ids += fmt::format("{}{}", ids.empty() ? "{" : ",", static_cast<std::int64_t>(id));
        }
        const auto answer =
            client_->run({fmt::format("SELECT {} FROM {} t JOIN unnest($1::bigint[]) w (id) ON w.id = {}",
                                      columns_sql(table), table.name, id_sql(table)),
                          {ids + "}"}},
                         run.watch.stopped);
        if (!answer) return answer.error();
        add_found(*answer, table, found[i]);
    }
    return found;
}

// As they are now, by their keys alone.
Result<std::vector<PostgresComparison::FoundRows>> PostgresComparison::rows_of_keys(
    const ExpectedRows& expected, const std::vector<FoundRows>& before) const {
    std::vector<FoundRows> found(tables_.tables.size());
    for (std::size_t i = 0; i < found.size(); ++i) {
        const ComparedTable& table = tables_.tables[i];
        std::vector<PostgresClient::Statement> statements;
        const std::string select = fmt::format("SELECT {} FROM {} t WHERE ", columns_sql(table), table.name);
        const auto ask_for = [&](const std::vector<ColumnText>& values) {
            PostgresClient::Statement& statement = statements.emplace_back();
            statement.sql = select + row_sql(statement, table, values);
        };
        for (const auto& [key, row] : expected.of(i)) ask_for(row.values);
        for (const auto& [key, row] : before[i]) {
            if (!expected.of(i).contains(key)) ask_for(row.values);
        }
        auto done = send(statements, [&](const PostgresAnswer& answer) { add_found(answer, table, found[i]); });
        if (!done) return done.error();
    }
    return found;
}

Result<> PostgresComparison::send(std::span<const PostgresClient::Statement> statements,
                                  const std::function<void(const PostgresAnswer&)>& each) const {
    while (!statements.empty()) {
        const auto some = statements.first(std::min<std::size_t>(statements.size(), kStatementsSent));
        const auto answers = client_->pipeline(some);
        if (!answers) return answers.error();
        for (const PostgresAnswer& answer : *answers) each(answer);
        statements = statements.subspan(some.size());
    }
    return {};
}

// --- both

std::vector<PostgresComparison::Difference> PostgresComparison::differences(const ExpectedRows& expected,
                                                                            const std::vector<FoundRows>& found,
                                                                            Comparison& into) const {
    std::vector<Difference> all;
    const auto add = [&](const ComparedTable& table, const ExpectedRow* should, const Found* is) {
        Difference one{table, should, is, {}};
        if (differs(one, into)) all.push_back(std::move(one));
    };
    for (std::size_t i = 0; i < found.size(); ++i) {
        const ComparedTable& table = tables_.tables[i];
        for (const auto& [key, row] : expected.of(i)) {
            const auto there = found[i].find(key);
            add(table, &row, there == found[i].end() ? nullptr : &there->second);
        }
        for (const auto& [key, row] : found[i]) {
            if (!table.others_insert && !expected.of(i).contains(key)) add(table, nullptr, &row);
        }
    }
    return all;
}

bool PostgresComparison::differs(Difference& one, Comparison& into) {
    const auto& [table, expected, found, columns] = one;
    Drift drift;
    drift.place = table.name;
    drift.key = key_text(table, expected != nullptr ? expected->values : found->values);
    if (one.wanted() != one.there()) {
        const bool is_missing = one.wanted() > one.there();
        drift.kind = is_missing ? Drift::Kind::missing : Drift::Kind::unknown;
        (is_missing ? drift.journal : drift.found) = "a row";
        into.add(std::move(drift));
        return true;
    }
    for (const ComparedTable::Group& group : table.groups) {
        for (const std::size_t i : group.columns) {
            const ColumnText& should = expected->values[i];
            const ColumnText is = should ? ColumnText(comparable(table.columns[i].kind, *should)) : should;
            if (is == found->comparable[i]) continue;
            if (expected->otherwise[i] && expected->otherwise[i] == found->values[i]) continue;
            one.columns.push_back(i);
            Drift each = drift;
            each.column = table.columns[i].name;
            each.journal = should;
            each.found = found->values[i];
            each.changed = expected->changed;
            if (each.column == table.balance && should && each.found) {
                each.account = table.account(*expected->values.front());
            }
            into.add(std::move(each));
        }
    }
    return !columns.empty();
}

// --- mending

// Rows that go do so first, the last tables before the first, since one may refer to one before; they may have in
// other columns what is unique and comes back.
Result<> PostgresComparison::rewrite(const std::vector<Difference>& all) const {
    std::vector<PostgresClient::Statement> statements;
    for (auto each = all.rbegin(); each != all.rend(); ++each) {
        if (each->there() <= each->wanted()) continue;
        PostgresClient::Statement& statement = statements.emplace_back();
        statement.sql =
            fmt::format("DELETE FROM {0} WHERE ctid IN (SELECT ctid FROM {0} t WHERE {1} LIMIT {2})", each->table.name,
                        row_sql(statement, each->table, each->found->values), each->there() - each->wanted());
    }
    for (const Difference& each : all) {
        if (each.there() > each.wanted()) continue;
        const auto& columns = each.table.columns;
        PostgresClient::Statement& statement = statements.emplace_back();
        if (each.there() == each.wanted()) {
            std::string sets;
            for (const std::size_t i : each.columns) {
                sets += fmt::format("{}{} = {}", sets.empty() ? "" : ", ", sql_name(columns[i].name),
                                    value_sql(statement, each.expected->values[i], columns[i]));
            }
            statement.sql = fmt::format("UPDATE {} t SET {} WHERE {}", each.table.name, sets,
                                        row_sql(statement, each.table, each.found->values));
            continue;
        }
        std::string names, values;
        for (std::size_t i = 0; i < columns.size(); ++i) {
            names += fmt::format("{}{}", i == 0 ? "" : ", ", sql_name(columns[i].name));
            const ColumnText& given = each.expected->values[i] ? each.expected->values[i] : each.expected->otherwise[i];
            values += fmt::format("{}{}", i == 0 ? "" : ", ", value_sql(statement, given, columns[i]));
        }
        statement.sql = fmt::format("INSERT INTO {} ({}) SELECT {} FROM generate_series(1, {})", each.table.name, names,
                                    values, each.wanted() - each.there());
    }
    return send(statements, [](const PostgresAnswer&) {});
}

// While it holds the cursor nothing is projected, and where the tables are the ledger nothing is taken; so only rows
// that differed are read again. Frames that came since the snapshot are added first.
Result<> PostgresComparison::mend(Run& run, ExpectedRows& expected, const std::vector<FoundRows>& before) {
    const std::vector<PostgresClient::Statement> statements = {
        {"COMMIT"},
        {"BEGIN"},
        {"SELECT next_seq FROM nostro.cursor WHERE projection = $1 FOR UPDATE", {options_.schema.name}}};
    const auto answers = client_->pipeline(statements);
    if (!answers) return answers.error();
    const auto next = answers->back().rows() == 0 ? Result<Seq>(Seq{1}) : parse_uint64(answers->back().text(0, 0));
    if (!next || *next <= run.result.through) {
        return Error{ErrorCode::unavailable, client_->place() + ": its cursor was set back meanwhile; try again"};
    }
    auto done = read_newest(run, *next - 1, [](const DecodedFrame&) -> Result<> { return {}; });
    if (done) {
        done = read_rows(run, run.result.through + 1, *next - 1, [&](Seq seq) { expected.add(rows_, seq); });
    }
    if (!done) return done;
    const auto found = rows_of_keys(expected, before);
    if (!found) return found.error();
    Comparison now;
    done = rewrite(differences(expected, *found, now));
    if (done) done = client_->script("COMMIT");
    if (!done) return done;
    run.result.drift = now.drift;
    run.result.mended = now.drift;
    run.result.drifts = std::move(now.drifts);
    return {};
}

}  // namespace nostro
