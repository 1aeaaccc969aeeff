// nostro reviews: the queue of the doubtful, and decisions on it.
#include <fmt/format.h>

#include <algorithm>

#include "nostro/base/json_text.hpp"
#include "nostro/cli/command.hpp"
#include "nostro/cli/terminal.hpp"

namespace nostro::cli {
namespace {

struct QueueOptions {
    std::uint64_t count = 50;
    std::string tenant;
};

Exit queue(Context& context, QueueOptions& options) {
    const auto target = fmt::format("/v1/reviews?limit={}{}", std::min<std::uint64_t>(options.count, 1000),
                                    tenant_query(options.tenant, true));
    const auto asked = ask(context, "GET", target, {}, {});
    if (!asked) return context.exit;
    using enum Table::Align;
    Table table({{"SINCE", left},
                 {"EXPIRES", left},
                 {"PAYMENT", left},
                 {"AMOUNT", right},
                 {"CUR", left},
                 {"DEBTOR", left},
                 {"CREDITOR", left},
                 {"SCORE", right}});
    for (const Json& payment : asked->json.items("data")) {
        if (context.json) fmt::print("{}\n", payment.raw());
        table.add({payment.text("accepted_at"), payment.text("expires_at"), payment.text("payment_id"),
                   payment.text("amount"), payment.text("currency"), payment.text("debtor_account"),
                   payment.text("creditor_account"), payment.text("why.score")});
    }
    if (context.json) return Exit::done;
    table.print();
    if (table.rows() == 0) fmt::print("nothing waits for review\n");
    return Exit::done;
}

struct DecideOptions {
    std::string id, by, reason;
};

Exit decide(Context& context, const DecideOptions& options, std::string_view decision) {
    std::string body;
    JsonWriter(body).begin_object().field("reviewer", options.by).field("reason", options.reason).end_object();
    const auto asked =
        ask(context, "POST", fmt::format("/v1/reviews/{}/{}", percent_encoded(options.id), decision), body, {});
    if (!asked) return context.exit;
    if (context.json) {
        fmt::print("{}\n", asked->json.raw());
    } else {
        const std::string status = asked->json.text("status");
        fmt::print("{}  {}\n", options.id, coloured(colour_of_status(status), status));
    }
    return Exit::done;
}

void add_decision(Command reviews, Context& context, const std::string& decision, const std::string& help) {
    add_command<DecideOptions>(
        reviews, context, decision, help,
        [&](Command& command, DecideOptions& options) {
            add_client_options(command, context);
            command.option("id", options.id, "The payment_id").required();
            command.option("--by", options.by, "Who decides").required();
            command.option("--reason", options.reason, "Why").required();
        },
        [decision](Context& ctx, DecideOptions& options) { return decide(ctx, options, decision); });
}

}  // namespace

void add_reviews(Command app, Context& context) {
    const Command reviews = app.add_group("reviews", "The review queue: list, approve, reject");
    add_command<QueueOptions>(
        reviews, context, "list", "What waits, oldest first",
        [&](Command& command, QueueOptions& options) {
            add_client_options(command, context);
            command.option("-n,--count", options.count, "At most so many").at_least(1).with_default();
            add_tenant_option(command, options.tenant);
        },
        queue);
    add_decision(reviews, context, "approve", "Let the payment settle");
    add_decision(reviews, context, "reject", "Reject the payment and free its funds");
}

}  // namespace nostro::cli
