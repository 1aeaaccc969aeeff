// Proves the books from the journal alone: reads every frame of a data directory and derives everything again from
// what it says, without the engine. Also while the owner writes.
//
// Proved: every checksum and digest, the chain rule, time; every balance (before and after of each outcome follow each
// other and meet the image), versions of accounts without a gap; accounts of a currency sum to zero after every frame;
// what is reserved on each account is what its open payments reserve; each payment has one first outcome and ends
// at most once; the image file is what the frames fold to; the sealed ids are those of the frames.
// Memory: the cells of the Book, and ids that are not sealed yet.
#pragma once
#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "nostro/domain/outcome.hpp"
#include "nostro/ports/disk.hpp"

namespace nostro {

struct VerifyFinding {
    std::string file;  // segment or archive; empty: not of one frame
    std::uint64_t offset = 0;
    Seq seq = 0;
    std::optional<PaymentId> payment;
    std::string what;
};
std::string describe(const VerifyFinding& finding);

struct VerifyReport {
    Seq first = 0, last = 0;
    Digest digest{};            // of the last frame: two copies of one journal have the same
    bool whole_history = true;  // false: earlier frames were dropped; books are proved from the image on
    std::uint64_t frames = 0, bytes = 0, outcomes = 0;
    std::uint64_t payments = 0, payments_open = 0;
    std::uint64_t accounts = 0;
    std::uint64_t void_frames = 0;
    Seq image = 0;        // whose image file was compared; 0: there is none
    Seq ids_through = 0;  // sealed ids that were compared
    std::uint64_t ids = 0;
    std::vector<std::string> currencies;  // whose accounts sum to zero
    std::vector<VerifyFinding> findings;  // empty: proved
    bool findings_cut = false;            // there were more
    std::chrono::nanoseconds took{};
    bool proved() const { return findings.empty(); }
};

struct VerifyOptions {
    std::size_t findings_max = 20;
    std::function<void(std::uint64_t frames_done, std::uint64_t frames_in_all)> progress;
};

// Errors only where there is nothing to look at: not_found, `invalid` (no permission). Damage is a finding.
Result<VerifyReport> verify(const std::string& data_directory, const VerifyOptions& options = {});
Result<VerifyReport> verify(Disk& disk, const VerifyOptions& options = {});

// What a proof of the whole journal said, kept in the data directory for GET /v1/ledger/proof. keep_verified() is for
// reports that proved; it may be called while the owner runs.
Result<> keep_verified(const std::string& data_directory, const VerifyReport& report, Instant at);
Result<std::string> read_verified(const Disk& disk);  // JSON; not_found: none was kept

}  // namespace nostro
