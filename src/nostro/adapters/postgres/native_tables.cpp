#include "nostro/adapters/postgres/native_tables.hpp"

#include <unordered_map>
#include <variant>

#include "nostro/adapters/postgres/inbox_table.hpp"
#include "nostro/base/json_text.hpp"
#include "nostro/wire/outcome_facts.hpp"
#include "nostro/wire/recorded.hpp"

namespace nostro {
namespace {

constexpr const char* kFirst = R"(CREATE TABLE nostro.accounts (
    account_id uuid PRIMARY KEY,
    tenant text NOT NULL,
    name text NOT NULL,
    currency text NOT NULL,
    kind text NOT NULL,
    opened_at timestamptz NOT NULL,
    opened_seq bigint NOT NULL,
    holder text,
    metadata json,
    status text NOT NULL DEFAULT 'active',
    risk_level text NOT NULL DEFAULT 'unrated',
    balance numeric NOT NULL DEFAULT 0,
    held numeric NOT NULL DEFAULT 0,
    floor numeric,
    version bigint NOT NULL DEFAULT 0,
    UNIQUE (tenant, name)
) WITH (fillfactor = 50);  -- balances change in place, without new entries in the indexes
COMMENT ON COLUMN nostro.accounts.floor IS 'The lowest that is available may become; NULL: nothing bounds it';
CREATE TABLE nostro.payments (
    payment_id uuid PRIMARY KEY,
    tenant text NOT NULL,
    number bigint NOT NULL,
    idempotency_key text,
    debtor text NOT NULL,
    creditor text NOT NULL,
    amount numeric NOT NULL,
    currency text NOT NULL,
    rail text,
    type text,
    reference text,
    description text,
    metadata json,
    reverses uuid,
    accepted_at timestamptz NOT NULL,
    status text NOT NULL,
    reason text,
    settled_amount numeric,
    decided_at timestamptz NOT NULL,
    expires_at timestamptz,
    UNIQUE (tenant, number)
);
CREATE TABLE nostro.outcomes (
    seq bigint NOT NULL,
    index integer NOT NULL,
    at timestamptz NOT NULL,
    tenant text NOT NULL,
    event text NOT NULL,
    payment_id uuid,
    status text,
    reason text,
    amount numeric,
    currency text,
    policy integer,
    score integer,
    advice text,
    why json,
    PRIMARY KEY (seq, index)
);
CREATE INDEX outcomes_payment ON nostro.outcomes (payment_id) WHERE event <> 'submitted';
COMMENT ON TABLE nostro.outcomes IS 'All that was decided, as it stands in the journal: frame and place in it';
CREATE TABLE nostro.entries (
    seq bigint NOT NULL,
    index integer NOT NULL,
    account_id uuid NOT NULL,
    at timestamptz NOT NULL,
    payment_id uuid,
    amount numeric NOT NULL,
    balance numeric NOT NULL,
    currency text NOT NULL,
    PRIMARY KEY (account_id, seq, index)
);
COMMENT ON COLUMN nostro.entries.amount IS 'What the account got; negative: what it gave';
COMMENT ON COLUMN nostro.entries.balance IS 'Of the account, after it';
)";

enum Table : std::size_t { kAccounts, kNumbers, kHolder, kMetadata, kPayments, kStates, kOutcomes, kEntries };

PostgresColumn later(std::string name) { return {std::move(name), false}; }

std::string key_of(AccountId id) { return to_hex(id); }
AccountId account_of_key(std::string_view key) { return account_id_from_hex(key).value_or(AccountId()); }

// One frame's rows.
class FrameRows {
public:
    FrameRows(const DecodedFrame& frame, const NativeNames& names, PostgresRows& into)
        : frame_(frame), names_(names), into_(into) {}

    void add() {
        const auto& outcomes = frame_.changes.outcomes;
        for (std::uint32_t i = 0; i < outcomes.size(); ++i) {
            const Outcome& outcome = outcomes[i];
            add_outcome(outcome, i);
            if (outcome.event == Event::account_opened) add_account(outcome);
            if (outcome.event == Event::account_changed) change_account(outcome);
            if (outcome.event == Event::submitted) {
                add_payment(outcome);
            } else if (is_of_payment(outcome.event)) {
                change_payment(outcome);
            }
            add_entries(outcome, i);
        }
        for (const AccountImage& image : frame_.changes.accounts) change_numbers(image);
    }

private:
    const std::string& tenant(TenantNo tenant) {
        if (tenant_name_.empty() || tenant != tenant_) {
            tenant_ = tenant;
            tenant_name_ = names_.tenant(tenant);
        }
        return tenant_name_;
    }
    const Policy* policy(const Outcome& outcome) {
        const PolicyVersion version = outcome.why.version;
        if (version == 0) return nullptr;
        if (policy_ == nullptr || policy_->version() != version || outcome.tenant != policy_tenant_) {
            policy_ = names_.policy(outcome.tenant, version);
            policy_tenant_ = outcome.tenant;
        }
        return policy_.get();
    }

    void add_outcome(const Outcome& outcome, std::uint32_t index) {
        const bool has_amount = outcome.amount.currency() != Currency();
        const bool is_assessed = outcome.why.version != 0;
        why_.clear();
        if (is_assessed) {
            JsonWriter json(why_);
            write_why(json, outcome.why, outcome.amount.currency(), policy(outcome));
        }
        if (const auto* adjust = adjustment(outcome))
            JsonWriter(why_).begin_object().field("note", adjust->why).end_object();
        into_.add(kOutcomes, [&](PostgresRow& row) {
            row.number(frame_.seq()).number(std::uint64_t{index}).time(frame_.time()).text(tenant(outcome.tenant));
            row.plain(name(outcome.event)).id_or_null(outcome.payment);
            is_of_payment(outcome.event) ? row.plain(name(outcome.status)) : row.null();
            outcome.reason == Reason::none ? row.null() : row.plain(name(outcome.reason));
            has_amount ? row.amount(outcome.amount.minor(), outcome.amount.currency()) : row.null();
            has_amount ? row.plain(outcome.amount.currency().code()) : row.null();
            if (!is_assessed) {
                row.null().null().null().text_or_null(why_);
                return;
            }
            row.number(std::uint64_t{outcome.why.version}).number(std::int64_t{outcome.why.score});
            row.plain(name(outcome.why.advice)).text(why_);
        });
    }

    const AdjustBalance* adjustment(const Outcome& outcome) const {
        if (outcome.event != Event::balance_adjusted) return nullptr;
        const Command* command = command_of(frame_, outcome);
        return command == nullptr ? nullptr : std::get_if<AdjustBalance>(&command->body);
    }

    void add_account(const Outcome& outcome) {
        const Command* command = command_of(frame_, outcome);
        const auto* open = command == nullptr ? nullptr : std::get_if<OpenAccount>(&command->body);
        if (open != nullptr && open->id != outcome.debtor) open = nullptr;
        const AccountImage* image = image_of(outcome.debtor);
        into_.add(kAccounts, [&](PostgresRow& row) {
            row.id(outcome.debtor).text(tenant(outcome.tenant)).text(opened_name(frame_, outcome));
            row.plain(image == nullptr ? outcome.amount.currency().code() : image->currency.code());
            row.plain(name(image == nullptr ? AccountKind::customer : image->kind));
            row.time(frame_.time()).number(frame_.seq());
            row.text_or_null(open == nullptr ? "" : open->holder);
            row.text_or_null(open == nullptr ? "" : open->metadata);
        });
    }

    const AccountImage* image_of(AccountId account) {
        if (images_.empty()) {
            for (const AccountImage& each : frame_.changes.accounts) images_.emplace(each.id, &each);
        }
        const auto found = images_.find(account);
        return found == images_.end() ? nullptr : found->second;
    }

    void change_account(const Outcome& outcome) {
        const Command* command = command_of(frame_, outcome);
        const auto* change = command == nullptr ? nullptr : std::get_if<ChangeAccount>(&command->body);
        if (change == nullptr) return;
        if (change->holder) {
            into_.put(kHolder, key_of(change->id),
                      [&](PostgresRow& row) { row.id(change->id).text_or_null(*change->holder); });
        }
        if (change->metadata) {
            into_.put(kMetadata, key_of(change->id),
                      [&](PostgresRow& row) { row.id(change->id).text_or_null(*change->metadata); });
        }
    }

    void change_numbers(const AccountImage& image) {
        into_.put(kNumbers, key_of(image.id), [&](PostgresRow& row) {
            row.id(image.id).plain(name(image.status)).plain(name(image.risk_level));
            row.amount(image.balance, image.currency).amount(image.held, image.currency);
            image.floor == kNoFloor ? row.null() : row.amount(image.floor, image.currency);
            row.number(image.version);
        });
    }

    // Status, reason, settled amount, times: what later events change.
    void write_state(PostgresRow& row, const Outcome& outcome) const {
        row.plain(name(outcome.status));
        outcome.reason == Reason::none ? row.null() : row.plain(name(outcome.reason));
        moved_money(outcome) ? row.amount(outcome.amount.minor(), outcome.amount.currency()) : row.null();
        row.time(frame_.time());
        is_open(outcome.status) ? row.time_or_null(outcome.expires_at) : row.null();
    }

    void add_payment(const Outcome& outcome) {
        const Payment* payment = payment_of(frame_, outcome);
        if (payment == nullptr) return;
        const Policy* decided = policy(outcome);
        into_.add(kPayments, [&](PostgresRow& row) {
            row.id(outcome.payment).text(tenant(outcome.tenant)).number(outcome.number).text_or_null(payment->key);
            row.text(payment->debtor_name).text(payment->creditor_name);
            // Of a reversal of all that is left nobody named the amount.
            row.amount(outcome.amount.minor(), outcome.amount.currency()).plain(outcome.amount.currency().code());
            row.text_or_null(decided == nullptr ? "" : decided->rail_name(outcome.rail));
            row.text_or_null(payment->type).text_or_null(payment->reference).text_or_null(payment->description);
            row.text_or_null(payment->metadata).id_or_null(outcome.reverses).time(outcome.accepted_at);
            write_state(row, outcome);
        });
    }

    void change_payment(const Outcome& outcome) {
        into_.put(kStates, to_hex(outcome.payment), [&](PostgresRow& row) {
            row.id(outcome.payment);
            write_state(row, outcome);
        });
    }

    void add_entry(const Outcome& outcome, std::uint32_t index, AccountId account, std::int64_t before,
                   std::int64_t after) {
        into_.add(kEntries, [&](PostgresRow& row) {
            row.id(account).number(frame_.seq()).number(std::uint64_t{index}).time(frame_.time());
            row.id_or_null(outcome.payment).amount(after - before, outcome.amount.currency());
            row.amount(after, outcome.amount.currency()).plain(outcome.amount.currency().code());
        });
    }

    void add_entries(const Outcome& outcome, std::uint32_t index) {
        const bool is_payment = is_of_payment(outcome.event) && moved_money(outcome);
        const bool is_funding = outcome.event == Event::account_opened || outcome.event == Event::balance_adjusted;
        if (!is_payment && !(is_funding && !outcome.creditor.empty())) return;
        add_entry(outcome, index, outcome.debtor, outcome.debtor_before, outcome.debtor_after);
        add_entry(outcome, index, outcome.creditor, outcome.creditor_before, outcome.creditor_after);
    }

    const DecodedFrame& frame_;
    const NativeNames& names_;
    PostgresRows& into_;
    TenantNo tenant_ = 0, policy_tenant_ = 0;
    std::string tenant_name_, why_;
    PolicyPtr policy_;
    std::unordered_map<AccountId, const AccountImage*> images_;
};

}  // namespace

PostgresSchema native_schema() { return {.name = "nostro", .steps = {kFirst, inbox_sql()}}; }

std::vector<PostgresTable> native_tables() {
    using Write = PostgresTable::Write;
    std::vector<PostgresTable> tables(kEntries + 1);
    tables[kAccounts] = {"nostro.accounts",
                         Write::once,
                         {{"account_id"},
                          {"tenant"},
                          {"name"},
                          {"currency"},
                          {"kind"},
                          {"opened_at"},
                          {"opened_seq"},
                          later("holder"),
                          later("metadata")}};
    tables[kNumbers] = {"nostro.accounts",
                        Write::change,
                        {{"account_id"}, {"status"}, {"risk_level"}, {"balance"}, {"held"}, {"floor"}, {"version"}}};
    tables[kNumbers].balance = "balance";
    tables[kNumbers].account = [](std::string_view key) { return account_of_key(key); };
    tables[kHolder] = {"nostro.accounts", Write::change, {{"account_id"}, {"holder"}}};
    tables[kMetadata] = {"nostro.accounts", Write::change, {{"account_id"}, {"metadata"}}};
    tables[kPayments] = {"nostro.payments",
                         Write::once,
                         {{"payment_id"},
                          {"tenant"},
                          {"number"},
                          {"idempotency_key"},
                          {"debtor"},
                          {"creditor"},
                          {"amount"},
                          {"currency"},
                          later("rail"),  // names of rails and rules are told as long as the policy is kept
                          {"type"},
                          {"reference"},
                          {"description"},
                          {"metadata"},
                          {"reverses"},
                          {"accepted_at"},
                          later("status"),
                          later("reason"),
                          later("settled_amount"),
                          later("decided_at"),
                          later("expires_at")}};
    tables[kStates] = {"nostro.payments",
                       Write::change,
                       {{"payment_id"}, {"status"}, {"reason"}, {"settled_amount"}, {"decided_at"}, {"expires_at"}}};
    tables[kOutcomes] = {"nostro.outcomes",
                         Write::once,
                         {{"seq"},
                          {"index"},
                          {"at"},
                          {"tenant"},
                          {"event"},
                          {"payment_id"},
                          {"status"},
                          {"reason"},
                          {"amount"},
                          {"currency"},
                          {"policy"},
                          {"score"},
                          {"advice"},
                          later("why")},
                         2};
    tables[kEntries] = {
        "nostro.entries",
        Write::once,
        {{"account_id"}, {"seq"}, {"index"}, {"at"}, {"payment_id"}, {"amount"}, {"balance"}, {"currency"}},
        3};
    return tables;
}

Result<> add_native_rows(const DecodedFrame& frame, const NativeNames& names, PostgresRows& into) {
    FrameRows(frame, names, into).add();
    return {};
}

}  // namespace nostro
