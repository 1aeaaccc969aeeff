// Messages in the shape of a profile's system over HTTP: from files, generators, and whoever has no broker.
//
// A message that nobody can read becomes a dead letter, and the others go on; delivered again, nothing happens twice.
// Threads: any.
#pragma once
#include <cstddef>
#include <span>
#include <string_view>

#include "nostro/engine/policies.hpp"
#include "nostro/http/api.hpp"
#include "nostro/wire/http_message.hpp"

namespace nostro {

struct MessageDoor {
    std::span<const ServedProfile> profiles;  // outlive the requests
    const Service* service = nullptr;  // that decides; nullptr: they are decided elsewhere, and nothing is refused here
    std::size_t message_bytes_max = 1u << 20;  // more: a dead letter, of which so much is kept
    // Of what a message becomes, where that goes on as a command; more: a dead letter. 0: as much as it is.
    std::size_t command_bytes_max = 0;
    const Policies* policies = nullptr;  // which that is made with
};
void post_messages(const MessageDoor& door, const Request& request, const Reply& reply);
Route messages_route();  // without its handler

// What routes of profiles share. nullptr: there is none of this name.
const ServedProfile* find_served(std::span<const ServedProfile> profiles, std::string_view name);
void refuse_profile(const Reply& reply);  // of no profile
Parameter profile_parameter();
void list_profiles(std::span<const ServedProfile> profiles, const Reply& reply);

}  // namespace nostro
