#include "nostro/journal/mirrored_journal.hpp"

#include <algorithm>
#include <utility>

#include "nostro/journal/image_file.hpp"

namespace nostro {

MirroredJournal::MirroredJournal(std::unique_ptr<Journal> journal, Mirror& mirror, std::function<Result<>()> tied)
    : journal_(std::move(journal)), mirror_(mirror), tied_(std::move(tied)) {}

Result<Head> MirroredJournal::take_over() {
    auto head = journal_->take_over();
    if (!head) return head;
    const auto* frames = mirror_.frames();
    const auto [last, digest] = frames != nullptr ? frames->published_frame() : std::pair<Seq, Digest>{};
    const bool is_same = last != head->seq || digest == head->digest;
    if (last > head->seq || !is_same) {
        return Error{ErrorCode::corrupt, "the mirror in the data folder ends with frame " + std::to_string(last) +
                                             ", the journal with " +
                                             (is_same ? "frame " + std::to_string(head->seq) : "another one") +
                                             ": acknowledged frames are missing, or this is another journal. Restore "
                                             "it, or name the right one"};
    }
    if (tied_) {
        if (auto tied = tied_(); !tied) return tied.error();
    }
    return head;
}

bool MirroredJournal::close_through(Seq through) {
    mirror_.close_through(through);
    return false;
}

Result<Seq> MirroredJournal::image(const std::function<void(const Changes&)>& install) const {
    if (!mirror_.has_begun()) return Seq{0};
    return read_newest_image(mirror_.disk(), install);
}

// What the mirror cannot give, the journal may: one in Kafka no longer has what its topic has deleted.
Result<Seq> MirroredJournal::read(Seq from, const std::function<bool(const FramePtr&)>& each) const {
    Seq next = from == 0 ? 1 : from;
    bool goes_on = true;
    if (const auto* frames = mirror_.frames(); frames != nullptr && next <= mirror_.last()) {
        const auto read = frames->read(next, [&](const FramePtr& frame) {
            ++next;
            goes_on = each(frame);
            return goes_on;
        });
        if (!read && read.error().code == ErrorCode::corrupt) mirror_.note_damage(read.error().what);
    }
    if (!goes_on) return next;
    return journal_->read(next, each);
}

Result<> MirroredJournal::headers(Seq from, Seq through, std::vector<std::byte>& into) const {
    const auto* frames = mirror_.frames();
    const Seq here = std::min(through, mirror_.last());
    if (frames == nullptr || from > here) return journal_->headers(from, through, into);
    const std::size_t before = into.size();
    if (!frames->headers(from, here, into)) {
        into.resize(before);
        return journal_->headers(from, through, into);
    }
    return journal_->headers(here + 1, through, into);
}

Result<> MirroredJournal::bytes(Seq seq, std::uint32_t begin, std::span<std::byte> into) const {
    if (const auto* frames = mirror_.frames(); frames != nullptr && seq <= mirror_.last()) {
        auto read = frames->store().bytes(seq, begin, into);
        if (read || read.error().code != ErrorCode::corrupt) return read;
        mirror_.note_damage(read.error().what);
    }
    Result<> found = Error{ErrorCode::not_found, "frame " + std::to_string(seq) + " does not exist"};
    const auto read = journal_->read(seq, [&](const FramePtr& frame) {
        const auto bytes = frame->bytes();
        if (begin + into.size() > bytes.size()) {
            found = Error{ErrorCode::corrupt, "frame " + std::to_string(seq) + " ends before the wanted bytes"};
        } else {
            std::ranges::copy(bytes.subspan(begin, into.size()), into.begin());
            found = Result<>{};
        }
        return false;
    });
    return read ? found : Result<>(read.error());
}

void MirroredJournal::will_read(Seq seq, std::uint32_t begin, std::uint32_t bytes) const {
    const auto* frames = mirror_.frames();
    if (frames != nullptr && seq <= mirror_.last()) frames->store().will_read(seq, begin, bytes);
}

}  // namespace nostro
