#include "nostro/cli/command.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <system_error>

#include "nostro/base/text.hpp"

namespace nostro::cli {
namespace {

// "/amount: 'x' is no number", of one of errors[].
std::string field_text(const Json& error) {
    const std::string pointer = error.text("pointer");
    const std::string detail = error.text("detail");
    if (pointer.empty()) return detail;
    const std::string name = pointer.substr(pointer.rfind('/') + 1) + ": ";
    return fmt::format("{}: {}", pointer, detail.starts_with(name) ? detail.substr(name.size()) : detail);
}

std::string value_text(simdjson::dom::element element) {
    std::string_view text;
    if (element.get(text) == simdjson::SUCCESS) return std::string(text);
    return simdjson::minify(element);
}

}  // namespace

std::string problem_text(const HttpAnswer& answer) {
    const auto problem = Json::parse(answer.body);
    if (!problem) return fmt::format("HTTP {}", answer.status);
    const auto errors = problem->items("errors");
    const std::string code = problem->text("code");
    if (errors.size() == 1) return fmt::format("{} ({})", field_text(errors.front()), code);
    if (errors.empty()) {
        const std::string detail = problem->text("detail");
        return detail.empty() ? problem->text("title") : fmt::format("{} ({})", detail, code);
    }
    std::string text = fmt::format("{} fields are wrong ({})", errors.size(), code);
    for (const Json& error : errors) text += "\n  " + field_text(error);
    return text;
}

Exit exit_of(const Error& error) {
    switch (error.code) {
        case ErrorCode::invalid: return Exit::usage;
        case ErrorCode::conflict:
        case ErrorCode::not_found:
        case ErrorCode::corrupt: return Exit::no;
        case ErrorCode::unavailable:
        case ErrorCode::unknown:
        case ErrorCode::fenced: return Exit::environment;
    }
    return Exit::environment;
}

Exit fail(Exit exit, std::string_view what) {
    std::fflush(stdout);
    fmt::print(stderr, "nostro: {}\n", what);
    return exit;
}

Exit fail(const Error& error) { return fail(exit_of(error), error.what); }

std::optional<Exit> no_such_folder(const std::string& folder) {
    std::error_code failed;
    if (std::filesystem::is_directory(folder, failed)) return std::nullopt;
    if (failed && failed != std::errc::no_such_file_or_directory && failed != std::errc::not_a_directory) {
        return fail(Exit::environment, fmt::format("{}: {}", folder, failed.message()));
    }
    return fail(Exit::usage, fmt::format("{}: there is no such folder", folder));
}

Exit end_of_output(Exit exit) {
    errno = 0;
    const bool written = std::fflush(stdout) == 0 && std::ferror(stdout) == 0;
    if (written) return exit;
    const std::string why = errno == 0 ? "cannot be written" : std::generic_category().message(errno);
    fmt::print(stderr, "nostro: standard output: {}\n", why);
    return exit == Exit::done ? Exit::environment : exit;
}

std::string url_of_environment() {
    // Nobody sets variables while the program runs.
    const char* url = std::getenv("NOSTRO_URL");  // NOLINT(concurrency-mt-unsafe)
    return url == nullptr || *url == '\0' ? "http://127.0.0.1:8000" : url;
}

Result<Client> Context::client() const {
    const auto parsed = parse_url(url);
    if (!parsed) return parsed.error();
    return Client(*parsed);
}

void add_client_options(Command& command, Context& context) {
    command.option("--url", context.url, "Where nostro listens; else NOSTRO_URL says it").with_default();
    command.flag("--json", context.json, "Print the answer as JSON");
}

void add_tenant_option(Command& command, std::string& tenant) {
    command.option("--tenant", tenant, "Whose ledger: the name of a profile");
}

std::string tenant_query(const std::string& tenant, bool more) {
    return tenant.empty() ? std::string() : (more ? "&tenant=" : "?tenant=") + percent_encoded(tenant);
}

Result<Json> Json::parse(std::string_view text) {
    Json json;
    json.parser_ = std::make_shared<simdjson::dom::parser>();
    const auto error = json.parser_->parse(simdjson::padded_string(text)).get(json.element_);
    if (error)
        return Error{ErrorCode::unknown, fmt::format("the answer is no JSON: {}", simdjson::error_message(error))};
    return json;
}

std::optional<simdjson::dom::element> Json::at(std::string_view path) const {
    simdjson::dom::element element = element_;
    while (!path.empty()) {
        const auto [name, rest] = split_once(path, '.');
        simdjson::dom::element inner;
        if (element[name].get(inner) != simdjson::SUCCESS) return std::nullopt;
        element = inner;
        path = rest;
    }
    return element;
}

std::string Json::text(std::string_view path) const {
    const auto element = at(path);
    if (!element || element->is_null()) return {};
    return value_text(*element);
}

std::optional<std::uint64_t> Json::number(std::string_view path) const {
    const auto element = at(path);
    std::uint64_t number = 0;
    if (!element || element->get(number) != simdjson::SUCCESS) return std::nullopt;
    return number;
}

std::vector<Json> Json::items(std::string_view path) const {
    std::vector<Json> items;
    const auto element = at(path);
    simdjson::dom::array array;
    if (!element || element->get(array) != simdjson::SUCCESS) return items;
    for (const auto item : array) {
        Json json;
        json.parser_ = parser_;
        json.element_ = item;
        items.push_back(std::move(json));
    }
    return items;
}

std::vector<std::pair<std::string, std::string>> Json::members(std::string_view path) const {
    std::vector<std::pair<std::string, std::string>> members;
    const auto element = at(path);
    simdjson::dom::object object;
    if (!element || element->get(object) != simdjson::SUCCESS) return members;
    for (const auto [name, value] : object) members.emplace_back(name, value_text(value));
    return members;
}

std::string Json::raw() const { return simdjson::minify(element_); }

std::optional<Asked> ask(Context& context, std::string_view method, const std::string& target, std::string_view body,
                         const std::vector<Client::Header>& headers) {
    auto client = context.client();
    if (!client) {
        context.exit = fail(client.error());
        return std::nullopt;
    }
    auto answer = client->request(method, target, body, headers);
    if (!answer) {
        context.exit = fail(Exit::environment, answer.error().what);
        return std::nullopt;
    }
    if (answer->status >= 300) {
        context.exit = fail(answer->status >= 500 ? Exit::environment : Exit::no, problem_text(*answer));
        return std::nullopt;
    }
    auto json = Json::parse(answer->body);
    if (!json) {
        context.exit = fail(Exit::environment, json.error().what);
        return std::nullopt;
    }
    return Asked{std::move(*answer), std::move(*json)};
}

}  // namespace nostro::cli
