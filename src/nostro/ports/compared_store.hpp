// A store that was made from the journal, held against it: tables in SQL, documents in a cache.
//
// Comparing changes nothing. What differs is named by its key, with what the journal says and what was found.
// Threads: one at a time for each object. Errors: `unavailable`: the store cannot be asked now, or the journal has
// dropped what it was made from; `invalid`: an operator has to mend it; `corrupt`: it is of another journal.
#pragma once
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "nostro/base/ids.hpp"
#include "nostro/base/result.hpp"

namespace nostro {

struct Drift {
    enum class Kind : std::uint8_t {
        missing,  // the journal has it, the store has not
        unknown,  // the store has it, the journal has not
        differs,
    };
    Kind kind = Kind::differs;
    std::string place;                          // the table; of a cache "key"
    std::string key;                            // "account_id = 6f..", or a cache's key
    std::string column;                         // empty: all of the row
    std::optional<std::string> journal, found;  // nullopt: NULL, or nothing there
    AccountId account{};                        // whose balance it is; empty: it is none
    Seq changed = 0;                            // the frame that changed it last, as the journal has it
};

struct Comparison {
    Seq through = 0;            // the newest frame that both had
    std::uint64_t buckets = 0;  // ranges of keys whose counts and digests were compared
    std::uint64_t different = 0;
    std::uint64_t rows = 0;     // that the store has
    std::uint64_t unknown = 0;  // rows of others, where others may insert: no drift
    std::uint64_t drift = 0;    // all of it
    std::uint64_t mended = 0;
    bool more = false;          // more differs that was not looked into
    std::vector<Drift> drifts;  // the first kDriftsMax
    static constexpr std::size_t kDriftsMax = 1'000;

    void add(Drift one) {
        if (++drift <= kDriftsMax) drifts.push_back(std::move(one));
    }
};

struct CompareWatch {
    std::function<bool()> stopped;                                          // asked now and then
    std::function<void(std::uint64_t done, std::uint64_t total)> progress;  // frames read
};

class ComparedStore {
public:
    virtual ~ComparedStore() = default;
    virtual const std::string& name() const = 0;  // as its feed's
    // `mend`: what differs is rewritten from the journal, and told in `drifts` and `mended` all the same.
    virtual Result<Comparison> compare(bool mend, const CompareWatch& watch) = 0;
};

}  // namespace nostro
