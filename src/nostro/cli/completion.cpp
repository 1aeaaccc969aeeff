// nostro completion: a script for bash or zsh, made from the commands themselves.
#include <fmt/format.h>

#include <CLI/App.hpp>
#include <string>
#include <vector>

#include "nostro/cli/command.hpp"

namespace nostro::cli {
namespace {

// "submit" -> its options and subcommands, for every command by its path ("accounts open").
void collect(const CLI::App& command, const std::string& path,
             std::vector<std::pair<std::string, std::string>>& words) {
    std::string list;
    for (const CLI::App* sub : command.get_subcommands([](const CLI::App*) { return true; })) {
        list += sub->get_name() + " ";
    }
    for (const CLI::Option* option : command.get_options()) {
        for (const std::string& name : option->get_lnames()) list += "--" + name + " ";
    }
    words.emplace_back(path, list);
    for (const CLI::App* sub : command.get_subcommands([](const CLI::App*) { return true; })) {
        collect(*sub, path.empty() ? sub->get_name() : path + " " + sub->get_name(), words);
    }
}

std::string bash_script(const CLI::App& app) {
    std::vector<std::pair<std::string, std::string>> words;
    collect(app, "", words);
    std::string cases;
    for (const auto& [path, list] : words) cases += fmt::format("        \"{}\") words=\"{}\" ;;\n", path, list);
    return "# bash completion for nostro: source <(nostro completion bash)\n"
           "_nostro() {\n"
           "    local current=\"${COMP_WORDS[COMP_CWORD]}\" path=\"\" words=\"\" i\n"
           "    for ((i = 1; i < COMP_CWORD; i++)); do\n"
           "        case \"${COMP_WORDS[i]}\" in\n"
           "            -*) ;;\n"
           "            *) _nostro_knows \"${path:+$path }${COMP_WORDS[i]}\" && path=\"${path:+$path "
           "}${COMP_WORDS[i]}\" ;;\n"
           "        esac\n"
           "    done\n"
           "    _nostro_words \"$path\"\n"
           "    COMPREPLY=($(compgen -W \"$words\" -- \"$current\"))\n"
           "    [[ $current != -* && ${#COMPREPLY[@]} -eq 0 ]] && COMPREPLY=($(compgen -f -- \"$current\"))\n"
           "}\n"
           "_nostro_words() {\n"
           "    case \"$1\" in\n" +
           cases +
           "        *) return 1 ;;\n"
           "    esac\n"
           "}\n"
           "_nostro_knows() { local words; _nostro_words \"$1\"; }\n"
           "complete -F _nostro nostro\n";
}

}  // namespace

void add_completion(Command app) {
    const Command completion = app.add_group("completion", "Print a completion script for the shell");
    completion.add("bash", "source <(nostro completion bash)").runs([app] {
        fmt::print("{}", bash_script(app.app()));
    });
    completion.add("zsh", "source <(nostro completion zsh)").runs([app] {
        fmt::print("autoload -U +X bashcompinit && bashcompinit\n{}", bash_script(app.app()));
    });
}

}  // namespace nostro::cli
