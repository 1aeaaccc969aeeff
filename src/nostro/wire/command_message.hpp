// A command as it stands in a topic, on its way to whoever has the Book: one byte for the form, then encode_command().
#pragma once
#include <cstddef>

namespace nostro {

constexpr std::byte kCommandForm{1};

}  // namespace nostro
