// nostro keys: the key that signs checkpoints.
#include <fmt/format.h>

#include "nostro/base/hex.hpp"
#include "nostro/base/json_text.hpp"
#include "nostro/cli/command.hpp"
#include "nostro/cli/key_file.hpp"

namespace nostro::cli {
namespace {

struct KeyArguments {
    std::string file = "checkpoint.key";
};

Exit print_key(const Context& context, const KeyArguments& arguments, const Result<SigningKey>& key) {
    if (!key) return fail(key.error());
    const std::string public_key = to_hex(key->public_key());
    if (!context.json) {
        fmt::print("{}\n", public_key);
        return Exit::done;
    }
    std::string text;
    JsonWriter(text).begin_object().field("file", arguments.file).field("public_key", public_key).end_object();
    fmt::print("{}\n", text);
    return Exit::done;
}

void describe_key(Context& context, Command& command, KeyArguments& arguments) {
    command.option("file", arguments.file, "The private key: PEM, readable by you alone").with_default();
    command.flag("--json", context.json, "Print as JSON");
}

}  // namespace

void add_keys(Command app, Context& context) {
    const Command keys = app.add_group("keys", "The key that signs checkpoints of the journal");
    const auto describe = [&](Command& command, KeyArguments& arguments) { describe_key(context, command, arguments); };
    add_command<KeyArguments>(
        keys, context, "new", "Make a key; prints its public half", describe,
        [](Context& ctx, KeyArguments& arguments) { return print_key(ctx, arguments, make_key_file(arguments.file)); });
    add_command<KeyArguments>(
        keys, context, "show", "Print the public half of a key", describe,
        [](Context& ctx, KeyArguments& arguments) { return print_key(ctx, arguments, read_key_file(arguments.file)); });
}

}  // namespace nostro::cli
