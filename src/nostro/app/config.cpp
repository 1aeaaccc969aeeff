// A configuration, from its file, the environment and the command line.
#include "nostro/app/config.hpp"

#include <fmt/format.h>
#include <toml++/toml.h>

#include <algorithm>

#include "nostro/app/production.hpp"
#include "nostro/base/text.hpp"

namespace nostro {
namespace {

Error invalid(std::string what) { return {ErrorCode::invalid, std::move(what)}; }

std::size_t distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> row(b.size() + 1);
    for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
    for (std::size_t i = 1; i <= a.size(); ++i) {
        std::size_t diagonal = std::exchange(row[0], i);
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const std::size_t change = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
            diagonal = row[j];
            row[j] = std::min({change, row[j] + 1, row[j - 1] + 1});
        }
    }
    return row[b.size()];
}

Error unknown_key(std::string_view key) {
    const auto near = nearest_setting(key);
    return invalid(fmt::format("{} is no key{}; `nostro config show` lists all", key,
                               near.empty() ? std::string() : fmt::format(", did you mean {}?", near)));
}

// NOSTRO_SERVER_LISTN: it can only mean a key. Others, like NOSTRO_URL, are not of the configuration.
bool names_a_section(std::string_view variable) {
    return std::ranges::any_of(settings(), [&](const Setting& setting) {
        const std::string section = "NOSTRO_" + to_upper(split_once(setting.key, '.').first) + "_";
        return variable.starts_with(section);
    });
}

Error unknown_variable(std::string_view name) {
    const auto near = std::ranges::min_element(
        settings(), {}, [&](const Setting& setting) { return distance(setting.environment(), name); });
    const std::string meant = near->environment();
    return invalid(fmt::format("environment variable {} is no key{}; `nostro config show` lists all", name,
                               distance(meant, name) <= 4 ? ", did you mean " + meant + "?" : std::string()));
}

std::string at(std::string_view name, const toml::node& node) {
    return fmt::format("{}:{}:{}: ", name, node.source().begin.line, node.source().begin.column);
}

Result<> read_value(Config& config, const std::string& key, const toml::node& node) {
    if (const auto* text = node.as_string()) return set(config, key, text->get());
    if (const auto* whole = node.as_integer()) return set(config, key, std::to_string(whole->get()));
    if (const auto* flag = node.as_boolean()) return set(config, key, flag->get() ? "true" : "false");
    if (find_setting(key) == nullptr) return unknown_key(key);
    return invalid(fmt::format("{}: expected text, a whole number, true or false", key));
}

Result<> read_section(Config& config, std::string_view section, const toml::table& table, std::string_view name) {
    for (const auto& [key, node] : table) {
        const auto done = read_value(config, fmt::format("{}.{}", section, key.str()), node);
        if (!done) return invalid(at(name, node) + done.error().what);
    }
    return {};
}

}  // namespace

std::string Setting::environment() const {
    std::string variable = "NOSTRO_" + to_upper(key);
    std::ranges::replace(variable, '.', '_');
    return variable;
}

const Setting* find_setting(std::string_view key) {
    const auto found = std::ranges::find(settings(), key, &Setting::key);
    return found == settings().end() ? nullptr : &*found;
}

std::string_view nearest_setting(std::string_view key) {
    const auto& all = settings();
    const auto near = std::ranges::min_element(all, {}, [&](const Setting& s) { return distance(s.key, key); });
    return distance(near->key, key) <= 4 ? near->key : std::string_view();
}

Result<> set(Config& config, std::string_view key, std::string_view value) {
    const Setting* setting = find_setting(key);
    if (setting == nullptr) return unknown_key(key);
    auto done = setting->set(config, value);
    if (!done) return invalid(fmt::format("{}: {}", key, done.error().what));
    return {};
}

Result<> read_config(Config& config, std::string_view text, std::string_view name) {
    toml::table root;
    try {
        root = toml::parse(text);
    } catch (const toml::parse_error& error) {
        return invalid(fmt::format("{}:{}:{}: {}", name, error.source().begin.line, error.source().begin.column,
                                   error.description()));
    }
    for (const auto& [section, node] : root) {
        const auto* table = node.as_table();
        if (table == nullptr) {
            return invalid(fmt::format("{}{} stands outside of a section; write it under [section]", at(name, node),
                                       section.str()));
        }
        if (auto done = read_section(config, section.str(), *table, name); !done) return done;
    }
    return {};
}

Result<> read_environment(Config& config, const std::vector<std::string>& environment) {
    for (const std::string& variable : environment) {
        const auto [name, value] = split_once(variable, '=');
        // As the profiles' originals know it; a key of ours says more.
        const bool is_kafka = name == "KAFKA_BOOTSTRAP_SERVERS" || name == "KAFKA_BROKER";
        if (is_kafka && config.kafka.bootstrap_servers.empty()) config.kafka.bootstrap_servers = value;
        const auto setting = std::ranges::find(settings(), name, &Setting::environment);
        if (setting == settings().end() && names_a_section(name)) return unknown_variable(name);
        if (setting == settings().end()) continue;
        if (auto done = setting->set(config, value); !done) {
            return invalid(fmt::format("environment variable {}: {}", name, done.error().what));
        }
    }
    return {};
}

Result<> check(const Config& config) {
    if (config.kafka.mechanism != "none" && config.kafka.user.empty()) {
        return invalid(fmt::format("kafka.user: kafka.mechanism {} needs one", config.kafka.mechanism));
    }
    if (!config.kafka.commands_topic.empty() && config.kafka.bootstrap_servers.empty()) {
        return invalid(
            "kafka.bootstrap_servers: kafka.commands_topic needs brokers; set it, or KAFKA_BOOTSTRAP_SERVERS");
    }
    if (config.journal.kind == "kafka" && config.kafka.bootstrap_servers.empty()) {
        return invalid("kafka.bootstrap_servers: journal.kind kafka needs brokers; set it, or KAFKA_BOOTSTRAP_SERVERS");
    }
    if (config.journal.kind == "postgres" && config.journal.postgres_url.empty() && config.postgres.url.empty()) {
        return invalid("journal.postgres_url: journal.kind postgres needs a database; set it, or postgres.url");
    }
    if (config.journal.sql_is_the_ledger && config.journal.kind != "postgres") {
        return invalid("journal.sql_is_the_ledger: it needs journal.kind = postgres");
    }
    if (config.journal.sql_is_the_ledger && config.postgres.url.empty()) {
        return invalid(
            "journal.sql_is_the_ledger: it needs postgres.url, the database of the tables and of the journal");
    }
    if (config.standby.enabled && config.journal.kind != "kafka" && config.journal.kind != "postgres") {
        return invalid(
            fmt::format("standby.enabled: a journal of kind {} has one process alone; kafka and postgres have "
                        "standbys",
                        config.journal.kind));
    }
    if (config.projections.elsewhere && config.journal.kind != "kafka" && config.journal.kind != "postgres") {
        return invalid(
            fmt::format("projections.elsewhere: a journal of kind {} has one process alone, which feeds what "
                        "is made from it; kafka and postgres have workers",
                        config.journal.kind));
    }
    if (config.standby.session_timeout < std::chrono::seconds(1)) {
        return invalid("standby.session_timeout: at least 1s");
    }
    if (config.inbox.kind == "postgres" && config.postgres.url.empty()) {
        return invalid("inbox.kind: postgres needs the database of postgres.url; set it");
    }
    if (config.index.enabled && config.index.kind == "postgres" && config.postgres.url.empty()) {
        return invalid("index.kind: postgres needs the database of postgres.url; set it");
    }
    if (config.journal.keep_days > 0 && !config.journal.archive) {
        return invalid("journal.keep_days: dropping old segments needs journal.archive = true");
    }
    return check_production(config);
}

std::string to_toml(const Config& config) {
    std::string text;
    std::string_view open_section;
    for (const Setting& setting : settings()) {
        const auto [section, key] = split_once(setting.key, '.');
        if (section != open_section) {
            text += fmt::format("{}[{}]\n", open_section.empty() ? "" : "\n", section);
            open_section = section;
        }
        text += fmt::format("# {}\n{} = {}\n", setting.help, key, setting.get(config));
    }
    return text;
}

}  // namespace nostro
