// Guesses what a mistyped word was meant to be, for "did you mean ...?".
//
// Threads: any.
#pragma once
#include <cstddef>
#include <optional>
#include <span>
#include <string_view>

namespace nostro {

// Letters to insert, drop, change or swap with their neighbour until one word is the other. Words longer than 64
// characters are not compared: their distance is that of their lengths.
std::size_t edit_distance(std::string_view a, std::string_view b);

// The nearest of `known`, unless every one is further away than a slip of the finger: one step in three letters, and
// never every letter.
// Of equally near ones the first. Case does not count.
std::optional<std::string_view> nearest_word(std::string_view word, std::span<const std::string_view> known);

}  // namespace nostro
