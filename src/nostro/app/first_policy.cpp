#include "nostro/app/first_policy.hpp"

#include <fmt/format.h>

#include <fstream>
#include <iterator>

#include "nostro/base/embedded.hpp"

namespace nostro {

Result<std::string> first_policy(const Config& config) {
    if (config.policy.file.empty()) {
        const auto built_in = embedded_file("profiles/nostro.toml");
        if (!built_in)
            return Error{ErrorCode::invalid, "policy.file: this build has no policy of its own; name a file"};
        return std::string(*built_in);
    }
    std::ifstream file(config.policy.file, std::ios::binary);
    if (!file) return Error{ErrorCode::invalid, fmt::format("policy.file: {} cannot be read", config.policy.file)};
    return std::string(std::istreambuf_iterator<char>(file), {});
}

}  // namespace nostro
