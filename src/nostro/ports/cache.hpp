// A place near by where a finished document may be found quicker than in the store.
//
// It is a hint: down, slow, empty, or filled by somebody else, it has nothing, and the store answers. It takes part in
// no decision.
// Threads: any.
#pragma once
#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "nostro/domain/outcome.hpp"

namespace nostro {

class Cache {
public:
    // Hears what was put there by us, to the letter; nullopt: nothing is there, or nobody can say.
    using Found = std::move_only_function<void(std::optional<std::string>)>;

    virtual ~Cache() = default;
    // Returns at once. `found` is called once and soon, perhaps before this returns, on any thread; others wait behind
    // it, so it must not wait for anything.
    virtual void find(std::string_view key, Found found) = 0;
    // `version`: of the outcome that it tells; what is there of a newer one stays. Tried once; may wait a moment.
    virtual void put(std::string_view key, std::string_view value, Place version, std::chrono::seconds kept) = 0;
};

}  // namespace nostro
