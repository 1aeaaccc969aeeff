// Which route answers a path. Routes are data (wire/http_message.hpp); nothing else knows a path.
//
// Threads: any, once built. A table that contradicts itself is a bug and stops the process.
#pragma once
#include <array>
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "nostro/wire/http_message.hpp"

namespace nostro {

class Router {
public:
    static constexpr std::size_t kSegmentsMax = 4;  // captured ones of a path
    static constexpr std::size_t kNoPath = static_cast<std::size_t>(-1);

    explicit Router(std::vector<Route> routes);

    struct Found {
        const Route* route = nullptr;                           // nullptr: see `allow`
        std::string_view allow;                                 // methods of the path; empty: no route has this path
        std::size_t path = kNoPath;                             // its number
        std::array<std::string_view, kSegmentsMax> captured{};  // still coded
        std::size_t captured_count = 0;
        std::span<const std::string_view> segments() const { return {captured.data(), captured_count}; }
    };
    // HEAD finds the route of GET. A path without parameters wins over one with them.
    Found find(Method method, std::string_view path) const;

    std::span<const Route> routes() const { return routes_; }
    // "/v1/payments/{id}", by its number.
    std::span<const std::string_view> paths() const { return path_texts_; }
    // Some route is a profile's.
    bool has_profiles() const { return has_profiles_; }
    // Whether the path is one of a profile's routes.
    bool is_of_profile(std::string_view path) const;
    std::size_t number(const Route& route) const { return static_cast<std::size_t>(&route - routes_.data()); }

private:
    struct Path {
        std::vector<std::string_view> segments;  // a parameter's is empty
        std::array<const Route*, 7> by_method{};
        std::string allow;
        std::size_t number = 0;
    };
    Path& path_of(std::string_view text);
    static Found answer(const Path& path, Method method);

    std::vector<Route> routes_;
    bool has_profiles_ = false;
    std::vector<std::unique_ptr<Path>> paths_;
    std::vector<std::string_view> path_texts_;  // of the same numbers
    std::unordered_map<std::string_view, const Path*> plain_;
    std::unordered_map<std::size_t, std::vector<const Path*>> templates_;  // by number of segments
    std::unordered_map<std::string_view, Path*> by_text_;
};

}  // namespace nostro
