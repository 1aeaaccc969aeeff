// Files that the build puts into the program: the parts of /docs, the profiles, the licence.
// CMakeLists.txt lists them (nostro_embed). A part that was not there at build time is not found here, and
// whoever asks for it says so.
//
// Threads: any. Ownership: the bytes live as long as the program; a zero byte follows them, uncounted.
#pragma once
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace nostro {

std::optional<std::string_view> embedded_file(std::string_view name);  // "docs/swagger-ui.css", "profiles/upi.toml"

// The names below a prefix ("profiles/"), in the alphabet's order.
std::vector<std::string_view> embedded_names(std::string_view prefix);

// The table itself, which the build generates. Addresses, because the linker sets the lengths.
struct EmbeddedFile {
    std::string_view name;
    const char* begin;
    const char* end;
};
std::span<const EmbeddedFile> embedded_files();

}  // namespace nostro
