// A sixth profile, as docs/profiles/ADDING.md tells to write one: guests of a restaurant tip its kitchen.
//
//     POST /tips {"guest":"Ann","amount":2.50}  ->
//     {"id":1,"guest":"Ann","amount":2.5,"currency":"EUR","status":"given"} GET / ->  {"message":"Tips are welcome"}
#pragma once
#include "nostro/profiles/profile.hpp"

namespace nostro::test {

// A line of profiles.cpp.
extern const ProfileEntry kTillEntry;
// What profiles/till.toml would hold.
extern const std::string_view kTillFile;

}  // namespace nostro::test
