// What can be set, in one place: TOML file, environment and command line read the same table, and
// `nostro config` prints it. docs/operations/configuration.md is made from it.
//
// Later wins: built-in default < file < environment (NOSTRO_SECTION_KEY) < command line (--set section.key=value).
// Unknown keys and unsafe values stop the start, with the key, the reason and the mend.
#pragma once
#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "nostro/base/result.hpp"
#include "nostro/domain/book.hpp"

namespace nostro {

struct Config {
    // No key: what the command is. Rows of clearing come through capture and clearance, in programs of their own, and
    // this one settles what they say.
    bool behind_clearance = false;
    // Nor for this one: it follows a Book that it never owns, and feeds what is made from the journal beside others.
    bool feeds_alone = false;
    struct Server {
        std::string listen = "127.0.0.1:8000";
        bool listen_given = false;  // by a file, the environment or the command line
        bool insecure_listen = false;
        bool production = false;
        std::uint32_t io_threads = 1;
        std::uint32_t connections_max = 10'000;
        std::string cors_origin;  // empty: none but the server's own
        std::chrono::nanoseconds idle_timeout = std::chrono::seconds(75);
        std::chrono::nanoseconds head_timeout = std::chrono::seconds(10);
        std::chrono::nanoseconds body_timeout = std::chrono::seconds(30);
        std::chrono::nanoseconds fresh_wait = std::chrono::milliseconds(100);
    } server;
    struct Data {
        std::string dir = "nostro-data";
    } data;
    struct Journal {
        std::string kind = "segment";
        std::uint64_t segment_bytes = 256u << 20;
        std::uint32_t in_flight = 3;
        std::uint64_t tail_bytes = 32u << 20;
        bool archive = true;
        std::uint32_t keep_days = 0;
        std::string kafka_topic = "nostro-journal";
        bool kafka_single_broker = false;
        std::string postgres_url;
        std::string postgres_schema = "nostro_journal";
        bool sql_is_the_ledger = false;
    } journal;
    struct Standby {
        bool enabled = false;
        std::chrono::nanoseconds session_timeout = std::chrono::seconds(6);
    } standby;
    BookSize book;
    struct Inbox {
        std::string kind = "memory";
        std::uint32_t commands_max = 100'000;
        std::uint64_t bytes_max = 128u << 20;
    } inbox;
    struct Index {
        bool enabled = true;
        std::string kind = "files";
        std::uint32_t batch_payments = 200'000;
    } index;
    struct Postgres {
        std::string url;
        bool migrate = true;
        std::uint32_t connect_tries = 10;
        std::chrono::nanoseconds connect_pause = std::chrono::seconds(5);
    } postgres;
    struct Projections {
        bool elsewhere = false;
    } projections;
    struct Policy {
        std::string file;
    } policy;
    struct Profiles {
        std::string serve;   // names, with commas between
        std::string folder;  // of files in place of the built-in ones
    } profiles;
    struct Kafka {
        std::string bootstrap_servers;  // empty: no cluster
        bool tls = false;
        std::string ca_file;
        std::string mechanism = "none", user, password_file;
        std::string commands_topic;  // empty: none
        std::string compression = "lz4";
        bool create_topics = true;
        bool skip_gaps = false;
        std::chrono::nanoseconds start_timeout = std::chrono::minutes(1);
    } kafka;
    struct Proof {
        std::string key_file;
    } proof;
    struct Redis {
        std::string url;  // with its password; empty: none
        std::string ca_file, key_file;
        std::chrono::nanoseconds read_timeout = std::chrono::milliseconds(50);
    } redis;
    struct Reconcile {
        bool enabled = true;
        std::chrono::nanoseconds interval = std::chrono::hours(1);
    } reconcile;
    struct Stream {
        std::uint32_t subscribers_max = 256;
        std::uint32_t events_max = 10'000;
    } stream;
    struct Log {
        std::string level = "info";
    } log;
};

// One key: how it is read, shown and explained.
struct Setting {
    std::string_view key;   // "server.listen"
    std::string_view help;  // what it does, its unit, what to mind
    std::function<Result<>(Config&, std::string_view)> set;
    std::function<std::string(const Config&)> get;  // a password in it is ***
    std::string environment() const;                // "NOSTRO_SERVER_LISTEN"
};

const std::vector<Setting>& settings();
const Setting* find_setting(std::string_view key);
// The key most like a mistyped one; empty: none is near.
std::string_view nearest_setting(std::string_view key);

// Sets one key. `invalid`: unknown (names the nearest) or its value's error, prefixed by the key.
Result<> set(Config& config, std::string_view key, std::string_view value);
// Reads a TOML text; `name` stands in errors with line and column.
Result<> read_config(Config& config, std::string_view text, std::string_view name);
// NOSTRO_SECTION_KEY variables, as given ("NAME=value"). Unknown NOSTRO_ variables are refused, but those of `known`.
Result<> read_environment(Config& config, const std::vector<std::string>& environment);
// What no single key can tell: values that do not go together.
Result<> check(const Config& config);

// The whole configuration as a TOML file with every key explained; reads back to the same.
std::string to_toml(const Config& config);

}  // namespace nostro
