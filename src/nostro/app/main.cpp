#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <exception>

#include "nostro/app/commands.hpp"
#include "nostro/app/version.hpp"

namespace {

int run(int argc, char** argv) {
    using namespace nostro;
    cli::Context context;
    const auto app = cli::make_app(
        "nostro: a payment engine. Takes payments in, decides them, settles them on a ledger, proves it.");
    app->require_subcommand(1);
    app->set_version_flag("--version", std::string(kVersion));
    add_serve(*app, context);
    cli::add_submit(*app, context);
    cli::add_payments(*app, context);
    cli::add_accounts(*app, context);
    cli::add_reviews(*app, context);
    cli::add_generate(*app, context);
    cli::add_replay(*app, context);
    cli::add_journal(*app, context);
    cli::add_export(*app, context);
    add_rebuild(*app, context);
    cli::add_bench(*app, context);
    add_config(*app, context);
    cli::add_completion(*app);
    try {
        app->parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        // Help and version are no failures; everything else is wrong use.
        if (error.get_exit_code() == 0) return app->exit(error);
        const std::vector<std::string> words(argv + 1, argv + argc);
        return static_cast<int>(cli::fail(cli::Exit::usage, cli::wrong_use(*app, words, error.what())));
    }
    return static_cast<int>(context.exit);
}

}  // namespace

int main(int argc, char** argv) {
    try {
        return run(argc, argv);
    } catch (const std::exception& error) {
        fmt::print(stderr, "nostro: {}\n", error.what());
        return static_cast<int>(nostro::cli::Exit::environment);
    }
}
