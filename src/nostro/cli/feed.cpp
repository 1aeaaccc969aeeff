// nostro feed PROFILE FILE: a file in the shape of the system that a profile stands in for, to a running nostro.
//
// What the file holds is known by its content and the place in it, so the same command again changes nothing.
#include <fmt/format.h>

#include <array>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <thread>

#include "nostro/base/json_text.hpp"
#include "nostro/base/text.hpp"
#include "nostro/base/time.hpp"
#include "nostro/cli/command.hpp"
#include "nostro/cli/feed_file.hpp"
#include "nostro/cli/feed_topic.hpp"
#include "nostro/cli/terminal.hpp"

namespace nostro::cli {
namespace {

struct FeedOptions {
    std::string profile, file, as, pause, wait = "30s", to = "http", topic, key;
    std::uint64_t count = 0;
    std::uint32_t batch = 1000;
    bool force = false;
};

// Of so many messages at the beginning somebody must be able to read one, or the file is not what it should be.
constexpr std::uint32_t kProbed = 100;

constexpr std::uint64_t kHistoricalRows = 100;
constexpr std::uint32_t kRequestMax = 10'000;
constexpr std::size_t kBodyBytes = 8u << 20;

// The published files that the loader of `logging` looks for, where none is named.
std::string file_of(const FeedOptions& options) {
    if (!options.file.empty() || options.profile != "logging") return options.file;
    for (const char* name : {"paysim.csv", "paysim_data.csv"}) {
        if (std::error_code none; std::filesystem::exists(name, none)) return name;
    }
    return "paysim.csv";
}

FeedColumns columns_of(const FeedOptions& options) {
    FeedColumns columns;
    if (options.profile == "logging") {
        columns.columns = {{"nameOrig", "sender"}, {"nameDest", "receiver"}, {"amount", "amount"}};
    }
    if (options.as == "historical") columns.more_members = R"("status":"Historical")";
    return columns;
}

// What all answers together say.
struct Fed {
    std::uint64_t sent = 0;
    std::map<std::string, std::uint64_t> counts, payments;
    std::vector<std::string> unreadable, not_taken;  // the first

    static constexpr std::size_t kShownMax = 5;

    std::uint64_t count(std::string_view name) const {
        const auto found = counts.find(std::string(name));
        return found == counts.end() ? 0 : found->second;
    }
    // `place`: says where in the file the message of that line of the request stands.
    void add(const Json& answer, const std::function<std::string(std::uint64_t)>& place) {
        for (const char* each : {"messages", "taken", "replayed", "records", "accounts", "dead_letters", "refused"}) {
            counts[each] += answer.number(each).value_or(0);
        }
        for (const auto& [status, number] : answer.members("payments")) {
            payments[status] += parse_uint64(number).value_or(0);
        }
        const auto add_to = [&](std::vector<std::string>& shown, std::string_view list) {
            for (const Json& item : answer.items(list)) {
                if (shown.size() == kShownMax) break;
                shown.push_back(fmt::format("{}: {}", place(item.number("line").value_or(1)), item.text("detail")));
            }
        };
        add_to(unreadable, "unreadable");
        add_to(not_taken, "not_taken");
    }
};

void print_fed(const Fed& fed, const FeedOptions& options, std::chrono::nanoseconds elapsed) {
    fmt::print("{} messages to {} in {}\n", human_count(fed.sent), options.profile, human_duration(elapsed));
    const auto line = [](std::string_view label, std::uint64_t number) {
        if (number != 0) fmt::print("  {:<14}{:>12}\n", label, human_count(number));
    };
    for (const auto& [status, number] : fed.payments) line(status, number);
    line("records", fed.count("records"));
    line("accounts", fed.count("accounts"));
    line("taken before", fed.count("replayed"));
    const auto reasons = [](const std::vector<std::string>& shown, std::uint64_t all) {
        for (const std::string& each : shown) fmt::print("    {}\n", each);
        if (all > shown.size()) fmt::print("    and {} more\n", human_count(all - shown.size()));
    };
    line("dead letters", fed.count("dead_letters"));
    reasons(fed.unreadable, fed.count("dead_letters"));
    line("not taken", fed.count("refused"));
    reasons(fed.not_taken, fed.count("refused"));
    if (fed.count("dead_letters") != 0) {
        fmt::print("  all of them: nostro dead-letters list\n");
    }
}

class Feeding {
public:
    Feeding(Client client, const FeedOptions& options, FeedFile& file, std::chrono::nanoseconds pause)
        : client_(std::move(client)),
          options_(options),
          file_(file),
          pause_(pause),
          progress_("feed", "bytes", file.bytes()),
          target_(fmt::format("/v1/profiles/{}/messages?source=file:{}{}", percent_encoded(options.profile),
                              file.digest().substr(0, 32), options.as.empty() ? "" : fmt::format(":{}", options.as))) {}

    // nullopt: what went wrong was told, and is `exit`.
    std::optional<Fed> run() {
        Fed fed;
        std::string body;
        for (bool more = true; more;) {
            body.clear();
            lines_.clear();
            first_ = fed.sent + 1;
            const std::uint64_t batch = batch_size();
            while (lines_.size() < batch && body.size() < kBodyBytes &&
                   (options_.count == 0 || fed.sent < options_.count)) {
                const auto read = file_.next(body);
                if (!read) {
                    exit = fail(read.error());
                    return std::nullopt;
                }
                if (!*read) break;
                lines_.push_back(file_.line());
                ++fed.sent;
            }
            more = lines_.size() == batch || body.size() >= kBodyBytes;
            if (!lines_.empty() && !send(body, fed)) return std::nullopt;
            progress_.update(file_.bytes_read());
        }
        progress_.finish(file_.bytes_read());
        return fed;
    }

    Exit exit = Exit::done;

private:
    bool is_probe() const { return first_ == 1 && pause_.count() == 0 && !options_.force && options_.as.empty(); }
    std::uint64_t batch_size() const {
        if (pause_.count() > 0) return 1;
        return is_probe() ? std::max(options_.batch, kProbed) : options_.batch;
    }
    // What to do with a request that holds what nobody can read.
    std::string_view unreadable() const {
        if (!options_.as.empty()) return "&unreadable=refuse";  // all or nothing
        return is_probe() ? "&unreadable=refuse_all" : "";
    }
    // Of the request's line.
    std::string place(std::uint64_t line) const {
        const std::uint64_t message = first_ + line - 1;
        if (line == 0 || line > lines_.size()) return fmt::format("message {}", message);
        return file_.shape() == FeedFile::Shape::array ? fmt::format("message {} (line {})", message, lines_[line - 1])
                                                       : fmt::format("line {}", lines_[line - 1]);
    }

    bool send(std::string_view body, Fed& fed) {
        if (pause_.count() > 0 && first_ > 1) std::this_thread::sleep_for(pause_);
        const auto answer = client_.request("POST", fmt::format("{}{}&first={}", target_, unreadable(), first_), body,
                                            {{"Content-Type", "application/x-ndjson"}});
        if (!answer) return told(Exit::environment, answer.error().what + so_far(fed));
        if (answer->status >= 500) return told(Exit::environment, problem_text(*answer) + so_far(fed));
        const auto json = Json::parse(answer->body);
        if (answer->status >= 300) return told(Exit::no, refusal(*answer, json));
        if (!json) return told(Exit::environment, json.error().what + so_far(fed));
        fed.add(*json, [this](std::uint64_t line) { return place(line); });
        for (const Json& item : json->items("not_taken")) {
            if (item.number("status").value_or(0) != 503) continue;
            return told(Exit::environment, item.text("detail") + so_far(fed));
        }
        return true;
    }

    bool told(Exit with, const std::string& what) {
        exit = fail(with, what);
        return false;
    }
    // The same command again takes what is missing, because everything is known by its place in the file.
    static std::string so_far(const Fed& fed) {
        return fmt::format(
            "; until then {} messages were taken, {} of them known before. Start the same feed again: it goes on where "
            "it was, and nothing happens twice",
            human_count(fed.count("taken")), human_count(fed.count("replayed")));
    }
    std::string refusal(const HttpAnswer& answer, const Result<Json>& json) const {
        if (!json || json->text("code") != "unreadable_message") return problem_text(answer);
        std::string why = json->text("detail");  // "line 1: amount: is missing; nothing was taken"
        const auto end = why.find(':');
        if (const auto line = parse_uint64(std::string_view(why).substr(0, end).substr(sizeof "line")); line) {
            why = place(*line) + why.substr(end);
        }
        if (!options_.as.empty()) return why;
        return fmt::format("{} is no file of {}: {}. With --force its messages are kept as dead letters",
                           options_.file == "-" ? "standard input" : options_.file, options_.profile, why);
    }

    Client client_;
    const FeedOptions& options_;
    FeedFile& file_;
    const std::chrono::nanoseconds pause_;
    Progress progress_;
    const std::string target_;
    std::uint64_t first_ = 1;           // message of the request under way
    std::vector<std::uint64_t> lines_;  // of the file, of its messages
};

Exit feed_into_topic(const Context& context, const FeedOptions& options, std::chrono::nanoseconds pause) {
    if (!options.as.empty()) return fail(Exit::usage, "--as: a topic takes what happens, not what is history");
    auto file = FeedFile::open(file_of(options), columns_of(options));
    if (!file) return fail(Exit::no, file.error().what);
    const auto start = steady_now();
    const auto fed = feed_topic(context,
                                {.profile = options.profile,
                                 .topic = options.topic,
                                 .key = options.key,
                                 .count = options.count,
                                 .batch = pause.count() > 0 ? 1 : options.batch,
                                 .pause = pause},
                                *file);
    if (!fed) return fail(fed.error());
    if (fed->delivered + fed->left_out == 0) return fail(Exit::no, "the file holds no message");
    if (context.json) {
        std::string text;
        JsonWriter json(text);
        json.begin_object().field("profile", options.profile).field("topic", fed->topic);
        json.field("delivered", fed->delivered).field("left_out", fed->left_out).end_object();
        fmt::print("{}\n", text);
    } else {
        fmt::print("{} messages to topic {} in {}\n", human_count(fed->delivered), fed->topic,
                   human_duration(elapsed_since(start)));
        if (fed->left_out != 0) fmt::print("  {:<14}{:>12}\n", "left out", human_count(fed->left_out));
        for (const std::string& each : fed->faults) fmt::print("    {}\n", each);
    }
    return end_of_output(fed->left_out > 0 ? Exit::no : Exit::done);
}

// nullopt: the option was left out.
Result<std::optional<std::chrono::nanoseconds>> duration_of(std::string_view option, const std::string& text) {
    if (text.empty()) return std::optional<std::chrono::nanoseconds>();
    const auto parsed = parse_duration(text);
    if (!parsed) return Error{ErrorCode::invalid, fmt::format("{}: {}", option, parsed.error().what)};
    return std::optional(*parsed);
}

Exit feed(Context& context, FeedOptions& options) {
    const bool is_historical = options.as == "historical";
    if (is_historical) {  // all or nothing: one request
        if (options.count == 0) options.count = kHistoricalRows;
        if (options.count > kRequestMax) {
            return fail(Exit::usage, fmt::format("--count: at most {} historical rows", kRequestMax));
        }
        options.batch = kRequestMax;
    }
    const auto pause = duration_of("--pause", options.pause);
    if (!pause) return fail(pause.error());
    const auto wait = duration_of("--wait", options.wait);
    if (!wait) return fail(wait.error());
    options.file = file_of(options);
    if (options.file.empty()) {
        return fail(Exit::usage, fmt::format("feed {}: file: is required; - reads standard input", options.profile));
    }
    if (options.to == "kafka") {
        return feed_into_topic(context, options, pause->value_or(std::chrono::nanoseconds{}));
    }
    auto file = FeedFile::open(options.file, columns_of(options));
    if (!file) return fail(Exit::no, file.error().what);
    auto client = context.client();
    if (!client) return fail(client.error());
    if (auto there = client->await_listener(wait->value_or(std::chrono::nanoseconds{})); !there) {
        return fail(there.error());
    }
    const auto start = steady_now();
    Feeding feeding(std::move(*client), options, *file, pause->value_or(std::chrono::nanoseconds{}));
    const auto fed = feeding.run();
    if (!fed) return feeding.exit;
    if (fed->sent == 0) return fail(Exit::no, "the file holds no message");
    if (context.json) {
        std::string text;
        JsonWriter json(text);
        json.begin_object().field("profile", options.profile);
        for (const auto& [name, number] : fed->counts) json.field(name, number);
        json.key("payments").begin_object();
        for (const auto& [status, number] : fed->payments) json.field(status, number);
        json.end_object().end_object();
        fmt::print("{}\n", text);
    } else {
        print_fed(*fed, options, elapsed_since(start));
    }
    return end_of_output(fed->count("dead_letters") + fed->count("refused") > 0 ? Exit::no : Exit::done);
}

}  // namespace

void add_feed(Command app, Context& context) {
    add_command<FeedOptions>(
        app, context, "feed", "Send a file in a profile's own shape; again: changes nothing",
        [&](Command& command, FeedOptions& options) {
            add_client_options(command, context);
            command.option("profile", options.profile, "upi, tps, logging, b2b, clearing: one that the service serves")
                .required();
            command.option(
                "file", options.file,
                "JSON lines, a JSON array, {\"transactions\": [...]}, or a CSV with a header line; -: from standard "
                "input");
            command.option("--as", options.as, "historical: rows that are history already; the first 100")
                .one_of({"historical"});
            command.option("--to", options.to, "http: the service, or kafka: the profile's topic")
                .one_of({"http", "kafka"})
                .with_default();
            command.option("--topic", options.topic, "With --to kafka: another topic than the profile's");
            command.option(
                "--key", options.key,
                "With --to kafka: none, originator_id, payment_id or payment_type; else as the profile says");
            command.option("--count", options.count, "At most so many; 0: all").with_default();
            command.option("--batch", options.batch, "Messages a request").between(1, 10'000).with_default();
            command.option("--pause", options.pause, "One by one, with so much time between: 100ms");
            command.option("--wait", options.wait, "How long to try while nobody listens; 0s: not at all")
                .with_default();
            command.flag("--force", options.force, "Also a file of whose first 100 messages none can be read");
            command.footer(
                "Without a file `feed logging` takes paysim.csv or paysim_data.csv of this folder.\n"
                "Exit code 1: a message was not taken, became a dead letter or was left out; the others were taken.");
        },
        feed);
}

}  // namespace nostro::cli
