#include "nostro/adapters/postgres/rows.hpp"

#include <charconv>

#include "nostro/base/text.hpp"
#include "nostro/base/time.hpp"

namespace nostro {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

void append_escaped(std::string& to, char c) {
    switch (c) {
        case '\\': to += "\\\\"; break;
        case '\t': to += "\\t"; break;
        case '\n': to += "\\n"; break;
        case '\r': to += "\\r"; break;
        case '\0': to += kReplacement; break;
        default: to += c;
    }
}

bool is_ordinary(std::string_view text) {
    for (const char c : text) {
        if (static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) >= 0x80 || c == '\\') return false;
    }
    return true;
}

template <class Number>
void append_number(std::string& to, Number value) {
    char digits[24];
    const auto end = std::to_chars(digits, digits + sizeof digits, value).ptr;
    to.append(digits, end);
}

}  // namespace

PostgresRow& PostgresRow::text(std::string_view value) {
    if (is_ordinary(value)) return plain(value);
    begin();
    while (!value.empty()) {
        const std::size_t length = utf8_sequence_length(value);
        if (length == 0) to_ += kReplacement;
        if (length == 1) append_escaped(to_, value.front());
        if (length > 1) to_.append(value.substr(0, length));
        value.remove_prefix(length == 0 ? 1 : length);
    }
    return *this;
}

PostgresRow& PostgresRow::text_or_null(std::string_view value) { return value.empty() ? null() : text(value); }

PostgresRow& PostgresRow::plain(std::string_view value) {
    begin();
    to_ += value;
    return *this;
}

PostgresRow& PostgresRow::number(std::int64_t value) {
    begin();
    append_number(to_, value);
    return *this;
}

PostgresRow& PostgresRow::number(std::uint64_t value) {
    begin();
    append_number(to_, value);
    return *this;
}

PostgresRow& PostgresRow::amount(std::int64_t minor, Currency currency) {
    begin();
    append_decimal(to_, minor, currency);
    return *this;
}

PostgresRow& PostgresRow::time(Instant at) {
    begin();
    append_rfc3339(to_, at);
    return *this;
}

PostgresRow& PostgresRow::time_or_null(Instant at) { return at == Instant{} ? null() : time(at); }

PostgresRow& PostgresRow::null() { return plain("\\N"); }

std::string_view PostgresRows::lines(std::size_t table) {
    Table& each = tables_[table];
    for (const auto& [key, line] : each.by_key) each.text += line;
    each.count += each.by_key.size();
    each.by_key.clear();
    return each.text;
}

void PostgresRows::clear() {
    for (Table& table : tables_) {
        table.text.clear();
        table.count = 0;
        table.by_key.clear();
    }
}

}  // namespace nostro
