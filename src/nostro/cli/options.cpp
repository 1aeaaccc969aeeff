#include "nostro/cli/options.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <limits>

#include "nostro/base/text.hpp"
#include "nostro/cli/command.hpp"
#include "nostro/cli/wrong_use.hpp"

namespace nostro::cli {
namespace {

// The parser's own conversion takes "-5" for a number of 20 digits.
template <class Number>
std::string whole_number(const std::string& text) {
    const auto number = parse_uint64(text);
    if (number && *number <= std::numeric_limits<Number>::max()) return {};
    return fmt::format("{} is no whole number from 0 to {}", quoted(text), std::numeric_limits<Number>::max());
}

}  // namespace

Option Option::required() const { return Option(option_->required()); }
Option Option::with_default() const { return Option(option_->capture_default_str()); }
Option Option::repeatable() const { return Option(option_->allow_extra_args(false)); }
Option Option::between(std::int64_t least, std::int64_t most) const {
    return Option(option_->check(CLI::Range(least, most)));
}
Option Option::one_of(std::vector<std::string> texts) const {
    return Option(option_->check(CLI::IsMember(std::move(texts))));
}
Option Option::at_least(std::uint64_t least) const {
    return Option(option_->check([least](const std::string& text) {
        const auto number = parse_uint64(text);
        if (number && *number >= least) return std::string();
        return fmt::format("{}: send {} or more", quoted(text), least);
    }));
}
Option Option::pair() const {
    return Option(option_->check([](const std::string& text) {
        const auto equals = text.find('=');
        if (equals != std::string::npos && equals > 0) return std::string();
        return fmt::format("{}: write it as NAME=VALUE", quoted(text));
    }));
}

Option Command::option(const std::string& name, std::string& into, const std::string& help) const {
    return Option(app_->add_option(name, into, help));
}
Option Command::option(const std::string& name, std::vector<std::string>& into, const std::string& help) const {
    return Option(app_->add_option(name, into, help));
}
Option Command::option(const std::string& name, std::uint32_t& into, const std::string& help) const {
    return Option(app_->add_option(name, into, help)->check(whole_number<std::uint32_t>));
}
Option Command::option(const std::string& name, std::uint64_t& into, const std::string& help) const {
    return Option(app_->add_option(name, into, help)->check(whole_number<std::uint64_t>));
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
