// nostro reconcile: whether PostgreSQL and Redis say what the journal says, and what to do where they do not.
#include "nostro/cli/reconcile.hpp"

#include <fmt/format.h>

#include <thread>

#include "nostro/base/json_text.hpp"
#include "nostro/base/text.hpp"
#include "nostro/cli/terminal.hpp"
#include "nostro/http/reconcile_answers.hpp"

namespace nostro::cli {
namespace {

constexpr std::chrono::milliseconds kLookEvery{50};

struct ReconcileOptions {
    bool adopt = false, repair = false, offline = false;
    std::string by, reason, data, config_file;
    std::vector<std::string> sets, profiles;
};

std::optional<Json> begin(Context& context, const ReconcileOptions& options) {
    std::string body;
    JsonWriter json(body);
    json.begin_object().field("mode", options.adopt ? "adopt" : options.repair ? "repair" : "compare");
    if (!options.by.empty()) json.field("by", options.by);
    if (!options.reason.empty()) json.field("reason", options.reason);
    json.end_object();
    const auto asked = ask(context, "POST", "/v1/reconciliations", body, {});
    return asked ? std::optional(asked->json) : std::nullopt;
}

// Until it is done; nullopt: context.exit says why not.
std::optional<Json> await(Context& context, const std::string& run) {
    std::unique_ptr<Progress> progress;
    std::string store;
    for (;;) {
        const auto asked = ask(context, "GET", "/v1/reconciliations/" + run, {}, {});
        if (!asked) return std::nullopt;
        if (asked->json.text("state") == "done") {
            if (progress) progress->finish(asked->json.number("total").value_or(0));
            return asked->json;
        }
        if (const std::string now = asked->json.text("store"); !now.empty()) {
            const std::uint64_t total = asked->json.number("total").value_or(0);
            if (now != store && total > 0) progress = std::make_unique<Progress>(now, "frames", total);
            if (total > 0) store = now;
            if (progress) progress->update(asked->json.number("done").value_or(0));
        }
        std::this_thread::sleep_for(kLookEvery);
    }
}

std::string value_of(const Json& drift, std::string_view name) {
    const std::string text = drift.text(name);
    return text.empty() ? "nothing" : text;
}

void print_store(const Json& store) {
    const std::string name = store.text("store");
    if (const std::string error = store.text("error"); !error.empty()) {
        fmt::print("{:<20} {}  {}\n", name, coloured(Colour::red, "not compared"), error);
        return;
    }
    const std::uint64_t drift = store.number("drift").value_or(0), mended = store.number("mended").value_or(0);
    const std::string told = drift == 0        ? "says what the journal says"
                             : drift == mended ? fmt::format("{} mended", human_count(mended))
                                               : fmt::format("{} differ", human_count(drift));
    fmt::print("{:<20} {}  through frame {}: {} rows in {} ranges{}\n", name,
               coloured(drift == mended ? Colour::green : Colour::red, told), store.text("through"),
               human_count(store.number("rows").value_or(0)), human_count(store.number("buckets").value_or(0)),
               store.text("unknown") == "0" ? "" : fmt::format(", {} rows of others", store.text("unknown")));
    for (const Json& each : store.items("drifts")) {
        const std::string column = each.text("column");
        fmt::print("  {:<8} {} {}{}: journal {}, found {}{}\n", each.text("kind"), each.text("place"), each.text("key"),
                   column.empty() ? "" : " " + column, value_of(each, "journal"), value_of(each, "found"),
                   each.text("balance") == "true" ? "  (can be adopted)" : "");
    }
    for (const Json& each : store.items("adopted")) {
        const std::string refused = each.text("refused");
        fmt::print("  {} {} {}: {} {}{}\n",
                   refused.empty() ? coloured(Colour::green, "adopted") : coloured(Colour::red, "not adopted"),
                   each.text("place"), each.text("key"), each.text("amount"), each.text("currency"),
                   refused.empty() ? each.text("before") == "true" ? ", before" : "" : ": " + refused);
    }
    if (store.text("more") == "true") fmt::print("  there is more: run it again once this is mended\n");
}

// Without a service; nullopt: `exit` says why not.
std::optional<Json> compare_offline(const ReconcileOptions& options, const ReconcileOffline& offline, Exit& exit) {
    std::unique_ptr<Progress> progress;
    std::string store;
    const auto told = [&](const std::string& now, std::uint64_t done, std::uint64_t total) {
        if (now != store) progress = std::make_unique<Progress>(now, "frames", total);
        store = now;
        progress->update(done);
    };
    const auto run = offline({options.data, options.config_file, options.sets, options.profiles, options.repair, told});
    progress.reset();
    auto shown = run ? Json::parse(reconciliation_json(*run)) : Result<Json>(run.error());
    if (shown) return std::move(*shown);
    exit = shown.error().code == ErrorCode::invalid ? fail(Exit::usage, shown.error().what) : fail(shown.error());
    return std::nullopt;
}

std::optional<Json> compare_by_service(Context& context, const ReconcileOptions& options) {
    const auto begun = begin(context, options);
    return begun ? await(context, begun->text("run")) : std::nullopt;
}

std::optional<std::string_view> wrong_use(const ReconcileOptions& options) {
    if (options.adopt && options.repair) return "--adopt and --repair exclude each other";
    if (options.adopt && (options.by.empty() || options.reason.empty())) {
        return "--adopt moves money: --by says who decided it, --reason why";
    }
    if (options.adopt && options.offline) return "--adopt moves money, which a running service does: without --offline";
    const bool has_settings =
        !options.data.empty() || !options.config_file.empty() || !options.sets.empty() || !options.profiles.empty();
    if (has_settings && !options.offline) return "--data, --config, --set and --profile go with --offline";
    return std::nullopt;
}

Exit reconcile(Context& context, ReconcileOptions& options, const ReconcileOffline& offline) {
    if (const auto wrong = wrong_use(options)) return fail(Exit::usage, *wrong);
    const auto run =
        options.offline ? compare_offline(options, offline, context.exit) : compare_by_service(context, options);
    if (!run) return context.exit;
    if (context.json) fmt::print("{}\n", run->raw());
    bool failed = false;
    for (const Json& store : run->items("stores")) {
        failed |= !store.text("error").empty();
        if (!context.json) print_store(store);
    }
    if (failed) return Exit::environment;
    return run->text("clean") == "true" ? Exit::done : Exit::no;
}

}  // namespace

void add_reconcile(Command app, Context& context, ReconcileOffline offline) {
    add_command<ReconcileOptions>(
        app, context, "reconcile", "Hold PostgreSQL and Redis against the journal",
        [&](Command& command, ReconcileOptions& options) {
            add_client_options(command, context);
            command.flag("--repair", options.repair, "Rewrite what differs from the journal");
            command.flag("--adopt", options.adopt,
                         "Take balances that somebody edited there into the journal, against house:equity");
            command.option("--by", options.by, "Who decided it; --adopt needs it");
            command.option("--reason", options.reason, "Why; --adopt needs it");
            command.flag("--offline", options.offline,
                         "Without a service: the journal and the tables of PostgreSQL, as the settings name them");
            command.option("--data", options.data, "With --offline: folder of the journal");
            command.option("--config", options.config_file, "With --offline: TOML file");
            command.option("--set", options.sets, "With --offline: section.key=value; may be repeated").repeatable();
            command.option("--profile", options.profiles, "With --offline: also its tables; may be repeated")
                .repeatable();
        },
        [offline = std::move(offline)](Context& given, ReconcileOptions& options) {
            return reconcile(given, options, offline);
        });
}

}  // namespace nostro::cli
