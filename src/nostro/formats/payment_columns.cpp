#include "nostro/formats/payment_columns.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "nostro/base/json_text.hpp"
#include "nostro/base/spelling.hpp"
#include "nostro/base/text.hpp"

namespace nostro {
namespace {

constexpr std::array<std::string_view, 14> kFields = {"debtor_account",
                                                      "creditor_account",
                                                      "amount",
                                                      "currency",
                                                      "type",
                                                      "reference",
                                                      "description",
                                                      "rail",
                                                      "capture",
                                                      "expires_at",
                                                      "idempotency_key",
                                                      "opening_balances.debtor",
                                                      "metadata.NAME",
                                                      "opening_balances.creditor"};
constexpr std::array<std::string_view, 4> kRequired = {"debtor_account", "creditor_account", "amount", "currency"};
constexpr std::string_view kMetadata = "metadata.";
constexpr std::string_view kKey = "idempotency_key";

Error wrong(std::string what) { return {ErrorCode::invalid, std::move(what)}; }

bool is_field(std::string_view name) {
    if (name.starts_with(kMetadata)) return name.size() > kMetadata.size() && is_valid_utf8(name);
    return std::ranges::find(kFields, name) != kFields.end();
}

// Ends the sentence before the list of what there is.
std::string did_you_mean(std::string_view word, std::span<const std::string_view> known) {
    const auto nearest = nearest_word(word, known);
    return nearest ? fmt::format("; did you mean {}?", quoted(*nearest)) : std::string(".");
}

std::string list_of(std::span<const std::string_view> names) {
    constexpr std::size_t kShown = 20;
    std::string list;
    for (const std::string_view name : names.first(std::min(names.size(), kShown))) {
        list += fmt::format("{}{}", list.empty() ? "" : ", ", quoted(name));
    }
    return names.size() > kShown ? list + ", ..." : list;
}

Result<std::pair<std::string_view, std::string_view>> parted(std::string_view option, std::string_view wish,
                                                             std::string_view second) {
    const auto parts = split_once(wish, '=');
    if (wish.find('=') == std::string_view::npos || parts.first.empty()) {
        return wrong(fmt::format("{} {}: expected FIELD={}", option, quoted(wish), second));
    }
    if (!is_field(parts.first)) {
        return wrong(fmt::format("{} {}: a payment has no field {}{} It has {}", option, quoted(wish),
                                 quoted(parts.first), did_you_mean(parts.first, kFields), fmt::join(kFields, ", ")));
    }
    return parts;
}

// The column of that name. The spelling decides where two differ in case alone.
Result<std::size_t> column_of(std::span<const std::string_view> header, std::string_view name) {
    const auto is_exactly = [&](std::string_view each) { return each == name; };
    const auto is_nearly = [&](std::string_view each) { return equal_ignoring_case(each, name); };
    const auto exact = std::ranges::count_if(header, is_exactly);
    const auto near = std::ranges::count_if(header, is_nearly);
    if (exact > 1 || (exact == 0 && near > 1)) {
        return wrong(fmt::format("header: column {} stands {} times", quoted(name), std::max(exact, near)));
    }
    if (near == 0) {
        return wrong(fmt::format("header: there is no column {}{} There are {}", quoted(name),
                                 did_you_mean(name, header), list_of(header)));
    }
    const auto at = exact == 1 ? std::ranges::find_if(header, is_exactly) : std::ranges::find_if(header, is_nearly);
    return static_cast<std::size_t>(at - header.begin());
}

// "/metadata/a~1b" is the field "metadata.a/b".
std::string field_of_pointer(std::string_view pointer) {
    std::string field;
    for (std::size_t i = 1; i < pointer.size(); ++i) {
        const char next = i + 1 < pointer.size() ? pointer[i + 1] : '\0';
        if (pointer[i] == '~' && (next == '0' || next == '1')) {
            field += next == '0' ? '~' : '/';
            ++i;
        } else {
            field += pointer[i] == '/' ? '.' : pointer[i];
        }
    }
    return field;
}

}  // namespace

Result<PaymentColumns> PaymentColumns::from_header(std::span<const std::string_view> header,
                                                   const ColumnWishes& wishes) {
    PaymentColumns columns;
    columns.columns_ = header.size();
    for (const std::string& wish : wishes.maps) {
        if (auto done = columns.map(header, wish); !done) return done.error();
    }
    for (const std::string& wish : wishes.sets) {
        if (auto done = columns.set(wish); !done) return done.error();
    }
    for (const std::string_view name : header) {
        if (!is_field(name) || columns.find(name) != nullptr) continue;
        const auto column = column_of(header, name);
        if (!column) return column.error();
        if (auto done = columns.add({std::string(name), *column, std::string(name)}); !done) return done.error();
    }
    if (columns.find("currency") == nullptr && !wishes.currency.empty()) {
        if (auto done = columns.add({"currency", std::nullopt, wishes.currency}); !done) return done.error();
    }
    if (auto done = columns.require(); !done) {
        return wrong(fmt::format("{}; the columns are {}", done.error().what, list_of(header)));
    }
    std::ranges::sort(columns.sources_, {}, &Source::field);
    return columns;
}

Result<> PaymentColumns::map(std::span<const std::string_view> header, std::string_view wish) {
    const auto parts = parted("--map", wish, "COLUMN");
    if (!parts) return parts.error();
    const auto column = column_of(header, parts->second);
    if (!column) return column.error();
    return add({std::string(parts->first), *column, std::string(header[*column])});
}

Result<> PaymentColumns::set(std::string_view wish) {
    const auto parts = parted("--set", wish, "TEXT");
    if (!parts) return parts.error();
    if (parts->first == kKey && !parts->second.empty()) {
        return wrong(
            fmt::format("--set {}: each payment needs a key of its own; name its column with --map", quoted(wish)));
    }
    if (!is_valid_utf8(parts->second)) return wrong(fmt::format("--set {}: is no UTF-8", quoted(wish)));
    return add({std::string(parts->first), std::nullopt, std::string(parts->second)});
}

Result<> PaymentColumns::add(Source source) {
    if (find(source.field) != nullptr) return wrong(fmt::format("field {} is named twice", quoted(source.field)));
    sources_.push_back(std::move(source));
    return {};
}

Result<> PaymentColumns::require() const {
    std::string missing;
    for (const std::string_view field : kRequired) {
        const Source* source = find(field);
        if (source != nullptr && (source->column || !source->text.empty())) continue;
        missing += fmt::format("{}{}", missing.empty() ? "" : ", ", field);
    }
    if (missing.empty()) return {};
    return wrong(
        fmt::format("header: nothing names {} of the payments; name the column with --map FIELD=COLUMN, or "
                    "what it is in all of them with --set FIELD=TEXT",
                    missing));
}

const PaymentColumns::Source* PaymentColumns::find(std::string_view field) const {
    const auto found = std::ranges::find(sources_, field, &Source::field);
    return found == sources_.end() ? nullptr : &*found;
}

std::string_view PaymentColumns::value(const Source& source, std::span<const std::string_view> cells) const {
    if (!source.column) return source.text;
    return *source.column < cells.size() ? cells[*source.column] : std::string_view();
}

Result<> PaymentColumns::append(std::string& to, std::span<const std::string_view> cells, std::string_view key) const {
    if (cells.size() != columns_) {
        return wrong(
            fmt::format("{} columns, the header has {}; quote a text that has commas", cells.size(), columns_));
    }
    for (const Source& source : sources_) {
        if (is_valid_utf8(value(source, cells))) continue;
        return wrong(fmt::format("column {} holds {}, which is no UTF-8; save the file as UTF-8", quoted(source.text),
                                 quoted(value(source, cells))));
    }
    JsonWriter json(to);
    json.begin_object();
    const Source* own_key = find(kKey);
    if (own_key == nullptr || value(*own_key, cells).empty()) json.field(kKey, key);
    std::string_view object;  // that is open
    for (const Source& source : sources_) {
        const std::string_view text = value(source, cells);
        if (text.empty()) continue;
        const std::string_view field = source.field;
        const std::size_t dot = field.find('.');
        const std::string_view parent = dot == std::string_view::npos ? std::string_view() : field.substr(0, dot);
        if (parent != object) {
            if (!object.empty()) json.end_object();
            if (!parent.empty()) json.key(parent).begin_object();
            object = parent;
        }
        json.field(parent.empty() ? field : field.substr(dot + 1), text);
    }
    if (!object.empty()) json.end_object();
    json.end_object();
    to += '\n';
    return {};
}

std::string PaymentColumns::origin(std::string_view pointer, std::span<const std::string_view> cells) const {
    const Source* source = find(field_of_pointer(pointer));
    if (source == nullptr) return {};
    if (!source->column) return fmt::format("--set {} is {}", source->field, quoted(source->text));
    return fmt::format("column {} holds {}", quoted(source->text), quoted(value(*source, cells)));
}

}  // namespace nostro
