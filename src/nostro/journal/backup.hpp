// A consistent copy of a data directory, made while its owner writes or of one at rest; and back.
//
// A backup is a data directory with a list of its files and their SHA-256 (MANIFEST, written last: a backup without it
// is not whole). It holds the newest image, archives, closed segments, sealed ids, and the open segment up to the
// newest frame that was known durable. Restoring checks every file against the list, then the whole journal by verify.
#pragma once
#include <chrono>
#include <functional>
#include <string>

#include "nostro/base/ids.hpp"
#include "nostro/base/result.hpp"
#include "nostro/ports/disk.hpp"

namespace nostro {

struct BackupReport {
    Seq first = 0, through = 0;  // frames it holds
    Digest digest{};             // of the last one
    std::uint64_t files = 0, bytes = 0;
    std::chrono::nanoseconds took{};
};
struct CopyProgress {
    std::uint64_t bytes_done = 0, bytes_in_all = 0;
};
using CopyProgressCall = std::function<void(const CopyProgress&)>;

// `invalid`: the target is the source, or a folder in it; `conflict`: the target holds files already; not_found: no
// journal in data_directory; `unavailable`: no space.
Result<BackupReport> backup(const std::string& data_directory, const std::string& target,
                            const CopyProgressCall& progress = {});
// `corrupt`: names the file that is not as the list says, or what verify found.
Result<BackupReport> restore(const std::string& source, const std::string& data_directory,
                             const CopyProgressCall& progress = {});

// The same between any two disks.
Result<BackupReport> backup(Disk& from, Disk& to, const CopyProgressCall& progress = {});
Result<BackupReport> restore(Disk& from, Disk& to, const CopyProgressCall& progress = {});

}  // namespace nostro
