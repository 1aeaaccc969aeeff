#include "nostro/journal/verify.hpp"

#include <algorithm>
#include <optional>
#include <unordered_set>
#include <utility>

#include "nostro/base/hex.hpp"
#include "nostro/base/json_text.hpp"
#include "nostro/base/time.hpp"
#include "nostro/journal/data_directory.hpp"
#include "nostro/journal/image_file.hpp"
#include "nostro/journal/journal_reader.hpp"
#include "nostro/journal/posix_disk.hpp"
#include "nostro/journal/sealed_runs.hpp"
#include "nostro/journal/verify_books.hpp"
#include "nostro/wire/chain.hpp"

namespace nostro {
namespace {

constexpr const char* kVerified = "verified";

class Verifier {
public:
    Verifier(Disk& disk, const VerifyOptions& options) : disk_(disk), options_(options) {}
    Result<VerifyReport> run();

private:
    void find(VerifyFinding finding);
    void find_in_frame(Seq seq, std::string what, std::optional<PaymentId> payment);
    void open_ids();
    void begin_with_image();
    bool check_frame(const FramePtr& frame);
    void check_ids(const DecodedFrame& frame);
    void check_id(const KnownImage& known, Seq seq);
    void compare_image();
    void walk();
    void end_ids();

    Disk& disk_;
    const VerifyOptions& options_;
    VerifyReport report_;
    std::unique_ptr<JournalReader> reader_;
    std::unique_ptr<SealedRuns> ids_;
    VerifyBooks books_;
    ChainPoint point_;
    bool has_point_ = false, has_books_ = false;
    std::unordered_set<PaymentId> unsealed_;
    DecodedFrame decoded_;
};

void Verifier::find(VerifyFinding finding) {
    if (report_.findings.size() >= options_.findings_max) {
        report_.findings_cut = true;
        return;
    }
    report_.findings.push_back(std::move(finding));
}

void Verifier::find_in_frame(Seq seq, std::string what, std::optional<PaymentId> payment) {
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

void Verifier::open_ids() {
    auto ids = SealedRuns::open(disk_, true);
    if (!ids) {
        find({{}, 0, 0, {}, ids.error().what});
        return;
    }
    ids_ = std::move(*ids);
    report_.ids_through = ids_->through();
}

// Where history was dropped, the books begin with the image; before it, frames are checked but not booked.
void Verifier::begin_with_image() {
    report_.whole_history = reader_->first() == 1;
    has_books_ = report_.whole_history;
    report_.image = reader_->chain().image;
}

void Verifier::check_id(const KnownImage& known, Seq seq) {
    ++report_.ids;
    if (!ids_ || seq > ids_->through()) {
        if (!unsealed_.insert(known.id).second) find_in_frame(seq, "its id was spent before", known.id);
        if (!ids_ || ids_->runs()->empty()) return;
        auto sealed = ids_->find(known.id);
        if (!sealed) {
            find_in_frame(seq, sealed.error().what, known.id);
        } else if (*sealed) {
            find_in_frame(seq, "its id was spent before, in frame " + std::to_string((*sealed)->place.seq), known.id);
        }
        return;
    }
    for (const auto& run : *ids_->runs()) {
        auto found = run->find(known.id);
        if (!found) {
            find_in_frame(seq, found.error().what, known.id);
            return;
        }
        const bool is_in_range = seq >= run->tail().first && seq <= run->tail().through;
        const Place place{seq, known.index};
        if (is_in_range && (!*found || (*found)->place != place || (*found)->meaning != known.meaning)) {
            find_in_frame(seq, "its id is not sealed as the frame has it, in " + run->name(), known.id);
        }
        if (!is_in_range && *found) {
            find_in_frame(seq, "its id is spent twice: also in frame " + std::to_string((*found)->place.seq), known.id);
        }
    }
}

// Every first outcome of a payment spends its id, once.
void Verifier::check_ids(const DecodedFrame& frame) {
    for (const auto& known : frame.changes.known) check_id(known, frame.seq());
    std::unordered_map<PaymentId, std::uint32_t> spent;
    for (const auto& known : frame.changes.known) spent.emplace(known.id, known.index);
    for (std::size_t i = 0; i < frame.changes.outcomes.size(); ++i) {
        const auto& outcome = frame.changes.outcomes[i];
        if (outcome.event != Event::submitted || outcome.payment.empty()) continue;
        const auto found = spent.find(outcome.payment);
        if (found == spent.end() || found->second != i) {
            find_in_frame(frame.seq(), "its first outcome does not spend its id", outcome.payment);
        }
    }
}

bool Verifier::check_frame(const FramePtr& frame) {
    const Seq seq = frame->header.seq;
    if (!has_point_) {
        // The first frame: of all, or of what is kept. Then what came before it is taken from its own header.
        has_point_ = true;
        if (seq != 1) {
            std::vector<Cursor> last;
            point_.seq = seq - 1;
            point_.digest = frame->header.previous;
            if (auto cursors = decode_cursors(*frame, point_.cursors, last); !cursors) {
                find_in_frame(seq, cursors.error().what, {});
                return false;
            }
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
    ++report_.frames;
    report_.bytes += frame->bytes().size();
    report_.digest = frame->digest;
    if (has_books_) {
        books_.check(decoded_, [&](std::string what, std::optional<PaymentId> payment) {
            find_in_frame(seq, std::move(what), payment);
        });
    }
    check_ids(decoded_);
    if (seq == report_.image) compare_image();
    if (options_.progress) options_.progress(seq - report_.first + 1, report_.last - report_.first + 1);
    return true;
}

void Verifier::compare_image() {
    const std::string name = image_name(report_.image);
    const auto fault = [&](std::string what, std::optional<PaymentId> payment) {
        find({name, 0, report_.image, payment, std::move(what)});
    };
    auto reader = ImageReader::open(disk_, name);
    if (!reader) {
        // The owner keeps two images: gone means that it has made two since.
        if (reader.error().code != ErrorCode::not_found) fault(reader.error().what, {});
        report_.image = 0;
        return;
    }
    const auto& head = (*reader)->head();
    if (head.digest != point_.digest || head.through != point_.seq || head.time != point_.time) {
        fault("is not an image of that frame", {});
    }
    Changes cells;
    for (;;) {
        auto more = (*reader)->next(cells);
        if (!more) return fault(more.error().what, {});
        if (!*more) break;
        if (has_books_) {
            books_.compare(cells, fault);
        } else {
            books_.begin_with(cells);
        }
    }
    if (has_books_) books_.compare_counts((*reader)->counts(), fault);
    has_books_ = true;
}

void Verifier::walk() {
    report_.first = reader_->first();
    report_.last = reader_->last();
    report_.void_frames = reader_->chain().void_frames;
    if (report_.last == 0) return;
    auto read = reader_->read(report_.first, report_.last, [&](const FramePtr& frame) { return check_frame(frame); });
    if (!read) {
        find({{}, 0, point_.seq + 1, {}, read.error().what});
    } else if (*read && point_.seq != report_.last) {
        find({{}, 0, point_.seq + 1, {}, "the journal ends before frame " + std::to_string(report_.last)});
    }
}

// Nothing is sealed that the frames do not have.
void Verifier::end_ids() {
    if (!ids_ || !report_.findings.empty() || !report_.whole_history) return;
    std::uint64_t sealed = 0;
    for (const auto& run : *ids_->runs()) sealed += run->tail().ids;
    if (sealed + unsealed_.size() != report_.ids) {
        find({{},
              0,
              0,
              {},
              "the folder ids holds " + std::to_string(sealed) + " ids, the frames spend " +
                  std::to_string(report_.ids - unsealed_.size())});
    }
}

Result<VerifyReport> Verifier::run() {
    const auto begun = steady_now();
    // Ids before frames: what is sealed then is in frames that are read afterwards.
    open_ids();
    auto reader = JournalReader::open(disk_);
    if (!reader) {
        if (reader.error().code != ErrorCode::corrupt) return reader.error();
        find({{}, 0, 0, {}, reader.error().what});
        return std::move(report_);
    }
    reader_ = std::move(*reader);
    begin_with_image();
    walk();
    end_ids();
    report_.outcomes = books_.outcomes();
    report_.payments = books_.payments();
    report_.payments_open = books_.open();
    report_.accounts = books_.accounts();
    report_.currencies = books_.currencies();
    report_.took = elapsed_since(begun);
    return std::move(report_);
}

}  // namespace

std::string describe(const VerifyFinding& finding) {
    std::string text;
    if (!finding.file.empty()) text += finding.file + ", byte " + std::to_string(finding.offset) + ", ";
    if (finding.seq != 0) text += "frame " + std::to_string(finding.seq);
    if (finding.payment) text += ", payment " + to_hex(*finding.payment);
    return text.empty() ? finding.what : text + ": " + finding.what;
}

Result<VerifyReport> verify(Disk& disk, const VerifyOptions& options) { return Verifier(disk, options).run(); }

Result<VerifyReport> verify(const std::string& data_directory, const VerifyOptions& options) {
    PosixDisk::Options looking;
    looking.read_only = true;
    auto disk = PosixDisk::open(data_directory, looking);
    if (!disk) return disk.error();
    return verify(**disk, options);
}

Result<> keep_verified(const std::string& data_directory, const VerifyReport& report, Instant at) {
    std::string text;
    JsonWriter json(text);
    json.begin_object().field("at", to_rfc3339(at)).field("first", report.first).field("last", report.last);
    json.field("digest", to_hex(report.digest)).field("payments", report.payments).end_object();
    auto disk = PosixDisk::open(data_directory, {});
    if (!disk) return disk.error();
    return (*disk)->replace(kVerified, std::as_bytes(std::span(text)));
}

Result<std::string> read_verified(const Disk& disk) {
    const auto mapping = disk.map(kVerified);
    if (!mapping) return mapping.error();
    const auto bytes = (*mapping)->bytes();
    return std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

}  // namespace nostro
