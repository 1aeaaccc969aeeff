// The profiles that are served: their files read, their tenants' policies and sample accounts in the journal, their
// ledgers, routes and metrics.
//
// Threads: load, begin from one, before anything is served.
#pragma once
#include <functional>
#include <memory>
#include <string>
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
    // `invalid`: a name that is no profile (names those that are), or a file that cannot be understood.
    static Result<std::unique_ptr<ServedProfiles>> load(const Config& config, MetricsRegistry& metrics);

    // Counts what becomes of payments, from the frame behind `accepted` on. nullptr: no profile is served.
    Projection* counts(std::function<Seq()> accepted);

    // Brings the policies into force that are not yet, and opens the sample accounts that are not there. A policy that
    // somebody has put in the place of the file's stays.
    Result<> begin(Service& service, const Clock& clock);

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

    Result<> bring_policy(Service& service, const Clock& clock, const Served& served) const;
    Result<> open_accounts(Service& service, const Served& served) const;

    std::vector<Served> served_;
    std::shared_ptr<Counts> counts_;
};

}  // namespace nostro
