// nostro take-over: a standby becomes the owner of the Book; if its owner is named, that one finishes first.
#include "nostro/cli/take_over.hpp"

#include <fmt/format.h>

#include "nostro/base/time.hpp"

namespace nostro::cli {
namespace {

struct TakeOverOptions {
    std::string from;
};

Exit take_over(Context& context, TakeOverOptions& options) {
    const SteadyTime began = steady_now();
    if (!options.from.empty()) {
        // Looked at before anything stops.
        const auto ready = context.client();
        if (!ready) return fail(ready.error());
        Context owner = context;
        owner.url = options.from;
        if (!ask(owner, "POST", "/v1/admin/hand-over", {}, {})) return owner.exit;
    }
    const auto taken = ask(context, "POST", "/v1/admin/take-over", {}, {});
    if (!taken) return context.exit;
    if (context.json) {
        fmt::print("{}\n", taken->json.raw());
        return Exit::done;
    }
    const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(steady_now() - began);
    fmt::print("{} owns the Book from frame {} on ({} ms)\n", context.url, taken->json.text("seq"), took.count());
    return Exit::done;
}

}  // namespace

void add_take_over(Command app, Context& context) {
    add_command<TakeOverOptions>(
        app, context, "take-over", "Make a standby the owner of the Book",
        [&](Command& command, TakeOverOptions& options) {
            add_client_options(command, context);
            command.option(
                "--from", options.from,
                "URL of the owner, which settles what is in flight and ends; without it the owner is fenced");
        },
        take_over);
}

}  // namespace nostro::cli
