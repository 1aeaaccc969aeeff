#include "nostro/journal/log.hpp"

#include <array>
#include <optional>
#include <utility>

#include "nostro/base/hex.hpp"
#include "nostro/base/json_text.hpp"
#include "nostro/base/text.hpp"
#include "nostro/base/time.hpp"
#include "nostro/journal/journal_reader.hpp"
#include "nostro/journal/posix_disk.hpp"
#include "nostro/wire/recorded.hpp"

namespace nostro {
namespace {

// How many outcomes of payments by status, how many others by event.
struct Counts {
    std::array<std::size_t, 16> statuses{}, events{};
};

Counts counts_of(const DecodedFrame& frame) {
    Counts counts;
    for (const auto& outcome : frame.changes.outcomes) {
        if (is_of_payment(outcome.event)) {
            ++counts.statuses[static_cast<std::size_t>(outcome.status)];
        } else {
            ++counts.events[static_cast<std::size_t>(outcome.event)];
        }
    }
    return counts;
}

// `each(name, count)` of those that there are.
template <class Each>
void each_count(const Counts& counts, const Each& each) {
    for (std::size_t i = 0; i <= static_cast<std::size_t>(Status::quarantined); ++i) {
        if (counts.statuses[i] > 0) each(name(static_cast<Status>(i)), counts.statuses[i]);
    }
    for (std::size_t i = 0; i <= static_cast<std::size_t>(Event::dead_letter_resolved); ++i) {
        if (counts.events[i] > 0) each(name(static_cast<Event>(i)), counts.events[i]);
    }
}

// Who adjusted a balance, and why; empty: it is something else.
std::string_view adjusted_by(const DecodedFrame& frame, const Outcome& outcome) {
    if (outcome.event != Event::balance_adjusted) return {};
    const Command* command = command_of(frame, outcome);
    const auto* adjust = command == nullptr ? nullptr : std::get_if<AdjustBalance>(&command->body);
    return adjust == nullptr ? std::string_view() : adjust->why;
}

void write_outcome(JsonWriter& json, const DecodedFrame& frame, const Outcome& outcome, std::size_t which) {
    json.begin_object().field("index", which).field("event", name(outcome.event));
    if (is_of_payment(outcome.event)) json.field("status", name(outcome.status));
    if (outcome.reason != Reason::none) json.field("reason", name(outcome.reason));
    if (!outcome.payment.empty()) json.field("payment_id", to_hex(outcome.payment));
    if (!outcome.debtor.empty()) {
        json.field("amount", outcome.amount.decimal()).field("currency", outcome.amount.currency().code());
        json.field("debtor", to_hex(outcome.debtor));
        if (!outcome.creditor.empty()) json.field("creditor", to_hex(outcome.creditor));
    }
    if (const auto why = adjusted_by(frame, outcome); !why.empty()) json.field("why", why);
    json.end_object();
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
    each_count(counts_of(frame), [&](std::string_view what, std::size_t count) {
        text += text.size() == begin ? "" : ", ";
        text += std::to_string(count) + " " + std::string(what);
    });
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
    if (const auto why = adjusted_by(frame, outcome); !why.empty()) text.append(" because ").append(why);
    return text;
}

std::string describe_json(const LoggedFrame& logged, bool outcomes) {
    const auto& frame = logged.decoded;
    std::string text;
    JsonWriter json(text);
    json.begin_object().field("seq", frame.seq()).field("at", to_rfc3339(frame.time())).key("counts").begin_object();
    each_count(counts_of(frame), [&](std::string_view what, std::size_t count) { json.field(what, count); });
    json.end_object().field("accounts", frame.changes.accounts.size()).field("bytes", frame.frame->bytes().size());
    json.field("file", logged.place.file).field("offset", logged.place.offset);
    json.field("digest", to_hex(frame.frame->digest));
    if (outcomes) {
        json.key("outcomes").begin_array();
        for (std::size_t i = 0; i < frame.changes.outcomes.size(); ++i) {
            write_outcome(json, frame, frame.changes.outcomes[i], i);
        }
        json.end_array();
    }
    json.end_object();
    return text;
}

}  // namespace nostro
