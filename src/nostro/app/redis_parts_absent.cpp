#include "nostro/app/redis_parts.hpp"

namespace nostro {

Result<std::unique_ptr<RedisParts>> RedisParts::make(const Config& config, const ServedProfiles&, const Clock&,
                                                     MetricsRegistry&) {
    if (config.redis.url.empty()) return std::unique_ptr<RedisParts>();
    return Error{ErrorCode::invalid,
                 "redis.url: this program was built without Redis' client; tools/fetch/hiredis.sh brings it, then "
                 "build again"};
}

}  // namespace nostro
