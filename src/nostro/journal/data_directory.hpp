// Names of the files in a data directory. docs/formats/data_directory.md says what each is for.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "nostro/base/ids.hpp"

namespace nostro {

inline constexpr const char* kSegmentsFolder = "segments";
inline constexpr const char* kArchiveFolder = "archive";
inline constexpr const char* kImageFolder = "image";
inline constexpr const char* kIdsFolder = "ids";
inline constexpr const char* kIndexFolder = "index";
inline constexpr const char* kCheckpointsFolder = "checkpoints";
inline constexpr const char* kSuperblockName = "superblock";
// The number of the journal on a server that the folder mirrors; where it is absent the journal is the folder's own.
inline constexpr const char* kOriginName = "journal-origin";
// Such a mirror was found damaged: it is made again at the next start.
inline constexpr const char* kMirrorDamagedName = "mirror-damaged";

// Segments and their archives have one number: the order in which they were made, from 1.
std::string segment_name(std::uint64_t number);             // "segments/000000000042.seg"
std::string archive_name(std::uint64_t number);             // "archive/000000000042.seg.zst"
std::string image_name(Seq through);                        // "image/000000000000001234.image"
std::string id_run_name(Seq first, Seq through, int tier);  // "ids/000000000000000001-000000000000001234.t0.ids"

// Of a file name without its folder; none: not such a name.
std::optional<std::uint64_t> segment_number(std::string_view file);
std::optional<std::uint64_t> archive_number(std::string_view file);
std::optional<Seq> image_seq(std::string_view file);
struct IdRunName {
    Seq first, through;
    int tier;
};
std::optional<IdRunName> parse_id_run_name(std::string_view file);

// A file that a crash left half made: no name that counts ends so.
bool is_temporary(std::string_view file);
inline constexpr const char* kTemporarySuffix = ".new";

}  // namespace nostro
