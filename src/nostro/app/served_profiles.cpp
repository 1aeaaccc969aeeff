#include "nostro/app/served_profiles.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <future>
#include <iterator>
#include <mutex>
#include <ranges>

#include "nostro/base/embedded.hpp"
#include "nostro/base/environment.hpp"
#include "nostro/base/hex.hpp"
#include "nostro/base/log.hpp"
#include "nostro/base/sha256.hpp"
#include "nostro/base/text.hpp"
#include "nostro/http/answers.hpp"
#include "nostro/profiles/profile_file.hpp"

namespace nostro {
namespace {

constexpr std::chrono::milliseconds kLookWhetherToStop{100};

Error prefixed(std::string_view name, const Error& error) {
    return {error.code, fmt::format("profile {}: {}", name, error.what)};
}

// The folder's file where there is one, else the one in the program.
Result<std::string> file_of(const Config& config, std::string_view profile, std::string& name) {
    name = fmt::format("profiles/{}.toml", profile);
    if (!config.profiles.folder.empty()) {
        const auto path = std::filesystem::path(config.profiles.folder) / fmt::format("{}.toml", profile);
        if (std::error_code none; std::filesystem::exists(path, none)) {
            name = path.string();
            std::ifstream file(path, std::ios::binary);
            if (!file) return Error{ErrorCode::invalid, fmt::format("{}: cannot be read", name)};
            return std::string(std::istreambuf_iterator<char>(file), {});
        }
    }
    const auto built_in = embedded_file(name);
    if (!built_in) return Error{ErrorCode::invalid, fmt::format("this program was built without {}", name)};
    return std::string(*built_in);
}

using Variables = std::map<std::string, std::string, std::less<>>;

// The file .env of the working folder, as compose programs read it: NAME=value, and nothing that it does not need.
Variables variables_of_folder() {
    Variables variables;
    std::ifstream file(".env");
    for (std::string line; std::getline(file, line);) {
        std::string_view text = trim(line);
        if (text.starts_with('#')) continue;
        if (text.starts_with("export ")) text = trim(text.substr(7));
        const auto [name, rest] = split_once(text, '=');
        std::string_view value = trim(rest);
        const char quote = value.empty() ? ' ' : value.front();
        if ((quote == '"' || quote == '\'') && value.size() > 1 && value.ends_with(quote)) {
            value = value.substr(1, value.size() - 2);
        } else {
            value = trim(value.substr(0, value.find(" #")));
        }
        if (!trim(name).empty() && !value.empty()) variables.insert_or_assign(std::string(trim(name)), value);
    }
    return variables;
}

// Of the environment, else of the folder's file.
std::optional<std::string> variable_of(const Variables& folder, std::string_view variable) {
    if (auto value = environment_variable(variable)) return value;
    const auto found = folder.find(variable);
    return found == folder.end() ? std::nullopt : std::optional(found->second);
}

// Of the setting `port`: where the profile's own variable says the service listens. nullopt: it does not say.
Result<std::optional<std::uint16_t>> profile_port(const ProfileSetup& setup) {
    const std::string text = setup.setting("port", "");
    if (text.empty()) return std::optional<std::uint16_t>();
    const auto port = parse_uint32(text);
    if (port && *port <= 65535) return std::optional(static_cast<std::uint16_t>(*port));
    return Error{ErrorCode::invalid, fmt::format("profile.port: {} is no port", quoted(text))};
}

struct Loaded {
    ProfileSetup setup;
    std::unique_ptr<Profile> profile;
};

Result<Loaded> loaded(const ProfileEntry& entry, std::string_view text, const std::string& name,
                      const EnvironmentOf& environment) {
    auto setup = read_profile_file(text, name, environment);
    if (!setup) return setup.error();
    const auto policy = Policy::parse(setup->policy, 1, system_now());
    if (!policy) return Error{policy.error().code, fmt::format("{}: {}", name, policy.error().what)};
    if ((*policy)->tenant() != entry.name) {
        return Error{ErrorCode::invalid,
                     fmt::format("{}: its tenant is {}, not {}", name, quoted((*policy)->tenant()), entry.name)};
    }
    auto profile = entry.make(*setup);
    if (!profile) return prefixed(entry.name, profile.error());
    if (auto port = profile_port(*setup); !port) return prefixed(entry.name, port.error());
    return Loaded{std::move(*setup), std::move(*profile)};
}

// An error that is gone without some variable is that variable's.
Result<Loaded> load_one(const Config& config, const ProfileEntry& entry, const Variables& folder) {
    std::string name;
    const auto text = file_of(config, entry.name, name);
    if (!text) return text.error();
    Variables used;
    auto all = loaded(entry, *text, name, [&](std::string_view variable) {
        auto value = variable_of(folder, variable);
        if (value) used.insert_or_assign(std::string(variable), *value);
        return value;
    });
    if (all) return all;
    for (const auto& [variable, value] : used) {
        const bool is_it = loaded(entry, *text, name, [&](std::string_view asked) {
                               return asked == variable ? std::nullopt : variable_of(folder, asked);
                           }).has_value();
        if (!is_it || all.error().what.find(variable) != std::string::npos) continue;
        return Error{all.error().code, fmt::format("the variable {} of {} is not what it needs: {}", variable,
                                                   entry.name, all.error().what)};
    }
    return all;
}

// The folder that was asked for, and profiles of it alone.
Result<> check_folder(const std::string& folder) {
    std::error_code none;
    if (folder.empty() || std::filesystem::is_directory(folder, none)) return {};
    return Error{ErrorCode::invalid, fmt::format("profiles.folder: {}: there is no such folder", folder)};
}

// Behind a policy that a file brought into force: so that the next start knows it among those that people put there,
// also where one of them began as a copy of it.
constexpr std::string_view kBrought = "\n# As its file had it: sha256 ";

std::string as_brought(std::string_view text) {
    return std::string(text).append(kBrought).append(to_hex(sha256(text))).append("\n");
}

// The newest that its file brought; nullptr: none did.
PolicyPtr newest_brought(const std::vector<PolicyPtr>& known) {
    for (const PolicyPtr& policy : known | std::views::reverse) {
        const std::string_view text = policy->text();
        const auto end = text.rfind(kBrought);
        if (end != std::string_view::npos && as_brought(text.substr(0, end)) == text) return policy;
    }
    return nullptr;
}

std::string known_profiles() {
    std::string names = "nostro";
    for (const ProfileEntry& entry : profiles()) names.append(", ").append(entry.name);
    return names;
}

// Waits for what is submitted at start; the service's own threads answer. Where the journal is away that may take long,
// and longer than this program is wanted.
Result<std::vector<Receipt>> submitted(Service& service, SubmissionBuilder& builder, const std::stop_token& stop) {
    auto told = std::make_shared<std::promise<Result<std::vector<Receipt>>>>();
    auto receipts = told->get_future();
    service.submit(builder.take([told](Result<std::vector<Receipt>> result) { told->set_value(std::move(result)); }));
    while (receipts.wait_for(kLookWhetherToStop) != std::future_status::ready) {
        if (stop.stop_requested()) return Error{ErrorCode::unavailable, "stopping: this process ends"};
    }
    return receipts.get();
}

Result<OpenAccount> account_of(const ProfileSetup::Account& from) {
    OpenAccount account;
    account.name = from.name;
    account.holder = from.holder;
    account.metadata = from.metadata;
    const auto currency = Currency::parse(from.currency);
    if (!currency) return currency.error();
    account.currency = *currency;
    const auto kind = parse_account_kind(from.kind);
    if (!kind) return kind.error();
    account.kind = *kind;
    const auto risk_level = parse_risk_level(from.risk_level);
    if (!risk_level) return risk_level.error();
    account.risk_level = *risk_level;
    const auto opening = Money::parse_signed(from.opening, account.currency);
    if (!opening) return opening.error();
    account.opening_minor = opening->minor();
    account.floor_minor = kNoFloor;
    if (from.floor != "none") {
        const auto floor = Money::parse_signed(from.floor, account.currency);
        if (!floor) return floor.error();
        account.floor_minor = floor->minor();
    }
    return account;
}

}  // namespace

class ServedProfiles::Counts final : public Projection {
public:
    Counts(std::vector<std::pair<TenantNo, Profile*>> profiles, std::function<Seq()> accepted)
        : profiles_(std::move(profiles)), accepted_(std::move(accepted)) {}

    void from_here() {
        std::call_once(begun_, [this] { next_ = accepted_() + 1; });
    }
    Result<Seq> next() override {
        from_here();
        return next_;
    }
    Result<> project(std::span<const DecodedPtr> frames) override {
        for (const DecodedPtr& frame : frames) {
            for (const Outcome& outcome : frame->changes.outcomes) {
                for (const auto& [tenant, profile] : profiles_) {
                    if (outcome.tenant == tenant) profile->count(outcome, payment_of(*frame, outcome));
                }
            }
            next_ = frame->seq() + 1;
        }
        return {};
    }

private:
    const std::vector<std::pair<TenantNo, Profile*>> profiles_;
    const std::function<Seq()> accepted_;
    std::once_flag begun_;
    Seq next_ = 0;
};

std::vector<std::string_view> ServedProfiles::names(const Config& config) {
    std::vector<std::string_view> names;
    for (std::string_view rest = config.profiles.serve; !rest.empty();) {
        const auto end = std::min(rest.find(','), rest.size());
        const std::string_view name = trim(rest.substr(0, end));
        rest.remove_prefix(std::min(rest.size(), end + 1));
        if (!name.empty() && name != "nostro") names.push_back(name);  // the native routes are always there
    }
    return names;
}

Result<std::unique_ptr<ServedProfiles>> ServedProfiles::load(const Config& config, MetricsRegistry& metrics) {
    if (auto there = check_folder(config.profiles.folder); !there) return there.error();
    const Variables folder = variables_of_folder();
    auto all = std::make_unique<ServedProfiles>();
    for (const std::string_view name : names(config)) {
        const ProfileEntry* entry = find_profile(name);
        if (entry == nullptr) {
            return Error{ErrorCode::invalid,
                         fmt::format("there is no profile {}; there are: {}", quoted(name), known_profiles())};
        }
        if (std::ranges::find(all->served_, entry, &Served::entry) != all->served_.end()) continue;
        auto one = load_one(config, *entry, folder);
        if (!one) return one.error();
        one->profile->register_metrics(metrics);
        all->served_.push_back({entry, std::move(one->setup), std::move(one->profile), nullptr});
    }
    return all;
}

Projection* ServedProfiles::counts(std::function<Seq()> accepted) {
    if (served_.empty()) return nullptr;
    std::vector<std::pair<TenantNo, Profile*>> profiles;
    for (const Served& served : served_) profiles.emplace_back(served.entry->tenant, served.profile.get());
    counts_ = std::make_shared<Counts>(std::move(profiles), std::move(accepted));
    return counts_.get();
}

void ServedProfiles::count_from_here() {
    if (counts_) counts_->from_here();
}

// Whatever comes from now on is counted, however late the thread that counts is.
Result<> ServedProfiles::begin(Service& service, const Clock& clock, Cache* cache, const std::stop_token& stop) {
    count_from_here();
    for (const Served& served : served_) {
        auto done = bring_policy(service, clock, served, stop);
        if (done) done = open_accounts(service, served, stop);
        if (!done) return prefixed(served.entry->name, done.error());
    }
    begin_reading(service, clock, cache);
    return {};
}

void ServedProfiles::begin_reading(Service& service, const Clock& clock, Cache* cache) {
    for (Served& served : served_) {
        if (served.ledger) continue;
        served.ledger = std::make_unique<TenantLedger>(service, clock, served.entry->tenant, cache);
    }
}

Result<> ServedProfiles::bring_policy(Service& service, const Clock& clock, const Served& served,
                                      const std::stop_token& stop) const {
    const TenantNo tenant = served.entry->tenant;
    const auto known = service.policies().all(tenant);
    if (!known.empty() && known.front()->tenant() != served.entry->name) {
        return Error{ErrorCode::invalid, fmt::format("in this data directory its number {} is of {}", tenant,
                                                     quoted(known.front()->tenant()))};
    }
    const std::string text = as_brought(served.setup.policy);
    if (const PolicyPtr newest = newest_brought(known); newest != nullptr && newest->text() == text) {
        if (newest != known.back()) {  // somebody has put another in its place
            log_info("policy_stays", {{"profile", served.entry->name}, {"version", known.back()->version()}});
        }
        return {};
    }
    const PolicyVersion version = known.empty() ? 1 : known.back()->version() + 1;
    auto policy = Policy::parse(text, version, clock.now());
    if (!policy) return policy.error();
    if (!known.empty()) {
        if (auto may = (*policy)->may_follow(*known.back()); !may) return may.error();
    }
    SubmissionBuilder builder = service.build(nullptr, tenant);
    if (auto added = builder.change_policy(*policy, "profile"); !added) return added.error();
    const auto receipts = submitted(service, builder, stop);
    if (!receipts) return receipts.error();
    if (receipts->empty() || !is_taken(receipts->front())) {
        return Error{ErrorCode::unavailable, "its policy was not taken: " + service.full_table()};
    }
    log_info("policy_in_force", {{"profile", served.entry->name}, {"version", version}});
    return {};
}

Result<> ServedProfiles::open_accounts(Service& service, const Served& served, const std::stop_token& stop) const {
    SubmissionBuilder builder = service.build(nullptr, served.entry->tenant);
    for (const ProfileSetup::Account& account : served.setup.accounts) {
        const auto open = account_of(account);
        if (!open) return Error{ErrorCode::invalid, fmt::format("account {}: {}", account.name, open.error().what)};
        if (auto added = builder.open_account(*open, {}); !added) return added.error();
    }
    if (builder.size() == 0) return {};
    const auto receipts = submitted(service, builder, stop);
    if (!receipts) return receipts.error();
    for (std::size_t i = 0; i < receipts->size(); ++i) {
        const Receipt& receipt = (*receipts)[i];
        // Payments may have opened it, or a person changed it: what is there stays.
        if (is_taken(receipt) || receipt.reason == Reason::account_exists) continue;
        return Error{ErrorCode::unavailable,
                     fmt::format("account {} was not opened: {}", served.setup.accounts[i].name, name(receipt.reason))};
    }
    return {};
}

std::string ServedProfiles::listen(const Config& config) const {
    if (config.server.listen_given) return config.server.listen;
    for (const Served& served : served_) {
        if (const auto port = profile_port(served.setup); port && *port) return fmt::format("127.0.0.1:{}", **port);
    }
    return config.server.listen;
}

std::vector<ServedProfiles::Setup> ServedProfiles::setups() const {
    std::vector<Setup> all;
    for (const Served& served : served_) all.push_back({served.entry, &served.setup});
    return all;
}

std::vector<ServedProfiles::Topics> ServedProfiles::topics(bool behind_clearance) const {
    std::vector<Topics> all;
    for (const Served& served : served_) {
        const std::string input = served.setup.setting("topic", "");
        if (input.empty()) continue;
        if (behind_clearance && served.entry->name == "clearing") {
            all.push_back({served.entry, served.profile.get(), served.setup.setting("outcome_topic", ""),
                           served.setup.setting("settlement_group", "settlement-group"), ""});
            continue;
        }
        all.push_back({served.entry, served.profile.get(), input,
                       served.setup.setting("group", fmt::format("nostro_{}", served.entry->name)),
                       served.setup.setting("outcome_topic", "")});
    }
    return all;
}

std::vector<std::string> ServedProfiles::remarks() const {
    std::vector<std::string> all;
    for (const Served& served : served_) {
        for (const std::string& each : served.profile->remarks()) {
            all.push_back(fmt::format("profile {}: {}", served.entry->name, each));
        }
    }
    return all;
}

std::vector<ServedProfile> ServedProfiles::list() const {
    std::vector<ServedProfile> list;
    for (const Served& served : served_) list.push_back({served.entry, served.profile.get(), served.ledger.get()});
    return list;
}

std::vector<Route> ServedProfiles::routes() const {
    std::vector<Route> all;
    for (const Served& served : served_) {
        for (Route& route : served.profile->routes(*served.ledger)) {
            route.profile = served.entry->name;
            all.push_back(std::move(route));
        }
    }
    return all;
}

std::vector<ApiDocument> ServedProfiles::documents() const {
    std::vector<ApiDocument> documents;
    for (const Served& served : served_) {
        if (served.entry->title.empty()) continue;
        documents.push_back(
            {served.entry->name, served.entry->title, served.entry->version, served.profile->schemas()});
    }
    return documents;
}

bool ServedProfiles::count_requests() const {
    return std::ranges::any_of(served_, [](const Served& served) { return served.profile->counts_requests(); });
}

}  // namespace nostro
