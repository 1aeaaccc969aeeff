#include "nostro/app/config.hpp"

#include <fmt/format.h>
#include <toml++/toml.h>

#include <algorithm>
#include <array>

#include "nostro/base/text.hpp"

namespace nostro {
namespace {

Error invalid(std::string what) { return {ErrorCode::invalid, std::move(what)}; }

// Readers and writers of the few types that a key can have.

Result<> read(bool& into, std::string_view text) {
    if (text != "true" && text != "false") return invalid(fmt::format("{} is neither true nor false", quoted(text)));
    into = text == "true";
    return {};
}
std::string write(bool value) { return value ? "true" : "false"; }

Result<> read(std::string& into, std::string_view text) {
    into = text;
    return {};
}
std::string write(const std::string& value) { return fmt::format("\"{}\"", value); }

Result<> read(std::chrono::nanoseconds& into, std::string_view text) {
    const auto parsed = parse_duration(text);
    if (!parsed) return parsed.error();
    if (*parsed <= std::chrono::nanoseconds::zero()) return invalid("must be more than 0");
    into = *parsed;
    return {};
}
std::string write(std::chrono::nanoseconds value) { return fmt::format("\"{}\"", format_duration(value)); }

template <class Unsigned>
struct Range {
    Unsigned least, most;
};

template <class Unsigned>
Setting number(std::string_view key, std::string_view help, Unsigned& (*field)(Config&), Range<Unsigned> range) {
    auto set = [field, range](Config& config, std::string_view text) -> Result<> {
        const auto value = parse_uint64(text);
        if (!value) return value.error();
        if (*value < range.least || *value > range.most) {
            return invalid(fmt::format("{} is not between {} and {}", *value, range.least, range.most));
        }
        field(config) = static_cast<Unsigned>(*value);
        return {};
    };
    auto get = [field](const Config& config) { return std::to_string(field(const_cast<Config&>(config))); };
    return {key, help, set, get};
}

Setting bytes(std::string_view key, std::string_view help, std::uint64_t& (*field)(Config&),
              Range<std::uint64_t> range) {
    auto set = [field, range](Config& config, std::string_view text) -> Result<> {
        const auto value = parse_bytes(text);
        if (!value) return value.error();
        if (*value < range.least || *value > range.most) {
            return invalid(fmt::format("{} is not between {} and {}", format_bytes(*value), format_bytes(range.least),
                                       format_bytes(range.most)));
        }
        field(config) = *value;
        return {};
    };
    auto get = [field](const Config& config) {
        return fmt::format("\"{}\"", format_bytes(field(const_cast<Config&>(config))));
    };
    return {key, help, set, get};
}

template <class Value>
Setting plain(std::string_view key, std::string_view help, Value& (*field)(Config&)) {
    auto set = [field](Config& config, std::string_view text) { return read(field(config), text); };
    auto get = [field](const Config& config) { return write(field(const_cast<Config&>(config))); };
    return {key, help, set, get};
}

Setting choice(std::string_view key, std::string_view help, std::string& (*field)(Config&),
               std::vector<std::string_view> choices) {
    auto set = [field, choices](Config& config, std::string_view text) -> Result<> {
        if (std::ranges::find(choices, text) == choices.end()) {
            return invalid(fmt::format("{} is none of {}", quoted(text), fmt::join(choices, ", ")));
        }
        field(config) = text;
        return {};
    };
    auto get = [field](const Config& config) { return write(field(const_cast<Config&>(config))); };
    return {key, help, set, get};
}

// What a browser sends as Origin: a scheme and a host, with a port where it is not the scheme's own; no path.
bool is_origin(std::string_view text) {
    const std::size_t scheme = text.starts_with("https://") ? 8 : text.starts_with("http://") ? 7 : 0;
    constexpr std::string_view kHost = "abcdefghijklmnopqrstuvwxyz0123456789.-_:[]";
    return scheme != 0 && text.size() > scheme && text.find_first_not_of(kHost, scheme) == std::string_view::npos;
}

Setting origin(std::string_view key, std::string_view help, std::string& (*field)(Config&)) {
    auto set = [field](Config& config, std::string_view text) -> Result<> {
        if (!text.empty() && text != "*" && !is_origin(text)) {
            return invalid(
                fmt::format("{} is no origin: write it like https://shop.example, in small letters and "
                            "without a path, or * for any",
                            quoted(text)));
        }
        field(config) = text;
        return {};
    };
    auto get = [field](const Config& config) { return write(field(const_cast<Config&>(config))); };
    return {key, help, set, get};
}

constexpr std::uint64_t kMiB = 1u << 20;
using C = Config;
using U32 = std::uint32_t;
using U64 = std::uint64_t;

// long: prose of the settings, in the order in which they are shown.
std::vector<Setting> make_settings() {
    return {
        plain<std::string>("server.listen",
                           "Address and port of the HTTP server. Port 0: any free one, printed at start.",
                           [](C& c) -> std::string& { return c.server.listen; }),
        plain<bool>("server.insecure_listen",
                    "Allows an address beyond loopback although there is no authentication: whoever reaches the port "
                    "moves money.",
                    [](C& c) -> bool& { return c.server.insecure_listen; }),
        number<U32>("server.io_threads", "Threads that read requests and write answers.",
                    [](C& c) -> U32& { return c.server.io_threads; }, {1, 64}),
        number<U32>("server.connections_max", "Connections at once; further ones are answered 503 and closed.",
                    [](C& c) -> U32& { return c.server.connections_max; }, {1, 1'000'000}),
        origin(
            "server.cors_origin",
            "Whose web pages may use the API (CORS): an origin such as https://shop.example, or * for any. Empty: only "
            "those that come from the server itself.",
            [](C& c) -> std::string& { return c.server.cors_origin; }),
        plain<std::chrono::nanoseconds>("server.idle_timeout", "How long a connection may stay without a request.",
                                        [](C& c) -> std::chrono::nanoseconds& { return c.server.idle_timeout; }),
        plain<std::chrono::nanoseconds>("server.head_timeout", "How long the head of a request may take to arrive.",
                                        [](C& c) -> std::chrono::nanoseconds& { return c.server.head_timeout; }),
        plain<std::chrono::nanoseconds>("server.body_timeout", "How long the body of a request may take to arrive.",
                                        [](C& c) -> std::chrono::nanoseconds& { return c.server.body_timeout; }),
        plain<std::string>("data.dir",
                           "Folder of the journal and of all that is made from it. One program owns it at a time.",
                           [](C& c) -> std::string& { return c.data.dir; }),
        choice("journal.kind",
               "segment: files in data.dir. memory: nothing survives the end of the program; for trying out.",
               [](C& c) -> std::string& { return c.journal.kind; }, {"segment", "memory"}),
        bytes("journal.segment_bytes", "Size of one journal file; two are kept ready ahead.",
              [](C& c) -> U64& { return c.journal.segment_bytes; }, {16 * kMiB, 64 * 1024 * kMiB}),
        number<U32>("journal.in_flight", "Frames that may be on their way to the disk at once.",
                    [](C& c) -> U32& { return c.journal.in_flight; }, {1, 8}),
        bytes("journal.tail_bytes", "Newest frames kept in memory, so that readers need no disk.",
              [](C& c) -> U64& { return c.journal.tail_bytes; }, {kMiB, 64 * 1024 * kMiB}),
        plain<bool>("journal.archive", "Compresses closed segments and moves them to archive/.",
                    [](C& c) -> bool& { return c.journal.archive; }),
        number<U32>("journal.keep_days",
                    "Days of history that are kept at least; older segments are dropped behind a verified "
                    "image. 0: all, for ever.",
                    [](C& c) -> U32& { return c.journal.keep_days; }, {0, 100'000}),
        number<U32>("book.accounts_max", "Accounts the Book has room for. Memory: about 120 bytes each.",
                    [](C& c) -> U32& { return c.book.accounts_max; }, {1'000, 500'000'000}),
        number<U32>("book.counters_max",
                    "Limit counters: accounts that are in use, times the policy's limits and their buckets.",
                    [](C& c) -> U32& { return c.book.counters_max; }, {1'000, 500'000'000}),
        number<U32>("book.holds_max", "Payments held or in review at once.",
                    [](C& c) -> U32& { return c.book.holds_max; }, {1'000, 100'000'000}),
        number<U32>("book.reversed_max", "Payments that have reversals.",
                    [](C& c) -> U32& { return c.book.reversed_max; }, {1'000, 100'000'000}),
        number<U32>("book.bounds_max", "Bounds that accounts have of their own.",
                    [](C& c) -> U32& { return c.book.bounds_max; }, {1'000, 100'000'000}),
        number<U64>(
            "book.known_max",
            "Newest idempotency keys kept in memory; older ones are on disk, for ever. Best more than fit into four "
            "segments (about 300 bytes each): else segments are closed before they are full.",
            [](C& c) -> U64& { return c.book.known_max; }, {100'000, 4'000'000'000}),
        number<U32>("inbox.commands_max", "Commands that may wait for settlement; further ones are answered 503.",
                    [](C& c) -> U32& { return c.inbox.commands_max; }, {1'000, 10'000'000}),
        bytes("inbox.bytes_max", "Bytes of commands that may wait for settlement.",
              [](C& c) -> U64& { return c.inbox.bytes_max; }, {kMiB, 64 * 1024 * kMiB}),
        plain<bool>("index.enabled",
                    "Keeps the query index. Without it payments settle, but history routes answer 503.",
                    [](C& c) -> bool& { return c.index.enabled; }),
        number<U32>("index.batch_payments", "Payments that go into the index at once.",
                    [](C& c) -> U32& { return c.index.batch_payments; }, {1'000, 2'000'000}),
        plain<std::string>("profiles.serve",
                           "Profiles served beside the native routes, with commas between: upi, tps, logging, b2b, "
                           "clearing.",
                           [](C& c) -> std::string& { return c.profiles.serve; }),
        plain<std::string>("profiles.folder",
                           "Folder whose NAME.toml stands in the place of the profile's built-in file.",
                           [](C& c) -> std::string& { return c.profiles.folder; }),
        plain<std::string>("policy.file",
                           "TOML file with the first policy of an empty journal. Empty: the built-in one.",
                           [](C& c) -> std::string& { return c.policy.file; }),
        plain<std::string>(
            "proof.key_file",
            "Private key (PEM, Ed25519) that signs checkpoints; `nostro keys new FILE` makes one. Empty: "
            "checkpoint.key in the data folder, made at the first start.",
            [](C& c) -> std::string& { return c.proof.key_file; }),
        number<U32>("stream.subscribers_max", "Live streams at once.",
                    [](C& c) -> U32& { return c.stream.subscribers_max; }, {0, 100'000}),
        number<U32>("stream.events_max", "Events kept ahead for one subscriber; further ones wait in the journal.",
                    [](C& c) -> U32& { return c.stream.events_max; }, {100, 10'000'000}),
        choice("log.level", "Least level of the lines on standard error.",
               [](C& c) -> std::string& { return c.log.level; }, {"debug", "info", "warn", "error"}),
    };
}

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

const std::vector<Setting>& settings() {
    static const std::vector<Setting> all = make_settings();
    return all;
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
    if (config.journal.keep_days > 0 && !config.journal.archive) {
        return invalid("journal.keep_days: dropping old segments needs journal.archive = true");
    }
    return {};
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
