// nostro export: payments as NDJSON or CSV, page by page.
#include <fmt/format.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <system_error>

#include "nostro/base/text.hpp"
#include "nostro/cli/command.hpp"
#include "nostro/cli/terminal.hpp"

namespace nostro::cli {
namespace {

struct ExportOptions {
    std::string from, to, account, format = "ndjson", out = "-";
};

constexpr std::array kColumns = {
    "payment_id", "status", "reason",    "debtor_account", "creditor_account", "amount",          "currency",
    "rail",       "type",   "reference", "accepted_at",    "settled_at",       "captured_amount", "reversed_amount",
    "reverses"};

// RFC 4180: quoted where a comma, a quote or a line end stands inside.
std::string csv_field(const std::string& text) {
    if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
    std::string quoted = "\"";
    for (const char c : text) {
        if (c == '"') quoted += '"';
        quoted += c;
    }
    return quoted + "\"";
}

std::string line_of(const Json& payment, bool csv) {
    if (!csv) return payment.raw() + "\n";
    std::string line;
    for (const std::string_view column : kColumns) {
        if (!line.empty()) line += ',';
        line += csv_field(payment.text(column));
    }
    return line + "\r\n";
}

Exit write_pages(Context& context, const ExportOptions& options, std::FILE* out) {
    const bool csv = options.format == "csv";
    if (csv) fmt::print(out, "{}\r\n", fmt::join(kColumns, ","));
    std::string query = "?limit=1000";
    if (!options.from.empty()) query += "&from=" + percent_encoded(options.from);
    if (!options.to.empty()) query += "&to=" + percent_encoded(options.to);
    if (!options.account.empty()) query += "&account=" + percent_encoded(options.account);
    Progress progress("export", "payments", 0);
    std::uint64_t written = 0;
    for (std::string cursor;;) {
        const auto asked =
            ask(context, "GET", "/v1/payments" + query + (cursor.empty() ? "" : "&cursor=" + cursor), {}, {});
        if (!asked) return context.exit;
        for (const Json& payment : asked->json.items("data")) {
            const std::string line = line_of(payment, csv);
            if (std::fwrite(line.data(), 1, line.size(), out) != line.size()) {
                return fail(Exit::environment,
                            fmt::format("{}: {}", options.out, std::generic_category().message(errno)));
            }
            progress.update(++written);
        }
        cursor = asked->json.text("next_cursor");
        if (cursor.empty()) break;
    }
    if (out != stdout) progress.finish(written);
    return Exit::done;
}

Exit export_payments(Context& context, ExportOptions& options) {
    if (options.out == "-") return write_pages(context, options, stdout);
    std::FILE* out = std::fopen(options.out.c_str(), "wb");
    if (out == nullptr)
        return fail(Exit::environment, fmt::format("{}: {}", options.out, std::generic_category().message(errno)));
    const Exit exit = write_pages(context, options, out);
    if (std::fclose(out) != 0 && exit == Exit::done) {
        return fail(Exit::environment, fmt::format("{}: {}", options.out, std::generic_category().message(errno)));
    }
    return exit;
}

}  // namespace

void add_export(Command app, Context& context) {
    add_command<ExportOptions>(
        app, context, "export", "Payments of a span or an account as NDJSON or CSV, newest first",
        [&](Command& command, ExportOptions& options) {
            add_client_options(command, context);
            command.option("--from", options.from, "RFC 3339, inclusive; at most 31 days without an account");
            command.option("--to", options.to, "RFC 3339, exclusive");
            command.option("--account", options.account, "Only its payments");
            command.option("--format", options.format, "ndjson or csv").one_of({"ndjson", "csv"});
            command.option("--out", options.out, "A file; - is standard output").with_default();
        },
        export_payments);
}

}  // namespace nostro::cli
