// nostro submit: one payment from the terminal.
#include <fmt/format.h>

#include <fstream>
#include <iostream>
#include <iterator>

#include "nostro/base/json_text.hpp"
#include "nostro/base/random.hpp"
#include "nostro/base/text.hpp"
#include "nostro/cli/command.hpp"
#include "nostro/cli/terminal.hpp"

namespace nostro::cli {
namespace {

struct SubmitOptions {
    std::string file;
    std::string debtor, creditor, amount, currency = "USD", rail, type, reference, description, key;
    std::vector<std::string> metadata;
    bool manual = false, fail_on_reject = false, simulate = false;
    std::uint32_t wait_s = 5;
};

Result<std::string> body_of(const SubmitOptions& options) {
    std::string body;
    if (!options.file.empty()) {
        if (options.file == "-") return std::string(std::istreambuf_iterator<char>(std::cin), {});
        std::ifstream file(options.file, std::ios::binary);
        if (!file) return Error{ErrorCode::invalid, fmt::format("{}: cannot be read", options.file)};
        return std::string(std::istreambuf_iterator<char>(file), {});
    }
    if (options.debtor.empty() || options.creditor.empty() || options.amount.empty()) {
        return Error{
            ErrorCode::invalid,
            "name --debtor, --creditor and --amount, or a file with the payment as JSON (- is standard input)"};
    }
    JsonWriter json(body);
    json.begin_object();
    const auto field = [&](std::string_view name, const std::string& value) {
        if (!value.empty()) json.field(name, value);
    };
    field("debtor_account", options.debtor);
    field("creditor_account", options.creditor);
    field("amount", options.amount);
    field("currency", options.currency);
    field("rail", options.rail);
    field("type", options.type);
    field("reference", options.reference);
    field("description", options.description);
    if (options.manual) json.field("capture", "manual");
    if (!options.metadata.empty()) {
        json.key("metadata").begin_object();
        for (const std::string& entry : options.metadata) {
            const auto [name, value] = split_once(entry, '=');
            json.field(name, value);
        }
        json.end_object();
    }
    json.end_object();
    return body;
}

void print_payment(const Json& payment, bool replayed) {
    const std::string status = payment.text("status");
    fmt::print("{}  {}{}{}\n", payment.text("payment_id"), coloured(colour_of_status(status), status),
               payment.text("reason").empty() ? "" : " (" + payment.text("reason") + ")",
               replayed ? ", as answered before" : "");
}

Exit submit(Context& context, SubmitOptions& options) {
    const auto body = body_of(options);
    if (!body) return fail(body.error());
    if (options.key.empty()) options.key = fmt::format("cli-{:016x}{:016x}", random_u64(), random_u64());
    const std::string wait = fmt::format("wait={}", options.wait_s);
    std::vector<Client::Header> headers = {{"Idempotency-Key", options.key}};
    if (options.wait_s > 0 && !options.simulate) headers.emplace_back("Prefer", wait);
    const auto asked =
        ask(context, "POST", options.simulate ? "/v1/payments/simulate" : "/v1/payments", *body, headers);
    if (!asked) return context.exit;
    if (context.json) {
        fmt::print("{}\n", asked->json.raw());
    } else {
        print_payment(asked->json, asked->answer.replayed);
    }
    const bool refused = asked->json.text("status") == "rejected";
    return options.fail_on_reject && refused ? Exit::no : Exit::done;
}

}  // namespace

void add_submit(Command app, Context& context) {
    add_command<SubmitOptions>(
        app, context, "submit", "Submit one payment",
        [&](Command& command, SubmitOptions& options) {
            add_client_options(command, context);
            command.option("file", options.file, "The payment as JSON; - reads standard input");
            command.option("--debtor", options.debtor, "Account that pays");
            command.option("--creditor", options.creditor, "Account that is paid");
            command.option("--amount", options.amount, "Decimal text: 12.75");
            command.option("--currency", options.currency, "ISO 4217 code").with_default();
            command.option("--rail", options.rail, "Rail of the policy; none: internal");
            command.option("--type", options.type, "Up to 32 characters: TRANSFER");
            command.option("--reference", options.reference, "Up to 140 characters");
            command.option("--description", options.description, "Up to 500 characters");
            command.option("--metadata", options.metadata, "name=value; may be repeated").repeatable().pair();
            command.option("--key", options.key, "Idempotency-Key, so that a retry is harmless; none: a random one");
            command.option("--wait", options.wait_s, "Seconds to wait for a decision").between(0, 30);
            command.flag("--manual", options.manual, "Only hold the amount; capture or void it later");
            command.flag("--simulate", options.simulate, "Tell what would become of it; move nothing");
            command.flag("--fail-on-reject", options.fail_on_reject, "Exit with 1 if the payment is rejected");
        },
        submit);
}

}  // namespace nostro::cli
