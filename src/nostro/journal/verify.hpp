// Proves the books from the journal alone: reads every frame of a data directory and derives everything again from
// what it says, without the engine. Also while the owner writes.
//
// Proved: every checksum and digest, the chain rule, time; every balance (before and after of each outcome follow each
// other and meet the image), versions of accounts without a gap; accounts of a currency sum to zero after every frame;
// what is reserved on each account is what its open payments reserve; each payment has one first outcome and ends
// at most once; every command, decided again under the policy of then, comes to the same outcome and leaves the same
// cells, and what reversals say of their originals is so; the image file is what the frames fold to; the sealed ids are
// those of the frames; signed checkpoints name the digests that the frames have; the query index holds what the frames
// imply, and nothing else.
//
// Memory: the cells of the Book, three times, and ids that are not sealed yet.
#pragma once
#include <array>
#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "nostro/domain/outcome.hpp"
#include "nostro/journal/index_rows.hpp"
#include "nostro/ports/disk.hpp"
#include "nostro/wire/checkpoint.hpp"

namespace nostro {

struct VerifyFinding {
    std::string file;  // segment, archive or other file; empty: not of one
    std::uint64_t offset = 0;
    Seq seq = 0;
    std::optional<PaymentId> payment;
    std::string what;
};
std::string describe(const VerifyFinding& finding);
// What reading said of damage, with the place that its words name: "FILE, byte N: frame M ...".
VerifyFinding damage(const Error& error);

// How long each thing took, of what was read once for all of them.
struct VerifyTimes {
    std::chrono::nanoseconds chain{}, books{}, decided{}, ids{}, image{}, index{};
};

struct VerifyReport {
    Seq first = 0, last = 0;
    Digest digest{};            // of the last frame: two copies of one journal have the same
    bool whole_history = true;  // false: earlier frames were dropped; books are proved from the image on
    Seq begun_with = 0;         // the image whose cells were taken as they are; 0: the books were empty
    std::uint64_t frames = 0, bytes = 0, outcomes = 0;
    std::uint64_t payments = 0, payments_open = 0;
    std::array<std::uint64_t, 8> states{};  // payments by Status
    std::uint64_t accounts = 0;
    std::uint64_t void_frames = 0;
    bool decides = false;  // commands were decided again
    std::uint64_t decided = 0, expired = 0;
    std::uint64_t reversals = 0;  // whose claims of their originals were held against the originals' frames
    Seq decided_through = 0;
    Seq image = 0;        // whose image file was compared; 0: there is none
    Seq ids_through = 0;  // sealed ids that were compared
    std::uint64_t ids = 0;
    enum class Index : std::uint8_t {
        left_out,  // as asked, or from a checkpoint
        missing,   // none is there, or none that holds a frame
        ahead,     // of a mirror, which follows the journal after it: there is nothing to compare it with yet
        compared,
    } index = Index::left_out;
    Seq index_through = 0;  // what a service has not yet written to it is not compared
    std::uint64_t index_entries = 0;
    std::optional<Checkpoint> from;       // where a proof from a checkpoint begins
    bool is_key_known = false;            // somebody said which key signs checkpoints
    std::uint64_t checkpoints = 0;        // signed ones that name a frame which was read, and its digest
    std::vector<std::string> currencies;  // whose accounts sum to zero
    std::vector<VerifyFinding> findings;  // empty: proved
    bool findings_cut = false;            // there were more
    VerifyTimes times;
    std::chrono::nanoseconds took{};
    bool proved() const { return findings.empty(); }
};

struct VerifyOptions {
    std::size_t findings_max = 20;
    std::function<void(std::uint64_t frames_done, std::uint64_t frames_in_all)> progress;
    bool decide = true;        // commands again, as they were decided
    std::string index_folder;  // of the query index; empty: it is left out
    IndexRows index_rows;      // as whoever filled the index has them
    // From the newest image at or before this signed checkpoint on, instead of from the first frame.
    std::optional<Seq> from_checkpoint;
    static constexpr Seq kNewest = ~Seq{0};
    std::optional<PublicKey> key;  // that signs checkpoints; none: whichever did is told
};

// Errors only where there is nothing to look at: not_found, `invalid` (no permission). Damage is a finding.
// Of a data directory the index is compared too, unless it begins with a checkpoint.
Result<VerifyReport> verify(const std::string& data_directory, VerifyOptions options = {});
Result<VerifyReport> verify(Disk& disk, const VerifyOptions& options = {});

// What a proof of the whole journal said, kept in the data directory for GET /v1/ledger/proof. keep_verified() is for
// reports that proved; it may be called while the owner runs.
Result<> keep_verified(const std::string& data_directory, const VerifyReport& report, Instant at);
Result<std::string> read_verified(const Disk& disk);  // JSON; not_found: none was kept

}  // namespace nostro
