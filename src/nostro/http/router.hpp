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

    explicit Router(std::vector<Route> routes);

    struct Found {
        const Route* route = nullptr;                           // nullptr: see `allow`
        std::string_view allow;                                 // methods of the path; empty: no route has this path
        std::array<std::string_view, kSegmentsMax> captured{};  // still coded
        std::size_t captured_count = 0;
        std::span<const std::string_view> segments() const { return {captured.data(), captured_count}; }
    };
    // HEAD finds the route of GET. A path without parameters wins over one with them.
    Found find(Method method, std::string_view path) const;

    std::span<const Route> routes() const { return routes_; }
    std::size_t number(const Route& route) const { return static_cast<std::size_t>(&route - routes_.data()); }

private:
    struct Path {
        std::vector<std::string_view> segments;  // a parameter's is empty
        std::array<const Route*, 7> by_method{};
        std::string allow;
    };
    Path& path_of(std::string_view text);
    static Found answer(const Path& path, Method method);

    std::vector<Route> routes_;
    std::vector<std::unique_ptr<Path>> paths_;
    std::unordered_map<std::string_view, const Path*> plain_;
    std::unordered_map<std::size_t, std::vector<const Path*>> templates_;  // by number of segments
    std::unordered_map<std::string_view, Path*> by_text_;
};

}  // namespace nostro
