// The native routes (docs/api.md): what each takes, gives and does. Handlers only translate; the Service decides.
#pragma once
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "nostro/base/metrics.hpp"
#include "nostro/engine/service.hpp"
#include "nostro/wire/http_message.hpp"

namespace nostro {

class Checkpoints;
class Ledger;
class Profile;
class Reconciler;
struct ProfileEntry;

struct ServedProfile {
    const ProfileEntry* entry = nullptr;
    const Profile* profile = nullptr;
    Ledger* ledger = nullptr;
};

// Outlives the routes.
struct Api {
    Service* service = nullptr;
    MetricsRegistry* metrics = nullptr;
    const Clock* clock = nullptr;
    std::string version;                 // of the program
    Checkpoints* checkpoints = nullptr;  // nullptr: there are no proofs, and no routes for them
    std::vector<ServedProfile> profiles;
    Reconciler* reconciler = nullptr;  // nullptr: there are no routes for it
    // Changes of who owns the Book; each returns the newest durable frame.
    std::function<Result<Seq>()> take_over, hand_over;
    // What `nostro verify` said when it last proved the journal, as JSON; empty: it never did.
    std::function<std::string()> last_verified;
};

// Everything below /v1, and /health, /readiness, /metrics. Profiles add routes of their own behind them.
std::vector<Route> native_routes(const Api& api);

// A profile that is served over HTTP, as documents and pages name it. All of it lives for ever.
struct ApiDocument {
    std::string_view name, title, version;
    std::string_view schemas = "{}";  // a JSON object: what the Contents of its routes name; no two profiles' are alike
};

// Adds /openapi.json, made of all routes so far, /docs and /redoc, and the start page at /. Their title is the one
// profile's; of several, each has pages of its own besides, such as /openapi/NAME.json, /docs/NAME and /redoc/NAME.
// Where a profile has a route at /, whoever asks for HTML gets the start page, all others the profile's answer.
void add_pages(std::vector<Route>& routes, const Api& api, std::span<const ApiDocument> documents = {});

// The groups of native_routes().
std::vector<Route> payment_routes(const Api& api);
std::vector<Route> follow_up_routes(const Api& api);
std::vector<Route> batch_routes(const Api& api);
std::vector<Route> account_routes(const Api& api);
std::vector<Route> account_history_routes(const Api& api);
std::vector<Route> review_routes(const Api& api);
std::vector<Route> dead_letter_routes(const Api& api);
std::vector<Route> ledger_routes(const Api& api);
std::vector<Route> proof_routes(const Api& api);
std::vector<Route> stream_routes(const Api& api);
std::vector<Route> profile_routes(const Api& api);
std::vector<Route> reconcile_routes(const Api& api);
std::vector<Route> operating_routes(const Api& api);
std::vector<Route> ownership_routes(const Api& api);

}  // namespace nostro
