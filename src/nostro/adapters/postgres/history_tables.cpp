#include "nostro/adapters/postgres/history_tables.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <span>
#include <utility>
#include <variant>

#include "nostro/base/hex.hpp"
#include "nostro/ports/index_hash.hpp"
#include "nostro/wire/outcome_facts.hpp"
#include "nostro/wire/recorded.hpp"

namespace nostro {
namespace {

// Statuses, kinds and states are numbers, as the journal's frames have them. Times are nanoseconds: a timestamp would
// cut them, and ends of spans with them.
constexpr const char* kFirst = R"(CREATE TABLE nostro.index_frames (
    seq bigint PRIMARY KEY,
    at_ns bigint NOT NULL
);
CREATE INDEX index_frames_time ON nostro.index_frames (at_ns, seq);
COMMENT ON TABLE nostro.index_frames IS 'The query index (index.kind = postgres): places in the journal, made from it';
CREATE TABLE nostro.index_outcomes (
    payment_id uuid NOT NULL,
    seq bigint NOT NULL,
    index integer NOT NULL,
    PRIMARY KEY (payment_id, seq, index)
);
COMMENT ON TABLE nostro.index_outcomes IS 'Outcomes of a payment, and those of its reversals';
CREATE TABLE nostro.index_payments (
    seq bigint NOT NULL,
    index integer NOT NULL,
    tenant integer NOT NULL,
    rail integer NOT NULL,
    status smallint NOT NULL,
    reference bigint,
    PRIMARY KEY (seq, index)
);
COMMENT ON COLUMN nostro.index_payments.status IS 'Where it stands now; in review is 1';
COMMENT ON COLUMN nostro.index_payments.reference IS 'A hash of it; NULL: there is none';
CREATE INDEX index_payments_status ON nostro.index_payments (tenant, rail, status, seq, index);
CREATE INDEX index_payments_review ON nostro.index_payments (tenant, seq, index) WHERE status = 1;
CREATE INDEX index_payments_reference ON nostro.index_payments (tenant, reference, seq, index)
    WHERE reference IS NOT NULL;
CREATE TABLE nostro.index_touches (
    account_id uuid NOT NULL,
    seq bigint NOT NULL,
    index integer NOT NULL,
    is_submitted boolean NOT NULL,
    is_posting boolean NOT NULL,
    is_debit boolean NOT NULL,
    PRIMARY KEY (account_id, seq, index)
);
COMMENT ON TABLE nostro.index_touches IS 'Every outcome that names the account';
CREATE TABLE nostro.index_changes (
    account_id uuid NOT NULL,
    seq bigint NOT NULL,
    index integer NOT NULL,
    PRIMARY KEY (account_id, seq, index)
);
COMMENT ON TABLE nostro.index_changes IS 'Where an account was opened and changed';
CREATE TABLE nostro.index_accounts (
    tenant integer NOT NULL,
    name bytea NOT NULL,
    account_id uuid NOT NULL,
    kind smallint NOT NULL,
    currency text NOT NULL,
    opened_seq bigint NOT NULL,
    PRIMARY KEY (tenant, name)
);
CREATE TABLE nostro.index_images (
    account_id uuid NOT NULL,
    seq bigint NOT NULL,
    balance bigint NOT NULL,
    held bigint NOT NULL,
    PRIMARY KEY (account_id, seq)
);
COMMENT ON TABLE nostro.index_images IS 'What a frame left in an account, in minor units';
CREATE TABLE nostro.index_numbers (
    tenant integer NOT NULL,
    number bigint NOT NULL,
    seq bigint NOT NULL,
    PRIMARY KEY (tenant, number)
);
COMMENT ON TABLE nostro.index_numbers IS 'The last number of a tenant in a frame';
CREATE TABLE nostro.index_rows (
    tenant integer NOT NULL,
    list bigint NOT NULL,
    "row" bytea NOT NULL,
    seq bigint NOT NULL,
    index integer NOT NULL,
    PRIMARY KEY (tenant, list, "row", seq, index)
);
COMMENT ON TABLE nostro.index_rows IS 'Rows of profiles, sorted by their text; list is a hash of its name';
CREATE TABLE nostro.index_letters (
    seq bigint NOT NULL,
    index integer NOT NULL,
    state smallint NOT NULL,
    PRIMARY KEY (seq, index)
);
COMMENT ON TABLE nostro.index_letters IS 'Dead letters: 0 open, 1 redriven, 2 discarded';
)";
static_assert(static_cast<int>(Status::in_review) == 1);

// Payments of tps (tenant 2) have a row now. Where there are some, all fills anew.
constexpr const char* kRowsOfTps = R"(DO $$ BEGIN
IF EXISTS (SELECT FROM nostro.index_payments WHERE tenant = 2) THEN
    TRUNCATE nostro.index_frames, nostro.index_outcomes, nostro.index_payments, nostro.index_touches,
        nostro.index_changes, nostro.index_accounts, nostro.index_images, nostro.index_numbers, nostro.index_rows,
        nostro.index_letters;
    DELETE FROM nostro.cursor WHERE projection = 'index';
END IF;
END $$;
)";

enum Table : std::size_t {
    kFrames,
    kOutcomes,
    kPayments,
    kStates,
    kTouches,
    kChanges,
    kAccounts,
    kImages,
    kNumbers,
    kRows,
    kLetters,
    kLetterStates,
    kTables
};

template <class Number>
std::int64_t signed_of(Number number) {
    return static_cast<std::int64_t>(number);
}

std::string key_of(Place place) { return fmt::format("{}.{}", place.seq, place.index); }

// A bytea, as COPY's text format takes it.
std::string copied_bytes(std::string_view bytes) {
    return "\\\\x" + to_hex(std::as_bytes(std::span(bytes.data(), bytes.size())));
}

struct Touch {
    bool is_submitted = false, is_posting = false, is_debit = false;
};

// One frame's rows.
class FrameRows {
public:
    FrameRows(const DecodedFrame& frame, const HistoryRows& rows, PostgresRows& into)
        : frame_(frame), rows_(rows), into_(into) {}

    void add() {
        into_.add(kFrames, [&](PostgresRow& row) {
            row.number(frame_.seq()).number(signed_of(frame_.time().time_since_epoch().count()));
        });
        const auto& outcomes = frame_.changes.outcomes;
        for (std::uint32_t i = 0; i < outcomes.size(); ++i) {
            const Outcome& outcome = outcomes[i];
            const Place place{frame_.seq(), i};
            is_of_payment(outcome.event) ? add_payment(outcome, place) : add_other(outcome, place);
            if (outcome.event != Event::submitted && outcome.event != Event::record_kept) continue;
            add_profile_rows(outcome, place);
            if (outcome.number != 0) last_numbers_[outcome.tenant] = outcome.number;
        }
        for (const auto& last : last_numbers_) {
            into_.add(kNumbers, [&](PostgresRow& row) {
                row.number(std::uint64_t{last.first}).number(last.second).number(frame_.seq());
            });
        }
        for (const AccountImage& image : frame_.changes.accounts) {
            into_.add(kImages, [&](PostgresRow& row) {
                row.id(image.id).number(frame_.seq()).number(image.balance).number(image.held);
            });
        }
    }

private:
    static PostgresRow& put(PostgresRow& row, Place place) {
        return row.number(place.seq).number(std::uint64_t{place.index});
    }

    void add_outcome_of(PaymentId payment, Place place) {
        into_.add(kOutcomes, [&](PostgresRow& row) { put(row.id(payment), place); });
    }

    void touch(AccountId account, Place place, Touch touch) {
        const auto word = [](bool is) { return is ? "true" : "false"; };
        into_.add(kTouches, [&](PostgresRow& row) {
            put(row.id(account), place).plain(word(touch.is_submitted));
            row.plain(word(touch.is_posting)).plain(word(touch.is_debit));
        });
    }

    void add_payment(const Outcome& outcome, Place place) {
        add_outcome_of(outcome.payment, place);
        if (!outcome.reverses.empty()) add_outcome_of(outcome.reverses, place);
        const bool is_submitted = outcome.event == Event::submitted, is_posting = moved_money(outcome);
        touch(outcome.debtor, place, {is_submitted, is_posting, true});
        if (outcome.creditor != outcome.debtor) touch(outcome.creditor, place, {is_submitted, is_posting, false});
        const auto status = std::uint64_t{static_cast<std::uint8_t>(outcome.status)};
        if (!is_submitted) {
            into_.put(kStates, key_of(outcome.origin),
                      [&](PostgresRow& row) { put(row, outcome.origin).number(status); });
            return;
        }
        const Payment* payment = payment_of(frame_, outcome);
        into_.add(kPayments, [&](PostgresRow& row) {
            put(row, place).number(std::uint64_t{outcome.tenant}).number(std::uint64_t{outcome.rail}).number(status);
            if (payment == nullptr || payment->reference.empty()) {
                row.null();
            } else {
                row.number(signed_of(index_hash(payment->reference)));
            }
        });
    }

    void add_other(const Outcome& outcome, Place place) {
        switch (outcome.event) {
            case Event::account_opened: add_account(outcome); [[fallthrough]];
            case Event::account_changed: {
                const bool is_funded = !outcome.creditor.empty();
                touch(outcome.debtor, place, {.is_posting = is_funded});
                if (is_funded) touch(outcome.creditor, place, {.is_posting = true, .is_debit = true});
                into_.add(kChanges, [&](PostgresRow& row) { put(row.id(outcome.debtor), place); });
                return;
            }
            case Event::balance_adjusted: {
                const bool is_taken = outcome.amount.minor() < 0;
                touch(outcome.debtor, place, {.is_posting = true, .is_debit = is_taken});
                touch(outcome.creditor, place, {.is_posting = true, .is_debit = !is_taken});
                return;
            }
            case Event::record_kept: return add_outcome_of(outcome.payment, place);
            case Event::dead_letter_kept:
                into_.add(kLetters, [&](PostgresRow& row) { put(row, place).plain("0"); });
                return;
            case Event::dead_letter_resolved: {
                const Command* command = command_of(frame_, outcome);
                const auto* resolved = command == nullptr ? nullptr : std::get_if<ResolveDeadLetter>(&command->body);
                if (resolved == nullptr) return;
                into_.put(kLetterStates, key_of(resolved->letter),
                          [&](PostgresRow& row) { put(row, resolved->letter).plain(resolved->redriven ? "1" : "2"); });
                return;
            }
            default: return;
        }
    }

    void add_account(const Outcome& outcome) {
        const auto& images = frame_.changes.accounts;
        const auto image = std::ranges::find(images, outcome.debtor, &AccountImage::id);
        if (image == images.end()) return;
        into_.add(kAccounts, [&](PostgresRow& row) {
            row.number(std::uint64_t{outcome.tenant}).plain(copied_bytes(opened_name(frame_, outcome)));
            row.id(outcome.debtor).number(std::uint64_t{static_cast<std::uint8_t>(image->kind)});
            row.plain(image->currency.code()).number(frame_.seq());
        });
    }

    void add_profile_rows(const Outcome& outcome, Place place) {
        if (!rows_) return;
        found_.clear();
        rows_(outcome.tenant, asked_for(command_of(frame_, outcome), outcome), found_);
        for (const IndexRow& each : found_) {
            const std::string text = copied_bytes(std::string_view(each.row).substr(0, kIndexRowMax));
            const std::int64_t list = signed_of(index_hash(each.group));
            // A payment that gives the same row twice has it once.
            into_.put(kRows, fmt::format("{} {} {} {}", outcome.tenant, list, text, key_of(place)),
                      [&](PostgresRow& row) {
                          put(row.number(std::uint64_t{outcome.tenant}).number(list).plain(text), place);
                      });
        }
    }

    const DecodedFrame& frame_;
    const HistoryRows& rows_;
    PostgresRows& into_;
    std::map<TenantNo, std::uint64_t> last_numbers_;
    std::vector<IndexRow> found_;
};

PostgresColumn later(std::string name) { return {std::move(name), false}; }

}  // namespace

// Whoever adds a step that changes what a frame gives empties the tables in it, and their cursor: they fill anew.
PostgresSchema history_schema() { return {.name = "index", .steps = {kFirst, kRowsOfTps}}; }

std::vector<PostgresTable> history_tables() {
    using Write = PostgresTable::Write;
    std::vector<PostgresTable> tables(kTables);
    tables[kFrames] = {"nostro.index_frames", Write::once, {{"seq"}, {"at_ns"}}};
    tables[kOutcomes] = {"nostro.index_outcomes", Write::once, {{"payment_id"}, {"seq"}, {"index"}}, 3};
    tables[kPayments] = {"nostro.index_payments",
                         Write::once,
                         {{"seq"}, {"index"}, {"tenant"}, {"rail"}, later("status"), {"reference"}},
                         2};
    tables[kStates] = {"nostro.index_payments", Write::change, {{"seq"}, {"index"}, {"status"}}, 2};
    tables[kTouches] = {"nostro.index_touches",
                        Write::once,
                        {{"account_id"}, {"seq"}, {"index"}, {"is_submitted"}, {"is_posting"}, {"is_debit"}},
                        3};
    tables[kChanges] = {"nostro.index_changes", Write::once, {{"account_id"}, {"seq"}, {"index"}}, 3};
    tables[kAccounts] = {"nostro.index_accounts",
                         Write::once,
                         {{"tenant"}, {"name"}, {"account_id"}, {"kind"}, {"currency"}, {"opened_seq"}},
                         2};
    tables[kImages] = {"nostro.index_images", Write::once, {{"account_id"}, {"seq"}, {"balance"}, {"held"}}, 2};
    tables[kNumbers] = {"nostro.index_numbers", Write::once, {{"tenant"}, {"number"}, {"seq"}}, 2};
    tables[kRows] = {"nostro.index_rows", Write::once, {{"tenant"}, {"list"}, {"row"}, {"seq"}, {"index"}}, 5};
    tables[kLetters] = {"nostro.index_letters", Write::once, {{"seq"}, {"index"}, later("state")}, 2};
    tables[kLetterStates] = {"nostro.index_letters", Write::change, {{"seq"}, {"index"}, {"state"}}, 2};
    return tables;
}

Result<> add_history_rows(const DecodedFrame& frame, const HistoryRows& rows, PostgresRows& into) {
    FrameRows(frame, rows, into).add();
    return {};
}

}  // namespace nostro
