#include "nostro/journal/index_store.hpp"

#include <fmt/format.h>
#include <rocksdb/db.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/options.h>
#include <rocksdb/slice_transform.h>
#include <rocksdb/sst_file_writer.h>
#include <rocksdb/table.h>

#include <cstdarg>
#include <filesystem>

#include "nostro/journal/index_key.hpp"

namespace nostro {
namespace {

rocksdb::Slice slice(std::string_view text) { return {text.data(), text.size()}; }

Error error_of(const rocksdb::Status& status, std::string_view did) {
    const std::string what = fmt::format("query index: {}: {}", did, status.ToString());
    if (status.IsCorruption() || status.IsNotSupported() || status.IsInvalidArgument()) {
        return {ErrorCode::corrupt,
                what + "; payments are safe in the journal: `nostro rebuild index` makes a new one"};
    }
    return {ErrorCode::unavailable, what};
}

// RocksDB's log file ends the process (an assertion) at the first line after one that met a full disk.
class NoLogFile final : public rocksdb::Logger {
public:
    using rocksdb::Logger::Logv;
    void Logv(const char*, va_list) override {}
};

// What is asked for by its id or number alone is looked for only in files whose filters may have it: the outcomes of a
// payment, and the parts of frames. All else is walked in order, through every file.
class FilteredPrefix final : public rocksdb::SliceTransform {
public:
    const char* Name() const override { return "nostro.filtered_prefix.1"; }
    rocksdb::Slice Transform(const rocksdb::Slice& key) const override { return {key.data(), size_of(key)}; }
    bool InDomain(const rocksdb::Slice& key) const override { return size_of(key) != 0 && key.size() >= size_of(key); }
    // Whether a walk from `lower` on is over the keys of one payment.
    static bool is_whole_walk(std::string_view lower, std::string_view upper) {
        return lower.size() == kPayment && lower[0] == static_cast<char>(IndexTag::payment) && upper == end_of(lower);
    }

private:
    static constexpr std::size_t kPayment = 17, kPart = 13;
    static std::size_t size_of(const rocksdb::Slice& key) {
        if (key.empty()) return 0;
        if (key[0] == static_cast<char>(IndexTag::payment)) return kPayment;
        return key[0] == static_cast<char>(IndexTag::part) ? kPart : 0;
    }
};

// Sorted files come from outside, so there is no write-ahead log and hardly a memtable. Universal compaction rewrites
// least; direct I/O keeps compaction from pushing other pages out.
rocksdb::Options options() {
    rocksdb::Options options;
    options.create_if_missing = true;
    options.max_background_jobs = 2;
    options.compaction_style = rocksdb::kCompactionStyleUniversal;
    options.compression = rocksdb::kNoCompression;
    options.level0_file_num_compaction_trigger = 8;
    options.level0_slowdown_writes_trigger = 64;
    options.level0_stop_writes_trigger = 128;
    options.bytes_per_sync = 1 << 20;
    options.use_direct_io_for_flush_and_compaction = true;
    options.write_buffer_size = 1 << 20;
    options.info_log = std::make_shared<NoLogFile>();
    options.max_open_files = 512;
    options.paranoid_checks = true;
    rocksdb::BlockBasedTableOptions table;
    table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
    table.whole_key_filtering = false;
    options.prefix_extractor = std::make_shared<FilteredPrefix>();
    table.format_version = 5;
    table.block_size = 8 * 1024;
    table.block_cache = rocksdb::NewLRUCache(64u << 20);
    options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
    return options;
}

}  // namespace

struct IndexStore::State {
    std::string folder;
    rocksdb::Options options;
    std::unique_ptr<rocksdb::DB> db;
    std::uint64_t files = 0;
};

struct IndexStore::Walk::State {
    std::string lower, upper;
    rocksdb::Slice lower_slice, upper_slice;
    std::unique_ptr<rocksdb::Iterator> iterator;
    bool backwards = false;
};

IndexStore::IndexStore(std::unique_ptr<State> state) : state_(std::move(state)) {}
IndexStore::~IndexStore() {
    if (state_ && state_->db) state_->db->Close().PermitUncheckedError();
}

Result<std::unique_ptr<IndexStore>> IndexStore::open(const std::string& folder) {
    auto state = std::make_unique<State>();
    state->folder = folder;
    state->options = options();
    std::error_code ignored;
    std::filesystem::create_directories(folder, ignored);
    rocksdb::DB* db = nullptr;
    auto status = rocksdb::DB::Open(state->options, folder, &db);
    if (status.IsInvalidArgument() && status.ToString().find("irect") != std::string::npos) {
        state->options.use_direct_io_for_flush_and_compaction = false;  // a file system without it
        status = rocksdb::DB::Open(state->options, folder, &db);
    }
    if (!status.ok()) return error_of(status, "open");
    state->db.reset(db);
    // Left over by a crash between writing a file and moving it in.
    for (const auto& file : std::filesystem::directory_iterator(folder, ignored)) {
        if (file.path().extension() == ".new") std::filesystem::remove(file.path(), ignored);
    }
    return std::unique_ptr<IndexStore>(new IndexStore(std::move(state)));
}

Result<std::unique_ptr<IndexStore>> IndexStore::open_to_look(const std::string& folder) {
    constexpr int kTries = 10;
    if (!std::filesystem::exists(folder + "/CURRENT")) {
        return Error{ErrorCode::not_found, folder + ": there is no query index"};
    }
    auto state = std::make_unique<State>();
    state->folder = folder;
    state->options = options();
    state->options.create_if_missing = false;
    // All files are open at once, so none goes away under the reader when their owner merges them.
    state->options.max_open_files = -1;
    rocksdb::Status status;
    for (int i = 0; i < kTries; ++i) {
        rocksdb::DB* db = nullptr;
        status = rocksdb::DB::OpenForReadOnly(state->options, folder, &db);
        if (status.ok()) {
            state->db.reset(db);
            return std::unique_ptr<IndexStore>(new IndexStore(std::move(state)));
        }
        // A file that was merged away between the list and its opening: the next list is another.
    }
    return error_of(status, "open");
}

Result<> IndexStore::ingest(const IndexRun& run) {
    if (run.size() == 0) return {};
    const std::string file = fmt::format("{}/{:08}.new", state_->folder, state_->files++);
    rocksdb::SstFileWriter writer(rocksdb::EnvOptions(), state_->options);
    auto status = writer.Open(file);
    for (std::size_t i = 0; status.ok() && i < run.size(); ++i) {
        status = run.removed(i) ? writer.Delete(slice(run.key(i))) : writer.Put(slice(run.key(i)), slice(run.value(i)));
    }
    if (status.ok()) status = writer.Finish();
    if (status.ok()) {
        rocksdb::IngestExternalFileOptions ingest;
        ingest.move_files = true;
        status = state_->db->IngestExternalFile({file}, ingest);
    }
    if (!status.ok()) return error_of(status, "ingest");
    return {};
}

IndexStore::Walk::Walk(std::unique_ptr<State> state) : state_(std::move(state)) {}
IndexStore::Walk::Walk(Walk&&) noexcept = default;
IndexStore::Walk::~Walk() = default;

IndexStore::Walk IndexStore::walk(std::string_view lower, std::string_view upper, bool backwards) const {
    auto state = std::make_unique<Walk::State>();
    state->lower = lower;
    state->upper = upper;
    state->lower_slice = state->lower;
    state->upper_slice = state->upper;
    state->backwards = backwards;
    rocksdb::ReadOptions read;
    const bool filtered = !backwards && FilteredPrefix::is_whole_walk(lower, upper);
    read.total_order_seek = !filtered;
    read.prefix_same_as_start = filtered;
    read.iterate_lower_bound = &state->lower_slice;
    read.iterate_upper_bound = &state->upper_slice;
    state->iterator.reset(state_->db->NewIterator(read));
    if (backwards) {
        state->iterator->SeekToLast();
    } else {
        state->iterator->Seek(state->lower_slice);
    }
    return Walk(std::move(state));
}

Result<std::optional<std::string>> IndexStore::get(std::string_view key) const {
    std::string value;
    const auto status = state_->db->Get(rocksdb::ReadOptions(), slice(key), &value);
    if (status.IsNotFound()) return std::optional<std::string>();
    if (!status.ok()) return error_of(status, "read");
    return std::optional<std::string>(std::move(value));
}

IndexStore::Walk IndexStore::walk_all() const {
    auto state = std::make_unique<Walk::State>();
    rocksdb::ReadOptions read;
    read.total_order_seek = true;
    read.fill_cache = false;
    read.readahead_size = 2u << 20;
    state->iterator.reset(state_->db->NewIterator(read));
    state->iterator->SeekToFirst();
    return Walk(std::move(state));
}

bool IndexStore::Walk::valid() const { return state_->iterator->Valid(); }
std::string_view IndexStore::Walk::key() const {
    const auto key = state_->iterator->key();
    return {key.data(), key.size()};
}
std::string_view IndexStore::Walk::value() const {
    const auto value = state_->iterator->value();
    return {value.data(), value.size()};
}
void IndexStore::Walk::seek(std::string_view key) { state_->iterator->Seek(slice(key)); }
void IndexStore::Walk::previous() {
    if (state_->iterator->Valid()) {
        state_->iterator->Prev();
    } else {
        state_->iterator->SeekToLast();
    }
}
void IndexStore::Walk::next() {
    if (state_->backwards) {
        state_->iterator->Prev();
    } else {
        state_->iterator->Next();
    }
}
Result<> IndexStore::Walk::status() const {
    if (const auto status = state_->iterator->status(); !status.ok()) return error_of(status, "read");
    return {};
}

std::uint64_t IndexStore::bytes() const {
    std::uint64_t bytes = 0;
    state_->db->GetIntProperty("rocksdb.total-sst-files-size", &bytes);
    return bytes;
}

}  // namespace nostro
