// Ids that have left the Book's memory, as a test says. Strict: of frames that were not asked for it knows nothing.
#pragma once
#include <map>
#include <optional>

#include "nostro/ports/journal.hpp"

namespace nostro::test {

class MapOfSealed final : public SealedIds {
public:
    Result<std::optional<Found>> find(PaymentId id, Seq last) const override {
        ++asked;
        if (trouble) return *trouble;
        const auto found = ids.find(id);
        const bool is_asked_for = found != ids.end() && found->second.place.seq <= last;
        return is_asked_for ? std::optional(found->second) : std::nullopt;
    }
    Seq through() const override { return sealed_through; }

    std::map<PaymentId, Found> ids;
    Seq sealed_through = 0;
    std::optional<Error> trouble;
    mutable int asked = 0;
};

}  // namespace nostro::test
