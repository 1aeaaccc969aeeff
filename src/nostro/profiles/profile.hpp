// A profile stands in for one published system: its messages, routes and documents are translations into payments of
// one tenant's ledger, and out of them. docs/profiles/ADDING.md shows how to write one.
//
// A profile never decides: its rules are a policy (profiles/NAME.toml). What it renders are pure functions of what was
// recorded, so that every store and every reader says the same.
// Threads: members may be called from any, but count() and publish(), which have one each.
#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "nostro/base/json_text.hpp"
#include "nostro/base/metrics.hpp"
#include "nostro/base/result.hpp"
#include "nostro/domain/outcome.hpp"
#include "nostro/ports/history.hpp"
#include "nostro/ports/ledger.hpp"
#include "nostro/ports/topic.hpp"
#include "nostro/wire/arena.hpp"
#include "nostro/wire/http_message.hpp"
#include "nostro/wire/recorded.hpp"

namespace nostro {

// profiles/NAME.toml, read (profile_file.hpp): the policy as it stands there, and what its table [profile] says.
struct ProfileSetup {
    std::string policy;  // TOML
    struct Account {     // of the sample data, opened when the profile is served first
        std::string name, holder, kind, risk_level, currency, opening, floor, metadata;
    };
    std::vector<Account> accounts;
    std::map<std::string, std::string, std::less<>> settings;  // all other keys, as text

    // The setting's text; `otherwise` where it is not set.
    std::string setting(std::string_view key, std::string_view otherwise) const;
};

// Where a message stands, for those that bring no id of their own.
struct MessagePlace {
    std::string_view source;     // "file:9f86d081", "kafka:transaction_events:0"
    std::uint64_t position = 0;  // how far into it
};

class Profile {
public:
    virtual ~Profile() = default;

    // One message of its input, as the original's topic or file carries it, into a wish. Texts go to the arena.
    // Error: nobody can read it; it becomes a dead letter, and the error's text is its reason.
    virtual Result<Wish> read(std::string_view message, const MessagePlace& place, Arena& arena) const = 0;

    // The HTTP routes of the original, with Route::profile set. The ledger outlives them.
    virtual std::vector<Route> routes(Ledger&) const { return {}; }
    // What their Contents name, as a JSON object of schemas; no two profiles' have a name in common. Lives for ever.
    virtual std::string_view schemas() const { return "{}"; }
    // The original promises http_requests_total and http_request_duration_seconds (http/request_metrics.hpp).
    virtual bool counts_requests() const { return false; }

    // Appends what its outcome topic (setting `outcome_topic`) is told of one outcome of its tenant. `unavailable`:
    // what that needs cannot be read yet. Called in the order of outcomes, by one thread.
    virtual Result<> publish(const Ledger&, const DecodedPtr& /*frame*/, std::uint32_t /*outcome*/,
                             std::vector<Message>&) {
        return {};
    }

    // Settings that can be served but will surprise somebody, each with its key; `config check` tells them.
    virtual std::vector<std::string> remarks() const { return {}; }

    // What stores, topics and logs of the original hold of one payment or record of its tenant: members of the open
    // object, one a kind ("row", "message", "cache", ...). Blocks on disk, where it has to ask for accounts.
    virtual Result<> documents(const Recorded&, const Ledger&, JsonWriter& /*into*/) const { return {}; }

    // The metric names that the original promises. Called once; then count() meets each outcome of its tenant, from
    // the program's start on. `payment`: of outcomes whose event is `submitted`.
    virtual void register_metrics(MetricsRegistry&) {}
    virtual void count(const Outcome&, const Payment* /*payment*/) {}
};

// What there is of a profile before it is served. A tenant's number is for life: journals hold it.
struct ProfileEntry {
    TenantNo tenant;
    std::string_view name;            // of the tenant, and of profiles/NAME.toml
    std::string_view title, version;  // of its API document; empty: it has no HTTP
    Result<std::unique_ptr<Profile>> (*make)(const ProfileSetup& setup);
    // Its entries in the query index, for searches by what only it knows; of records too (Recorded::payment). No
    // setting changes them: whoever proves or rebuilds the index has none.
    void (*rows)(const Payment& payment, std::vector<IndexRow>& into) = nullptr;
};

// Goes up with every change of what rows() of any profile give: an index of another version is made anew.
constexpr std::uint32_t kProfileRowsVersion = 4;
// An index of this version or a later one lacks rows, and has none that is wrong.
constexpr std::uint32_t kProfileRowsSince = 3;

// Every profile that is compiled in (profiles.cpp).
std::span<const ProfileEntry> profiles();
const ProfileEntry* find_profile(std::string_view name);
const ProfileEntry* find_profile(TenantNo tenant);

}  // namespace nostro
