// What frames add to the query index: for the index that grows, and for whoever proves it.
#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "nostro/domain/book.hpp"
#include "nostro/journal/flat_map.hpp"
#include "nostro/journal/index_key.hpp"
#include "nostro/journal/index_rows.hpp"
#include "nostro/journal/index_run.hpp"
#include "nostro/wire/frame.hpp"

namespace nostro {

// Entries of the frame's outcomes, and its time. What was put before and does not stand any longer is removed.
void extract_outcomes(const DecodedFrame& frame, const IndexRows& rows, IndexRunBuilder& run);

// What an account adds to its row of the trial balance.
struct IndexedImage {
    std::int64_t balance = 0, held = 0;
    TenantNo tenant = 0;
    AccountKind kind = AccountKind::customer;
    Currency currency;
    bool is_changed = false;  // and not in a file yet
};
void put_image(AccountId account, const IndexedImage& image, IndexRunBuilder& run);
// The first frame that is not in the index, and the time of the last one that is.
struct IndexNext {
    Seq seq = 1;
    Instant time{};
};
void put_next(const IndexNext& next, const IndexRows& rows, IndexRunBuilder& run);
// `corrupt`: damaged, or an index with other entries than this program's.
Result<IndexNext> read_next(std::string_view value, const IndexRows& rows);

// The trial balance of every frame. take() and add() are two, so that nobody who reads the sums waits for the first.
class IndexTotals {
public:
    using Row = std::tuple<TenantNo, Currency, AccountKind>;
    struct Total {
        std::int64_t accounts = 0;
        Book::KindTotal::Sum posted = 0, held = 0;
    };
    using Rows = std::map<Row, Total>;

    void begin_with(AccountId account, const IndexedImage& image);  // as an index holds it
    Rows take(const DecodedFrame& frame);                           // what it adds
    void add(const Rows& added, Seq seq, IndexRunBuilder& run);

    // The accounts of taken frames, until they are told to be in a file.
    void put_changed(IndexRunBuilder& run) const;
    void forget_changed();

    const Rows& rows() const { return totals_; }
    const FlatMap<AccountId, IndexedImage>& images() const { return images_; }

private:
    FlatMap<AccountId, IndexedImage> images_;
    std::vector<AccountId> changed_;
    Rows totals_;
};

}  // namespace nostro
