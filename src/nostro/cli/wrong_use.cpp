#include "nostro/cli/wrong_use.hpp"

#include <fmt/format.h>

#include <CLI/App.hpp>
#include <algorithm>
#include <functional>

#include "nostro/base/spelling.hpp"
#include "nostro/base/text.hpp"

namespace nostro::cli {
namespace {

std::vector<std::string> commands_of(const CLI::App& command) {
    std::vector<std::string> names;
    for (const CLI::App* each : command.get_subcommands([](const CLI::App*) { return true; })) {
        names.push_back(each->get_name());
    }
    return names;
}

std::vector<std::string> options_of(const CLI::App& command) {
    std::vector<std::string> names;
    for (const CLI::Option* option : command.get_options()) {
        for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
    }
    return names;
}

std::string did_you_mean(std::string_view word, const std::vector<std::string>& known) {
    const std::vector<std::string_view> views(known.begin(), known.end());
    const auto nearest = nearest_word(word, views);
    return nearest ? fmt::format("; did you mean {}? ", quoted(*nearest)) : std::string("; ");
}

}  // namespace

std::string wrong_use(const CLI::App& app, const std::vector<std::string>& words, std::string_view otherwise) {
    const CLI::App* command = &app;
    std::string path = "nostro";
    while (!command->get_subcommands().empty()) {
        command = command->get_subcommands().front();
        path += " " + command->get_name();
    }
    // What the parser could not place, in its own order; the first of them as they were typed is told.
    const std::vector<std::string> strange = app.remaining(true);
    const auto first = [&](bool is_option) {
        const auto found = std::ranges::find_if(words, [&](const std::string& word) {
            return word.starts_with('-') == is_option && std::ranges::find(strange, word) != strange.end();
        });
        return found == words.end() ? std::string() : *found;
    };
    const auto commands = commands_of(*command);
    if (const std::string word = first(false); !commands.empty() && !word.empty()) {
        return fmt::format("there is no command {}{}{} --help lists all", quoted(word), did_you_mean(word, commands),
                           path);
    }
    if (const std::string word = first(true); !word.empty()) {
        const auto [name, value] = split_once(word, '=');
        return fmt::format("there is no option {}{}{} --help lists all", quoted(name),
                           did_you_mean(name, options_of(*command)), path);
    }
    if (!commands.empty())
        return fmt::format("name a command: {}; {} --help tells more", fmt::join(commands, ", "), path);
    if (const std::string word = first(false); !word.empty()) {
        return fmt::format("{} does not take {}; {} --help tells what it takes", path, quoted(word), path);
    }
    return fmt::format("{}; {} --help tells more", otherwise, path);
}

}  // namespace nostro::cli
