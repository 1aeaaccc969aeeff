#include "nostro/cli/options.hpp"

#include <CLI/CLI.hpp>

#include "nostro/cli/command.hpp"
#include "nostro/cli/wrong_use.hpp"

namespace nostro::cli {

Option Option::required() const { return Option(option_->required()); }
Option Option::with_default() const { return Option(option_->capture_default_str()); }
Option Option::repeatable() const { return Option(option_->allow_extra_args(false)); }
Option Option::between(std::int64_t least, std::int64_t most) const {
    return Option(option_->check(CLI::Range(least, most)));
}
Option Option::one_of(std::vector<std::string> texts) const {
    return Option(option_->check(CLI::IsMember(std::move(texts))));
}
Option Option::from_environment(const std::string& variable) const { return Option(option_->envname(variable)); }

Option Command::option(const std::string& name, std::string& into, const std::string& help) const {
    return Option(app_->add_option(name, into, help));
}
Option Command::option(const std::string& name, std::vector<std::string>& into, const std::string& help) const {
    return Option(app_->add_option(name, into, help));
}
Option Command::option(const std::string& name, std::uint32_t& into, const std::string& help) const {
    return Option(app_->add_option(name, into, help));
}
Option Command::option(const std::string& name, std::uint64_t& into, const std::string& help) const {
    return Option(app_->add_option(name, into, help));
}
void Command::flag(const std::string& name, bool& into, const std::string& help) const {
    app_->add_flag(name, into, help);
}
void Command::footer(const std::string& text) const { app_->footer(text); }

Command Command::add(const std::string& name, const std::string& help) const {
    return Command(app_->add_subcommand(name, help));
}
Command Command::add_group(const std::string& name, const std::string& help) const {
    return Command(app_->add_subcommand(name, help)->require_subcommand(1));
}
void Command::runs(std::function<void()> body) const { app_->callback(std::move(body)); }

Program::Program(const std::string& about, std::string_view version)
    : app_(std::make_unique<CLI::App>(about, "nostro")) {
    app_->require_subcommand(1);
    app_->set_version_flag("--version", std::string(version));
}
Program::~Program() = default;

bool Program::run(int argc, char** argv) {
    try {
        app_->parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        if (error.get_exit_code() == 0) return app_->exit(error) == 0;
        fail(Exit::usage, wrong_use(*app_, {argv + 1, argv + argc}, error.what()));
        return false;
    }
    return true;
}

}  // namespace nostro::cli
