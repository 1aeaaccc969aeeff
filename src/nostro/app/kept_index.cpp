#include "nostro/app/kept_index.hpp"

#include <filesystem>
#include <limits>

#include "nostro/base/log.hpp"
#include "nostro/cli/index_rows.hpp"
#include "nostro/journal/data_directory.hpp"
#include "nostro/profiles/profile.hpp"

namespace nostro {
namespace {

constexpr std::size_t kFrameCacheBytes = 32u << 20;

// nullptr: there is none that may stay.
std::unique_ptr<QueryIndex> earlier(QueryIndexOptions options, const QueryIndex::ReadFrame& read) {
    while (options.rows.version > kProfileRowsSince) {
        --options.rows.version;
        if (auto index = QueryIndex::open(options, read)) return std::move(*index);
    }
    return nullptr;
}

Result<std::unique_ptr<QueryIndex>> open_files(const Config& config, const QueryIndexOptions& options,
                                               const QueryIndex::ReadFrame& read) {
    auto index = QueryIndex::open(options, read);
    if (index || index.error().code != ErrorCode::corrupt) return index;
    if (beginning_is_dropped(config.data.dir)) {
        if (auto kept = earlier(options, read)) {
            log_warn("index_of_earlier_version_kept", {{"why", "frames were dropped, so none can be made anew"}});
            return kept;
        }
    }
    log_warn("index_rebuilt", {{"why", index.error().what}});
    std::error_code ignored;
    std::filesystem::remove_all(options.folder, ignored);
    return QueryIndex::open(options, read);
}

}  // namespace

bool beginning_is_dropped(const std::string& data) {
    bool any = false;
    for (const char* folder : {kSegmentsFolder, kArchiveFolder}) {
        std::error_code none;
        for (const auto& file : std::filesystem::directory_iterator(std::filesystem::path(data) / folder, none)) {
            const std::string name = file.path().filename().string();
            const auto number = folder == kSegmentsFolder ? segment_number(name) : archive_number(name);
            if (number == 1) return false;
            any = any || number;
        }
    }
    return any;
}

KeptIndex::KeptIndex(From from) : from_(std::move(from)), frames_(*from_.journal, kFrameCacheBytes) {
    frames_.set_accepted(std::numeric_limits<Seq>::max());  // an index names accepted frames only
}

Result<std::unique_ptr<KeptIndex>> KeptIndex::open(const Config& config, From from) {
    std::unique_ptr<KeptIndex> kept(new KeptIndex(std::move(from)));
    const auto read = [&frames = kept->frames_](Seq seq) { return frames.frame(seq); };
    if (config.index.kind == "postgres") {
        PostgresHistoryOptions options;
        options.address = config.postgres.url;
        options.frame = read;
        options.readable = kept->from_.readable;
        options.rows = cli::index_rows().of;
        kept->tables_ = std::make_unique<PostgresHistory>(std::move(options));
        return kept;
    }
    const auto folder = (std::filesystem::path(config.data.dir) / kIndexFolder).string();
    // A journal in memory begins anew, and so does what is made from it.
    std::error_code ignored;
    if (config.journal.kind == "memory") std::filesystem::remove_all(folder, ignored);
    auto opened = open_files(config,
                             {folder, config.index.batch_payments, cli::index_rows(), kept->from_.read_bytes,
                              kept->from_.will_read, kept->from_.governor},
                             read);
    if (!opened) return opened.error();
    kept->files_ = std::move(*opened);
    return kept;
}

const History* KeptIndex::history() const {
    if (tables_) return tables_.get();
    return files_.get();
}

Result<Seq> KeptIndex::seen() const {
    if (!files_) return Seq{0};
    const auto next = files_->next();
    if (!next) return next.error();
    return *next - 1;
}

void KeptIndex::let_go() const {
    frames_.let_go();
    if (files_) files_->let_go();
}

void KeptIndex::add_state(std::vector<PartState>& states) const {
    const std::string trouble = tables_ ? tables_->trouble() : files_->trouble();
    states.push_back({.name = "index", .ready = trouble.empty(), .needed = false, .reason = trouble});
}

}  // namespace nostro
