// What profiles keep in a cache, of the frames that brought it: their documents as changes of its keys.
//
// Threads: one at a time for each object.
#pragma once
#include <chrono>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "nostro/adapters/redis/cache_store.hpp"
#include "nostro/engine/service.hpp"
#include "nostro/profiles/profile.hpp"

namespace nostro {

class CacheDocuments {
public:
    virtual ~CacheDocuments() = default;
    // `unavailable`: what it needs beside the frame cannot be read yet.
    virtual Result<> changes(const DecodedPtr& frame, std::vector<redis::Change>& into) = 0;
};

// How long the documents of a profile are kept at most; zero: for ever; nullopt: it keeps none in a cache.
std::optional<std::chrono::seconds> cached_for(std::string_view profile);
// `in_order`: it is given each frame after the one before, so it may remember what it saw. The service outlives it.
// nullptr: the profile keeps none.
std::unique_ptr<CacheDocuments> cache_documents(const ProfileEntry& entry, const ProfileSetup& setup,
                                                const Service& service, bool in_order);

}  // namespace nostro
