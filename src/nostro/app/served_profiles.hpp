// The profiles that are served: their files read, their tenants' policies and sample accounts in the journal, their
// ledgers, routes and metrics.
//
// Threads: load, begin from one, before anything is served.
#pragma once
#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "nostro/app/config.hpp"
#include "nostro/base/metrics.hpp"
#include "nostro/engine/service.hpp"
#include "nostro/engine/tenant_ledger.hpp"
#include "nostro/http/api.hpp"
#include "nostro/profiles/profile.hpp"

namespace nostro {

class ServedProfiles {
public:
    // As the settings name them, without the native one; they live as long as the settings.
    static std::vector<std::string_view> names(const Config& config);
    // `invalid`: a name that is no profile (names those that are), or a file that cannot be understood.
    static Result<std::unique_ptr<ServedProfiles>> load(const Config& config, MetricsRegistry& metrics);

    // Counts what becomes of payments. nullptr: no profile is served.
    Projection* counts(std::function<Seq()> accepted);
    // From the frame behind `accepted` on, as it stands now; else as it stands when the projection is first asked.
    // Once.
    void count_from_here();

    // Brings the policies into force that are not yet, and opens the sample accounts that are not there. A policy that
    // somebody has put in the place of the file's stays. `cache`: of their documents; nullptr where there is none.
    // `unavailable`: the journal does not take it, or `stop` is asked for; to be called again.
    Result<> begin(Service& service, const Clock& clock, Cache* cache, const std::stop_token& stop = {});
    // For a service that does not own the Book: what is there is shown, and nothing is brought. begin() later.
    void begin_reading(Service& service, const Clock& clock, Cache* cache);

    // Each with what its file says, in the order in which they were named.
    struct Setup {
        const ProfileEntry* entry;
        const ProfileSetup* setup;
    };
    std::vector<Setup> setups() const;
    // Of those that take payments from a topic.
    struct Topics {
        const ProfileEntry* entry = nullptr;
        Profile* profile = nullptr;
        std::string input, group, outcomes;  // outcomes: empty: it has no such topic
    };
    // `behind_clearance`: clearing's is what clearance says, and it tells nothing.
    std::vector<Topics> topics(bool behind_clearance = false) const;

    // HOST:PORT as configured; where nothing was, the port that a profile's own variable names, on loopback.
    std::string listen(const Config& config) const;

    // What somebody should know of their settings, each "profile NAME: ...".
    std::vector<std::string> remarks() const;

    // After begin().
    std::vector<ServedProfile> list() const;
    std::vector<Route> routes() const;
    std::vector<ApiDocument> documents() const;  // of those with routes
    bool count_requests() const;                 // one of them does

private:
    struct Served {
        const ProfileEntry* entry;
        ProfileSetup setup;
        std::unique_ptr<Profile> profile;
        std::unique_ptr<TenantLedger> ledger;
    };
    class Counts;

    Result<> bring_policy(Service& service, const Clock& clock, const Served& served,
                          const std::stop_token& stop) const;
    Result<> open_accounts(Service& service, const Served& served, const std::stop_token& stop) const;

    std::vector<Served> served_;
    std::shared_ptr<Counts> counts_;
};

}  // namespace nostro
