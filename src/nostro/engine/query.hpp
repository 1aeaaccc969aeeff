// Reads of what happened, fresh: the index, and behind it the frames that it has not read yet.
//
// Threads: any. Blocks on disk at most.
#pragma once
#include <memory>
#include <optional>
#include <string_view>

#include "nostro/engine/frame_cache.hpp"
#include "nostro/ports/history.hpp"

namespace nostro {

class Query final : public History {
public:
    // So many frames behind the index are looked into. When it is further behind, payment() is `unavailable`, and so
    // are account() and frame_of_number() of what is not among them.
    static constexpr std::size_t kFramesMax = 64;

    // `index` may be nullptr: then payment() and frame_of_number() alone answer, from the newest frames.
    Query(const History* index, const FrameCache& frames);

    AsOf as_of() const override;
    // Sees every accepted frame.
    Result<std::optional<Recorded>> payment(PaymentId id) const override;
    Result<Page<Recorded>> payments(const Search& search) const override;
    Result<Page<Recorded>> reviews(TenantNo tenant, std::uint32_t count_max, const std::string& cursor) const override;
    // As the index has it; nullopt only if no accepted frame has it.
    Result<std::optional<AccountRecord>> account(AccountId id) const override;
    Result<std::optional<AccountRecord>> account_as_of(AccountId id, Seq at) const override;
    Result<Page<AccountRecord>> accounts(TenantNo tenant, std::uint32_t count_max,
                                         const std::string& cursor) const override;
    Result<AccountImage> account_at(AccountId id, Seq at) const override;
    Result<Seq> seq_at(Instant at) const override;
    Result<Page<Entry>> entries(AccountId id, std::optional<Instant> from, std::optional<Instant> to, bool newest_first,
                                std::uint32_t count_max, const std::string& cursor) const override;
    Result<Page<DeadLetter>> dead_letters(std::uint32_t count_max, const std::string& cursor) const override;
    Result<std::optional<DeadLetter>> dead_letter(Place place) const override;
    Result<std::vector<Book::KindTotal>> totals_at(Seq at) const override;
    // Sees every accepted frame.
    Result<std::optional<Seq>> frame_of_number(TenantNo tenant, std::uint64_t number) const override;
    Result<Page<Recorded>> rows(const RowSearch& search) const override;

    // `as_of` as the API takes it: an RFC 3339 time or `seq:N`. `invalid`: neither, or beyond the newest frame.
    Result<Seq> resolve_as_of(std::string_view text) const;
    // When a frame was decided. not_found: not accepted yet, or older than kept history.
    Result<Instant> time_of(Seq seq) const;
    // The outcome that stands at a place, with the frame that keeps it alive. not_found: no such place.
    struct At {
        DecodedPtr frame;
        const Outcome* outcome = nullptr;
    };
    Result<At> outcome_at(Place place) const;

private:
    Result<> add_newer_frames(PaymentId id, Seq from, std::optional<Recorded>& found) const;

    const History* index_;
    const FrameCache& frames_;
};

}  // namespace nostro
