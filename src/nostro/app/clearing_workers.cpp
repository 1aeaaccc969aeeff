#include "nostro/app/clearing_workers.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "nostro/adapters/postgres/capture.hpp"
#include "nostro/app/clearing_arrivals.hpp"
#include "nostro/app/kafka.hpp"
#include "nostro/app/postgres_feeds.hpp"
#include "nostro/app/relay_worker.hpp"
#include "nostro/app/served_profiles.hpp"
#include "nostro/base/json_text.hpp"
#include "nostro/base/log.hpp"
#include "nostro/profiles/clearing_pipeline.hpp"

namespace nostro {
namespace {

constexpr std::string_view kProfile = "clearing";

// What both need: the profile's translations and rules, as its file has them, and its two topics.
struct Clearing {
    std::shared_ptr<ServedProfiles> profiles;
    const Profile* profile = nullptr;
    PolicyPtr policy;
    std::string captured, cleared, group;
};

Result<Clearing> load_clearing(Config config, MetricsRegistry& metrics) {
    if (config.kafka.bootstrap_servers.empty()) {
        return Error{ErrorCode::invalid,
                     "kafka.bootstrap_servers: this worker needs brokers; set it, or KAFKA_BOOTSTRAP_SERVERS"};
    }
    config.profiles.serve = kProfile;
    auto profiles = ServedProfiles::load(config, metrics);
    if (!profiles) return profiles.error();
    Clearing clearing{.profiles = std::move(*profiles), .policy = {}, .captured = {}, .cleared = {}, .group = {}};
    const auto topics = clearing.profiles->topics();
    if (topics.empty() || topics.front().outcomes.empty()) {
        return Error{ErrorCode::invalid,
                     "profile clearing: its settings topic and outcome_topic name what this worker reads and writes; "
                     "one of them is empty"};
    }
    clearing.profile = topics.front().profile;
    clearing.captured = topics.front().input;
    clearing.cleared = topics.front().outcomes;
    clearing.group = topics.front().group;
    auto policy = Policy::parse(clearing.profiles->setups().front().setup->policy, 1, system_now());
    if (!policy) return policy.error();
    clearing.policy = std::move(*policy);
    if (auto reached = reach_kafka(config); !reached) return reached.error();
    for (const std::string& topic : {clearing.captured, clearing.cleared}) {
        if (auto provided = provide_topic(config, topic); !provided) return provided.error();
    }
    return clearing;
}

// Accounts and their customers as the tables have them, asked for many at once.
class Accounts {
public:
    explicit Accounts(std::string address) : address_(std::move(address)) {}

    using Found = std::map<std::string, clearing::ListedAccount, std::less<>>;
    Result<Found> find(const std::set<std::string>& numbers) {
        Found found;
        if (numbers.empty()) return found;
        if (client_ == nullptr || client_->is_lost()) {
            auto client = PostgresClient::connect(address_);
            if (!client) return Error{ErrorCode::unavailable, client.error().what};
            client_ = std::move(*client);
        }
        std::string json;
        JsonWriter writer(json);
        writer.begin_array();
        for (const std::string& number : numbers) writer.string(number);
        writer.end_array();
        const auto answer = client_->run({kQuery, {json}});
        if (!answer) return Error{ErrorCode::unavailable, answer.error().what};
        for (int row = 0; row < answer->rows(); ++row) {
            const auto text = [&](int column) { return std::string(answer->text(row, column)); };
            found[text(0)] = {.name = text(1), .risk_level = text(2), .account_type = text(3), .balance = text(4)};
        }
        return found;
    }

private:
    static constexpr const char* kQuery =
        "SELECT a.account_number, c.name, c.risk_level, a.account_type, a.balance FROM public.accounts a LEFT JOIN "
        "public.customers c ON c.customer_id = a.customer_id "
        "WHERE a.account_number IN (SELECT jsonb_array_elements_text($1::jsonb))";

    const std::string address_;
    std::unique_ptr<PostgresClient> client_;
};

Result<> add_captured(const Clearing& clearing, Accounts& accounts, const std::vector<TopicMessage>& rows,
                      std::vector<Message>& into) {
    std::vector<std::optional<clearing::NamedAccounts>> named;
    std::set<std::string> numbers;
    for (const TopicMessage& row : rows) {
        named.push_back(clearing::named_accounts(*clearing.profile, row.value));
        if (!named.back()) continue;
        for (const std::string& number : {named.back()->from, named.back()->to}) {
            if (!number.empty()) numbers.insert(number);
        }
    }
    const auto found = accounts.find(numbers);
    if (!found) return found.error();
    const auto account = [&](const std::string& number) {
        const auto at = found->find(number);
        return at == found->end() ? std::nullopt : std::optional(at->second);
    };
    for (std::size_t i = 0; i < rows.size(); ++i) {
        Message& message = into.emplace_back();
        message.value = std::string(rows[i].value);
        // Accounts go in front of the transactions of every partition.
        message.from.part = named[i] ? static_cast<std::uint32_t>(rows[i].position & 0x7fffffff) : kInEveryPart;
        if (!named[i]) continue;
        message.value = clearing::captured_message(*clearing.profile, *clearing.policy, rows[i].value,
                                                   account(named[i]->from), account(named[i]->to), system_now());
        log_debug("sent", {{"message", message.value}});
    }
    return {};
}

}  // namespace

Result<std::unique_ptr<Serving>> start_capture(const Config& config) {
    MetricsRegistry unused;
    auto clearing = load_clearing(config, unused);
    if (!clearing) return clearing.error();
    const auto feeds = PostgresFeeds::load(config, *clearing->profiles, {});
    if (!feeds) return feeds.error();
    const std::string address = (*feeds)->address(kProfile);
    if (address.empty()) {
        return Error{ErrorCode::invalid, "postgres.url: capture reads rows of a PostgreSQL; set it"};
    }
    if (config.postgres.migrate) {
        const auto told = [](const std::string& line) { log_info("postgres_migrated", {{"what", line}}); };
        if (auto migrated = (*feeds)->migrate(told); !migrated) return migrated.error();
    }
    auto topic = open_parted_topic(config, clearing->captured);
    if (!topic) return topic.error();
    auto reader = std::make_unique<PostgresCapture>(address, clearing->captured, clearing_triggered_tables());
    RelayWorker::Plan plan{.name = "capture", .source = "rows:financial_db", .input = "rows of clearing"};
    plan.standing_by = [rows = reader.get()] { return rows->standing_by(); };
    plan.reader = std::move(reader);
    plan.transform = [clearing = *clearing, accounts = std::make_shared<Accounts>(address)](
                         const auto& rows, auto& into) { return add_captured(clearing, *accounts, rows, into); };
    plan.topic = std::move(*topic);
    return RelayWorker::start(config, std::move(plan));
}

Result<std::unique_ptr<Serving>> start_clearance(const Config& config) {
    MetricsRegistry unused;
    auto clearing = load_clearing(config, unused);
    if (!clearing) return clearing.error();
    auto reader = open_shared_reader(config, clearing->captured, clearing->group);
    if (!reader) return reader.error();
    auto topic = open_parted_topic(config, clearing->cleared);
    if (!topic) return topic.error();
    RelayWorker::Plan plan{.name = "clearance", .source = "kafka:" + clearing->captured, .input = clearing->captured};
    plan.reader = std::move(*reader);
    plan.transform = [clearing = *clearing](const std::vector<TopicMessage>& messages,
                                            std::vector<Message>& into) -> Result<> {
        for (const TopicMessage& message : messages) {
            Message& judged = into.emplace_back();
            judged.value = clearing::judged_message(*clearing.profile, *clearing.policy, message.value, system_now());
            judged.from.part = message.part;
            log_debug("cleared", {{"message", judged.value}});
        }
        return {};
    };
    plan.topic = std::move(*topic);
    return RelayWorker::start(config, std::move(plan));
}

}  // namespace nostro
