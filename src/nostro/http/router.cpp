#include "nostro/http/router.hpp"

#include <algorithm>

#include "nostro/base/assert.hpp"

namespace nostro {
namespace {

constexpr std::size_t kPathSegmentsMax = 8;

// The segments behind the first slash; count only, when there are more than fit.
std::size_t split_path(std::string_view path, std::array<std::string_view, kPathSegmentsMax>& into) {
    std::size_t count = 0;
    while (!path.empty()) {
        path.remove_prefix(1);
        const std::size_t end = std::min(path.find('/'), path.size());
        if (count < into.size()) into[count] = path.substr(0, end);
        ++count;
        path.remove_prefix(end);
    }
    return count;
}

bool fits(std::span<const std::string_view> wanted, std::span<const std::string_view> segments) {
    for (std::size_t i = 0; i < wanted.size(); ++i) {
        if (wanted[i].empty() ? segments[i].empty() : wanted[i] != segments[i]) return false;
    }
    return true;
}

}  // namespace

Router::Path& Router::path_of(std::string_view text) {
    if (const auto known = by_text_.find(text); known != by_text_.end()) return *known->second;
    Path& path = *paths_.emplace_back(std::make_unique<Path>());
    by_text_.emplace(text, &path);
    path.number = path_texts_.size();
    path_texts_.push_back(text);
    std::array<std::string_view, kPathSegmentsMax> segments;
    const std::size_t count = split_path(text, segments);
    NOSTRO_ASSERT(text.starts_with('/') && count <= kPathSegmentsMax, "a route's path is too deep");
    if (text.find('{') == std::string_view::npos) {
        plain_.emplace(text, &path);
        return path;
    }
    for (std::size_t i = 0; i < count; ++i) {
        path.segments.push_back(segments[i].starts_with('{') ? std::string_view{} : segments[i]);
    }
    NOSTRO_ASSERT(std::ranges::count(path.segments, std::string_view{}) <= static_cast<long>(kSegmentsMax),
                  "a route's path has too many parameters");
    templates_[count].push_back(&path);
    return path;
}

Router::Router(std::vector<Route> routes) : routes_(std::move(routes)) {
    for (const Route& route : routes_) {
        NOSTRO_ASSERT(route.parameters.size() <= kParametersMax, "a route has too many parameters");
        const Route*& place = path_of(route.path).by_method[static_cast<std::size_t>(route.method)];
        NOSTRO_ASSERT(place == nullptr, "two routes have the same method and path");
        place = &route;
        has_profiles_ = has_profiles_ || !route.profile.empty();
    }
    for (const auto& path : paths_) {
        auto& by_method = path->by_method;
        auto& head = by_method[static_cast<std::size_t>(Method::head)];
        if (head == nullptr) head = by_method[static_cast<std::size_t>(Method::get)];
        for (std::size_t i = 0; i < by_method.size(); ++i) {
            if (by_method[i] != nullptr) path->allow.append(name(static_cast<Method>(i))).append(", ");
        }
        path->allow.append("OPTIONS");
    }
}

Router::Found Router::answer(const Path& path, Method method) {
    Found found;
    found.route = path.by_method[static_cast<std::size_t>(method)];
    found.allow = path.allow;
    found.path = path.number;
    return found;
}

bool Router::is_of_profile(std::string_view path) const {
    const auto profiles_own = [&](Method method) {
        const Found found = find(method, path);
        return found.route != nullptr && !found.route->profile.empty();
    };
    for (const Method method : {Method::get, Method::post, Method::put, Method::patch, Method::del}) {
        if (profiles_own(method)) return true;
    }
    return false;
}

Router::Found Router::find(Method method, std::string_view path) const {
    if (const auto plain = plain_.find(path); plain != plain_.end()) return answer(*plain->second, method);
    std::array<std::string_view, kPathSegmentsMax> segments;
    const std::size_t count = split_path(path, segments);
    const auto candidates = templates_.find(count);
    if (candidates == templates_.end()) return {};
    for (const Path* candidate : candidates->second) {
        if (!fits(candidate->segments, segments)) continue;
        Found found = answer(*candidate, method);
        for (std::size_t i = 0; i < count; ++i) {
            if (candidate->segments[i].empty()) found.captured[found.captured_count++] = segments[i];
        }
        return found;
    }
    return {};
}

}  // namespace nostro
