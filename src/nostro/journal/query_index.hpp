// Answers questions about the past: an index over the journal, deletable, rebuilt from it by `nostro rebuild index`.
//
// It holds places only; what stands there is read from the frames. Money never depends on it.
// Fresh:   a frame can be found as soon as project() has returned; it is durable in the index some time later, and
//          next() tells from where the journal must be read again after a restart.
// Threads: project() and next() from one, History's members from any.
#pragma once
#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <string>

#include "nostro/journal/index_extract.hpp"
#include "nostro/journal/index_key.hpp"
#include "nostro/journal/index_run.hpp"
#include "nostro/journal/index_store.hpp"
#include "nostro/ports/history.hpp"
#include "nostro/ports/projection.hpp"

namespace nostro {

struct SeqRange;  // ports/history_pages.hpp

struct QueryIndexOptions {
    std::string folder;
    std::size_t batch_payments = 200'000;  // gathered in memory before they become a file
    IndexRows rows = {};                   // of profiles
    // Reads bytes of a frame, from its header's first on. Empty: payments are taken out of whole frames, which is slow.
    // not_found: older than kept history.
    std::function<Result<>(Seq, std::uint32_t begin, std::span<std::byte> into)> read_bytes = {};
    // Is told what read_bytes is asked for soon, all of a page at once. A hint; may be empty.
    std::function<void(Seq, std::uint32_t begin, std::uint32_t bytes)> will_read = {};
    std::shared_ptr<DiskGovernor> governor = nullptr;  // of the disk that has the folder
};

class QueryIndex final : public History, public Projection {
public:
    // Gives a whole decoded frame. not_found: older than kept history.
    using ReadFrame = std::function<Result<DecodedPtr>(Seq)>;

    static Result<std::unique_ptr<QueryIndex>> open(const QueryIndexOptions& options, ReadFrame read_frame);
    ~QueryIndex() override;  // what was gathered becomes a file

    Result<Seq> next() override;
    Result<> project(std::span<const DecodedPtr> frames) override;
    Result<> flush();  // what was gathered becomes a file now; on the projecting thread

    AsOf as_of() const override;
    Result<std::optional<Recorded>> payment(PaymentId id) const override;
    Result<Page<Recorded>> payments(const Search& search) const override;
    Result<Page<Recorded>> reviews(TenantNo tenant, std::uint32_t count_max, const std::string& cursor) const override;
    Result<std::optional<AccountRecord>> account(AccountId id) const override { return account_as_of(id, kNewest); }
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
    Result<std::optional<Seq>> frame_of_number(TenantNo tenant, std::uint64_t number) const override;
    Result<Page<Recorded>> rows(const RowSearch& search) const override;

    std::uint64_t bytes() const { return store_->bytes(); }
    void let_go() const { store_->let_go(); }                  // as IndexStore's
    std::string trouble() const { return store_->trouble(); }  // as IndexStore's

private:
    static constexpr Seq kNewest = ~Seq{0};
    bool is_batch() const;
    QueryIndex(QueryIndexOptions options, ReadFrame read_frame, std::unique_ptr<IndexStore> store);
    Result<> load();

    void extract(const DecodedFrame& frame, IndexRunBuilder& run);

    // Walks keys of [lower, upper) in order, newest data first where both hold a key. `each` returns false to stop.
    using Each = std::function<bool(std::string_view key, std::string_view value)>;
    Result<> scan(std::string_view lower, std::string_view upper, bool backwards, const Each& each) const;
    Result<> scan_prefix(std::string_view prefix, bool backwards, const Each& each) const;
    IndexRuns::List runs() const;

    // query_index_search.cpp
    Result<> walk_places(const Search& search, SeqRange range, Place before,
                         const std::function<Result<bool>(Place)>& each) const;
    Result<> walk_frames(const Search& search, SeqRange range, Place before,
                         const std::function<Result<bool>(Place)>& each) const;
    class Reader;  // query_index_reader.hpp
    Result<std::optional<std::string>> get(std::string_view key) const;
    Result<std::optional<Recorded>> recorded_row(Reader& reader, Place place, const RowSearch& search) const;
    Result<bool> matches(Reader& reader, const Search& search, Place place, std::optional<Recorded>& found) const;
    Result<DeadLetter> letter_at(Place place, DeadLetter::State state) const;
    Result<AccountRecord> account_record(AccountId id, Seq at) const;

    const QueryIndexOptions options_;
    const ReadFrame read_frame_;
    std::unique_ptr<IndexStore> store_;

    // Of the projecting thread.
    IndexRunBuilder builder_;
    std::size_t gathered_ = 0;  // payments since the last file
    std::size_t gathered_entries_ = 0;
    Seq next_ = 1, durable_next_ = 1;
    Instant time_{};

    mutable std::mutex mutex_;
    IndexRuns::List runs_;
    AsOf as_of_;
    IndexTotals totals_;  // rows() with the lock held
};

}  // namespace nostro
