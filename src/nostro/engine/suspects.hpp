// Commands that were being decided when an invariant of ours broke.
//
// The file `suspects` in the data directory has a line for each: its id and `suspect`, `trying` or `broken`. Nothing of
// that frame was answered, so the commands come again, from a retry or from their source. A suspect is then decided
// alone in its frame, marked `trying` before; if the process ends over it once more, the next start finds `trying`,
// which becomes `broken`: the command is recorded as quarantined without being looked at, and the rest goes on.
//
// Threads: settlement's.
#pragma once
#include <cstddef>
#include <span>
#include <unordered_map>
#include <vector>

#include "nostro/base/ids.hpp"
#include "nostro/base/result.hpp"
#include "nostro/domain/command.hpp"
#include "nostro/ports/disk.hpp"

namespace nostro {

class Suspects {
public:
    enum class Standing : std::uint8_t { clean, suspect, broken };

    // `disk` may be nullptr: then nothing is kept and every command is clean.
    explicit Suspects(Disk* disk);

    // Reads the file; what was `trying` is `broken` from now on.
    Result<> load();
    bool empty() const { return standing_.empty(); }
    Standing standing(PaymentId key) const;

    // Durable before it returns.
    Result<> trying(PaymentId key);
    // It was decided without harm, or its quarantine is recorded.
    Result<> cleared(PaymentId key);
    // An invariant broke while these were decided. A single one that was being tried stays `trying`.
    Result<> accuse(std::span<const PaymentId> keys);

    // By what a command is known again: its id; without one, a hash of its bytes.
    static PaymentId key(const Command& command, std::span<const std::byte> encoded);

private:
    enum class Mark : std::uint8_t { suspect, trying, broken };
    Result<> save() const;

    Disk* disk_;
    std::unordered_map<PaymentId, Mark> standing_;
};

}  // namespace nostro
