// A journal on a server, and what ties a data folder to it.
#pragma once
#include <fmt/format.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "nostro/app/config.hpp"
#include "nostro/ports/candidacy.hpp"
#include "nostro/ports/disk.hpp"
#include "nostro/ports/journal.hpp"
#include "nostro/wire/chain.hpp"

namespace nostro {

class PostgresProjection;

struct OpenedJournal {
    std::unique_ptr<Journal> journal;
    // Who should try to own it. Ends before the journal does.
    std::unique_ptr<Candidacy> candidacy;
    // Before take_over: somebody has seen that frame accepted.
    std::function<void(Seq seq, std::string says_who)> expect;
    // Before follow and take_over: somebody has the chain up to there, so nothing before needs to be read.
    std::function<Result<>(const ChainPoint&)> begin_behind;
    // After follow or take_over: the number that the journal drew for itself; 0: nobody has owned it yet.
    std::function<std::uint64_t()> origin;
    // Before take_over: those tables, in the database at the address, are written with the frames. Empty: it cannot.
    std::function<Result<>(PostgresProjection& tables, const std::string& address)> share{};
    // Nothing is written any more, also not into those tables, which may go then. Empty: it never keeps trying.
    std::function<void()> stop{};
};

// The same for who only reads it; follow() comes first.
struct FollowedJournal {
    std::unique_ptr<Journal> journal;
    std::function<Result<>(const ChainPoint&)> begin_behind;  // as above
};

// What the folder holds was made from one journal; another one's frames would not fit to it. So a file in it keeps the
// number that a journal draws for itself. `corrupt`: what stands there is none.
Result<std::optional<std::uint64_t>> read_origin(const Config& config);
Result<> keep_origin(const Config& config, std::uint64_t origin);

// A folder holds a journal of its own, or what was made from one on a server, for ever. `invalid`: it is used as the
// other, which would end in two journals that both go on from the same frame.
Result<> check_folder(const Config& config, Disk& disk);

// A journal that knows its origin, tied to the folder of the configuration.
template <class JournalOnServer>
Result<OpenedJournal> tied_to_folder(const Config& config, std::unique_ptr<JournalOnServer> opened) {
    JournalOnServer* journal = opened.get();
    const auto origin = read_origin(config);
    if (!origin) return origin.error();
    if (*origin) journal->expect_origin(**origin, fmt::format("the data folder {}", config.data.dir));
    OpenedJournal tied{.journal = std::move(opened),
                       .candidacy = nullptr,
                       .expect = [journal](Seq seq, std::string who) { journal->expect(seq, std::move(who)); },
                       .begin_behind = {},
                       .origin = [journal] { return journal->origin(); }};
    if constexpr (requires(ChainPoint point) { journal->begin_behind(point); }) {
        tied.begin_behind = [journal](const ChainPoint& point) { return journal->begin_behind(point); };
    }
    return tied;
}

}  // namespace nostro
