#include "nostro/adapters/postgres/compared_tables.hpp"

#include <algorithm>
#include <utility>

#include "nostro/base/sha256.hpp"
#include "nostro/base/text.hpp"

namespace nostro {
namespace {

using Write = PostgresTable::Write;
constexpr std::size_t kDecimals = 4;  // no currency has more
constexpr std::size_t kTimeDigits = 6;

std::int64_t first_eight(const Digest& digest) {
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < 8; ++i) value = value << 8 | digest[i];
    return static_cast<std::int64_t>(value);
}

std::int64_t digest_with(const Digest& key, std::string_view values) {
    Sha256 hash;
    hash.update(std::as_bytes(std::span(key)));
    hash.update(values);
    return first_eight(hash.finish());
}

bool is_digits(std::string_view text) { return text.find_first_not_of("0123456789") == text.npos; }

std::string comparable_number(std::string_view text) {
    const bool is_negative = text.starts_with('-');
    auto [whole, fraction] = split_once(text.substr(is_negative ? 1 : 0), '.');
    if (whole.empty() || !is_digits(whole) || !is_digits(fraction)) return std::string(text);
    while (fraction.ends_with('0')) fraction.remove_suffix(1);
    if (fraction.size() > kDecimals) return std::string(text);
    std::string digits = std::string(whole) + std::string(fraction) + std::string(kDecimals - fraction.size(), '0');
    digits.erase(0, std::min(digits.find_first_not_of('0'), digits.size() - 1));
    return is_negative && digits != "0" ? "-" + digits : digits;
}

std::string comparable_time(std::string_view text) {
    constexpr std::size_t kToSeconds = 19;
    if (text.size() < kToSeconds) return std::string(text);
    std::string made(text.substr(0, kToSeconds));
    made[10] = 'T';
    std::string_view rest = text.substr(kToSeconds);
    if (rest.starts_with('.')) rest.remove_prefix(1);
    std::string fraction(rest.substr(0, std::min(rest.find_first_not_of("0123456789"), rest.size())));
    fraction.resize(kTimeDigits, '0');
    return made + "." + fraction;
}

// A field in COPY's text format.
ColumnText unescaped(std::string_view field) {
    if (field == "\\N") return std::nullopt;
    std::string text;
    text.reserve(field.size());
    for (std::size_t i = 0; i < field.size(); ++i) {
        if (field[i] != '\\' || i + 1 == field.size()) {
            text += field[i];
            continue;
        }
        const char c = field[++i];
        text += c == 't' ? '\t' : c == 'n' ? '\n' : c == 'r' ? '\r' : c;
    }
    return text;
}

}  // namespace

// --- tables

bool ComparedTable::changes() const { return std::ranges::any_of(groups, &Group::changes); }

ComparedTables::ComparedTables(const std::vector<PostgresTable>& written) {
    std::vector<std::vector<std::uint64_t>> writers;  // of each column, a bit a write
    std::vector<std::vector<bool>> fixed;
    for (std::size_t number = 0; number < written.size(); ++number) {
        const PostgresTable& from = written[number];
        ComparedWrite& write = writes.emplace_back();
        write.write = from.write;
        const auto known = std::ranges::find(tables, from.name, &ComparedTable::name);
        write.table = static_cast<std::size_t>(known - tables.begin());
        if (known == tables.end()) {
            tables.emplace_back().name = from.name;
            tables.back().keys = from.keys;
            writers.emplace_back();
            fixed.emplace_back();
        }
        ComparedTable& table = tables[write.table];
        table.others_insert |= from.others_insert;
        if (!from.balance.empty()) table.balance = from.balance, table.account = from.account;
        for (const PostgresColumn& column : from.columns) {
            auto found = std::ranges::find(table.columns, column.name, &ComparedTable::Column::name);
            const auto at = static_cast<std::size_t>(found - table.columns.begin());
            if (found == table.columns.end()) {
                table.columns.push_back({column.name});
                writers[write.table].push_back(0);
                fixed[write.table].push_back(true);
            }
            write.columns.push_back(at);
            write.lookups.push_back(column.lookup);
            writers[write.table][at] |= std::uint64_t{1} << number;
            if (!column.fixed) fixed[write.table][at] = false;
        }
    }
    for (std::size_t number = 0; number < tables.size(); ++number) {
        ComparedTable& table = tables[number];
        table.groups.emplace_back();
        std::map<std::uint64_t, std::size_t> group_of;
        for (std::size_t i = table.keys; i < table.columns.size(); ++i) {
            const std::uint64_t who = writers[number][i];
            const bool once =
                (who & (who - 1)) == 0 && writes[static_cast<std::size_t>(__builtin_ctzll(who))].write == Write::once;
            if (once && !fixed[number][i]) continue;  // names that were known when it was written
            const auto [found, is_new] = group_of.try_emplace(who, table.groups.size());
            if (is_new) table.groups.push_back({{}, !once});
            table.groups[found->second].columns.push_back(i);
        }
        for (const auto& [who, group] : group_of) {
            for (std::size_t w = 0; w < writes.size(); ++w) {
                if ((who >> w & 1) != 0) writes[w].groups.push_back(group);
            }
        }
    }
}

// --- values

std::string comparable(ComparedTable::Kind kind, std::string_view text) {
    switch (kind) {
        case ComparedTable::Kind::number: return comparable_number(text);
        case ComparedTable::Kind::time: return comparable_time(text);
        case ComparedTable::Kind::uuid: {
            std::string digits = to_lower(text);
            std::erase(digits, '-');
            return digits;
        }
        case ComparedTable::Kind::text: break;
    }
    return std::string(text);
}

void append_value(std::string& to, const ColumnText& value, ComparedTable::Kind kind) {
    if (!value) {
        to += 'N';
        return;
    }
    const std::string text = comparable(kind, *value);
    to += std::to_string(text.size());
    to += ':';
    to += text;
}

std::size_t bucket_of(const Digest& key) { return std::size_t{key[0]} << 2 | key[1] >> 6; }

std::uint64_t id_of(const Digest& key) {
    std::uint64_t value = 0;
    for (std::size_t i = 8; i < 16; ++i) value = value << 8 | key[i];
    return value;
}

// --- rows that frames bring

BroughtRows::BroughtRows(const ComparedTables& tables) : tables_(tables), lookups_(tables.writes.size()) {
    for (std::size_t number = 0; number < tables.writes.size(); ++number) {
        for (const auto& lookup : tables.writes[number].lookups) {
            auto& which = lookups_[number].emplace_back();
            if (!lookup) continue;
            const auto same = [&](const LookedUp& each) {
                return each.write == lookup->table && each.column == lookup->column;
            };
            const auto known = std::ranges::find_if(looked_up_, same);
            which = static_cast<std::size_t>(known - looked_up_.begin());
            if (known == looked_up_.end()) looked_up_.push_back({lookup->table, lookup->column, {}});
        }
    }
}

void BroughtRows::each(PostgresRows& rows, const std::function<void(const BroughtRow&)>& told) {
    for (std::size_t number = 0; number < tables_.writes.size(); ++number) {
        if (rows.empty(number)) continue;
        for (std::string_view lines = rows.lines(number); !lines.empty();) {
            const auto end = lines.find('\n');
            const bool is_one = read(lines.substr(0, end), number);
            lines.remove_prefix(end + 1);
            if (!is_one) continue;
            remember(number, row_);
            told(row_);
        }
    }
}

void BroughtRows::remember(std::size_t number, const BroughtRow& row) {
    for (LookedUp& each : looked_up_) {
        if (each.write == number && row.values.front()) each.values[*row.values.front()] = row.values[each.column];
    }
}

// False: its key is of no row.
bool BroughtRows::read(std::string_view line, std::size_t number) {
    const ComparedWrite& write = tables_.writes[number];
    const ComparedTable& table = tables_.tables[write.table];
    row_.write = &write;
    row_.values.clear();
    row_.otherwise.assign(write.columns.size(), std::nullopt);
    row_.key.clear();
    for (std::size_t i = 0; i < write.columns.size(); ++i) {
        const auto end = std::min(line.find('\t'), line.size());
        ColumnText value = unescaped(line.substr(0, end));
        line.remove_prefix(std::min(end + 1, line.size()));
        if (lookups_[number][i] && value) {
            const auto& known = looked_up_[*lookups_[number][i]].values;
            const auto found = known.find(*value);
            if (found == known.end() && i < table.keys) return false;
            if (found == known.end()) row_.otherwise[i] = std::move(value);
            value = found == known.end() ? std::nullopt : found->second;
        }
        if (i < table.keys) append_value(row_.key, value, table.columns[i].kind);
        row_.values.push_back(std::move(value));
    }
    row_.digest = sha256(row_.key);
    return true;
}

// --- digests

RowDigests::RowDigests(const ComparedTables& tables, Wanted wanted)
    : tables_(tables), wanted_(std::move(wanted)), reader_(tables), known_(tables.tables.size()) {
    for (std::size_t i = 0; i < known_.size(); ++i) {
        const auto& groups = tables.tables[i].groups;
        for (std::size_t group = 0; group < groups.size(); ++group) {
            if (groups[group].changes) known_[i].changing.push_back(group);
        }
    }
}

void RowDigests::each(PostgresRows& rows, const Told& told) {
    reader_.each(rows, [&](const BroughtRow& row) {
        const std::size_t table = row.write->table;
        if (!wanted_(table, bucket_of(row.digest))) return;
        if (!known_[table].changing.empty()) return change(row, known_[table], told);
        const auto& groups = tables_.tables[table].groups;
        told(row, 0, digest_of(row, groups[0]));
        for (const std::size_t group : row.write->groups) told(row, group, digest_of(row, groups[group]));
    });
}

std::int64_t RowDigests::digest_of(const BroughtRow& row, const ComparedTable::Group& group) {
    const ComparedTable& table = tables_.tables[row.write->table];
    text_.clear();
    for (const std::size_t column : group.columns) {
        const auto at = std::ranges::find(row.write->columns, column) - row.write->columns.begin();
        append_value(text_, row.values[static_cast<std::size_t>(at)], table.columns[column].kind);
    }
    return digest_with(row.digest, text_);
}

std::int64_t RowDigests::digest_of_nulls(const Digest& key, const ComparedTable::Group& group) {
    text_.assign(group.columns.size(), 'N');
    return digest_with(key, text_);
}

void RowDigests::change(const BroughtRow& row, Known& known, const Told& told) {
    const auto& groups = tables_.tables[row.write->table].groups;
    auto one = known.rows.find(id_of(row.digest));
    if (one == known.rows.end()) {
        if (row.write->write == Write::change) return;  // of a row that is not there
        one = known.rows.emplace(id_of(row.digest), static_cast<std::uint32_t>(known.given.size())).first;
        told(row, 0, digest_of(row, groups[0]));
        for (const std::size_t group : known.changing) {
            known.given.push_back(digest_of_nulls(row.digest, groups[group]));
            told(row, group, known.given.back());
        }
    }
    for (const std::size_t group : row.write->groups) {
        __int128 more = digest_of(row, groups[group]);
        if (groups[group].changes) {
            const auto at = std::ranges::find(known.changing, group) - known.changing.begin();
            std::int64_t& given = known.given[one->second + static_cast<std::size_t>(at)];
            more -= std::exchange(given, static_cast<std::int64_t>(more));
        }
        told(row, group, more);
    }
}

ExpectedDigests::ExpectedDigests(const ComparedTables& tables, BucketRange range)
    : digests_(tables, [range](std::size_t, std::size_t bucket) { return range.has(bucket); }) {
    for (const ComparedTable& table : tables.tables) {
        buckets_.emplace_back(kBuckets, Bucket{0, std::vector<__int128>(table.groups.size())});
    }
}

void ExpectedDigests::add(PostgresRows& rows) {
    digests_.each(rows, [this](const BroughtRow& row, std::size_t group, __int128 more) {
        Bucket& bucket = buckets_[row.write->table][bucket_of(row.digest)];
        if (group == 0) ++bucket.rows;
        bucket.sums[group] += more;
    });
}

// --- rows that differ

ExpectedSums::ExpectedSums(const ComparedTables& tables, WantedBuckets wanted)
    : wanted_(std::move(wanted)),
      digests_(tables, [this](std::size_t table, std::size_t bucket) { return wanted_[table].contains(bucket); }),
      sums_(tables.tables.size()) {}

void ExpectedSums::add(PostgresRows& rows) {
    digests_.each(rows, [this](const BroughtRow& row, std::size_t group, __int128 more) {
        Sum& sum = sums_[row.write->table][id_of(row.digest)];
        if (group == 0) ++sum.rows;
        sum.sum += static_cast<std::uint64_t>(more);
    });
}

bool ExpectedSums::take(std::size_t table, std::uint64_t id, std::uint64_t sum) {
    const auto known = sums_[table].find(id);
    if (known == sums_[table].end()) return false;
    --known->second.rows;
    known->second.sum -= sum;
    return true;
}

std::vector<std::uint64_t> ExpectedSums::left(std::size_t table) const {
    std::vector<std::uint64_t> ids;
    for (const auto& [id, sum] : sums_[table]) {
        if (sum.rows != 0 || sum.sum != 0) ids.push_back(id);
    }
    return ids;
}

// --- whole rows

ExpectedRows::ExpectedRows(const ComparedTables& tables, WantedRows wanted)
    : tables_(tables), wanted_(std::move(wanted)), reader_(tables), rows_(tables.tables.size()) {}

void ExpectedRows::add(PostgresRows& rows, Seq seq) {
    reader_.each(rows, [&](const BroughtRow& row) {
        const ComparedWrite& write = *row.write;
        if (!wanted_[write.table].contains(id_of(row.digest))) return;
        auto& known = rows_[write.table];
        if (write.write == Write::change && !known.contains(row.key)) return;
        ExpectedRow& expected = known[row.key];
        const std::size_t columns = tables_.tables[write.table].columns.size();
        expected.values.resize(columns);
        expected.otherwise.resize(columns);
        for (std::size_t i = 0; i < write.columns.size(); ++i) {
            expected.values[write.columns[i]] = row.values[i];
            expected.otherwise[write.columns[i]] = row.otherwise[i];
        }
        expected.count = write.write == Write::once ? expected.count + 1 : std::max<std::size_t>(expected.count, 1);
        expected.changed = seq;
    });
}

}  // namespace nostro
