#include "nostro/cli/profile_topic.hpp"

#include <fmt/format.h>

#include "nostro/base/embedded.hpp"
#include "nostro/base/environment.hpp"
#include "nostro/cli/generate_output.hpp"
#include "nostro/profiles/profile_file.hpp"

namespace nostro::cli {

Result<ProfileSetup> built_in_profile(std::string_view name) {
    const std::string file = fmt::format("profiles/{}.toml", name);
    const auto text = embedded_file(file);
    if (!text) return Error{ErrorCode::not_found, fmt::format("this program was built without {}", file)};
    return read_profile_file(*text, file, environment_variable);
}

Result<ProfileTopic> profile_topic(const ProfileSetup& setup, std::string_view topic, std::string_view key) {
    ProfileTopic found{std::string(topic.empty() ? setup.setting("topic", "") : topic), {}};
    if (found.topic.empty()) return Error{ErrorCode::invalid, "this profile has no topic; name one with --topic"};
    auto path = key_path_of(key.empty() ? setup.setting("message_key", "none") : key);
    if (!path) return Error{ErrorCode::invalid, "--key: " + path.error().what};
    found.key_path = std::move(*path);
    return found;
}

}  // namespace nostro::cli
