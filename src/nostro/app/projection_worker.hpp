// What is made from a journal in Kafka or PostgreSQL, fed by programs of their own: tables in PostgreSQL, documents in
// Redis. Each follows the journal as a standby does and never owns the Book; any number feed the same targets at once.
#pragma once
#include <functional>
#include <memory>
#include <vector>

#include "nostro/app/postgres_feeds.hpp"
#include "nostro/app/redis_parts.hpp"
#include "nostro/app/serving.hpp"
#include "nostro/ports/intake.hpp"

namespace nostro {

// `invalid`: a journal that has one process alone, nothing to feed, or no seal that the programs share; else as Wiring.
Result<std::unique_ptr<Serving>> start_projection(const Config& config);

// The feeds of such a program. Others may have told a target of frames that this one has not read yet: it waits.
class Feeding {
public:
    Feeding();
    ~Feeding();

    // Everything outlives it but the parts. `accepted`: the newest frame that was followed.
    Result<> add_to(ServiceParts& parts, const PostgresFeeds& postgres, RedisParts* redis,
                    const std::function<Seq()>& accepted);

private:
    class Beside;
    std::vector<std::unique_ptr<Beside>> all_;
    std::unique_ptr<Intake> nobody_;
};

}  // namespace nostro
