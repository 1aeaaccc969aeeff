#include "nostro/app/postgres_tables.hpp"

#include <fmt/format.h>

#include <array>

#include "nostro/adapters/postgres/capture.hpp"
#include "nostro/app/clearing_arrivals.hpp"
#include "nostro/base/log.hpp"
#include "nostro/base/text.hpp"
#include "nostro/profiles/account_names.hpp"
#include "nostro/profiles/clearing_documents.hpp"
#include "nostro/profiles/logging.hpp"
#include "nostro/profiles/tps.hpp"
#include "nostro/profiles/upi.hpp"
#include "nostro/wire/arena.hpp"
#include "nostro/wire/outcome_facts.hpp"
#include "nostro/wire/recorded.hpp"

namespace nostro {
namespace {

using Write = PostgresTable::Write;
PostgresColumn later(std::string name) { return {std::move(name), false}; }

// A payment that an outcome is about, with its first outcome; of a later one both stand in an earlier frame.
struct Told {
    DecodedPtr earlier;  // keeps alive what the others point to
    const Outcome* first = nullptr;
    Payment payment;
};

Result<Told> told_of(const DecodedFrame& frame, const Outcome& outcome, const EngineReads& reads) {
    Told told;
    if (outcome.event == Event::submitted || outcome.event == Event::record_kept) {
        told.first = &outcome;
        told.payment = asked_for(command_of(frame, outcome), outcome);
        return told;
    }
    const DecodedFrame* of = &frame;
    if (outcome.origin.seq != frame.seq()) {
        auto earlier = reads.frame(outcome.origin.seq);
        if (!earlier) return earlier.error();
        told.earlier = std::move(*earlier);
        of = told.earlier.get();
    }
    if (outcome.origin.index >= of->changes.outcomes.size()) {
        return Error{ErrorCode::corrupt,
                     fmt::format("frame {} has no outcome {}", outcome.origin.seq, outcome.origin.index)};
    }
    told.first = &of->changes.outcomes[outcome.origin.index];
    told.payment = asked_for(command_of(*of, *told.first), *told.first);
    return told;
}

// Outcomes of the tenant that are about a payment or a record, each with it.
template <class Each>
Result<> each_told(const DecodedFrame& frame, TenantNo tenant, const EngineReads& reads, const Each& each) {
    for (const Outcome& outcome : frame.changes.outcomes) {
        if (outcome.tenant != tenant) continue;
        if (!is_of_payment(outcome.event) && outcome.event != Event::record_kept) continue;
        const auto told = told_of(frame, outcome, reads);
        if (!told) return told.error();
        if (auto done = each(outcome, *told); !done) return done;
    }
    return {};
}

// What their columns cannot hold came by other ways than the original has; it is left out, and said.
void left_out(const EngineReads& reads, std::string_view profile, std::string_view what, std::string_view why) {
    if (reads.says_left_out) log_warn("row_left_out", {{"profile", profile}, {"what", what}, {"why", why}});
}

// Digits before the point that a column takes.
bool fits(std::string_view decimal, std::size_t whole, std::size_t fraction) {
    if (decimal.starts_with('-')) decimal.remove_prefix(1);
    const auto [before, after] = split_once(decimal, '.');
    const auto digits = [](std::string_view text) { return text.find_first_not_of("0123456789") == text.npos; };
    return !before.empty() && before.size() <= whole && after.size() <= fraction && digits(before) && digits(after);
}

constexpr std::size_t kWholeOf20_4 = 16, kWholeOf15_2 = 13;

// --- upi

constexpr const char* kUpi = R"(CREATE TABLE IF NOT EXISTS users (
    id TEXT PRIMARY KEY,
    name TEXT,
    balance BIGINT DEFAULT 0
) WITH (fillfactor = 50);
CREATE TABLE IF NOT EXISTS transactions (
    tx_id TEXT PRIMARY KEY,
    payer_id TEXT,
    payee_id TEXT,
    amount BIGINT,
    currency TEXT,
    status TEXT,
    reason TEXT,
    created_at TIMESTAMP DEFAULT NOW()
);
)";

ProfileTables upi_tables(TenantNo tenant, const EngineReads& reads) {
    enum : std::size_t { kUsers, kTransactions, kStates };
    ProfileTables made;
    made.schema.steps = {kUpi};
    made.tables = {{"public.users", Write::newest, {{"id"}, {"name"}, {"balance"}}},
                   {"public.transactions",
                    Write::once,
                    {{"tx_id"},
                     {"payer_id"},
                     {"payee_id"},
                     {"amount"},
                     {"currency"},
                     later("status"),
                     later("reason"),
                     {"created_at"}}},
                   {"public.transactions", Write::change, {{"tx_id"}, {"status"}, {"reason"}}}};
    made.database = "upi_db", made.role = "upi_user", made.password = "upi_pass";
    made.rows_of = [tenant, reads](const DecodedFrame& frame, PostgresRows& into) -> Result<> {
        const auto user = [&](std::string_view id, std::int64_t balance) {
            into.put(kUsers, id, [&](PostgresRow& row) { row.text(id).text(id).number(balance); });
        };
        constexpr std::int64_t kPaisa = 100;
        for (const Outcome& outcome : frame.changes.outcomes) {
            if (outcome.tenant != tenant || outcome.event != Event::account_opened) continue;
            const auto id = id_of_account(opened_name(frame, outcome), "user:", "");
            if (id) user(*id, outcome.debtor_after / kPaisa);
        }
        return each_told(frame, tenant, reads, [&](const Outcome& outcome, const Told& told) -> Result<> {
            const PolicyPtr policy = reads.policy(tenant, outcome.why.version);
            if (policy == nullptr) return Error{ErrorCode::unavailable, "the policy of upi is not there yet"};
            for (const upi::Balance& each : upi::balances_of(outcome, told.payment)) user(each.user_id, each.balance);
            const upi::Transaction made_of = upi::transaction_of(outcome, told.payment, *policy);
            if (made_of.tx_id.empty()) return {};
            if (told.first != &outcome) {
                into.put(kStates, made_of.tx_id,
                         [&](PostgresRow& row) { row.text(made_of.tx_id).text(made_of.status).text(made_of.reason); });
                return {};
            }
            into.add(kTransactions, [&](PostgresRow& row) {
                row.text(made_of.tx_id).text(made_of.payer_id).text(made_of.payee_id).number(made_of.amount);
                row.text(made_of.currency).text(made_of.status).text(made_of.reason).time(made_of.created_at);
            });
            return {};
        });
    };
    return made;
}

// --- tps

constexpr const char* kTps = R"(CREATE TABLE IF NOT EXISTS transactions (
    id SERIAL PRIMARY KEY,
    user_id VARCHAR,
    amount NUMERIC(20, 4),
    currency VARCHAR,
    status VARCHAR DEFAULT 'pending',
    created_at TIMESTAMP
);
CREATE INDEX IF NOT EXISTS ix_transactions_id ON transactions (id);
CREATE INDEX IF NOT EXISTS ix_transactions_user_id ON transactions (user_id);
)";

ProfileTables tps_tables(TenantNo tenant, const ProfileSetup& setup, const EngineReads& reads) {
    enum : std::size_t { kTransactions, kStates };
    constexpr std::size_t kAmount = 2;
    ProfileTables made;
    made.schema.steps = {kTps};
    made.tables = {{"public.transactions",
                    Write::once,
                    {{"id"}, {"user_id"}, {"amount"}, {"currency"}, later("status"), {"created_at"}}},
                   {"public.transactions", Write::change, {{"id"}, {"status"}}}};
    made.database = "tps", made.role = "user", made.password = "password";
    made.rows_of = [tenant, words = tps::words_of(setup), reads](const DecodedFrame& frame,
                                                                 PostgresRows& into) -> Result<> {
        return each_told(frame, tenant, reads, [&](const Outcome& outcome, const Told& told) -> Result<> {
            if (outcome.event == Event::record_kept) return {};
            auto transaction = tps::transaction_of(outcome, told.payment, words);
            if (!transaction) return {};
            transaction->id = told.first->number;
            const std::vector<std::string> columns = tps::row_of(*transaction);
            if (!fits(columns[kAmount], kWholeOf20_4, 4)) {
                left_out(reads, "tps", columns.front(), "its amount does not fit into numeric(20,4)");
            } else if (told.first != &outcome) {
                into.put(kStates, columns.front(),
                         [&](PostgresRow& row) { row.text(columns.front()).text(transaction->status); });
            } else {
                into.add(kTransactions, [&](PostgresRow& row) {
                    for (const std::string& column : columns) row.text(column);
                });
            }
            return {};
        });
    };
    return made;
}

// --- logging

constexpr const char* kLogging = R"(CREATE TABLE IF NOT EXISTS transactions (
    id SERIAL PRIMARY KEY,
    sender VARCHAR,
    receiver VARCHAR,
    amount NUMERIC(20, 4),
    status VARCHAR,
    currency VARCHAR,
    payment_id UUID,
    created_at TIMESTAMP
);
CREATE INDEX IF NOT EXISTS ix_transactions_id ON transactions (id);
)";

ProfileTables logging_tables(TenantNo tenant, const EngineReads& reads) {
    enum : std::size_t { kTransactions, kStates };
    ProfileTables made;
    made.schema.steps = {kLogging};
    made.tables = {
        {"public.transactions",
         Write::once,
         {{"id"}, {"sender"}, {"receiver"}, {"amount"}, later("status"), {"currency"}, {"payment_id"}, {"created_at"}}},
        {"public.transactions", Write::change, {{"id"}, {"status"}}}};
    made.database = "financedb", made.role = "user", made.password = "password";
    made.rows_of = [tenant, reads](const DecodedFrame& frame, PostgresRows& into) -> Result<> {
        return each_told(frame, tenant, reads, [&](const Outcome& outcome, const Told& told) -> Result<> {
            // Of a later outcome the row is the first one's, with what became of it.
            Outcome standing = *told.first;
            standing.status = outcome.status;
            const auto found = logging::row_of(standing, told.payment);
            if (!found) return {};
            if (!fits(found->amount.decimal(), kWholeOf20_4, 4)) {
                left_out(reads, "logging", std::to_string(found->id), "its amount does not fit into numeric(20,4)");
                return {};
            }
            if (told.first != &outcome) {
                into.put(kStates, std::to_string(found->id),
                         [&](PostgresRow& row) { row.number(found->id).text(found->status); });
                return {};
            }
            into.add(kTransactions, [&](PostgresRow& row) {
                row.number(found->id).text(found->sender).text(found->receiver).plain(found->amount.decimal());
                row.text(found->status)
                    .plain(found->amount.currency().code())
                    .id(found->payment)
                    .time(found->created_at);
            });
            return {};
        });
    };
    return made;
}

// --- clearing

constexpr const char* kClearing = R"(CREATE TABLE IF NOT EXISTS customers (
    id SERIAL PRIMARY KEY,
    customer_id VARCHAR(50) UNIQUE NOT NULL,
    name VARCHAR(100) NOT NULL,
    email VARCHAR(100),
    risk_level VARCHAR(20) DEFAULT 'LOW',
    created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP
);
CREATE TABLE IF NOT EXISTS accounts (
    id SERIAL PRIMARY KEY,
    account_number VARCHAR(50) UNIQUE NOT NULL,
    customer_id VARCHAR(50) REFERENCES customers (customer_id),
    account_type VARCHAR(20) NOT NULL,
    balance DECIMAL(15, 2) DEFAULT 0.00,
    status VARCHAR(20) DEFAULT 'ACTIVE',
    created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP
) WITH (fillfactor = 50);
CREATE TABLE IF NOT EXISTS transactions (
    id SERIAL PRIMARY KEY,
    transaction_id VARCHAR(50) UNIQUE NOT NULL,
    amount DECIMAL(15, 2) NOT NULL,
    from_account VARCHAR(50) REFERENCES accounts (account_number),
    to_account VARCHAR(50) REFERENCES accounts (account_number),
    transaction_type VARCHAR(20) DEFAULT 'TRANSFER',
    description TEXT,
    created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
    status VARCHAR(40) DEFAULT 'pending'
);
ALTER TABLE transactions ALTER COLUMN status TYPE VARCHAR(40);
CREATE TABLE IF NOT EXISTS transaction_audit (
    id SERIAL PRIMARY KEY,
    transaction_id VARCHAR(50) REFERENCES transactions (transaction_id),
    old_status VARCHAR(40),
    new_status VARCHAR(40),
    changed_by VARCHAR(50),
    changed_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP
);
ALTER TABLE transaction_audit ALTER COLUMN old_status TYPE VARCHAR(40), ALTER COLUMN new_status TYPE VARCHAR(40);
CREATE INDEX IF NOT EXISTS ix_transaction_audit_transaction_id ON transaction_audit (transaction_id);
)";
// Beside them: balances come by the accounts' ids.
constexpr const char* kClearingNumbers = R"(CREATE TABLE nostro.account_numbers (
    account_id VARCHAR(32) PRIMARY KEY,
    account_number VARCHAR(50) NOT NULL
);
)";

constexpr std::size_t kNumberMax = 50, kNameMax = 100, kTypeMax = 20;

// The first `max` characters.
std::string_view cut(std::string_view text, std::size_t max) {
    std::size_t bytes = 0;
    for (std::size_t count = 0; count < max && bytes < text.size(); ++count) {
        bytes += std::max<std::size_t>(1, utf8_sequence_length(text.substr(bytes)));
    }
    return text.substr(0, bytes);
}

class ClearingRows {
public:
    enum : std::size_t { kNumbers, kOwners, kCustomers, kAccounts, kBalances, kTransactions, kAudit, kTables };

    ClearingRows(const DecodedFrame& frame, TenantNo tenant, const EngineReads& reads, PostgresRows& into)
        : frame_(frame), tenant_(tenant), reads_(reads), into_(into) {}

    Result<> add() {
        for (const Outcome& outcome : frame_.changes.outcomes) {
            if (outcome.tenant == tenant_ && outcome.event == Event::account_opened) open_account(outcome);
        }
        for (const AccountImage& image : frame_.changes.accounts) {
            if (image.tenant == tenant_ && image.kind != AccountKind::house) change_balance(image);
        }
        return each_told(frame_, tenant_, reads_, [&](const Outcome& outcome, const Told& told) -> Result<> {
            add_step(outcome, told);
            return {};
        });
    }

private:
    void open_account(const Outcome& outcome) {
        AccountRecord account;
        account.name = opened_name(frame_, outcome);
        for (const AccountImage& image : frame_.changes.accounts) {
            if (image.id == outcome.debtor) account.image = image;
        }
        const Command* command = command_of(frame_, outcome);
        if (const auto* open = command == nullptr ? nullptr : std::get_if<OpenAccount>(&command->body)) {
            account.holder = open->holder;
            account.metadata = open->metadata;
        }
        const auto row_of = clearing::account_row(account);
        if (!row_of || !fits_account(row_of->account_number, row_of->balance)) return;
        into_.add(kNumbers, [&](PostgresRow& row) { row.id(account.image.id).text(row_of->account_number); });
        const auto owner = clearing::customer_row(account);
        const bool has_owner = owner && utf8_length(owner->customer_id) <= kNumberMax;
        if (has_owner) {
            into_.put(kOwners, owner->customer_id, [&](PostgresRow& row) {
                row.text(owner->customer_id).text(cut(owner->name, kNameMax)).text(owner->risk_level);
            });
        }
        into_.put(kAccounts, row_of->account_number, [&](PostgresRow& row) {
            row.text(row_of->account_number).text_or_null(has_owner ? owner->customer_id : "");
            row.text(cut(row_of->account_type, kTypeMax)).plain(row_of->balance).text(row_of->status);
            row.time(row_of->created_at);
        });
    }

    void change_balance(const AccountImage& image) {
        AccountRecord account;
        account.image = image;
        const auto row_of = clearing::account_row(account);
        if (!row_of || !fits_account("", row_of->balance)) return;
        const std::string id = to_hex(image.id);
        into_.put(kBalances, id, [&](PostgresRow& row) { row.plain(id).plain(row_of->balance).text(row_of->status); });
    }

    bool fits_account(std::string_view number, std::string_view balance) {
        const bool fine = utf8_length(number) <= kNumberMax && fits(balance, kWholeOf15_2, 2);
        if (!fine) left_out(reads_, "clearing", number, "an account's number or balance does not fit into its column");
        return fine;
    }

    void add_step(const Outcome& outcome, const Told& told) {
        if (outcome.event == Event::record_kept) {
            if (const auto customer = clearing::customer_row(told.payment)) return add_customer(*customer);
        }
        clearing::Step step{.payment = &told.payment, .first = told.first, .outcome = &outcome, .at = frame_.time()};
        const Command* command = command_of(frame_, outcome);
        if (const auto* review = command == nullptr ? nullptr : std::get_if<DecideReview>(&command->body)) {
            step.by = review->by;
            step.note = review->note;
        }
        const clearing::TransactionRow made = clearing::transaction_row(step);
        const std::string id =
            utf8_length(made.transaction_id) <= kNumberMax ? made.transaction_id : to_hex(told.first->payment);
        if (!fits(made.amount, kWholeOf15_2, 2)) {
            return left_out(reads_, "clearing", id, "its amount does not fit into decimal(15,2)");
        }
        into_.put(kTransactions, id, [&](PostgresRow& row) {
            row.text(id).plain(made.amount).text_or_null(cut(made.from_account, kNumberMax));
            row.text_or_null(cut(made.to_account, kNumberMax)).text(cut(made.transaction_type, kTypeMax));
            row.text_or_null(made.description).time(made.created_at).text(made.status);
        });
        for (const clearing::AuditRow& audit : clearing::audit_rows(step)) {
            into_.add(kAudit, [&](PostgresRow& row) {
                row.text(id).text(audit.old_status).text(audit.new_status).text(cut(audit.changed_by, kNumberMax));
                row.time(audit.changed_at);
            });
        }
    }

    void add_customer(const clearing::CustomerRow& customer) {
        if (utf8_length(customer.customer_id) > kNumberMax) {
            return left_out(reads_, "clearing", customer.customer_id, "its id does not fit into varchar(50)");
        }
        into_.put(kCustomers, customer.customer_id, [&](PostgresRow& row) {
            row.text(customer.customer_id)
                .text(cut(customer.name, kNameMax))
                .text_or_null(cut(customer.email, kNameMax));
            row.text(cut(customer.risk_level, kTypeMax));
        });
    }

    const DecodedFrame& frame_;
    const TenantNo tenant_;
    const EngineReads& reads_;
    PostgresRows& into_;
};

ProfileTables clearing_tables(TenantNo tenant, const EngineReads& reads) {
    using Rows = ClearingRows;
    ProfileTables made;
    made.schema.steps = {kClearing, "", clearing_triggers_sql(), ""};
    made.schema.own_steps = {kClearingNumbers, clearing_arrivals_sql(), clearing_triggers_done_sql(), captures_sql()};
    // A transaction may name an account that is not there: it is rejected, and its row says so without it.
    const auto account = [](std::string name) -> PostgresColumn {
        return {std::move(name), true, PostgresColumn::Lookup{Rows::kAccounts, 0}, Rows::kAccounts};
    };
    made.tables.resize(Rows::kTables);
    made.tables[Rows::kNumbers] = {"nostro.account_numbers", Write::once, {{"account_id"}, {"account_number"}}};
    made.tables[Rows::kOwners] = {"public.customers", Write::newest, {{"customer_id"}, {"name"}, {"risk_level"}}};
    made.tables[Rows::kCustomers] = {
        "public.customers", Write::newest, {{"customer_id"}, {"name"}, {"email"}, {"risk_level"}}};
    made.tables[Rows::kAccounts] = {"public.accounts",
                                    Write::newest,
                                    {{"account_number"},
                                     {"customer_id", true, std::nullopt, Rows::kOwners},
                                     {"account_type"},
                                     {"balance"},
                                     {"status"},
                                     {"created_at"}}};
    made.tables[Rows::kBalances] = {
        "public.accounts",
        Write::change,
        {{"account_number", true, PostgresColumn::Lookup{Rows::kNumbers, 1}}, {"balance"}, {"status"}}};
    made.tables[Rows::kTransactions] = {"public.transactions",
                                        Write::newest,
                                        {{"transaction_id"},
                                         {"amount"},
                                         account("from_account"),
                                         account("to_account"),
                                         {"transaction_type"},
                                         {"description"},
                                         {"created_at"},
                                         {"status"}}};
    made.tables[Rows::kAudit] = {"public.transaction_audit",
                                 Write::once,
                                 {{"transaction_id", true, std::nullopt, Rows::kTransactions},
                                  {"old_status"},
                                  {"new_status"},
                                  {"changed_by"},
                                  {"changed_at"}},
                                 5,
                                 false};
    made.tables[Rows::kAudit].part_of = Rows::kTransactions;
    for (const std::size_t input : {Rows::kCustomers, Rows::kAccounts, Rows::kTransactions}) {
        made.tables[input].others_insert = true;
    }
    made.tables[Rows::kBalances].balance = "balance";
    made.tables[Rows::kBalances].account = [](std::string_view number) {
        Arena arena(256);
        return account_id("clearing", clearing::account_name(number, arena));
    };
    made.database = "financial_db", made.role = "user", made.password = "pass";
    made.rows_of = [tenant, reads](const DecodedFrame& frame, PostgresRows& into) {
        return ClearingRows(frame, tenant, reads, into).add();
    };
    return made;
}

}  // namespace

std::optional<ProfileTables> profile_tables(const ProfileEntry& entry, const ProfileSetup& setup,
                                            const EngineReads& reads) {
    std::optional<ProfileTables> tables;
    if (entry.name == "upi") tables = upi_tables(entry.tenant, reads);
    if (entry.name == "tps") tables = tps_tables(entry.tenant, setup, reads);
    if (entry.name == "logging") tables = logging_tables(entry.tenant, reads);
    if (entry.name == "clearing") tables = clearing_tables(entry.tenant, reads);
    if (tables) tables->schema.name = entry.name;
    return tables;
}

}  // namespace nostro
