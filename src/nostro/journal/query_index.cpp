// Opening, projecting, and walking memory and disk as one.
#include "nostro/journal/query_index.hpp"

namespace nostro {
namespace {

constexpr std::size_t kEntriesMax = 16;  // that a payment makes

constexpr std::size_t kImageBytes = 22;

// One of the sorted things that a scan merges.
struct Source {
    const IndexRun* run = nullptr;  // nullptr: the store
    std::size_t begin = 0, end = 0;
    bool backwards = false;

    bool valid() const { return begin < end; }
    std::size_t at() const { return backwards ? end - 1 : begin; }
    std::string_view key() const { return run->key(at()); }
    void next() {
        if (backwards) {
            --end;
        } else {
            ++begin;
        }
    }
};

bool is_before(std::string_view a, std::string_view b, bool backwards) { return backwards ? a > b : a < b; }

}  // namespace

QueryIndex::QueryIndex(QueryIndexOptions options, ReadFrame read_frame, std::unique_ptr<IndexStore> store)
    : options_(std::move(options)), read_frame_(std::move(read_frame)), store_(std::move(store)) {}

QueryIndex::~QueryIndex() { (void)flush().has_value(); }

Result<std::unique_ptr<QueryIndex>> QueryIndex::open(const QueryIndexOptions& options, ReadFrame read_frame) {
    auto store = IndexStore::open(options.folder, options.governor);
    if (!store) return store.error();
    std::unique_ptr<QueryIndex> index(new QueryIndex(options, std::move(read_frame), std::move(*store)));
    if (auto loaded = index->load(); !loaded) return loaded.error();
    return index;
}

// The running sums continue from what the files hold.
Result<> QueryIndex::load() {
    Error damaged{ErrorCode::corrupt, "query index: a value is too short; `nostro rebuild index` makes a new one"};
    bool whole = true;
    Result<IndexNext> read = IndexNext{};
    auto done = scan_prefix(IndexKey(IndexTag::next).view(), false, [&](std::string_view, std::string_view value) {
        read = read_next(value, options_.rows);
        return false;
    });
    if (!done) return done;
    if (!read) return read.error();
    next_ = durable_next_ = read->seq;
    time_ = read->time;
    as_of_ = {next_ - 1, time_};
    done = scan_prefix(IndexKey(IndexTag::image).view(), false, [&](std::string_view key, std::string_view value) {
        whole = key.size() == 17 && value.size() == kImageBytes;
        if (!whole) return false;
        IndexedImage last;
        last.balance = static_cast<std::int64_t>(read_big_endian(value, 0, 8));
        last.held = static_cast<std::int64_t>(read_big_endian(value, 8, 8));
        last.tenant = static_cast<TenantNo>(read_big_endian(value, 16, 2));
        last.kind = static_cast<AccountKind>(read_big_endian(value, 18, 1));
        const auto currency = Currency::parse_historic(value.substr(19, 3));
        if (currency) last.currency = *currency;
        whole = currency.has_value();
        if (whole) totals_.begin_with(AccountId{read_big_endian(key, 1, 8), read_big_endian(key, 9, 8)}, last);
        return whole;
    });
    if (!done) return done;
    if (!whole) return damaged;
    return {};
}

Result<Seq> QueryIndex::next() { return next_; }

Result<> QueryIndex::project(std::span<const DecodedPtr> frames) {
    // What could not become a file before comes first: memory holds one file's worth, however long the disk is full.
    if (is_batch()) {
        if (auto done = flush(); !done) return done;
    }
    bool any = false;
    for (const DecodedPtr& decoded : frames) {
        const DecodedFrame& frame = *decoded;
        if (frame.seq() < next_) continue;
        if (frame.seq() != next_) {
            return Error{ErrorCode::corrupt, "query index: frame " + std::to_string(next_) +
                                                 " was left out; `nostro rebuild index` makes a new one"};
        }
        extract(frame, builder_);
        next_ = frame.seq() + 1;
        time_ = frame.time();
        any = true;
    }
    if (!any) return {};
    auto run = builder_.finish();
    gathered_ += run->payments();
    gathered_entries_ += run->size();
    // Merged, and what was merged given back, while readers go on: nobody else changes the list.
    IndexRuns::List grown = IndexRuns::with(runs(), std::move(run));
    {
        const std::lock_guard lock(mutex_);
        runs_.swap(grown);
        as_of_ = {next_ - 1, time_};
    }
    if (!is_batch()) return {};
    return flush();
}

// Accounts that are opened, records and captures make entries too.
bool QueryIndex::is_batch() const {
    return gathered_ >= options_.batch_payments || gathered_entries_ / kEntriesMax >= options_.batch_payments;
}

void QueryIndex::extract(const DecodedFrame& frame, IndexRunBuilder& run) {
    extract_outcomes(frame, options_.rows, run);
    const auto added = totals_.take(frame);
    const std::lock_guard lock(mutex_);
    totals_.add(added, frame.seq(), run);
}

Result<> QueryIndex::flush() {
    if (durable_next_ == next_) return {};
    IndexRunBuilder builder;
    totals_.put_changed(builder);
    // Stands in the same file as what it speaks of: both are there, or neither.
    put_next({next_, time_}, options_.rows, builder);
    IndexRuns::List gathered = runs();
    gathered.push_back(builder.finish());
    if (auto done = store_->ingest(gathered); !done) return done;
    totals_.forget_changed();
    gathered.clear();
    gathered_ = gathered_entries_ = 0;
    const std::lock_guard lock(mutex_);
    runs_.swap(gathered);  // what it held goes once the lock is given back
    durable_next_ = next_;
    return {};
}

IndexRuns::List QueryIndex::runs() const {
    const std::lock_guard lock(mutex_);
    return runs_;
}

AsOf QueryIndex::as_of() const {
    const std::lock_guard lock(mutex_);
    return as_of_;
}

Result<> QueryIndex::scan_prefix(std::string_view prefix, bool backwards, const Each& each) const {
    return scan(prefix, end_of(prefix), backwards, each);
}

Result<> QueryIndex::scan(std::string_view lower, std::string_view upper, bool backwards, const Each& each) const {
    if (lower >= upper) return {};
    // Runs first, then the store: what becomes a file in between is met in both, and told once.
    const IndexRuns::List held = runs();
    std::vector<Source> sources;
    for (auto run = held.rbegin(); run != held.rend(); ++run) {
        Source source{run->get(), (*run)->lower_bound(lower), (*run)->lower_bound(upper), backwards};
        if (source.valid()) sources.push_back(source);
    }
    IndexStore::Walk walk = store_->walk(lower, upper, backwards);
    for (;;) {
        std::string_view key;
        const Source* newest = nullptr;
        bool found = false;
        for (const Source& source : sources) {  // newest first: of equal keys the first one counts
            if (!source.valid() || (found && !is_before(source.key(), key, backwards))) continue;
            key = source.key();
            newest = &source;
            found = true;
        }
        if (walk.valid() && (!found || is_before(walk.key(), key, backwards))) {
            key = walk.key();
            newest = nullptr;
            found = true;
        }
        if (!found) break;
        const std::string stable(key);  // the walk's key moves with it
        const bool removed = newest != nullptr && newest->run->removed(newest->at());
        const std::string_view value = newest == nullptr ? walk.value() : newest->run->value(newest->at());
        if (!removed && !each(stable, value)) break;
        for (Source& source : sources) {
            if (source.valid() && source.key() == stable) source.next();
        }
        if (walk.valid() && walk.key() == stable) walk.next();
    }
    return walk.status();
}

}  // namespace nostro
