// nostro generate KIND: seeded documents, to a file, to standard output or to a running nostro.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>
#include <utility>

#include "nostro/base/json_text.hpp"
#include "nostro/base/text.hpp"
#include "nostro/base/time.hpp"
#include "nostro/cli/command.hpp"
#include "nostro/cli/generate_output.hpp"
#include "nostro/cli/generate_run.hpp"
#include "nostro/cli/profile_topic.hpp"
#include "nostro/cli/terminal.hpp"
#include "nostro/generate/b2b.hpp"
#include "nostro/generate/clearing.hpp"
#include "nostro/generate/paysim.hpp"
#include "nostro/generate/upi.hpp"

namespace nostro::cli {
namespace {

struct GenerateOptions {
    std::uint64_t count = 0, seed = 1;
    GeneratePace pace;
    std::uint32_t users = 0, customers = 1'000;
    bool realistic = false;
    std::string wait = "30s", to = "stdout", start = "2026-01-01", format, rows = "transactions", topic, key;
};

constexpr std::uint64_t kTopicMessages = 10'000;  // on their way at once
constexpr std::uint64_t kUpiCount = 800, kB2bCount = 90, kPaysimCount = 1'000'000;
// Where the documents of the b2b profile are looked for.
constexpr std::string_view kB2bFile = "data/generated_transactions/transactions.json";
constexpr auto kUpiApart = std::chrono::milliseconds(500), kB2bApart = std::chrono::milliseconds(200);

bool is_stdout(std::string_view to) { return to == "stdout" || to == "-"; }
bool is_kafka(std::string_view to) { return to == "kafka"; }
bool is_http(std::string_view to) { return to == "http" || to.starts_with("http://"); }
// Words that name no file but a service; also as nobody should write them.
bool is_service(std::string_view to) {
    const auto is = [&](std::string_view word) { return equal_ignoring_case(to, word); };
    return is("http") || is("kafka") || is("postgres") || (is("stdout") && !is_stdout(to)) ||
           to.find("://") != std::string_view::npos;
}

// When the documents are made: each a fixed time after the one before, so that a seed gives the same bytes at any time
// and pace, or at the time that it is.
class Times {
public:
    static Result<Times> parse(const std::string& start, std::chrono::nanoseconds apart) {
        if (start == "now") return Times(std::nullopt, apart);
        Result<Instant> at = parse_rfc3339(start);
        if (const auto day = parse_date(start)) at = Instant(*day);
        constexpr Instant kLatestStart{std::chrono::sys_days{std::chrono::year{2100} / 1 / 1}};
        if (at && *at <= kLatestStart && *at >= Instant(kEarliestStart)) return Times(*at, apart);
        return Error{
            ErrorCode::invalid,
            fmt::format("--start: {}: write now, or a time from 1980 to 2100 like 2026-01-05 or 2026-01-05T09:30:00Z",
                        quoted(start))};
    }
    Instant at(std::uint64_t number) const {
        if (!start_) return system_now();
        return *start_ + apart_ * static_cast<std::int64_t>(number % static_cast<std::uint64_t>(kSpan / apart_));
    }

    // For the ids: what is made at other times has others.
    Instant key() const { return start_.value_or(parsed_); }

private:
    static constexpr std::chrono::sys_days kEarliestStart{std::chrono::year{1980} / 1 / 1};
    static constexpr std::chrono::nanoseconds kSpan = std::chrono::days(36'500);  // then from the start again
    Times(std::optional<Instant> start, std::chrono::nanoseconds apart) : start_(start), apart_(apart) {}

    std::optional<Instant> start_;
    std::chrono::nanoseconds apart_;
    Instant parsed_ = system_now();
};

std::string counts_text(const MessageCounts& counts) {
    std::string text = fmt::format("\ntaken {}, known before {}, dead letters {}, refused {}\n", counts.taken,
                                   counts.known_before, counts.dead_letters, counts.refused);
    for (const auto& [state, count] : counts.payments) text += fmt::format("{}  {}\n", state, count);
    return text;
}

void append_counts(JsonWriter& json, const MessageCounts& counts) {
    json.field("taken", counts.taken).field("known_before", counts.known_before);
    json.field("dead_letters", counts.dead_letters).field("refused", counts.refused);
    json.key("payments").begin_object();
    for (const auto& [state, count] : counts.payments) json.field(state, count);
    json.end_object();
}

// On standard error when the documents themselves went to standard output.
void print_summary(const Context& context, const GenerateOptions& options, std::string_view kind,
                   const generate::Tally& tally, const MessageCounts* sent) {
    std::string text;
    if (context.json) {
        JsonWriter json(text);
        json.begin_object().field("kind", kind).field("seed", options.seed).field("to", options.to);
        json.raw_members(tally_json_members(tally));
        if (sent != nullptr) append_counts(json, *sent);
        json.end_object();
        text += '\n';
    } else {
        text = tally_text(tally);
        if (sent != nullptr) text += counts_text(*sent);
    }
    fmt::print(is_stdout(options.to) ? stderr : stdout, "{}", text);
}

Exit run_into_file(const Context& context, const GenerateOptions& options, std::string_view kind,
                   const GenerateStream& stream) {
    auto output = FileOutput::open(options.to);
    if (!output) return fail(output.error());
    const StopRequest stop;
    const GenerateSink sink{.write = [&](std::string_view text) { return output->write(text); },
                            .flush = [&] { return output->flush(); },
                            .documents_max = 0};
    // Both on one terminal would write over each other.
    const bool show_progress = !is_stdout(options.to) || !is_terminal(stdout);
    const auto tally = run_generate(stream, options.pace, sink, stop, show_progress);
    if (!tally) return fail(tally.error());
    if (auto done = output->close(); !done) return fail(done.error());
    print_summary(context, options, kind, *tally, nullptr);
    return Exit::done;
}

Exit run_into_service(Context& context, const GenerateOptions& options, std::string_view kind,
                      const GenerateStream& stream) {
    if (options.to != "http") context.url = options.to;
    auto client = context.client();
    if (!client) return fail(client.error());
    const StopRequest stop;
    const auto wait = parse_duration(options.wait);
    if (!wait) return fail(Exit::usage, "--wait: " + wait.error().what);
    const auto there = client->await_listener(*wait, [&](SteadyTime until) { return stop.wait_until(until); });
    if (!there) return fail(there.error());
    MessageOutput output(std::move(*client), kind, stop);
    const std::uint64_t batch = options.pace.batch == 0 ? MessageOutput::kMessagesMax : options.pace.batch;
    const GenerateSink sink{.write = [&](std::string_view text) { return output.send(text); },
                            .flush = {},
                            .documents_max = std::min(batch, MessageOutput::kMessagesMax)};
    const auto tally = run_generate(stream, options.pace, sink, stop, true);
    const MessageCounts& counts = output.counts();
    if (!tally) {
        const bool same_again = options.start != "now";
        return fail(
            exit_of(tally.error()),
            fmt::format("{}; until then {} {} were taken, {} of them known before{}", tally.error().what, counts.taken,
                        stream.unit, counts.known_before,
                        same_again ? ". The same command again makes the same, and nothing happens twice" : ""));
    }
    print_summary(context, options, kind, *tally, &counts);
    if (counts.refused != 0) {
        return fail(Exit::no, fmt::format("{} {} were refused: {}", counts.refused, stream.unit, counts.first_refusal));
    }
    if (counts.dead_letters != 0) {
        return fail(Exit::no,
                    fmt::format("{} {} could not be read; see /v1/dead-letters", counts.dead_letters, stream.unit));
    }
    return Exit::done;
}

Exit run_into_topic(const Context& context, const GenerateOptions& options, std::string_view kind,
                    const GenerateStream& stream) {
    const auto setup = built_in_profile(kind);
    if (!setup) return fail(setup.error());
    const auto to = profile_topic(*setup, options.topic, options.key);
    if (!to) return fail(Exit::usage, to.error().what);
    auto opened = context.open_topic(to->topic);
    if (!opened) return fail(opened.error());
    const StopRequest stop;
    TopicOutput output(std::move(*opened), to->key_path);
    const GenerateSink sink{.write = [&](std::string_view text) { return output.send(text); },
                            .flush = {},
                            .documents_max = options.pace.batch == 0 ? kTopicMessages : options.pace.batch};
    const auto tally = run_generate(stream, options.pace, sink, stop, true);
    if (!tally) return fail(tally.error());
    print_summary(context, options, kind, *tally, nullptr);
    if (!context.json) fmt::print("\ndelivered {} to topic {}\n", output.delivered(), to->topic);
    return Exit::done;
}

Exit run_messages(Context& context, const GenerateOptions& options, std::string_view kind,
                  const GenerateStream& stream) {
    if (is_http(options.to)) return run_into_service(context, options, kind, stream);
    if (is_kafka(options.to)) return run_into_topic(context, options, kind, stream);
    if (is_service(options.to)) {
        return fail(Exit::usage, fmt::format("--to {}: {} go to stdout, to a file, to http or to kafka",
                                             quoted(options.to), stream.unit));
    }
    return run_into_file(context, options, kind, stream);
}

Exit generate_upi(Context& context, GenerateOptions& options) {
    const auto times = Times::parse(options.start, kUpiApart);
    if (!times) return fail(times.error());
    generate::UpiGenerator generator(
        {.seed = options.seed, .users = options.users, .realistic = options.realistic, .start = times->key()});
    std::uint64_t made = 0;
    return run_messages(context, options, "upi",
                        {.unit = "messages",
                         .count = options.count,
                         .begin = {},
                         .between = {},
                         .after = "\n",
                         .end = {},
                         .next = [&](std::string& to) { return generator.append(to, times->at(made++)); }});
}

// The folders of the default are made; those of any other file are somebody's typing.
std::optional<Exit> make_default_folders(const std::string& to) {
    if (to != kB2bFile) return std::nullopt;
    std::error_code failed;
    std::filesystem::create_directories(std::filesystem::path(to).parent_path(), failed);
    if (!failed) return std::nullopt;
    return fail(Exit::environment, fmt::format("{}: its folder cannot be made: {}", to, failed.message()));
}

Exit generate_b2b(Context& context, GenerateOptions& options) {
    const auto times = Times::parse(options.start, kB2bApart);
    if (!times) return fail(times.error());
    const bool file = !is_stdout(options.to) && !is_service(options.to);
    const bool whole = options.format.empty() ? file : options.format == "json";
    if (whole && (is_http(options.to) || is_kafka(options.to))) {
        return fail(Exit::usage, "--format json: a service or a topic takes ndjson; leave --format out");
    }
    if (const auto failed = make_default_folders(options.to)) return *failed;
    generate::B2bGenerator generator({.seed = options.seed,
                                      .customers = options.customers,
                                      .realistic = options.realistic,
                                      .ordered = whole ? options.count : 0,
                                      .start = times->key()});
    std::uint64_t made = 0;
    const auto next = [&](std::string& to) { return generator.append(to, times->at(made++)); };
    return run_messages(context, options, "b2b",
                        {.unit = "documents",
                         .count = options.count,
                         .begin = whole ? R"({"transactions":[)" : "",
                         .between = whole ? ",\n" : "",
                         .after = whole ? "" : "\n",
                         .end = whole ? "]}\n" : "",
                         .next = next});
}

// The rows that are always the same.
template <class Rows>
Exit write_samples(const GenerateOptions& options, const Rows& rows) {
    if (is_service(options.to)) {
        return fail(Exit::usage,
                    fmt::format("--to {}: sample {} go to stdout or to a file", quoted(options.to), options.rows));
    }
    auto output = FileOutput::open(options.to);
    if (!output) return fail(output.error());
    std::string text;
    for (const auto& row : rows) {
        generate::append_json(text, row);
        text += '\n';
    }
    if (auto done = output->write(text); !done) return fail(done.error());
    if (auto done = output->close(); !done) return fail(done.error());
    return Exit::done;
}

Exit generate_clearing(Context& context, GenerateOptions& options) {
    if (options.rows == "customers") return write_samples(options, generate::kClearingCustomers);
    if (options.rows == "accounts") return write_samples(options, generate::kClearingAccounts);
    const auto times = Times::parse(options.start, kUpiApart);
    if (!times) return fail(times.error());
    generate::ClearingGenerator generator(
        {.seed = options.seed, .realistic = options.realistic, .start = times->key()});
    return run_messages(context, options, "clearing",
                        {.unit = "rows",
                         .count = options.count,
                         .begin = {},
                         .between = {},
                         .after = "\n",
                         .end = {},
                         .next = [&](std::string& to) { return generator.append(to); }});
}

// A row as the profile `logging` takes it: its columns of a PaySim file, under an id that is this row's for ever.
void append_message(std::string& to, const paysim::Row& row, const std::string& id) {
    JsonWriter json(to);
    json.begin_object().field("id", id).field("sender", row.orig).field("receiver", row.dest);
    json.field("amount", Money(row.amount_minor, Currency::parse("USD").value()).decimal());
    json.field("currency", "USD").end_object();
    to += '\n';
}

Exit generate_paysim(Context& context, GenerateOptions& options) {
    paysim::Generator generator({.seed = options.seed, .count = options.count});
    const Currency dollar = Currency::parse("USD").value();
    const bool as_messages = is_http(options.to) || is_kafka(options.to);
    std::uint64_t made = 0;
    const auto next = [&](std::string& to) -> std::optional<generate::Made> {
        const auto row = generator.next();
        if (!row) return std::nullopt;
        ++made;
        if (as_messages) {
            append_message(to, *row, fmt::format("paysim-{}-{}-{}", options.seed, options.count, made));
        } else {
            paysim::append_row(to, *row);
        }
        return generate::Made{.type = paysim::name(row->type),
                              .status = row->is_fraud ? "fraud" : "ordinary",
                              .amount = Money(row->amount_minor, dollar)};
    };
    return run_messages(context, options, as_messages ? "logging" : "paysim",
                        {.unit = "rows",
                         .count = options.count,
                         .begin = as_messages ? std::string() : std::string(paysim::kHeader) + "\n",
                         .between = {},
                         .after = {},
                         .end = {},
                         .next = next});
}

void add_common(Command& command, Context& context, GenerateOptions& options, std::uint64_t count,
                const std::string& documents) {
    options.count = count;
    command.option("-n,--count", options.count, documents + "; 0: until Ctrl-C").with_default();
    command.option("--seed", options.seed, "Another seed, other bytes").with_default();
    command.option("--tps", options.pace.rate, documents + " a second; 0: as fast as it goes").with_default();
    command.flag("--json", context.json, "The counts at the end as JSON");
}

void add_destination(Command& command, Context& context, GenerateOptions& options) {
    command.option("--url", context.url, "Where that nostro listens; else NOSTRO_URL says it").with_default();
    command.option("--wait", options.wait, "How long to try while nobody listens there; 0s: not at all").with_default();
    command.option("--topic", options.topic, "With --to kafka: another topic than the profile's");
    command.option("--batch", options.pace.batch, "How many come at once, with --tps, to http or kafka; 0: as fits")
        .with_default();
}

void add_messages(Command& command, Context& context, GenerateOptions& options) {
    command.option("--to", options.to, "stdout, a file, http: a nostro that serves this profile, or kafka: its topic")
        .with_default();
    add_destination(command, context, options);
    command.flag("--realistic", options.realistic, "Valid check digits, parts that fit together, a plausible mix");
}

void add_start(Command& command, GenerateOptions& options) {
    command.option("--start", options.start, "Time of the first; now: each has the time that it is, and its id is new")
        .with_default();
}

}  // namespace

void add_generate(Command app, Context& context) {
    const Command generate = app.add_group("generate", "Seeded generators: the same seed gives the same bytes");
    add_command<GenerateOptions>(
        generate, context, "upi", "Messages of the upi profile: payments between a few users",
        [&](Command& command, GenerateOptions& options) {
            add_common(command, context, options, kUpiCount, "Messages");
            add_messages(command, context, options);
            command.option("--users", options.users, "How many pay each other; none: 5, realistic 1,000")
                .between(2, 1'000'000);
            add_start(command, options);
        },
        generate_upi);
    add_command<GenerateOptions>(
        generate, context, "b2b", "Documents of the b2b profile: business payments of nine types",
        [&](Command& command, GenerateOptions& options) {
            options.to = kB2bFile;
            add_common(command, context, options, kB2bCount, "Documents");
            add_messages(command, context, options);
            command.option("--customers", options.customers, "How many pay each other")
                .between(4, 100'000)
                .with_default();
            command
                .option("--format", options.format,
                        "json: one document, ordered by type; ndjson: a line each, types mixed. "
                        "None: json into a file, else ndjson")
                .one_of({"json", "ndjson"});
            command.option(
                "--key", options.key,
                "With --to kafka: none, originator_id, payment_id or payment_type; else as the profile says");
            add_start(command, options);
        },
        generate_b2b);
    add_command<GenerateOptions>(
        generate, context, "clearing", "Rows of the clearing profile: its three samples, then random ones",
        [&](Command& command, GenerateOptions& options) {
            add_common(command, context, options, generate::kClearingTransactions.size(), "Rows");
            add_messages(command, context, options);
            command.option("--rows", options.rows, "transactions, or the sample customers or accounts")
                .one_of({"transactions", "customers", "accounts"})
                .with_default();
            command
                .option("--start", options.start,
                        "Rows bring no time; another start, other ids; now: new ones each time")
                .with_default();
        },
        generate_clearing);
    add_command<GenerateOptions>(
        generate, context, "paysim", "Rows in the layout of the PaySim data set, fraud labelled",
        [&](Command& command, GenerateOptions& options) {
            add_common(command, context, options, kPaysimCount, "Rows");
            command
                .option("--to", options.to,
                        "stdout, a file, http: a nostro that serves the profile logging, or kafka: its topic")
                .with_default();
            add_destination(command, context, options);
        },
        generate_paysim);
}

}  // namespace nostro::cli
