// What must hold of everything that the simulated processes ever wrote and told.
#pragma once
#include <gtest/gtest.h>

#include <map>
#include <vector>

#include "nostro/domain/book.hpp"
#include "nostro/ports/projection.hpp"
#include "nostro/wire/recorded.hpp"
#include "tests/sim/model.hpp"

namespace nostro::sim {

// Digests of the Book after each frame, by the process that decided it.
using Digests = std::map<std::pair<std::uint64_t, Seq>, Digest>;

// A standby and an archive: installs what it is fed, keeps every frame, outlives the processes.
class Archive final : public Projection {
public:
    Archive(const BookSize& size, const Digests& digests, const std::vector<Command>& of_source)
        : standby_(size), digests_(digests), of_source_(of_source) {}

    Result<Seq> next() override;
    // Each frame once, in order; after each the standby equals the Book that decided it.
    Result<> project(std::span<const DecodedPtr> frames) override;
    void set_stalled(bool stalled) { stalled_ = stalled; }
    const std::vector<DecodedPtr>& frames() const { return frames_; }
    const Book& standby() const { return standby_; }

private:
    void check_cursors(const DecodedFrame& frame) const;

    Book standby_;
    const Digests& digests_;
    const std::vector<Command>& of_source_;  // by position
    std::vector<DecodedPtr> frames_;         // 1, 2, 3...
    bool stalled_ = false;
};

// What some caller was told of one command, or of one item of a group.
struct ToldReceipt {
    Receipt receipt;
    Command command;
    std::uint32_t item = 0;
    Seq asked_after = 0;  // this frame was accepted when it was asked
    Seq told_after = 0;
    Instant told_at{};
};
struct ToldBalance {
    AccountId account;
    std::optional<AccountImage> image;
    Seq as_of = 0;
};

// Holds what was told against what stands in the journal, and that against the model.
class Ledger {
public:
    Ledger(const std::vector<DecodedPtr>& frames, Model& model);

    void check_receipt(const ToldReceipt& told) const;
    void check_balance(const ToldBalance& told) const;
    void check_submitted_once(PaymentId id) const;
    const std::vector<Place>& payment_events() const { return events_; }

private:
    void take(const DecodedFrame& frame, std::uint32_t index);
    void check_recorded(const ToldReceipt& told) const;
    void check_replayed(const ToldReceipt& told) const;
    void check_refused(const ToldReceipt& told) const;

    const std::vector<DecodedPtr>& frames_;
    const Model& model_;
    std::map<PaymentId, Outcome> last_;
    std::map<PaymentId, int> submitted_;
    std::vector<Place> events_;
};

}  // namespace nostro::sim
