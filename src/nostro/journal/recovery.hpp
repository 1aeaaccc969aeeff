// Reads a data directory and says where its chain ends. Changes nothing: an owner repairs afterwards, and whoever only
// looks (verify, backup, log) may do so while the owner writes.
//
// The rule. Several frames are written at once, so after a power cut frame n may be torn and n + 1 whole. The chain
// ends before the first frame that is damaged or does not continue it; what follows is void, because answers go out in
// order. Unless somebody says that the damaged frame was durable: a later frame's `accepted`, the superblock, a footer,
// or the floor that the caller brings (a projection's cursor, an image). Then acknowledged data is missing: `corrupt`.
#pragma once
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "nostro/journal/segment_file.hpp"
#include "nostro/journal/segment_format.hpp"
#include "nostro/ports/disk.hpp"
#include "nostro/wire/chain.hpp"

namespace nostro {

struct SegmentInfo {
    SegmentFooter about;  // marks only where the segment was walked
    std::uint64_t file_bytes = 0;
    bool archived = false;
    bool footed = false;  // its footer is written: it is closed for ever
};

struct RecoveredChain {
    JournalId journal;
    std::optional<Superblock> superblock;  // none: the directory holds no journal yet
    std::vector<SegmentInfo> segments;     // those with frames, in order; the last may go on
    ChainPoint end;
    Seq known_durable = 0;               // the newest frame that anything says is durable; at most end.seq
    bool dirty = false;                  // something stands behind the end in its segment: copy the valid part out
    std::vector<std::uint64_t> spares;   // segments without a byte of frames
    std::vector<std::string> leftovers;  // files to remove
    std::uint64_t number_max = 0;        // of any segment or archive
    std::uint64_t void_frames = 0;       // whole frames behind the end
    Seq image = 0;                       // newest image file by its name
    Seq first() const { return segments.empty() ? end.seq + 1 : segments.front().about.first; }
};

struct RecoveryOptions {
    Seq floor = 0;              // known durable from elsewhere...
    std::string floor_says;     // ...by whom: "the query index"
    bool looking_only = false;  // another process may be writing
    // The frames were copied from another journal, many in one write: after a power cut some of them may be missing
    // before others that say they were durable, there. The chain ends before them, and they are copied again.
    bool copies = false;
};

// not_found: no data directory of a journal here (looking only).
Result<RecoveredChain> recover_chain(Disk& disk, const RecoveryOptions& options);

// Whether the data directory mirrors a journal on a server.
bool mirrors_another(Disk& disk);

// Both copies of the superblock, the newer one that is whole. not_found: there is no such file.
Result<Superblock> read_superblock(Disk& disk);

}  // namespace nostro
