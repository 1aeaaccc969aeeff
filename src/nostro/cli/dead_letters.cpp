// nostro dead-letters: what nobody could read: looked through, sent again or given up.
#include <fmt/format.h>

#include <algorithm>

#include "nostro/base/json_text.hpp"
#include "nostro/cli/command.hpp"
#include "nostro/cli/terminal.hpp"

namespace nostro::cli {
namespace {

struct ListOptions {
    std::uint64_t count = 50;
    std::string cursor;
};

Exit list(Context& context, ListOptions& options) {
    Table table(
        {{"ID", {}}, {"KEPT", {}}, {"STATE", {}}, {"FORMAT", {}}, {"SOURCE", {}}, {"POSITION", {}}, {"WHY", {}}});
    std::string cursor = options.cursor;
    for (std::uint64_t shown = 0; shown < options.count;) {
        const auto asked =
            ask(context, "GET",
                fmt::format("/v1/dead-letters?limit={}{}", std::min<std::uint64_t>(options.count - shown, 1000),
                            cursor.empty() ? "" : "&cursor=" + percent_encoded(cursor)),
                {}, {});
        if (!asked) return context.exit;
        const auto letters = asked->json.items("data");
        for (const Json& letter : letters) {
            if (context.json) fmt::print("{}\n", letter.raw());
            table.add({letter.text("dead_letter_id"), letter.text("at"), letter.text("state"), letter.text("format"),
                       letter.text("source"), letter.text("position"), letter.text("why")});
        }
        shown += letters.size();
        cursor = asked->json.text("next_cursor");
        if (cursor.empty() || letters.empty()) break;
    }
    if (context.json) return Exit::done;
    table.print();
    if (table.rows() == 0) fmt::print("there are no dead letters\n");
    if (!cursor.empty()) fmt::print("more: --cursor {}\n", cursor);
    return Exit::done;
}

struct LetterOptions {
    std::string id, by, note, message;
};

Exit print_letter(const Context& context, const Json& letter) {
    if (context.json) {
        fmt::print("{}\n", letter.raw());
        return Exit::done;
    }
    for (const auto& [name, value] : letter.members("")) {
        if (value != "null") fmt::print("{:<16} {}\n", name, value);
    }
    return Exit::done;
}

Exit show(Context& context, LetterOptions& options) {
    const auto asked = ask(context, "GET", "/v1/dead-letters/" + percent_encoded(options.id), {}, {});
    return asked ? print_letter(context, asked->json) : context.exit;
}

Exit resolve(Context& context, const LetterOptions& options, std::string_view how) {
    std::string body;
    JsonWriter json(body);
    json.begin_object().field("by", options.by);
    if (!options.note.empty()) json.field("note", options.note);
    if (!options.message.empty()) {
        const auto message = Json::parse(options.message);
        if (!message) return fail(Exit::usage, "--message: is no JSON");
        json.key("payment").raw(message->raw());
    }
    json.end_object();
    const auto asked =
        ask(context, "POST", fmt::format("/v1/dead-letters/{}/{}", percent_encoded(options.id), how), body, {});
    return asked ? print_letter(context, asked->json) : context.exit;
}

void describe_letter(Command& command, Context& context, LetterOptions& options) {
    add_client_options(command, context);
    command.option("id", options.id, "As the list shows it").required();
}

}  // namespace

void add_dead_letters(Command app, Context& context) {
    const Command letters = app.add_group("dead-letters", "Input that nobody could read: list, show, redrive, discard");
    add_command<ListOptions>(
        letters, context, "list", "Newest first; JSON: one a line",
        [&](Command& command, ListOptions& options) {
            add_client_options(command, context);
            command.option("-n,--count", options.count, "At most so many").at_least(1).with_default();
            command.option("--cursor", options.cursor, "Where the last list ended");
        },
        list);
    add_command<LetterOptions>(
        letters, context, "show", "One, with its text",
        [&](Command& command, LetterOptions& options) { describe_letter(command, context, options); }, show);
    add_command<LetterOptions>(
        letters, context, "redrive", "Send it again, as it is or mended",
        [&](Command& command, LetterOptions& options) {
            describe_letter(command, context, options);
            command.option("--by", options.by, "Who decides").required();
            command.option("--note", options.note, "Why");
            command.option("--message", options.message, "The message mended, as JSON");
        },
        [](Context& ctx, LetterOptions& options) { return resolve(ctx, options, "redrive"); });
    add_command<LetterOptions>(
        letters, context, "discard", "Note that it counts no more",
        [&](Command& command, LetterOptions& options) {
            describe_letter(command, context, options);
            command.option("--by", options.by, "Who decides").required();
            command.option("--note", options.note, "Why");
        },
        [](Context& ctx, LetterOptions& options) { return resolve(ctx, options, "discard"); });
}

}  // namespace nostro::cli
