// Redis beside one nostro: the documents of its profiles are kept there, and asked for before the index.
//
// Nothing waits for it: without it payments are taken and answered, and it is filled when it is there.
// Threads: make, use and stop from one.
#pragma once
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "nostro/app/config.hpp"
#include "nostro/app/served_profiles.hpp"
#include "nostro/base/metrics.hpp"
#include "nostro/base/time.hpp"
#include "nostro/engine/service.hpp"
#include "nostro/ports/cache.hpp"
#include "nostro/ports/compared_store.hpp"
#include "nostro/ports/projection.hpp"

namespace nostro {

class RedisParts {
public:
    // nullptr: none is named, or no profile that is served keeps anything there. `invalid`: its address cannot be
    // understood, or this program was built without its client. All that is given outlives it.
    static Result<std::unique_ptr<RedisParts>> make(const Config& config, const ServedProfiles& profiles,
                                                    const Clock& clock, MetricsRegistry& metrics);
    virtual ~RedisParts() = default;

    // What the service is made with, and then told of before it starts. Nothing is fed where other programs do that
    // ([projections]).
    virtual std::vector<ServiceParts::NamedProjection> projections() = 0;
    virtual Cache* cache() = 0;
    // To be asked after use(). It reads all frames by `read`, which should leave caches as they are.
    using ReadFrame = std::function<Result<DecodedPtr>(Seq)>;
    virtual ComparedStore* comparison(ReadFrame read) = 0;
    virtual void use(const Service& service) = 0;
    // Fills in what Redis lacks of before, on a thread of its own, once the service has started.
    virtual void start() = 0;
    virtual void stop() = 0;
    // Its state for Service::parts().
    virtual PartState state() const = 0;
};

}  // namespace nostro
