// What each of the nine types of business payments has of its own. Inside of b2b.cpp.
#pragma once
#include <cstdint>
#include <string_view>

#include "nostro/base/ids.hpp"
#include "nostro/base/json_text.hpp"
#include "nostro/base/random.hpp"
#include "nostro/generate/b2b.hpp"
#include "nostro/generate/draw.hpp"

namespace nostro::generate {

// One document on its way, and what several of its parts repeat.
struct B2bDraft {
    JsonWriter& json;
    Xoshiro256& random;
    Instant at;
    ShortText transaction_id, end_to_end_id;
    bool international = false;  // a wire
    bool realistic = false;
};

struct B2bFacts {
    std::string_view name, id_prefix;
    std::int64_t least_minor, most_minor;
    bool in_euro, in_euro_if_realistic;
    void (*append)(const B2bDraft& draft);  // the members from `references` on
};
const B2bFacts& facts(B2bType type);

ShortText naive_time(Instant at);  // "2026-01-05T09:30:00.250000": UTC, without saying so, as the profile's sources do
ShortText date(Instant at);        // "2026-01-05"

}  // namespace nostro::generate
