// Commands as bytes. Written once, on the thread that takes a command in; settlement copies the bytes into
// the frame. Formats are drawn in docs/formats/frame.md; a released one is never changed, only followed by
// a new version.
#pragma once
#include <cstddef>
#include <span>
#include <vector>

#include "nostro/base/result.hpp"
#include "nostro/domain/command.hpp"

namespace nostro {

// Appends one command. Assessments are not written: the outcome holds the one that counted.
void encode_command(const Command& command, std::vector<std::byte>& into);

// Changes in the same sections a frame has, for image files and standbys.
void encode_changes(const Changes& changes, std::vector<std::byte>& into);
Result<> decode_changes(std::span<const std::byte> bytes, Changes& into);

}  // namespace nostro
