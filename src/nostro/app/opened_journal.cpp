#include "nostro/app/opened_journal.hpp"

#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "nostro/base/text.hpp"
#include "nostro/journal/data_directory.hpp"
#include "nostro/journal/recovery.hpp"

namespace nostro {
namespace {

std::string origin_path(const Config& config) {
    return (std::filesystem::path(config.data.dir) / kOriginName).string();
}

}  // namespace

Result<std::optional<std::uint64_t>> read_origin(const Config& config) {
    std::ifstream file(origin_path(config), std::ios::binary);
    if (!file) return std::optional<std::uint64_t>();
    const std::string text(std::istreambuf_iterator<char>(file), {});
    const auto origin = parse_uint64(trim(text));
    if (origin) return origin;
    return Error{ErrorCode::corrupt,
                 fmt::format("{}: {} is no number of a journal", origin_path(config), quoted(text))};
}

Result<> keep_origin(const Config& config, std::uint64_t origin) {
    const std::string path = origin_path(config), fresh = path + ".new";
    {
        std::ofstream file(fresh, std::ios::binary | std::ios::trunc);
        file << origin << '\n';
        if (!file.flush()) return Error{ErrorCode::unavailable, fmt::format("{} cannot be written", fresh)};
    }
    std::error_code failed;
    std::filesystem::rename(fresh, path, failed);
    if (failed) return Error{ErrorCode::unavailable, fmt::format("{}: {}", path, failed.message())};
    return {};
}

Result<> check_folder(const Config& config, Disk& disk) {
    const bool is_on_server = config.journal.kind == "kafka" || config.journal.kind == "postgres";
    const bool is_mirror = mirrors_another(disk);
    if (config.journal.kind == "segment" && is_mirror) {
        return Error{ErrorCode::invalid,
                     fmt::format("data.dir: {} mirrors a journal on a server; set journal.kind to where that is, or "
                                 "bring it into another folder with `nostro pull` to go on in files",
                                 config.data.dir)};
    }
    if (!is_on_server || is_mirror) return {};
    if (const auto superblock = read_superblock(disk); !superblock && superblock.error().code == ErrorCode::not_found) {
        return {};
    }
    return Error{ErrorCode::invalid, fmt::format("data.dir: {} holds a journal of its own, in files; name an empty "
                                                 "folder for the one in {}",
                                                 config.data.dir, config.journal.kind)};
}

}  // namespace nostro
