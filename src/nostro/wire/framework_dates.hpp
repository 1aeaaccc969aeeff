// Dates as the originals' reader takes them: a day, a date-time that is midnight, or Unix seconds (beyond 2*10^10:
// milliseconds) that are. Inner part of framework_json.cpp.
#pragma once
#include <chrono>
#include <optional>
#include <string_view>

namespace nostro {

struct FrameworkDate {
    std::chrono::sys_days day{};
    std::string_view fault;  // why it is none, in the originals' words; empty: see `inexact`
    bool inexact = false;    // it has a time of day
};

// Of a text, what is between the quotes; of a number, its text.
FrameworkDate read_framework_date(std::string_view text);

}  // namespace nostro
