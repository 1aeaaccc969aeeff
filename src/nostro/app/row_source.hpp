// Rows that people insert into the tables of clearing, taken as they come.
//
// Threads: make, begin and stop from one; the rest from any.
#pragma once
#include <memory>
#include <string>

#include "nostro/app/postgres_feeds.hpp"
#include "nostro/app/served_profiles.hpp"
#include "nostro/engine/service.hpp"

namespace nostro {

class RowSource {
public:
    virtual ~RowSource() = default;
    // nullptr: clearing is not served, or its tables are on no server. What is given outlives it.
    static std::unique_ptr<RowSource> make(const PostgresFeeds& feeds);

    virtual Source* source() = 0;  // for the service
    // Rows are taken from here on: the policy and the sample accounts are there.
    virtual void begin(Service& service, const ServedProfiles& profiles) = 0;
    virtual void stop() = 0;  // before the service
    virtual PartState state() const = 0;
};

}  // namespace nostro
