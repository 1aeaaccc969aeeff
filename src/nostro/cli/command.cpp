#include "nostro/cli/command.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>

#include "nostro/base/text.hpp"

namespace nostro::cli {
namespace {

// "amount: 'x' is no number" for each of errors[], else the detail.
std::string problem_text(const HttpAnswer& answer) {
    const auto problem = Json::parse(answer.body);
    if (!problem) return fmt::format("HTTP {}", answer.status);
    std::string text = fmt::format("{} ({})", problem->text("detail"), problem->text("code"));
    if (problem->text("detail").empty()) text = problem->text("title");
    for (const Json& error : problem->items("errors")) {
        text += fmt::format("\n  {}: {}", error.text("pointer"), error.text("detail"));
    }
    return text;
}

}  // namespace

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

Result<Client> Context::client() const {
    const auto parsed = parse_url(url);
    if (!parsed) return parsed.error();
    return Client(*parsed);
}

void add_client_options(Command& command, Context& context) {
    command.option("--url", context.url, "Where nostro listens").from_environment("NOSTRO_URL").with_default();
    command.flag("--json", context.json, "Print the answer as JSON");
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
    std::string_view text;
    if (element->get(text) == simdjson::SUCCESS) return std::string(text);
    return simdjson::minify(*element);
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
