// What the commands share: global options, exit codes, how answers and failures are shown.
#pragma once
#include <simdjson.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "nostro/base/result.hpp"
#include "nostro/cli/client.hpp"
#include "nostro/cli/options.hpp"
#include "nostro/ports/topic.hpp"

namespace nostro::cli {

// 0 done; 1 the answer is no (verification failed, payment rejected with --fail-on-reject); 2 wrong use; 3 environment
// (nobody listens, port taken, no permission, disk full).
enum class Exit : int { done = 0, no = 1, usage = 2, environment = 3 };

// Of an answer that is no 2xx: its detail and code; of wrong fields, each once with its pointer.
std::string problem_text(const HttpAnswer& answer);
Exit exit_of(const Error& error);
// Prints "nostro: ..." on standard error.
Exit fail(const Error& error);
Exit fail(Exit exit, std::string_view what);
// nullopt: there is such a folder. Else that there is none was told, and the exit code is the same for all commands.
std::optional<Exit> no_such_folder(const std::string& folder);
// What was printed may still wait in a buffer, for a disk that is full. To be called once, at the end; returns `exit`,
// or `environment` when the output was not written and nothing else went wrong.
Exit end_of_output(Exit exit);

// NOSTRO_URL, else where a nostro without settings listens.
std::string url_of_environment();

struct Context {
    std::string url = url_of_environment();
    bool json = false;
    Exit exit = Exit::done;

    // Opens a topic of the cluster that the environment names; made if it is not there. Set by the program.
    std::function<Result<std::unique_ptr<Topic>>(const std::string& topic)> open_topic{};

    Result<Client> client() const;
};

// Adds a command whose body runs after parsing; what it returns becomes the exit code. Options live in `Options`.
template <class Options>
void add_command(Command parent, Context& context, const std::string& name, const std::string& help,
                 const std::function<void(Command&, Options&)>& describe,
                 const std::function<Exit(Context&, Options&)>& body) {
    Command command = parent.add(name, help);
    auto options = std::make_shared<Options>();
    describe(command, *options);
    command.runs([&context, options, body] { context.exit = body(context, *options); });
}

// --url and --json, for every command that asks a running nostro.
void add_client_options(Command& command, Context& context);
// --tenant, and what it adds to a target; `more`: behind another parameter.
void add_tenant_option(Command& command, std::string& tenant);
std::string tenant_query(const std::string& tenant, bool more = false);

// A JSON document that was answered. Members are read by path ("balances.debtor.after"); what is absent or null is "".
class Json {
public:
    static Result<Json> parse(std::string_view text);
    std::string text(std::string_view path) const;
    std::optional<std::uint64_t> number(std::string_view path) const;
    // Elements of an array at `path`, each a document of its own.
    std::vector<Json> items(std::string_view path) const;
    // Of an object at `path`, in their order; none when there is no object.
    std::vector<std::pair<std::string, std::string>> members(std::string_view path) const;
    std::string raw() const;

private:
    std::shared_ptr<simdjson::dom::parser> parser_;
    simdjson::dom::element element_;
    std::optional<simdjson::dom::element> at(std::string_view path) const;
};

// Asks; a failure of transport, or an answer that is no 2xx, is printed and becomes the exit code: 4xx of what was
// asked is `no`, 5xx is `environment`.
struct Asked {
    HttpAnswer answer;
    Json json;
};
std::optional<Asked> ask(Context& context, std::string_view method, const std::string& target, std::string_view body,
                         const std::vector<Client::Header>& headers);

// The commands, a file each.
void add_submit(Command app, Context& context);        // submit
void add_payments(Command app, Context& context);      // show, list
void add_accounts(Command app, Context& context);      // accounts, balances
void add_reviews(Command app, Context& context);       // reviews
void add_dead_letters(Command app, Context& context);  // dead-letters
void add_generate(Command app, Context& context);      // generate paysim
void add_feed(Command app, Context& context);          // feed
void add_replay(Command app, Context& context);        // replay
void add_bench(Command app, Context& context);         // bench
void add_export(Command app, Context& context);        // export
void add_journal(Command app, Context& context);       // verify, log, backup, restore
void add_keys(Command app, Context& context);          // keys new, keys show
void add_completion(Command app);                      // completion bash|zsh

}  // namespace nostro::cli
