// The keys of the configuration, each with its type, bounds and explanation.
#include <fmt/format.h>

#include <algorithm>

#include "nostro/adapters/postgres/client.hpp"
#include "nostro/app/config.hpp"
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

// What is shown has no password, so that what was shown cannot be read back as if it had one.
Setting server_address(std::string_view key, std::string_view help, std::string& (*field)(Config&)) {
    auto set = [field](Config& config, std::string_view text) -> Result<> {
        if (text.find(":***@") != std::string_view::npos || text.find("password=***") != std::string_view::npos) {
            return invalid("its password is not there: *** stands for it where the configuration is shown");
        }
        field(config) = text;
        return {};
    };
    auto get = [field](const Config& config) { return write(without_password(field(const_cast<Config&>(config)))); };
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
        plain<bool>("server.production",
                    "Refuses to start with what has no place where money is real: plain text to a Kafka, PostgreSQL or "
                    "Redis on another machine, a journal in memory or on one broker.",
                    [](C& c) -> bool& { return c.server.production; }),
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
        plain<std::chrono::nanoseconds>("server.fresh_wait",
                                        "How long a list waits at most until the index holds what was decided before "
                                        "the request; after that it shows less, and says in as_of how far it is.",
                                        [](C& c) -> std::chrono::nanoseconds& { return c.server.fresh_wait; }),
        plain<std::string>("data.dir",
                           "Folder of the journal and of all that is made from it. One program owns it at a time.",
                           [](C& c) -> std::string& { return c.data.dir; }),
        choice("journal.kind",
               "segment: files in data.dir. kafka: a topic of the cluster that [kafka] names. postgres: tables of a "
               "database. memory: nothing survives the end of the program; for trying out.",
               [](C& c) -> std::string& { return c.journal.kind; }, {"segment", "kafka", "postgres", "memory"}),
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
        plain<std::string>("journal.kafka_topic",
                           "Topic of a journal in Kafka, made where it is not there. One Book owns it.",
                           [](C& c) -> std::string& { return c.journal.kafka_topic; }),
        plain<bool>("journal.kafka_single_broker",
                    "Allows a topic that lives on one broker, whose loss is the loss of the journal; for trying out.",
                    [](C& c) -> bool& { return c.journal.kafka_single_broker; }),
        server_address(
            "journal.postgres_url",
            "Database of a journal in PostgreSQL. Empty: the one of postgres.url; set here alone, the journal "
            "is there and nothing else is told to it.",
            [](C& c) -> std::string& { return c.journal.postgres_url; }),
        plain<std::string>("journal.postgres_schema", "Schema of the journal's tables, made where it is not there.",
                           [](C& c) -> std::string& { return c.journal.postgres_schema; }),
        plain<bool>(
            "journal.sql_is_the_ledger",
            "With journal.kind postgres: one transaction holds a frame and its rows in the schema nostro, so SQL is "
            "never behind what was answered. Rows that cannot be written stop payments.",
            [](C& c) -> bool& { return c.journal.sql_is_the_ledger; }),
        plain<bool>("standby.enabled",
                    "Begins as a standby: follows a journal in Kafka or PostgreSQL that another process owns, answers "
                    "reads, and takes over when it is told or when that one is gone.",
                    [](C& c) -> bool& { return c.standby.enabled; }),
        plain<std::chrono::nanoseconds>(
            "standby.session_timeout",
            "An owner that says nothing for so long is held to be gone. Of a journal in Kafka only where the brokers "
            "have "
            "no group.consumer.session.timeout.ms of their own, and not less than their group.min.session.timeout.ms.",
            [](C& c) -> std::chrono::nanoseconds& { return c.standby.session_timeout; }),
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
        choice("inbox.kind",
               "Where commands wait. memory: with the owner of the Book alone. postgres: what other instances take in "
               "stands in nostro.inbox of postgres.url until the owner, with the same setting, has taken it.",
               [](C& c) -> std::string& { return c.inbox.kind; }, {"memory", "postgres"}),
        number<U32>("inbox.commands_max", "Commands that may wait for settlement; further ones are answered 503.",
                    [](C& c) -> U32& { return c.inbox.commands_max; }, {1'000, 10'000'000}),
        bytes("inbox.bytes_max", "Bytes of commands that may wait for settlement.",
              [](C& c) -> U64& { return c.inbox.bytes_max; }, {kMiB, 64 * 1024 * kMiB}),
        plain<bool>("index.enabled",
                    "Keeps the query index. Without it payments settle, but history routes answer 503.",
                    [](C& c) -> bool& { return c.index.enabled; }),
        choice(
            "index.kind",
            "Where it stands. files: in data.dir, of each process its own. postgres: in tables of postgres.url, which "
            "the owner of the Book feeds and all instances with the same setting ask.",
            [](C& c) -> std::string& { return c.index.kind; }, {"files", "postgres"}),
        number<U32>("index.batch_payments", "Payments that go into a file of the index at once.",
                    [](C& c) -> U32& { return c.index.batch_payments; }, {1'000, 2'000'000}),
        server_address(
            "postgres.url",
            "PostgreSQL server and database that are told what was decided: postgresql://user:password@host/name, "
            "or as libpq has it. Empty: none.",
            [](C& c) -> std::string& { return c.postgres.url; }),
        plain<bool>("postgres.migrate",
                    "Makes missing databases and tables at start. false: the role may only write, and `nostro migrate` "
                    "was run by one who may.",
                    [](C& c) -> bool& { return c.postgres.migrate; }),
        number<U32>("postgres.connect_tries", "How often a server that does not answer is tried at start.",
                    [](C& c) -> U32& { return c.postgres.connect_tries; }, {1, 10'000}),
        plain<std::chrono::nanoseconds>("postgres.connect_pause", "How long to wait between these tries.",
                                        [](C& c) -> std::chrono::nanoseconds& { return c.postgres.connect_pause; }),
        plain<bool>(
            "projections.elsewhere",
            "The tables in PostgreSQL and what stands in Redis are fed by `nostro worker projection`, and not by "
            "this program. Needs a journal in Kafka or PostgreSQL.",
            [](C& c) -> bool& { return c.projections.elsewhere; }),
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
        plain<std::string>("kafka.bootstrap_servers",
                           "host:port of brokers, with commas between: the profiles that are served take payments from "
                           "their topics. Empty: what KAFKA_BOOTSTRAP_SERVERS or KAFKA_BROKER says; else there is no "
                           "Kafka.",
                           [](C& c) -> std::string& { return c.kafka.bootstrap_servers; }),
        plain<bool>("kafka.tls", "Connections to the brokers are encrypted.",
                    [](C& c) -> bool& { return c.kafka.tls; }),
        plain<std::string>("kafka.ca_file",
                           "PEM file of the authority behind the brokers' certificates. Empty: the system's.",
                           [](C& c) -> std::string& { return c.kafka.ca_file; }),
        choice("kafka.mechanism", "How the brokers are shown who we are (SASL).",
               [](C& c) -> std::string& { return c.kafka.mechanism; },
               {"none", "PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"}),
        plain<std::string>("kafka.user", "Whose password it is.", [](C& c) -> std::string& { return c.kafka.user; }),
        plain<std::string>("kafka.password_file", "File whose content is the password.",
                           [](C& c) -> std::string& { return c.kafka.password_file; }),
        plain<std::string>(
            "kafka.commands_topic",
            "Topic into which `nostro worker intake` puts the payments that it takes; the service that has the Book "
            "takes them from there. The same for both. Empty: none.",
            [](C& c) -> std::string& { return c.kafka.commands_topic; }),
        choice("kafka.compression", "How messages are compressed that go to topics.",
               [](C& c) -> std::string& { return c.kafka.compression; }, {"none", "gzip", "snappy", "lz4", "zstd"}),
        plain<bool>(
            "kafka.create_topics",
            "Makes the profiles' topics where they are not there: one partition, replicas as the cluster has it.",
            [](C& c) -> bool& { return c.kafka.create_topics; }),
        plain<bool>("kafka.skip_gaps",
                    "Goes on where messages that were not read yet are gone from a topic; else that ends the program. "
                    "For one start, when they are known to be lost.",
                    [](C& c) -> bool& { return c.kafka.skip_gaps; }),
        plain<std::chrono::nanoseconds>("kafka.start_timeout", "How long a start waits for a broker that answers.",
                                        [](C& c) -> std::chrono::nanoseconds& { return c.kafka.start_timeout; }),
        plain<std::string>(
            "proof.key_file",
            "Private key (PEM, Ed25519) that signs checkpoints; `nostro keys new FILE` makes one. Empty: "
            "checkpoint.key in the data folder, made at the first start.",
            [](C& c) -> std::string& { return c.proof.key_file; }),
        server_address(
            "redis.url",
            "Redis in which profiles keep what their clients look up: redis://:password@host:6379/0, rediss:// "
            "for TLS. Best given as NOSTRO_REDIS_URL. Empty: none.",
            [](C& c) -> std::string& { return c.redis.url; }),
        plain<std::string>("redis.ca_file",
                           "PEM file with the certificates that may sign that of a rediss:// server. Empty: the "
                           "system's.",
                           [](C& c) -> std::string& { return c.redis.ca_file; }),
        plain<std::string>("redis.key_file",
                           "File whose 64 characters seal what is kept there; programs that take over one journal from "
                           "each other name the same. Empty: cache.key in the data folder, made at the first start.",
                           [](C& c) -> std::string& { return c.redis.key_file; }),
        plain<std::chrono::nanoseconds>("redis.read_timeout",
                                        "How long a request may wait for Redis before the journal's own index answers.",
                                        [](C& c) -> std::chrono::nanoseconds& { return c.redis.read_timeout; }),
        plain<bool>(
            "reconcile.enabled",
            "Holds PostgreSQL and Redis against the journal in the background; `nostro reconcile` does it at any "
            "time.",
            [](C& c) -> bool& { return c.reconcile.enabled; }),
        plain<std::chrono::nanoseconds>("reconcile.interval", "From one such comparison to the next.",
                                        [](C& c) -> std::chrono::nanoseconds& { return c.reconcile.interval; }),
        number<U32>("stream.subscribers_max", "Live streams at once.",
                    [](C& c) -> U32& { return c.stream.subscribers_max; }, {0, 100'000}),
        number<U32>("stream.events_max", "Events kept ahead for one subscriber; further ones wait in the journal.",
                    [](C& c) -> U32& { return c.stream.events_max; }, {100, 10'000'000}),
        choice("log.level", "Least level of the lines on standard error.",
               [](C& c) -> std::string& { return c.log.level; }, {"debug", "info", "warn", "error"}),
    };
}

}  // namespace

const std::vector<Setting>& settings() {
    static const std::vector<Setting> all = make_settings();
    return all;
}

}  // namespace nostro
