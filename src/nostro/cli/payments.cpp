// nostro show, nostro list: payments as they stand.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "nostro/cli/command.hpp"
#include "nostro/cli/terminal.hpp"

namespace nostro::cli {
namespace {

struct ShowOptions {
    std::string id, tenant;
    bool documents = false;
};

void print_line(std::string_view name, const std::string& value) {
    if (!value.empty()) fmt::print("{:<12} {}\n", name, value);
}

void print_why(const Json& payment) {
    fmt::print("{:<12} score {}, advice {}, policy {}\n", "why", payment.text("why.score"), payment.text("why.advice"),
               payment.text("why.policy"));
    for (const Json& rule : payment.items("why.rules")) {
        fmt::print("{:<12}   rule {}: {} points, looked at {}\n", "", rule.text("rule"), rule.text("points"),
                   rule.text("input"));
    }
    for (const Json& limit : payment.items("why.limits")) {
        fmt::print("{:<12}   limit {} ({}): used {}, left {} of {}\n", "", limit.text("limit"), limit.text("window"),
                   limit.text("used"), limit.text("left"), limit.text("at_most"));
    }
}

bool is_payment_id(std::string_view text) {
    return text.size() == 32 && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

// By the key that it was sent with, or by its payment id. nullopt: why not was told, and is the context's exit code.
std::optional<Json> find_payment(Context& context, const ShowOptions& options) {
    const bool may_be_id = is_payment_id(options.id);
    if (!may_be_id || !options.tenant.empty()) {
        const auto asked = ask(context, "GET",
                               fmt::format("/v1/payments?idempotency_key={}{}", percent_encoded(options.id),
                                           tenant_query(options.tenant, true)),
                               {}, {});
        if (!asked) return std::nullopt;
        auto found = asked->json.items("data");
        if (!found.empty()) return std::move(found.front());
    }
    if (!may_be_id) {
        context.exit = fail(Exit::no, fmt::format("the ledger of {} has no payment with the key {}",
                                                  options.tenant.empty() ? "nostro" : options.tenant, options.id));
        return std::nullopt;
    }
    auto asked = ask(context, "GET", "/v1/payments/" + options.id, {}, {});
    if (!asked) return std::nullopt;
    return std::move(asked->json);
}

Exit show_documents(Context& context, const ShowOptions& options) {
    if (options.tenant.empty()) return fail(Exit::usage, "--documents: say whose with --tenant, the name of a profile");
    const auto asked =
        ask(context, "GET",
            fmt::format("/v1/profiles/{}/documents/{}", percent_encoded(options.tenant), percent_encoded(options.id)),
            {}, {});
    if (!asked) return context.exit;
    if (context.json) fmt::print("{}\n", asked->json.raw());
    if (context.json) return Exit::done;
    for (const auto& [kind, document] : asked->json.members("documents")) print_line(kind, document);
    return Exit::done;
}

Exit show(Context& context, ShowOptions& options) {
    if (options.documents) return show_documents(context, options);
    const auto found = find_payment(context, options);
    if (!found) return context.exit;
    const Json& payment = *found;
    if (context.json) {
        fmt::print("{}\n", payment.raw());
        return Exit::done;
    }
    const std::string status = payment.text("status");
    print_line("payment", payment.text("payment_id"));
    print_line("key", payment.text("idempotency_key"));
    print_line("status", coloured(colour_of_status(status), status));
    print_line("reason", payment.text("reason"));
    print_line("amount", payment.text("amount") + " " + payment.text("currency"));
    print_line("debtor", payment.text("debtor_account"));
    print_line("creditor", payment.text("creditor_account"));
    for (const std::string_view name : {"rail", "type", "reference", "description", "captured_amount", "reverses"}) {
        print_line(name, payment.text(name));
    }
    for (const std::string_view side : {"debtor", "creditor"}) {
        const std::string path = "balances." + std::string(side);
        if (payment.text(path + ".after").empty()) continue;
        print_line(fmt::format("{} had", side),
                   fmt::format("{} -> {}", payment.text(path + ".before"), payment.text(path + ".after")));
    }
    if (!payment.text("why").empty()) print_why(payment);
    for (const Json& event : payment.items("timeline")) {
        print_line(event.text("event"), fmt::format("{} {}", event.text("at"), event.text("by")));
    }
    print_line("journal",
               fmt::format("frame {}, outcome {}", payment.text("journal.seq"), payment.text("journal.index")));
    return Exit::done;
}

// The filters of GET /v1/payments, as they are named there.
constexpr std::array kFilters = {"account", "status",     "rail",       "type",      "currency", "from",
                                 "to",      "min_amount", "max_amount", "reference", "tenant"};

struct ListOptions {
    std::array<std::string, kFilters.size()> values;
    std::uint64_t count = 50;
    std::string cursor;
};

std::string query_of(const ListOptions& options, std::uint64_t left, const std::string& cursor) {
    std::string query = fmt::format("?limit={}", std::min<std::uint64_t>(left, 1000));
    for (std::size_t i = 0; i < kFilters.size(); ++i) {
        if (!options.values[i].empty()) query += fmt::format("&{}={}", kFilters[i], percent_encoded(options.values[i]));
    }
    if (!cursor.empty()) query += "&cursor=" + percent_encoded(cursor);
    return query;
}

Exit list(Context& context, ListOptions& options) {
    Table table({{"ACCEPTED", {}},
                 {"PAYMENT", {}},
                 {"KEY", {}},
                 {"STATUS", {}},
                 {"REASON", {}},
                 {"AMOUNT", Table::Align::right},
                 {"CUR", {}},
                 {"DEBTOR", {}},
                 {"CREDITOR", {}},
                 {"TYPE", {}},
                 {"REFERENCE", {}}});
    std::string cursor = options.cursor;
    for (std::uint64_t shown = 0; shown < options.count;) {
        const auto asked =
            ask(context, "GET", "/v1/payments" + query_of(options, options.count - shown, cursor), {}, {});
        if (!asked) return context.exit;
        const auto payments = asked->json.items("data");
        for (const Json& payment : payments) {
            if (context.json) {
                fmt::print("{}\n", payment.raw());
                continue;
            }
            table.add({payment.text("accepted_at"), payment.text("payment_id"), payment.text("idempotency_key"),
                       payment.text("status"), payment.text("reason"), payment.text("amount"), payment.text("currency"),
                       payment.text("debtor_account"), payment.text("creditor_account"), payment.text("type"),
                       payment.text("reference")});
        }
        shown += payments.size();
        cursor = asked->json.text("next_cursor");
        if (cursor.empty() || payments.empty()) break;
    }
    if (context.json) return Exit::done;
    table.print();
    if (table.rows() == 0) fmt::print("no payments match\n");
    if (!cursor.empty()) fmt::print("more: --cursor {}\n", cursor);
    return Exit::done;
}

}  // namespace

void add_payments(Command app, Context& context) {
    add_command<ShowOptions>(
        app, context, "show", "Show one payment: state, why, balances, timeline",
        [&](Command& command, ShowOptions& options) {
            add_client_options(command, context);
            command.option("id", options.id, "Its payment_id, or the key that it was sent with").required();
            add_tenant_option(command, options.tenant);
            command.flag("--documents", options.documents, "What the profile's stores and topics hold of it");
        },
        show);
    add_command<ListOptions>(
        app, context, "list", "List payments, newest first; JSON: one a line",
        [&](Command& command, ListOptions& options) {
            add_client_options(command, context);
            for (std::size_t i = 0; i < kFilters.size(); ++i) {
                std::string flag = kFilters[i];
                std::ranges::replace(flag, '_', '-');
                command.option("--" + flag, options.values[i], "As the filter of GET /v1/payments");
            }
            command.option("-n,--count", options.count, "At most so many").at_least(1).with_default();
            command.option("--cursor", options.cursor, "Where the last list ended");
        },
        list);
}

}  // namespace nostro::cli
