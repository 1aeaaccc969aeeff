#include "nostro/journal/recovery.hpp"

#include <algorithm>
#include <utility>

#include "nostro/journal/archive_file.hpp"
#include "nostro/journal/data_directory.hpp"

namespace nostro {
namespace {

// More than any owner has under way: void frames in a segment that was a spare begin within it.
constexpr std::uint64_t kSpareWindow = 64u << 20;
constexpr std::size_t kScanPiece = 1 << 20;
constexpr int kLookAgain = 5;

constexpr const char* kWhatToDo =
    "; frames that were answered for are missing: restore the data directory from a backup, or find the damaged disk";

Error corrupt(const std::string& name, std::string why) { return {ErrorCode::corrupt, name + ": " + std::move(why)}; }

struct Listed {
    std::uint64_t number;
    SegmentHeader header;
    std::string name() const { return segment_name(number); }
};

class Recovery {
public:
    Recovery(Disk& disk, const RecoveryOptions& options) : disk_(disk), options_(options) {}

    Result<RecoveredChain> run();

private:
    Result<> find_superblock();
    Result<> list_files();
    Result<> list_segments();
    Result<> list_archives();
    Result<> drop_replaced();
    Result<std::optional<SegmentFooter>> footer_of(const Listed& segment);
    Result<> join(const SegmentInfo& info, const std::string& name);
    Result<bool> walk(const Listed& segment);
    Result<> set_end_from_last();
    Result<> walk_all();
    Result<bool> scan_behind(const Listed& segment, std::uint64_t from, std::uint64_t to);
    Result<> look_at_spare(const Listed& segment);
    Result<> check_says(Seq seq, const std::string& who);
    Result<> check_floor();
    bool counts_as_witness(const FrameHeader& header) const;

    Disk& disk_;
    const RecoveryOptions& options_;
    RecoveredChain chain_;
    std::vector<Listed> segments_;
    std::vector<std::pair<ArchiveTail, std::string>> archives_;
    // Where the chain ended, and why there.
    std::string end_in_ = "the data directory";
    std::uint64_t end_at_ = kSegmentFramesBegin;
    std::string end_why_;
    Seq witness_ = 0;  // the newest frame that something says is durable
    std::string witness_says_;
};

Result<> Recovery::find_superblock() {
    auto found = read_superblock(disk_);
    if (found) {
        chain_.superblock = *found;
        chain_.journal = found->journal;
        witness_ = found->watermark;
        witness_says_ = "the superblock";
        return {};
    }
    return found.error().code == ErrorCode::not_found ? Result<>{} : Result<>(found.error());
}

Result<> Recovery::list_segments() {
    auto names = disk_.list(kSegmentsFolder);
    if (!names) return names.error();
    for (const auto& file : *names) {
        const std::string name = std::string(kSegmentsFolder) + "/" + file;
        const auto number = segment_number(file);
        if (!number) {
            if (is_temporary(file)) chain_.leftovers.push_back(name);
            continue;
        }
        auto opened = OpenFile::open(disk_, name);
        if (!opened) return opened.error();
        std::vector<std::byte> block(kDiskBlock);
        if (auto read = (*opened)->read(0, block); !read) return read.error();
        auto header = decode_segment_header(block);
        if (!header) return corrupt(name, "its header (byte 0) " + header.error().what + kWhatToDo);
        if (header->number != *number || header->file_bytes != (*opened)->bytes()) {
            return corrupt(name, "its header (byte 0) is of segment " + std::to_string(header->number) + " of " +
                                     std::to_string(header->file_bytes) + " bytes" + kWhatToDo);
        }
        if (chain_.superblock && header->journal != chain_.journal) {
            return corrupt(name, "belongs to another journal: files of two data directories are mixed");
        }
        chain_.number_max = std::max(chain_.number_max, *number);
        segments_.push_back({*number, *header});
    }
    std::sort(segments_.begin(), segments_.end(), [](const auto& a, const auto& b) { return a.number < b.number; });
    return {};
}

Result<> Recovery::list_archives() {
    auto names = disk_.list(kArchiveFolder);
    if (!names) return names.error();
    for (const auto& file : *names) {
        const std::string name = std::string(kArchiveFolder) + "/" + file;
        const auto number = archive_number(file);
        const bool has_segment = number && std::any_of(segments_.begin(), segments_.end(),
                                                       [&](const auto& segment) { return segment.number == *number; });
        // An archive beside its segment: the process ended between making one and removing the other.
        if (is_temporary(file) || has_segment) chain_.leftovers.push_back(name);
        if (!number || has_segment) continue;
        auto opened = OpenFile::open(disk_, name);
        if (!opened) return opened.error();
        auto tail = read_archive_tail(**opened);
        if (!tail) return tail.error();
        if (tail->about.number != *number || (chain_.superblock && tail->journal != chain_.journal)) {
            return corrupt(name, "belongs to another journal: files of two data directories are mixed");
        }
        chain_.number_max = std::max(chain_.number_max, *number);
        archives_.emplace_back(std::move(*tail), name);
    }
    return {};
}

Result<> Recovery::list_files() {
    if (auto listed = list_segments(); !listed) return listed;
    if (auto listed = list_archives(); !listed) return listed;
    auto images = disk_.list(kImageFolder);
    if (!images) return images.error();
    for (const auto& file : *images) {
        if (const auto seq = image_seq(file)) chain_.image = std::max(chain_.image, *seq);
        if (is_temporary(file)) chain_.leftovers.push_back(std::string(kImageFolder) + "/" + file);
    }
    if (!chain_.superblock && !(segments_.empty() && archives_.empty() && chain_.image == 0)) {
        return corrupt(kSuperblockName,
                       "is missing beside the segments of a journal; restore the data directory from a backup");
    }
    return drop_replaced();
}

// A segment that holds a copy of the valid part of others: those are void, whole.
Result<> Recovery::drop_replaced() {
    std::vector<Listed> kept;
    for (auto& segment : segments_) {
        const bool is_void = std::any_of(segments_.begin(), segments_.end(), [&](const Listed& other) {
            return other.header.replaces <= segment.number && segment.number < other.number;
        });
        if (is_void) {
            chain_.leftovers.push_back(segment_name(segment.number));
        } else {
            kept.push_back(segment);
        }
    }
    segments_ = std::move(kept);
    return {};
}

// Takes a closed segment for what its footer or archive says; its frames are checked when they are read.
Result<> Recovery::join(const SegmentInfo& info, const std::string& name) {
    const auto& about = info.about;
    const bool is_first = chain_.segments.empty() && chain_.end.seq == 0;
    if (is_first && about.first > 1) {
        if (about.first > chain_.image + 1) {
            return corrupt(name, "the history before frame " + std::to_string(about.first) +
                                     " is gone and no image stands for it" + kWhatToDo);
        }
    } else if (about.first != chain_.end.seq + 1 || about.before != chain_.end.digest) {
        return corrupt(name, "begins with frame " + std::to_string(about.first) + ", but frame " +
                                 std::to_string(chain_.end.seq + 1) + " is due" + kWhatToDo);
    }
    chain_.end.seq = about.last;
    chain_.end.digest = about.digest;
    chain_.end.time = about.last_time;
    chain_.end.epoch = about.epoch;
    chain_.segments.push_back(info);
    if (about.last > witness_) {
        witness_ = about.last;
        witness_says_ = "the footer of " + name;
    }
    return {};
}

// None: it has none that counts, so its frames must be walked.
Result<std::optional<SegmentFooter>> Recovery::footer_of(const Listed& segment) {
    auto file = OpenFile::open(disk_, segment.name());
    if (!file) return file.error();
    std::vector<std::byte> bytes(static_cast<std::size_t>(footer_bytes(segment.header.file_bytes)));
    if (auto read = (*file)->read(segment.header.file_bytes - bytes.size(), bytes); !read) return read.error();
    auto footer = decode_segment_footer(bytes);
    if (!footer || footer->number != segment.number) return std::optional<SegmentFooter>();
    return std::optional<SegmentFooter>(std::move(*footer));
}

// A footer tells where the chain stands but not how far its sources were read: the last frame does.
Result<> Recovery::set_end_from_last() {
    const auto& info = chain_.segments.back();
    const auto& about = info.about;
    FramePtr last;
    std::string name;
    if (info.archived) {
        name = archive_name(about.number);
        auto archive = ArchiveReader::open(disk_, name);
        if (!archive) return archive.error();
        auto frame = (*archive)->frame(about.last);
        if (!frame) return frame.error();
        last = std::move(*frame);
    } else {
        name = segment_name(about.number);
        auto file = OpenFile::open(disk_, name);
        if (!file) return file.error();
        FileWindow window(std::move(*file), kDiskBlock);
        auto probe = probe_frame(window, about.last_offset, about.end);
        if (!probe) return probe.error();
        if (probe->kind != Probe::Kind::frame || probe->frame->digest != about.digest) {
            return corrupt(name, "frame " + std::to_string(about.last) + " at byte " +
                                     std::to_string(about.last_offset) + " is damaged" +
                                     (probe->why.empty() ? "" : " (" + probe->why + ")") + kWhatToDo);
        }
        last = std::move(probe->frame);
    }
    auto point = point_behind(*last);
    if (!point) return corrupt(name, point.error().what);
    chain_.end = std::move(*point);
    return {};
}

// Follows the chain through a segment without footer. False: the chain does not reach into it.
Result<bool> Recovery::walk(const Listed& segment) {
    auto file = OpenFile::open(disk_, segment.name());
    if (!file) return file.error();
    FileWindow window(std::move(*file));
    SegmentInfo info;
    info.file_bytes = segment.header.file_bytes;
    auto& about = info.about;
    about.number = segment.number;
    about.before = chain_.end.digest;
    const std::uint64_t limit = frames_end_max(segment.header.file_bytes);
    std::uint64_t at = kSegmentFramesBegin;
    std::string why;
    bool looked_again = false;
    for (;;) {
        auto probe = probe_frame(window, at, limit);
        if (!probe) return probe.error();
        Result<> continues;
        if (probe->kind == Probe::Kind::frame) continues = advance(chain_.end, *probe->frame);
        if (probe->kind != Probe::Kind::frame || !continues) {
            // The owner may have written on meanwhile: what is read twice has settled.
            if (options_.looking_only && !std::exchange(looked_again, true)) {
                window.forget();
                continue;
            }
            why = probe->kind == Probe::Kind::empty ? "it is empty" : continues ? probe->why : continues.error().what;
            break;
        }
        looked_again = false;
        const auto& header = probe->frame->header;
        if (about.first == 0) {
            about.first = header.seq;
            about.first_time = header.time;
        }
        if (about.marks.empty() || at / kMarkStep != about.marks.back().offset_block * kDiskBlock / kMarkStep) {
            about.marks.push_back(
                {static_cast<std::uint32_t>(header.seq - about.first), static_cast<std::uint32_t>(at / kDiskBlock)});
        }
        if (header.accepted > witness_) {
            witness_ = header.accepted;
            witness_says_ = "frame " + std::to_string(header.seq);
        }
        about.last = header.seq;
        about.last_offset = at;
        about.last_time = header.time;
        about.epoch = header.epoch;
        about.digest = probe->frame->digest;
        at += probe->bytes;
    }
    about.end = at;
    // A full segment ends without fault: the next frame is due at the begin of the next one.
    if (about.first != 0 || end_why_.empty()) {
        end_in_ = segment.name();
        end_at_ = at;
        end_why_ = at + kDiskBlock > limit ? "" : why;
    }
    if (about.first == 0) return false;
    chain_.segments.push_back(std::move(info));
    return true;
}

// A header behind the end says which frame was durable when it was built. Only headers of this owner's process
// count: a payment's own bytes may look like a header, but cannot know its nonce. An owner before it knew of nothing
// behind its take-over. One after it has told nothing but its take-over frame, which has no bytes of anyone's.
bool Recovery::counts_as_witness(const FrameHeader& header) const {
    if (header.seq <= chain_.end.seq) return false;
    if (chain_.superblock && header.epoch > chain_.superblock->epoch) return false;
    return header.epoch > chain_.end.epoch || header.nonce == chain_.end.nonce || chain_.end.seq == 0;
}

// Looks for anything between `from` and `to`, and for witnesses in it. True: there is something.
Result<bool> Recovery::scan_behind(const Listed& segment, std::uint64_t from, std::uint64_t to) {
    auto file = OpenFile::open(disk_, segment.name());
    if (!file) return file.error();
    FileWindow window(std::move(*file), kScanPiece);
    const std::uint64_t limit = frames_end_max(segment.header.file_bytes);
    bool found = false;
    for (std::uint64_t at = from; at < to;) {
        const auto piece = std::min<std::uint64_t>(kScanPiece, to - at);
        auto bytes = window.view(at, static_cast<std::size_t>(piece));
        if (!bytes) return bytes.error();
        if (all_zero(*bytes)) {
            at += piece;
            continue;
        }
        found = true;
        for (const std::uint64_t piece_end = at + piece; at < piece_end;) {
            auto probe = probe_frame(window, at, limit);
            if (!probe) return probe.error();
            if (probe->kind == Probe::Kind::frame) ++chain_.void_frames;
            if (probe->header && counts_as_witness(*probe->header) && probe->header->accepted > witness_) {
                witness_ = probe->header->accepted;
                witness_says_ = "frame " + std::to_string(probe->header->seq) + " at byte " + std::to_string(at) +
                                " of " + segment.name();
            }
            at += probe->header ? probe->bytes : kDiskBlock;
        }
    }
    return found;
}

// A segment that the chain does not reach: a spare, unless something stands in it.
Result<> Recovery::look_at_spare(const Listed& segment) {
    auto footer = footer_of(segment);
    if (!footer) return footer.error();
    if (*footer && (*footer)->last > witness_) {
        witness_ = (*footer)->last;
        witness_says_ = "the footer of " + segment.name();
    }
    const std::uint64_t limit = frames_end_max(segment.header.file_bytes);
    auto found = scan_behind(segment, kSegmentFramesBegin, std::min(kSegmentFramesBegin + kSpareWindow, limit));
    if (!found) return found.error();
    if (*found || *footer) {
        chain_.leftovers.push_back(segment.name());
    } else {
        chain_.spares.push_back(segment.number);
    }
    return {};
}

Result<> Recovery::check_says(Seq seq, const std::string& who) {
    if (seq <= chain_.end.seq) return {};
    return corrupt(end_in_ + ", byte " + std::to_string(end_at_),
                   "frame " + std::to_string(chain_.end.seq + 1) + " cannot be read" +
                       (end_why_.empty() ? "" : " (" + end_why_ + ")") + ", but " + who + " says that frame " +
                       std::to_string(seq) + " was durable" + kWhatToDo);
}

// A store outside that knows more than an empty directory is another journal's, as a rule.
Result<> Recovery::check_floor() {
    if (options_.floor == 0 || chain_.end.seq != 0) return check_says(options_.floor, options_.floor_says);
    return corrupt(end_in_, "there is no frame here, but " + options_.floor_says + " says that frame " +
                                std::to_string(options_.floor) +
                                " was durable: it was told by another journal (name that one's data directory, name "
                                "another store, or begin that one anew), or frames that were answered for are missing: "
                                "restore the data directory from a backup");
}

Result<> Recovery::walk_all() {
    for (const auto& [tail, name] : archives_) {
        if (auto joined = join({tail.about, tail.segment_bytes, true, true}, name); !joined) return joined;
    }
    std::size_t next = 0;
    for (; next < segments_.size(); ++next) {
        auto footer = footer_of(segments_[next]);
        if (!footer) return footer.error();
        if (!*footer) break;
        SegmentInfo info{std::move(**footer), segments_[next].header.file_bytes, false, true};
        if (auto joined = join(info, segments_[next].name()); !joined) return joined;
    }
    if (!chain_.segments.empty()) {
        if (auto set = set_end_from_last(); !set) return set;
    }
    if (next < segments_.size()) end_in_ = segments_[next].name();
    // From here on frame by frame; the chain may go over into the next segment.
    const std::size_t first_walked = next;
    for (; next < segments_.size(); ++next) {
        auto entered = walk(segments_[next]);
        if (!entered) return entered.error();
        if (!*entered) break;
    }
    if (next > first_walked) {
        const auto& last = segments_[next - 1];
        // Not from end_at_: behind a full segment the chain ends at the begin of the next one.
        auto found = scan_behind(last, chain_.segments.back().about.end, frames_end_max(last.header.file_bytes));
        if (!found) return found.error();
        chain_.dirty = *found;
    }
    for (; next < segments_.size(); ++next) {
        if (auto looked = look_at_spare(segments_[next]); !looked) return looked;
    }
    return {};
}

Result<RecoveredChain> Recovery::run() {
    if (auto found = find_superblock(); !found) return found.error();
    if (auto listed = list_files(); !listed) return listed.error();
    if (auto walked = walk_all(); !walked) return walked.error();
    if (!options_.copies) {
        if (auto said = check_says(witness_, witness_says_); !said) return said.error();
    }
    if (auto said = check_says(chain_.image, image_name(chain_.image)); !said) return said.error();
    if (auto said = check_floor(); !said) return said.error();
    const auto& superblock = chain_.superblock;
    if (superblock && superblock->watermark != 0 && superblock->watermark == chain_.end.seq &&
        superblock->watermark_digest != chain_.end.digest) {
        return corrupt(
            end_in_ + ", byte " + std::to_string(end_at_),
            "frame " + std::to_string(chain_.end.seq) + " is not the one that the superblock knows" + kWhatToDo);
    }
    chain_.known_durable = options_.copies ? chain_.end.seq : std::max({witness_, chain_.image, options_.floor});
    return std::move(chain_);
}

}  // namespace

bool mirrors_another(Disk& disk) { return OpenFile::open(disk, kOriginName).has_value(); }

Result<Superblock> read_superblock(Disk& disk) {
    auto file = OpenFile::open(disk, kSuperblockName);
    if (!file) return file.error();
    std::vector<std::byte> bytes(kSuperblockBytes);
    if (auto read = (*file)->read(0, bytes); !read) return read.error();
    std::optional<Superblock> newest;
    std::string why;
    for (std::size_t copy = 0; copy < 2; ++copy) {
        auto one = decode_superblock(std::span<const std::byte>(bytes).subspan(copy * kDiskBlock, kDiskBlock));
        if (!one) {
            why = one.error().what;
        } else if (!newest || one->generation > newest->generation) {
            newest = *one;
        }
    }
    if (newest) return *newest;
    return corrupt(kSuperblockName, "both copies are damaged (the second " + why +
                                        "): nothing says how far the journal was durable; restore the data directory "
                                        "from a backup");
}

Result<RecoveredChain> recover_chain(Disk& disk, const RecoveryOptions& options) {
    for (int attempt = 1;; ++attempt) {
        auto recovered = Recovery(disk, options).run();
        if (!recovered && options.looking_only && attempt < kLookAgain) continue;  // the owner moved files meanwhile
        if (recovered && options.looking_only && !recovered->superblock) {
            return Error{ErrorCode::not_found,
                         "there is no journal here: " + std::string(kSuperblockName) + " does not exist"};
        }
        return recovered;
    }
}

}  // namespace nostro
