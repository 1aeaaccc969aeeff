// The rows of a CSV file as payments of a batch: those of a PaySim file, known by its header, or of any other by what
// its columns are.
//
// Threads: one owner.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include "nostro/base/result.hpp"
#include "nostro/cli/replay_report.hpp"
#include "nostro/domain/money.hpp"
#include "nostro/formats/csv.hpp"
#include "nostro/formats/payment_columns.hpp"
#include "nostro/formats/paysim.hpp"

namespace nostro::cli {

struct ReplayRow {
    std::uint64_t number = 0;  // from 1, without the header and blank lines
    std::string_view text;     // as it stands in the file
    bool is_fraud = false;     // its label, of a PaySim file
    bool adds_up = false;      // its balances are those of double entry, of a PaySim file
};

// What the columns of a file are.
class ReplayLayout {
public:
    // PaySim when the header has its nameOrig and nothing is wished. `invalid`: what columns are missing.
    static Result<ReplayLayout> from_header(std::span<const std::string_view> header, const ColumnWishes& wishes);

    bool is_paysim() const { return std::holds_alternative<Paysim>(layout_); }

    // Appends the row's payment and counts what the report wants to know. False: there is nothing to move in it.
    Result<bool> append(std::string& to, std::span<const std::string_view> cells, std::string_view key, ReplayRow& row,
                        ReplayReport& report) const;
    // As PaymentColumns::origin.
    std::string origin(std::string_view pointer, std::string_view row) const;

private:
    struct Paysim {
        paysim::Layout layout;
        Currency currency;
    };
    explicit ReplayLayout(Paysim layout) : layout_(layout) {}
    explicit ReplayLayout(PaymentColumns columns) : layout_(std::move(columns)) {}
    std::variant<Paysim, PaymentColumns> layout_;
};

class ReplayRows {
public:
    // `text`: the whole file; its hash and a row's number make the row's key. `file`: its name, for errors.
    ReplayRows(std::string_view text, std::string file);

    // To be called first. `invalid`: as ReplayLayout::from_header.
    Result<> read_header(const ColumnWishes& wishes);
    const ReplayLayout& layout() const { return *layout_; }

    // Appends the next payment. False: the file is at its end. What makes no payment is counted and told in the report.
    bool next(std::string& to, ReplayRow& row, ReplayReport& report);

    // "FILE: row 17: column 'Betrag' holds 'x': ...", of a row that was refused.
    std::string describe(const ReplayRow& row, std::string_view pointer, std::string_view detail) const;

private:
    CsvReader reader_;
    std::string file_, file_hash_;
    std::optional<ReplayLayout> layout_;
};

}  // namespace nostro::cli
