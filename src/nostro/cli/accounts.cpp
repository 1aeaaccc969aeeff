// nostro accounts, nostro balances.
#include <fmt/format.h>

#include <algorithm>

#include "nostro/base/json_text.hpp"
#include "nostro/base/text.hpp"
#include "nostro/cli/command.hpp"
#include "nostro/cli/terminal.hpp"

namespace nostro::cli {
namespace {

std::string account_target(std::string_view id) { return "/v1/accounts/" + percent_encoded(id); }

// Fields that were given, of opening and of changing an account.
struct AccountOptions {
    std::string id, currency = "USD", holder, kind, risk_level, floor, opening_balance, status, tenant;
    std::vector<std::string> metadata, limits;
};

void add_pairs(JsonWriter& json, std::string_view name, const std::vector<std::string>& pairs) {
    if (pairs.empty()) return;
    json.key(name).begin_object();
    for (const std::string& pair : pairs) {
        const auto [key, value] = split_once(pair, '=');
        json.field(key, value);
    }
    json.end_object();
}

std::string account_body(const AccountOptions& options, bool opening) {
    std::string body;
    JsonWriter json(body);
    json.begin_object();
    if (opening) json.field("account_id", options.id).field("currency", options.currency);
    const std::pair<std::string_view, const std::string*> texts[] = {{"holder", &options.holder},
                                                                     {"kind", &options.kind},
                                                                     {"risk_level", &options.risk_level},
                                                                     {"floor", &options.floor},
                                                                     {"opening_balance", &options.opening_balance},
                                                                     {"status", &options.status}};
    for (const auto& [name, value] : texts) {
        if (!value->empty()) json.field(name, *value);
    }
    add_pairs(json, "limits", options.limits);
    add_pairs(json, "metadata", options.metadata);
    json.end_object();
    return body;
}

Exit print_account(Context& context, const std::optional<Asked>& asked) {
    if (!asked) return context.exit;
    if (context.json) {
        fmt::print("{}\n", asked->json.raw());
        return Exit::done;
    }
    for (const std::string_view name :
         {"account_id", "currency", "kind", "status", "holder", "risk_level", "floor", "opened_at"}) {
        const std::string value = asked->json.text(name);
        if (!value.empty()) fmt::print("{:<12} {}\n", name, value);
    }
    for (const std::string_view name : {"posted", "held", "available"}) {
        fmt::print("{:<12} {}\n", name, asked->json.text("balance." + std::string(name)));
    }
    for (const std::string_view name : {"limits", "metadata"}) {
        for (const auto& [key, value] : asked->json.members(name)) {
            fmt::print("{:<12} {} = {}\n", name, key, value);
        }
    }
    return Exit::done;
}

Exit open_account(Context& context, AccountOptions& options) {
    return print_account(
        context, ask(context, "POST", "/v1/accounts" + tenant_query(options.tenant), account_body(options, true), {}));
}

Exit change_account(Context& context, AccountOptions& options) {
    return print_account(context, ask(context, "PATCH", account_target(options.id) + tenant_query(options.tenant),
                                      account_body(options, false), {}));
}

Exit show_account(Context& context, AccountOptions& options) {
    return print_account(context,
                         ask(context, "GET", account_target(options.id) + tenant_query(options.tenant), {}, {}));
}

void describe_common(Command& command, AccountOptions& options) {
    command.option("id", options.id, "Its account_id").required();
    command.option("--holder", options.holder, "Whose it is");
    command.option("--risk-level", options.risk_level, "unrated, low, medium, high, prohibited");
    command.option("--floor", options.floor, "Lowest available balance allowed");
    command.option("--limit", options.limits, "NAME=BOUND in place of the policy's; may be repeated")
        .repeatable()
        .pair();
    command.option("--metadata", options.metadata, "name=value; may be repeated").repeatable().pair();
    add_tenant_option(command, options.tenant);
}

struct BalanceOptions {
    std::vector<std::string> ids;
    std::string as_of, tenant;
};

Exit balances(Context& context, BalanceOptions& options) {
    using enum Table::Align;
    Table table(
        {{"ACCOUNT", left}, {"CUR", left}, {"POSTED", right}, {"HELD", right}, {"AVAILABLE", right}, {"FRAME", right}});
    std::string query = options.as_of.empty() ? "" : "?as_of=" + percent_encoded(options.as_of);
    query += tenant_query(options.tenant, !query.empty());
    for (const std::string& id : options.ids) {
        const auto asked = ask(context, "GET", account_target(id) + "/balance" + query, {}, {});
        if (!asked) return context.exit;
        const Json& balance = asked->json;
        if (context.json) fmt::print("{}\n", balance.raw());
        table.add({balance.text("account_id"), balance.text("currency"), balance.text("posted"), balance.text("held"),
                   balance.text("available"), balance.text("as_of.seq")});
    }
    if (!context.json) table.print();
    return Exit::done;
}

struct EntriesOptions {
    std::string id, from, to, tenant;
    std::uint64_t count = 50;
};

Exit entries(Context& context, EntriesOptions& options) {
    std::string query = fmt::format("?limit={}", std::min<std::uint64_t>(options.count, 1000));
    if (!options.from.empty()) query += "&from=" + percent_encoded(options.from);
    if (!options.to.empty()) query += "&to=" + percent_encoded(options.to);
    query += tenant_query(options.tenant, true);
    const auto asked = ask(context, "GET", account_target(options.id) + "/entries" + query, {}, {});
    if (!asked) return context.exit;
    using enum Table::Align;
    Table table({{"AT", left},
                 {"PAYMENT", left},
                 {"EVENT", left},
                 {"AMOUNT", right},
                 {"BALANCE", right},
                 {"COUNTERPARTY", left}});
    for (const Json& entry : asked->json.items("data")) {
        if (context.json) fmt::print("{}\n", entry.raw());
        const std::string sign = entry.text("direction") == "debit" ? "-" : "";
        table.add({entry.text("at"), entry.text("payment_id"), entry.text("event"), sign + entry.text("amount"),
                   entry.text("balance_after"), entry.text("counterparty")});
    }
    if (!context.json) table.print();
    return Exit::done;
}

}  // namespace

void add_accounts(Command app, Context& context) {
    const Command accounts = app.add_group("accounts", "Open, show and change accounts");
    add_command<AccountOptions>(
        accounts, context, "open", "Open an account",
        [&](Command& command, AccountOptions& options) {
            add_client_options(command, context);
            describe_common(command, options);
            command.option("--currency", options.currency, "ISO 4217 code").with_default();
            command.option("--kind", options.kind, "customer, merchant, bank, external");
            command.option("--opening-balance", options.opening_balance, "Comes out of the equity account");
        },
        open_account);
    add_command<AccountOptions>(
        accounts, context, "change", "Change what is named, leave the rest",
        [&](Command& command, AccountOptions& options) {
            add_client_options(command, context);
            describe_common(command, options);
            command.option("--status", options.status, "active, frozen_debit, frozen, closed");
        },
        change_account);
    add_command<AccountOptions>(
        accounts, context, "show", "Show one account",
        [&](Command& command, AccountOptions& options) {
            add_client_options(command, context);
            command.option("id", options.id, "Its account_id").required();
            add_tenant_option(command, options.tenant);
        },
        show_account);
    add_command<EntriesOptions>(
        accounts, context, "entries", "Its postings and reservations with the running balance",
        [&](Command& command, EntriesOptions& options) {
            add_client_options(command, context);
            command.option("id", options.id, "Its account_id").required();
            command.option("--from", options.from, "RFC 3339, inclusive");
            command.option("--to", options.to, "RFC 3339, exclusive");
            command.option("-n,--count", options.count, "At most so many").at_least(1).with_default();
            add_tenant_option(command, options.tenant);
        },
        entries);
    add_command<BalanceOptions>(
        app, context, "balances", "Show balances, now or as of a time or frame",
        [&](Command& command, BalanceOptions& options) {
            add_client_options(command, context);
            command.option("ids", options.ids, "account_ids").required();
            command.option("--as-of", options.as_of, "RFC 3339 time or seq:N");
            add_tenant_option(command, options.tenant);
        },
        balances);
}

}  // namespace nostro::cli
