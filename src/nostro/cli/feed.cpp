// nostro feed PROFILE FILE: a file in the shape of the system that a profile stands in for, to a running nostro.
//
// What the file holds is known by its content and the place in it, so the same command again changes nothing.
#include <fmt/format.h>

#include <array>
#include <filesystem>
#include <map>
#include <optional>
#include <thread>

#include "nostro/base/json_text.hpp"
#include "nostro/base/text.hpp"
#include "nostro/base/time.hpp"
#include "nostro/cli/command.hpp"
#include "nostro/cli/feed_file.hpp"
#include "nostro/cli/terminal.hpp"

namespace nostro::cli {
namespace {

struct FeedOptions {
    std::string profile, file, as, pause;
    std::uint64_t count = 0;
    std::uint32_t batch = 1000;
};

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
    std::vector<std::string> not_taken;

    static constexpr std::size_t kShownMax = 5;

    std::uint64_t count(std::string_view name) const {
        const auto found = counts.find(std::string(name));
        return found == counts.end() ? 0 : found->second;
    }
    void add(const Json& answer, std::uint64_t first) {
        for (const char* each : {"messages", "taken", "replayed", "records", "accounts", "dead_letters", "refused"}) {
            counts[each] += answer.number(each).value_or(0);
        }
        for (const auto& [status, number] : answer.members("payments")) {
            payments[status] += parse_uint64(number).value_or(0);
        }
        for (const Json& item : answer.items("not_taken")) {
            if (not_taken.size() == kShownMax) break;
            not_taken.push_back(
                fmt::format("message {}: {}", first + item.number("line").value_or(1) - 1, item.text("detail")));
        }
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
    line("dead letters", fed.count("dead_letters"));
    line("not taken", fed.count("refused"));
    for (const std::string& each : fed.not_taken) fmt::print("    {}\n", each);
    if (fed.count("dead_letters") != 0) fmt::print("  why: GET /v1/dead-letters\n");
}

class Feeding {
public:
    Feeding(Context& context, const FeedOptions& options, FeedFile& file, std::chrono::nanoseconds pause)
        : context_(context),
          options_(options),
          file_(file),
          pause_(pause),
          progress_("feed", "bytes", file.bytes()),
          target_(fmt::format("/v1/profiles/{}/messages?source=file:{}{}", percent_encoded(options.profile),
                              file.digest().substr(0, 32),
                              options.as.empty() ? "" : fmt::format(":{}&unreadable=refuse", options.as))) {}

    // nullopt: what went wrong was told, and is the context's exit code.
    std::optional<Fed> run() {
        Fed fed;
        std::string body;
        for (bool more = true; more;) {
            body.clear();
            const std::uint64_t first = fed.sent + 1;
            std::uint64_t messages = 0;
            while (messages < batch() && body.size() < kBodyBytes &&
                   (options_.count == 0 || fed.sent < options_.count)) {
                const auto read = file_.next(body);
                if (!read) {
                    context_.exit = fail(read.error());
                    return std::nullopt;
                }
                if (!*read) break;
                ++messages;
                ++fed.sent;
            }
            more = messages == batch() || body.size() >= kBodyBytes;
            if (messages != 0 && !send(body, first, fed)) return std::nullopt;
            progress_.update(file_.bytes_read());
        }
        progress_.finish(file_.bytes_read());
        return fed;
    }

private:
    std::uint64_t batch() const { return pause_.count() > 0 ? 1 : options_.batch; }

    bool send(std::string_view body, std::uint64_t first, Fed& fed) {
        if (pause_.count() > 0 && first > 1) std::this_thread::sleep_for(pause_);
        const auto asked = ask(context_, "POST", fmt::format("{}&first={}", target_, first), body,
                               {{"Content-Type", "application/x-ndjson"}});
        if (!asked) return false;
        fed.add(asked->json, first);
        for (const Json& item : asked->json.items("not_taken")) {
            if (item.number("status").value_or(0) != 503) continue;
            context_.exit =
                fail(Exit::environment, item.text("detail") + "; start the same feed again, it goes on where it was");
            return false;
        }
        return true;
    }

    Context& context_;
    const FeedOptions& options_;
    FeedFile& file_;
    const std::chrono::nanoseconds pause_;
    Progress progress_;
    const std::string target_;
};

Exit feed(Context& context, FeedOptions& options) {
    const bool is_historical = options.as == "historical";
    if (is_historical) {  // all or nothing: one request
        if (options.count == 0) options.count = kHistoricalRows;
        if (options.count > kRequestMax) {
            return fail(Exit::usage, fmt::format("--count: at most {} historical rows", kRequestMax));
        }
        options.batch = kRequestMax;
    }
    std::chrono::nanoseconds pause{};
    if (!options.pause.empty()) {
        const auto parsed = parse_duration(options.pause);
        if (!parsed) return fail(Exit::usage, "--pause: " + parsed.error().what);
        pause = *parsed;
    }
    auto file = FeedFile::open(file_of(options), columns_of(options));
    if (!file) return fail(Exit::no, file.error().what);
    const auto start = steady_now();
    const auto fed = Feeding(context, options, *file, pause).run();
    if (!fed) return context.exit;
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
            command.option("profile", options.profile, "upi, logging, b2b, clearing: one that the service serves")
                .required();
            command.option("file", options.file,
                           "JSON lines, a JSON array, {\"transactions\": [...]}, or a CSV with a header line");
            command.option("--as", options.as, "historical: rows that are history already; the first 100")
                .one_of({"historical"});
            command.option("--count", options.count, "At most so many; 0: all").with_default();
            command.option("--batch", options.batch, "Messages a request").between(1, 10'000).with_default();
            command.option("--pause", options.pause, "One by one, with so much time between: 100ms");
            command.footer(
                "Without a file `feed logging` takes paysim.csv or paysim_data.csv of this folder.\n"
                "Exit code 1: a message was not taken, or became a dead letter; the others were taken.");
        },
        feed);
}

}  // namespace nostro::cli
