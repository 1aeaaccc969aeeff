#include "nostro/cli/replay_rows.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "nostro/base/hex.hpp"
#include "nostro/base/json_text.hpp"
#include "nostro/base/sha256.hpp"
#include "nostro/base/text.hpp"

namespace nostro::cli {
namespace {

void append_payment(std::string& to, const paysim::Row& row, std::string_view key, Currency currency) {
    const paysim::Sides sides = paysim::sides_of(row, currency);
    JsonWriter json(to);
    json.begin_object();
    json.field("idempotency_key", key);
    json.field("debtor_account", sides.debtor).field("creditor_account", sides.creditor);
    json.field("amount", Money(row.amount_minor, currency).decimal()).field("currency", currency.code());
    json.field("type", paysim::name(row.type)).field("reference", fmt::format("step {}", row.step));
    json.key("opening_balances").begin_object();
    if (!sides.debtor.starts_with("house:")) {
        json.field("debtor", Money(sides.debtor_opening_minor, currency).decimal());
    }
    json.field("creditor", Money(sides.creditor_opening_minor, currency).decimal());
    json.end_object().end_object();
    to += '\n';
}

bool is_of_paysim_alone(std::string_view column) { return equal_ignoring_case(column, "nameOrig"); }

}  // namespace

Result<ReplayLayout> ReplayLayout::from_header(std::span<const std::string_view> header, const ColumnWishes& wishes) {
    const bool nothing_wished = wishes.maps.empty() && wishes.sets.empty();
    if (nothing_wished && std::ranges::any_of(header, is_of_paysim_alone)) {
        const auto layout = paysim::Layout::from_header(header);
        if (!layout) return layout.error();
        const auto currency = Currency::parse(wishes.currency);
        if (!currency) return currency.error();
        return ReplayLayout(Paysim{*layout, *currency});
    }
    auto columns = PaymentColumns::from_header(header, wishes);
    if (!columns) return columns.error();
    return ReplayLayout(std::move(*columns));
}

Result<bool> ReplayLayout::append(std::string& to, std::span<const std::string_view> cells, std::string_view key,
                                  ReplayRow& row, ReplayReport& report) const {
    if (const auto* columns = std::get_if<PaymentColumns>(&layout_)) {
        if (auto done = columns->append(to, cells, key); !done) return done.error();
        return true;
    }
    const auto& [layout, currency] = std::get<Paysim>(layout_);
    const auto read = layout.parse(cells, currency);
    if (!read) return read.error();
    row.adds_up = report.audit.add(*read) == paysim::Mismatch::none;
    if (read->amount_minor == 0) {
        ++report.zero_amounts;
        return false;
    }
    row.is_fraud = read->is_fraud;
    report.fraud += read->is_fraud ? 1 : 0;
    append_payment(to, *read, key, currency);
    return true;
}

std::string ReplayLayout::origin(std::string_view pointer, std::string_view row) const {
    const auto* columns = std::get_if<PaymentColumns>(&layout_);
    CsvReader reader(row);
    if (columns == nullptr || !reader.next()) return {};
    return columns->origin(pointer, reader.fields());
}

ReplayRows::ReplayRows(std::string_view text, std::string file)
    : reader_(text), file_(std::move(file)), file_hash_(to_hex(sha256(text)).substr(0, 24)) {}

Result<> ReplayRows::read_header(const ColumnWishes& wishes) {
    const auto fail = [&](const std::string& what) {
        return Error{ErrorCode::invalid, fmt::format("{}: {}", file_, what)};
    };
    const auto any = reader_.next();
    if (!any) return fail("header: " + any.error().what);
    if (!*any) return fail("has no header; the first line names the columns");
    auto layout = ReplayLayout::from_header(reader_.fields(), wishes);
    if (!layout) return fail(layout.error().what);
    layout_ = std::move(*layout);
    return {};
}

bool ReplayRows::next(std::string& to, ReplayRow& row, ReplayReport& report) {
    for (;;) {
        row = {};
        auto read = reader_.next();
        if (read && !*read) return false;
        row.number = ++report.rows;
        row.text = reader_.row();
        const std::string key = fmt::format("{}-{}", file_hash_, row.number);
        if (read) read = layout_->append(to, reader_.fields(), key, row, report);
        if (read && *read) return true;
        if (!read) {
            ++report.unreadable;
            if (report.unreadable_first.size() < ReplayReport::kShownMax) {
                report.unreadable_first.push_back(describe(row, {}, read.error().what));
            }
        }
    }
}

std::string ReplayRows::describe(const ReplayRow& row, std::string_view pointer, std::string_view detail) const {
    const std::string origin = layout_->origin(pointer, row.text);
    return fmt::format("{}: row {}: {}{}{}", file_, row.number, origin, origin.empty() ? "" : ": ", detail);
}

}  // namespace nostro::cli
