#include "nostro/journal/log.hpp"

#include <array>
#include <optional>
#include <utility>

#include "nostro/base/hex.hpp"
#include "nostro/base/text.hpp"
#include "nostro/base/time.hpp"
#include "nostro/journal/journal_reader.hpp"
#include "nostro/journal/posix_disk.hpp"

namespace nostro {
namespace {

void add_count(std::string& text, std::size_t count, std::string_view what, std::string_view before) {
    if (count == 0) return;
    text += text.ends_with(' ') ? "" : before;
    text += std::to_string(count) + " " + std::string(what);
}

}  // namespace

Result<Seq> read_log(const std::string& data_directory, Seq from, Seq to,
                     const std::function<bool(const LoggedFrame&)>& each) {
    PosixDisk::Options looking;
    looking.read_only = true;
    auto disk = PosixDisk::open(data_directory, looking);
    if (!disk) return disk.error();
    auto reader = JournalReader::open(**disk);
    if (!reader) return reader.error();
    const Seq last = (*reader)->last();
    if (from == 0) from = (*reader)->first();
    const Seq through = to == 0 || to > last ? last : to;
    if (from > through) return from;
    DecodedFrame decoded;
    std::optional<Error> failed;
    auto read = (*reader)->read(from, through, [&](const FramePtr& frame) {
        if (auto done = decode_body(frame, Sections::all, decoded); !done) {
            failed = done.error();
            return false;
        }
        auto place = (*reader)->store().place(frame->header.seq);
        if (!place) {
            failed = place.error();
            return false;
        }
        from = frame->header.seq + 1;
        return each(LoggedFrame{decoded, std::move(*place)});
    });
    if (failed) return *failed;
    if (!read) return read.error();
    return from;
}

std::string describe(const LoggedFrame& logged) {
    const auto& frame = logged.decoded;
    std::string text = std::to_string(frame.seq()) + " " + to_rfc3339(frame.time()) + " ";
    const std::size_t begin = text.size();
    std::array<std::size_t, 16> statuses{}, events{};
    for (const auto& outcome : frame.changes.outcomes) {
        if (is_of_payment(outcome.event)) {
            ++statuses[static_cast<std::size_t>(outcome.status)];
        } else {
            ++events[static_cast<std::size_t>(outcome.event)];
        }
    }
    for (std::size_t i = 0; i <= static_cast<std::size_t>(Status::quarantined); ++i) {
        add_count(text, statuses[i], name(static_cast<Status>(i)), ", ");
    }
    for (std::size_t i = 0; i <= static_cast<std::size_t>(Event::dead_letter_resolved); ++i) {
        add_count(text, events[i], name(static_cast<Event>(i)), ", ");
    }
    if (text.size() == begin) text += "nothing";
    text += "; " + std::to_string(frame.changes.accounts.size()) + " accounts; " +
            format_bytes(frame.frame->bytes().size()) + " at " + logged.place.file + ":" +
            std::to_string(logged.place.offset);
    return text;
}

std::string describe(const DecodedFrame& frame, std::size_t which) {
    const auto& outcome = frame.changes.outcomes[which];
    std::string text =
        std::to_string(frame.seq()) + "." + std::to_string(which) + " " + std::string(name(outcome.event));
    if (is_of_payment(outcome.event)) text += " " + std::string(name(outcome.status));
    if (outcome.reason != Reason::none) text += " (" + std::string(name(outcome.reason)) + ")";
    if (!outcome.debtor.empty()) {
        text += " " + outcome.amount.decimal() + " " + std::string(outcome.amount.currency().code()) + " " +
                to_hex(outcome.debtor);
        if (!outcome.creditor.empty()) text += " -> " + to_hex(outcome.creditor);
    }
    if (!outcome.payment.empty()) text += " payment " + to_hex(outcome.payment);
    return text;
}

}  // namespace nostro
