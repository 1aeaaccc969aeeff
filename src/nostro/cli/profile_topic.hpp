// What the file of a profile, as it comes with the program, says of its topic.
#pragma once
#include <string>
#include <string_view>

#include "nostro/base/result.hpp"
#include "nostro/profiles/profile.hpp"

namespace nostro::cli {

// With what the environment puts into it.
Result<ProfileSetup> built_in_profile(std::string_view name);

struct ProfileTopic {
    std::string topic;     // of its input
    std::string key_path;  // where its messages have their keys; empty: they have none
};
// `topic`, `key`: what was asked for; empty: as the file says. `invalid`: another key than there are, or no topic.
Result<ProfileTopic> profile_topic(const ProfileSetup& setup, std::string_view topic, std::string_view key);

}  // namespace nostro::cli
