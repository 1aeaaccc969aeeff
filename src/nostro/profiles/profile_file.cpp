#include "nostro/profiles/profile_file.hpp"

#include <fmt/format.h>
#include <toml++/toml.h>

#include <algorithm>
#include <array>

#include "nostro/base/text.hpp"

namespace nostro {
namespace {

constexpr std::string_view kPlainMarks = "._-:/@+%?=&~!*";

// What an environment variable may put into the file: never a quote or a line end, so it cannot end a text.
bool is_plain(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           kPlainMarks.find(c) != std::string_view::npos;
}

Result<std::string> substituted(std::string_view text, std::string_view file, const EnvironmentOf& environment) {
    std::string whole;
    for (;;) {
        const auto begin = text.find("${");
        whole.append(text.substr(0, begin));
        if (begin == std::string_view::npos) return whole;
        // In a comment it is an example.
        const std::string_view line = std::string_view(whole).substr(whole.rfind('\n') + 1);
        if (trim(line).starts_with('#')) {
            const auto rest = std::min(text.find('\n', begin), text.size());
            whole.append(text.substr(begin, rest - begin));
            text.remove_prefix(rest);
            continue;
        }
        text.remove_prefix(begin + 2);
        const auto end = text.find('}');
        if (end == std::string_view::npos) return Error{ErrorCode::invalid, fmt::format("{}: ${{ has no }}", file)};
        const std::string_view inner = text.substr(0, end);
        text.remove_prefix(end + 1);
        const auto colon = inner.find(":-");
        const std::string_view variable = inner.substr(0, colon);
        const std::string_view otherwise = colon == std::string_view::npos ? "" : inner.substr(colon + 2);
        const std::string value = environment(variable).value_or(std::string(otherwise));
        if (const auto odd = std::ranges::find_if_not(value, is_plain); odd != value.end()) {
            // Not all of it: it may be a password.
            return Error{ErrorCode::invalid,
                         fmt::format("the environment variable {} has {} in it; letters, digits and {} may stand there",
                                     variable, quoted(std::string_view(&*odd, 1)), kPlainMarks)};
        }
        whole.append(value);
    }
}

Error wrong(std::string_view file, const toml::node& node, std::string_view what) {
    const auto at = node.source().begin;
    return {ErrorCode::invalid, fmt::format("{}, line {}, column {}: {}", file, at.line, at.column, what)};
}

// A scalar as it would be written. nullopt: it is none.
std::optional<std::string> scalar(const toml::node& node) {
    if (const auto* text = node.as_string()) return text->get();
    if (const auto* whole = node.as_integer()) return std::to_string(whole->get());
    if (const auto* flag = node.as_boolean()) return std::string(flag->get() ? "true" : "false");
    return std::nullopt;
}

Result<> read_account(const toml::table& table, std::string_view file, ProfileSetup& setup) {
    ProfileSetup::Account account;
    account.kind = "customer";
    account.risk_level = "unrated";
    account.opening = account.floor = "0";
    const std::array<std::pair<std::string_view, std::string*>, 8> fields{{{"name", &account.name},
                                                                           {"holder", &account.holder},
                                                                           {"kind", &account.kind},
                                                                           {"risk_level", &account.risk_level},
                                                                           {"currency", &account.currency},
                                                                           {"opening", &account.opening},
                                                                           {"floor", &account.floor},
                                                                           {"metadata", &account.metadata}}};
    for (const auto& [key, node] : table) {
        const auto field = std::ranges::find(fields, key.str(), [](const auto& pair) { return pair.first; });
        if (field == fields.end()) {
            return wrong(file, node, fmt::format("profile.account has no key {}", quoted(key.str())));
        }
        const auto* text = node.as_string();
        if (text == nullptr) return wrong(file, node, fmt::format("{} is no text in quotes", key.str()));
        *field->second = text->get();
    }
    if (account.name.empty() || account.currency.empty()) {
        return wrong(file, table, "an account needs name and currency");
    }
    setup.accounts.push_back(std::move(account));
    return {};
}

Result<> read_profile(const toml::table& profile, std::string_view file, ProfileSetup& setup) {
    for (const auto& [key, node] : profile) {
        if (key.str() == "account") {
            const auto* accounts = node.as_array();
            if (accounts == nullptr) return wrong(file, node, "account is no list of tables [[profile.account]]");
            for (const toml::node& each : *accounts) {
                const auto* table = each.as_table();
                if (table == nullptr) return wrong(file, each, "account is no list of tables [[profile.account]]");
                if (auto read = read_account(*table, file, setup); !read) return read.error();
            }
            continue;
        }
        auto text = scalar(node);
        if (!text)
            return wrong(file, node, fmt::format("profile.{}: expected a text, a whole number or a flag", key.str()));
        setup.settings.emplace(std::string(key.str()), std::move(*text));
    }
    return {};
}

}  // namespace

std::string ProfileSetup::setting(std::string_view key, std::string_view otherwise) const {
    const auto found = settings.find(key);
    return found == settings.end() ? std::string(otherwise) : found->second;
}

Result<ProfileSetup> read_profile_file(std::string_view text, std::string_view file, const EnvironmentOf& environment) {
    auto whole = substituted(text, file, environment);
    if (!whole) return whole.error();
    ProfileSetup setup;
    setup.policy = std::move(*whole);
    try {
        const toml::table parsed = toml::parse(setup.policy, std::string(file));
        if (const auto* profile = parsed["profile"].as_table()) {
            if (auto read = read_profile(*profile, file, setup); !read) return read.error();
        }
    } catch (const toml::parse_error& thrown) {
        const auto at = thrown.source().begin;
        return Error{ErrorCode::invalid, fmt::format("{}, line {}, column {}: is no TOML: {}", file, at.line, at.column,
                                                     thrown.description())};
    }
    return setup;
}

}  // namespace nostro
