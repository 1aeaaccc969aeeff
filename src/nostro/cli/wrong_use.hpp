// What is said to somebody who mistyped a command or an option.
#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace CLI {
class App;
}  // namespace CLI

namespace nostro::cli {

// What was wrong with the command line `words` that `app` could not parse, and the nearest that there is. `otherwise`:
// what the parser says itself.
std::string wrong_use(const CLI::App& app, const std::vector<std::string>& words, std::string_view otherwise);

}  // namespace nostro::cli
