#include "nostro/journal/verify.hpp"

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

#include "nostro/base/hex.hpp"
#include "nostro/base/time.hpp"
#include "nostro/journal/checkpoint_files.hpp"
#include "nostro/journal/data_directory.hpp"
#include "nostro/journal/image_file.hpp"
#include "nostro/journal/journal_reader.hpp"
#include "nostro/journal/posix_disk.hpp"
#include "nostro/journal/verify_books.hpp"
#include "nostro/journal/verify_decide.hpp"
#include "nostro/journal/verify_ids.hpp"
#include "nostro/journal/verify_index.hpp"
#include "nostro/journal/verify_reversals.hpp"
#include "nostro/wire/chain.hpp"

namespace nostro {
namespace {

class Verifier {
public:
    Verifier(Disk& disk, const VerifyOptions& options) : disk_(disk), options_(options) {
        report_.decides = options.decide;
        report_.is_key_known = options.key.has_value();
    }
    Result<VerifyReport> run();

private:
    using Payment = std::optional<PaymentId>;
    void find(VerifyFinding finding);
    void find_in_frame(Seq seq, std::string what, Payment payment);
    void find_damage(const Error& error, Seq seq, std::string file = {});
    void open_checkpoints();
    void open_index();
    bool find_begin();
    bool find_checkpoint();
    bool open_image(Seq least, Seq most, bool newest);
    void begin_with_image(const Digest& digest);
    bool check_frame(const FramePtr& frame);
    bool check_chain(const FramePtr& frame);
    void check_books(const DecodedFrame& frame);
    void decide_again(const DecodedFrame& frame);
    void check_checkpoints(Seq seq, const Digest& digest);
    void compare_image();
    void walk();
    void end_checkpoints();
    void compare_index();
    void check_reversals();
    void tell();

    Disk& disk_;
    const VerifyOptions& options_;
    VerifyReport report_;
    std::unique_ptr<JournalReader> reader_;
    VerifyIds ids_;
    std::vector<Checkpoint> checkpoints_;
    std::size_t next_checkpoint_ = 0;
    std::unique_ptr<ImageReader> begin_;  // to begin with; none: with nothing
    VerifyBooks books_;
    std::optional<VerifyDecisions> decisions_;
    std::unique_ptr<VerifyIndex> index_;
    VerifyReversals reversals_;
    ChainPoint point_;
    bool has_point_ = false, has_books_ = false;
    DecodedFrame decoded_;
};

// Adds the time that its life takes.
class Timed {
public:
    explicit Timed(std::chrono::nanoseconds& sum) : sum_(sum) {}
    ~Timed() { sum_ += elapsed_since(begun_); }
    Timed(const Timed&) = delete;
    Timed& operator=(const Timed&) = delete;

private:
    std::chrono::nanoseconds& sum_;
    const SteadyTime begun_ = steady_now();
};

void Verifier::find(VerifyFinding finding) {
    if (report_.findings.size() >= options_.findings_max) {
        report_.findings_cut = true;
        return;
    }
    report_.findings.push_back(std::move(finding));
}

void Verifier::find_in_frame(Seq seq, std::string what, Payment payment) {
    VerifyFinding finding{{}, 0, seq, payment, std::move(what)};
    if (finding.payment && finding.payment->empty()) finding.payment.reset();
    if (report_.findings.size() < options_.findings_max) {
        if (auto place = reader_->store().place(seq)) {
            finding.file = place->file;
            finding.offset = place->offset;
        }
    }
    find(std::move(finding));
}

// `seq`, `file`: where the words do not say it.
void Verifier::find_damage(const Error& error, Seq seq, std::string file) {
    VerifyFinding finding = damage(error);
    if (finding.seq == 0) finding.seq = seq;
    if (finding.file.empty()) finding.file = std::move(file);
    find(std::move(finding));
}

// Signatures are checked as they are read.
void Verifier::open_checkpoints() {
    auto files = CheckpointFiles::open(disk_);
    if (!files) return find({kCheckpointsFolder, 0, 0, {}, files.error().what});
    checkpoints_ = files->known();
}

void Verifier::open_index() {
    if (options_.index_folder.empty()) return;
    auto index = VerifyIndex::open(options_.index_folder, options_.index_rows);
    if (!index && index.error().code != ErrorCode::not_found) return find({"index", 0, 0, {}, index.error().what});
    report_.index = VerifyReport::Index::missing;
    if (!index || (*index)->next() <= 1) return;
    index_ = std::move(*index);
    report_.index = VerifyReport::Index::compared;
    report_.index_through = index_->next() - 1;
}

// The image that the books begin with. An owner may remove an old one meanwhile; then the next will do.
bool Verifier::open_image(Seq least, Seq most, bool newest) {
    const auto files = disk_.list(kImageFolder);
    if (!files) {
        find({kImageFolder, 0, 0, {}, files.error().what});
        return false;
    }
    std::vector<Seq> images;
    for (const std::string& file : *files) {
        if (const auto seq = image_seq(file); seq && *seq >= least && *seq <= most) images.push_back(*seq);
    }
    std::ranges::sort(images);
    if (newest) std::ranges::reverse(images);
    for (const Seq seq : images) {
        auto reader = ImageReader::open(disk_, image_name(seq));
        if (reader) {
            begin_ = std::move(*reader);
            report_.begun_with = seq;
            return true;
        }
        if (reader.error().code == ErrorCode::not_found) continue;
        find_damage(reader.error(), seq, image_name(seq));
        return false;
    }
    return false;
}

bool Verifier::find_checkpoint() {
    const auto fault = [&](Seq seq, std::string what) {
        find({kCheckpointsFolder, 0, seq, {}, std::move(what)});
        return false;
    };
    if (checkpoints_.empty()) {
        return report_.proved() ? fault(0, "no checkpoint is signed yet: one is every 1,000 frames") : false;
    }
    const Seq newest = checkpoints_.back().seq;
    const Seq wanted = *options_.from_checkpoint == VerifyOptions::kNewest ? newest : *options_.from_checkpoint;
    const auto found = std::ranges::find(checkpoints_, wanted, &Checkpoint::seq);
    if (found == checkpoints_.end()) {
        return fault(wanted, "no checkpoint is signed at this frame; the newest is of frame " + std::to_string(newest));
    }
    report_.from = *found;
    if (options_.key && found->key != *options_.key) {
        return fault(
            wanted, "the checkpoint was signed by " + to_hex(found->key) + ", not by the key " + to_hex(*options_.key));
    }
    if (wanted > reader_->last()) {
        return fault(wanted, "the checkpoint was signed, but the journal ends with frame " +
                                 std::to_string(reader_->last()) + ": frames are missing");
    }
    if (open_image(reader_->first() - 1, wanted, true)) return true;
    if (report_.findings.empty() && reader_->first() > 1) {
        return fault(wanted, "no image stands at or before the checkpoint, and the frames up to " +
                                 std::to_string(reader_->first() - 1) + " were dropped: verify from a later one");
    }
    return report_.findings.empty();  // from the first frame, then
}

// Where history was dropped, the books begin with the oldest image that is left; before it, frames are checked but not
// booked. False: there is nothing to begin with.
bool Verifier::find_begin() {
    report_.whole_history = reader_->first() == 1;
    report_.first = reader_->first();
    report_.last = reader_->last();
    if (options_.from_checkpoint) {
        if (!find_checkpoint()) return false;
        report_.first = std::max(report_.first, report_.begun_with);
    } else if (!report_.whole_history) {
        open_image(report_.first - 1, report_.last, false);
    }
    has_books_ = report_.whole_history && begin_ == nullptr;
    report_.image = reader_->chain().image;
    if (report_.image <= report_.begun_with) report_.image = 0;
    while (next_checkpoint_ < checkpoints_.size() && checkpoints_[next_checkpoint_].seq < report_.first) {
        ++next_checkpoint_;
    }
    if (options_.decide) decisions_.emplace();
    return true;
}

// `digest`: of the frame that the image stands at, as the chain has it.
void Verifier::begin_with_image(const Digest& digest) {
    const Timed timed(report_.times.image);
    const std::string name = image_name(report_.begun_with);
    const auto fault = [&](std::string what, Payment payment) {
        find({name, 0, report_.begun_with, payment, std::move(what)});
    };
    if (begin_->head().digest != digest || begin_->head().through != report_.begun_with) {
        fault("is not an image of that frame", {});
    }
    const auto read = begin_->read([this](const Changes& cells) {
        books_.begin_with(cells);
        if (decisions_) decisions_->begin_with(cells);
    });
    if (!read) return find_damage(read.error(), report_.begun_with, name);
    books_.check_begin(fault);
    if (!report_.findings.empty()) decisions_.reset();  // nothing can be decided upon cells that are wrong
    has_books_ = true;
}

bool Verifier::check_chain(const FramePtr& frame) {
    const Seq seq = frame->header.seq;
    if (!has_point_) {
        // The first frame: of all, or of what is looked at. Then what came before it is taken from its own header.
        has_point_ = true;
        if (seq != 1) {
            std::vector<Cursor> last;
            point_.seq = seq - 1;
            point_.digest = frame->header.previous;
            if (auto cursors = decode_cursors(*frame, point_.cursors, last); !cursors) {
                find_in_frame(seq, cursors.error().what, {});
                return false;
            }
            check_checkpoints(point_.seq, point_.digest);
        }
    }
    if (auto continues = advance(point_, *frame); !continues) {
        find_in_frame(seq, continues.error().what, {});
        return false;
    }
    if (auto decoded = decode_body(frame, Sections::all, decoded_); !decoded) {
        find_in_frame(seq, decoded.error().what, {});
        return false;
    }
    return true;
}

// Somebody has signed that the journal stood so.
void Verifier::check_checkpoints(Seq seq, const Digest& digest) {
    if (next_checkpoint_ == checkpoints_.size() || checkpoints_[next_checkpoint_].seq != seq) return;
    if (checkpoints_[next_checkpoint_++].digest == digest) {
        ++report_.checkpoints;
    } else {
        find_in_frame(seq, "its digest is not the one that its checkpoint signs", {});
    }
}

void Verifier::check_books(const DecodedFrame& frame) {
    const Timed timed(report_.times.books);
    books_.check(frame,
                 [&](std::string what, Payment payment) { find_in_frame(frame.seq(), std::move(what), payment); });
}

void Verifier::decide_again(const DecodedFrame& frame) {
    const Timed timed(report_.times.decided);
    decisions_->check(frame,
                      [&](std::string what, Payment payment) { find_in_frame(frame.seq(), std::move(what), payment); });
    reversals_.add(frame);
    if (reversals_.is_heap_full()) check_reversals();
}

bool Verifier::check_frame(const FramePtr& frame) {
    if (!check_chain(frame)) return false;
    const Seq seq = frame->header.seq;
    ++report_.frames;
    report_.bytes += frame->bytes().size();
    report_.digest = frame->digest;
    check_checkpoints(seq, frame->digest);
    if (begin_ != nullptr && !has_books_ && seq == report_.begun_with + 1) begin_with_image(frame->header.previous);
    if (has_books_) check_books(decoded_);
    {
        const Timed timed(report_.times.ids);
        ids_.check(decoded_, [&](std::string what, Payment payment) { find_in_frame(seq, std::move(what), payment); });
    }
    if (has_books_ && decisions_) decide_again(decoded_);
    if (index_ != nullptr) {
        const Timed timed(report_.times.index);
        index_->add(decoded_);
    }
    if (begin_ != nullptr && seq == report_.begun_with && seq == report_.last) begin_with_image(frame->digest);
    if (seq == report_.image) compare_image();
    if (options_.progress) options_.progress(seq - report_.first + 1, report_.last - report_.first + 1);
    return true;
}

void Verifier::compare_image() {
    const Timed timed(report_.times.image);
    const std::string name = image_name(report_.image);
    const auto fault = [&](std::string what, Payment payment) {
        find({name, 0, report_.image, payment, std::move(what)});
    };
    auto reader = ImageReader::open(disk_, name);
    if (!reader) {
        // The owner keeps two images: gone means that it has made two since.
        if (reader.error().code != ErrorCode::not_found) find_damage(reader.error(), report_.image, name);
        report_.image = 0;
        return;
    }
    const auto& head = (*reader)->head();
    if (head.digest != point_.digest || head.through != point_.seq || head.time != point_.time) {
        fault("is not an image of that frame", {});
    }
    if (!has_books_) return;
    Changes cells;
    for (;;) {
        auto more = (*reader)->next(cells);
        if (!more) return find_damage(more.error(), report_.image, name);
        if (!*more) break;
        books_.compare(cells, fault);
    }
    books_.compare_counts((*reader)->counts(), fault);
}

void Verifier::walk() {
    if (report_.last == 0) return;
    auto read = reader_->read(report_.first, report_.last, [&](const FramePtr& frame) { return check_frame(frame); });
    if (!read) {
        find_damage(read.error(), point_.seq + 1);
    } else if (*read && point_.seq != report_.last) {
        find({{}, 0, point_.seq + 1, {}, "the journal ends before frame " + std::to_string(report_.last)});
    }
}

// A checkpoint behind the end: its frame was there when it was signed.
void Verifier::end_checkpoints() {
    // A mirror follows the journal with what it has: the service may have signed more.
    if (!report_.proved() || next_checkpoint_ == checkpoints_.size() || reader_->is_mirror()) return;
    find({kCheckpointsFolder,
          0,
          checkpoints_[next_checkpoint_].seq,
          {},
          "the checkpoint was signed, but the journal ends with frame " + std::to_string(report_.last) +
              ": frames are missing"});
}

void Verifier::tell() {
    report_.outcomes = books_.outcomes();
    report_.payments = books_.payments();
    report_.payments_open = books_.open();
    report_.states = books_.states();
    report_.accounts = books_.accounts();
    report_.currencies = books_.currencies();
    report_.ids = ids_.count();
    report_.ids_through = ids_.through();
    if (!decisions_) return;
    report_.decided = decisions_->commands();
    report_.expired = decisions_->expired();
    report_.decided_through = decisions_->through();
}

// What the Book believed of the payments that were reversed.
void Verifier::check_reversals() {
    const auto read = [&](Seq seq, DecodedFrame& into) -> Result<> {
        Result<> decoded;
        auto done = reader_->read(seq, seq, [&](const FramePtr& frame) {
            decoded = decode_body(frame, Sections::outcomes, into);
            return decoded.has_value();
        });
        if (!done) return done.error();
        return decoded;
    };
    const auto header = [&](Seq seq) -> Result<FrameHeader> {
        std::vector<std::byte> bytes;
        if (auto done = reader_->store().headers(seq, seq, bytes); !done) return done.error();
        return decode_frame_header(bytes);
    };
    const auto fault = [&](Seq seq, std::string what, PaymentId payment) {
        find_in_frame(seq, std::move(what), payment);
    };
    auto checked = reversals_.check(reader_->first(), report_.last, read, header, fault);
    if (!checked) find_damage(checked.error(), 0);
    report_.reversals = reversals_.checked();
}

void Verifier::compare_index() {
    if (index_ == nullptr || point_.seq != report_.last) return;  // not all frames could be read
    const Timed timed(report_.times.index);
    const auto fault = [&](const std::string& what) {
        find({"index", 0, 0, {}, what + "; `nostro rebuild index` makes a new one"});
    };
    if (report_.index_through > report_.last && reader_->is_mirror()) {
        report_.index = VerifyReport::Index::ahead;
        return;
    }
    if (report_.index_through > report_.last) {
        return fault("has read frame " + std::to_string(report_.index_through) + ", but the journal ends with frame " +
                     std::to_string(report_.last));
    }
    const auto read = [&](Seq from, Seq through, const std::function<void(const DecodedFrame&)>& each) -> Result<> {
        Result<> decoded;
        auto done = reader_->read(from, through, [&](const FramePtr& frame) {
            decoded = decode_body(frame, Sections::all, decoded_);
            if (decoded) each(decoded_);
            return decoded.has_value();
        });
        if (!done) return done.error();
        return decoded;
    };
    if (auto compared = index_->compare(read, fault); !compared) find({"index", 0, 0, {}, compared.error().what});
    report_.index_entries = index_->entries();
}

Result<VerifyReport> Verifier::run() {
    const auto begun = steady_now();
    // Ids, checkpoints and index before frames: what is told then is in frames that are read afterwards.
    if (auto opened = ids_.open(disk_); !opened) find_damage(opened.error(), 0);
    open_checkpoints();
    if (!options_.from_checkpoint) open_index();
    auto reader = JournalReader::open(disk_);
    if (!reader) {
        if (reader.error().code != ErrorCode::corrupt) return reader.error();
        find_damage(reader.error(), 0);
        return std::move(report_);
    }
    reader_ = std::move(*reader);
    report_.void_frames = reader_->chain().void_frames;
    if (find_begin()) {
        walk();
        if (decisions_) {
            const Timed timed(report_.times.decided);
            check_reversals();
        }
        books_.end([&](std::string what, Payment payment) { find({{}, 0, 0, payment, std::move(what)}); });
        end_checkpoints();
        if (report_.proved() && report_.first == 1) {
            ids_.end([&](std::string what, Payment) { find({kIdsFolder, 0, 0, {}, std::move(what)}); });
        }
        compare_index();
    }
    tell();
    report_.took = elapsed_since(begun);
    const VerifyTimes& times = report_.times;
    report_.times.chain = report_.took - times.books - times.decided - times.ids - times.image - times.index;
    return std::move(report_);
}

}  // namespace

Result<VerifyReport> verify(Disk& disk, const VerifyOptions& options) { return Verifier(disk, options).run(); }

Result<VerifyReport> verify(const std::string& data_directory, VerifyOptions options) {
    if (options.index_folder.empty()) options.index_folder = data_directory + "/" + kIndexFolder;
    PosixDisk::Options looking;
    looking.read_only = true;
    auto disk = PosixDisk::open(data_directory, looking);
    if (!disk) return disk.error();
    return verify(**disk, options);
}

}  // namespace nostro
