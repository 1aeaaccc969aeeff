// What a benchmark cannot go on without.
#pragma once
#include <fmt/format.h>

#include <cstdlib>
#include <string>
#include <utility>

#include "nostro/base/result.hpp"

namespace nostro {

[[noreturn]] inline void give_up(const std::string& why) {
    fmt::print(stderr, "nostro_bench: {}\n", why);
    std::exit(1);  // NOLINT(concurrency-mt-unsafe)
}

template <class T>
T need(Result<T> result) {
    if (!result) give_up(result.error().what);
    return std::move(*result);
}
inline void need(const Result<>& result) {
    if (!result) give_up(result.error().what);
}

}  // namespace nostro
