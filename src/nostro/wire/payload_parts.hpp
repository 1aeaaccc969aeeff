// Parts that several payloads have in common. Inner part of the codecs.
#pragma once
#include <string_view>

#include "nostro/domain/command.hpp"
#include "nostro/wire/command_codec.hpp"
#include "nostro/wire/section.hpp"

namespace nostro {

// The numbers of these stand in journals. Whoever adds one adds it at the end, and moves these.
constexpr Reason kReasonLast = Reason::book_full;
constexpr Event kEventLast = Event::dead_letter_resolved;
constexpr Status kStatusLast = Status::quarantined;

constexpr std::size_t kPlaceMax = kVarintMax + 5;
inline void put_place(RawWriter& raw, Place place) {
    raw.varint(place.seq);
    raw.varint(place.index);
}
inline Place get_place(PayloadReader& in) {
    const Seq seq = in.varint();
    return {seq, in.varint32()};
}
inline bool get_bool(PayloadReader& in) {
    const std::uint8_t value = in.u8();
    if (value > 1) in.fail("neither 0 nor 1");
    return value == 1;
}

// Readers of payments alone leave policies as they are: loading one is slow.
enum class PolicyLoad : bool { no, yes };
PolicyPtr get_policy(PayloadReader& in, std::string_view compiled, PolicyLoad load);

// One command that fills what is left of `in`.
void get_command(PayloadReader& in, Command& into, CommandMemory& memory, PolicyLoad load);

}  // namespace nostro
