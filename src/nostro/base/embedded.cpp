#include "nostro/base/embedded.hpp"

namespace nostro {

std::optional<std::string_view> embedded_file(std::string_view name) {
    for (const EmbeddedFile& file : embedded_files()) {
        if (file.name == name) return std::string_view(file.begin, file.end);
    }
    return std::nullopt;
}

std::vector<std::string_view> embedded_names(std::string_view prefix) {
    std::vector<std::string_view> names;
    for (const EmbeddedFile& file : embedded_files()) {
        if (file.name.starts_with(prefix)) names.push_back(file.name);
    }
    return names;
}

}  // namespace nostro
