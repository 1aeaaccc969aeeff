// Routes of profiles at a program that has no Book: what they take goes into topics, one a profile, from which whoever
// has the Book takes it.
//
// Threads: open and routes from one; the rest from any.
#pragma once
#include <functional>
#include <memory>
#include <vector>

#include "nostro/adapters/kafka/kafka_intake.hpp"
#include "nostro/app/config.hpp"
#include "nostro/app/served_profiles.hpp"
#include "nostro/engine/policies.hpp"
#include "nostro/wire/http_message.hpp"

namespace nostro {

class IntakeProfiles {
public:
    // Their policies are published, their topics provided. All that is given outlives it.
    static Result<std::unique_ptr<IntakeProfiles>> open(const Config& config, const ServedProfiles& profiles,
                                                        const KafkaSettings& settings, KafkaIntakeOptions options,
                                                        Policies& policies, const Clock& clock);
    ~IntakeProfiles();

    // All routes of all profiles that are served. `elsewhere` answers those that need the Book.
    std::vector<Route> routes(const std::function<void(const Request&, const Reply&)>& elsewhere) const;
    // Whose messages are taken; the ledgers take wishes, and have nothing to read. They live as long as this.
    const std::vector<ServedProfile>& list() const { return served_; }
    std::vector<const KafkaIntake*> intakes() const;

private:
    class Door;
    explicit IntakeProfiles(std::vector<ServedProfile> served);

    std::vector<ServedProfile> served_;
    std::vector<std::unique_ptr<Door>> doors_;  // in the same order
};

}  // namespace nostro
