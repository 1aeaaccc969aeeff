// The topics of the profiles that are served: payments that arrive on them, what is told to them, how far both are.
//
// A profile has a topic for its input (setting `topic`), one for what nobody could read of it (`topic`.dead-letters),
// and may have one for its outcomes (`outcome_topic`).
// Threads: open, begin and stop from one; the rest from any.
#pragma once
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "nostro/app/config.hpp"
#include "nostro/app/served_profiles.hpp"
#include "nostro/engine/service.hpp"

namespace nostro {

class ProfileTopics {
public:
    // How far outcomes were published. `disk` keeps it; absent: the journal begins anew with each start, and so do
    // they. `journal`: its number, where others may have owned it; empty: nobody else does.
    struct Progress {
        Disk* disk;
        std::function<std::uint64_t()> journal;
    };
    // Waits for the cluster, makes the topics that are not there. Everything outlives it.
    static Result<std::unique_ptr<ProfileTopics>> open(const Config& config, const ServedProfiles& profiles,
                                                       MetricsRegistry& metrics, const Progress& progress);
    ~ProfileTopics();

    // For the service; they live as long as this.
    void add_to(ServiceParts& parts, const std::function<Seq()>& accepted);
    // The profiles' policies are in force: messages are taken from here on.
    void begin(Service& service, const ServedProfiles& profiles);
    // No more messages are taken; before the service stops.
    void stop();

    void states(std::vector<PartState>& into) const;

private:
    class One;
    ProfileTopics();
    std::vector<std::unique_ptr<One>> all_;
};

}  // namespace nostro
