#include "nostro/cli/verify_report.hpp"

#include <fmt/format.h>

#include <string>
#include <string_view>

#include "nostro/base/hex.hpp"
#include "nostro/base/json_text.hpp"
#include "nostro/base/text.hpp"
#include "nostro/base/time.hpp"
#include "nostro/cli/terminal.hpp"

namespace nostro::cli {
namespace {

constexpr std::int64_t kNsPerMs = 1'000'000;

void write_finding(JsonWriter& json, const VerifyFinding& finding) {
    json.begin_object().field("text", describe(finding)).field("what", finding.what);
    if (!finding.file.empty()) json.field("file", finding.file).field("offset", finding.offset);
    if (finding.seq != 0) json.field("seq", finding.seq);
    if (finding.payment) json.field("payment_id", to_hex(*finding.payment));
    json.end_object();
}

void write_times(JsonWriter& json, const VerifyReport& report) {
    const auto ms = [](std::chrono::nanoseconds time) { return time.count() / kNsPerMs; };
    json.field("took_ms", ms(report.took)).key("times_ms").begin_object();
    json.field("chain", ms(report.times.chain)).field("books", ms(report.times.books));
    json.field("decided", ms(report.times.decided)).field("ids", ms(report.times.ids));
    json.field("image", ms(report.times.image)).field("index", ms(report.times.index)).end_object();
}

std::string_view index_word(const VerifyReport& report) {
    switch (report.index) {
        case VerifyReport::Index::left_out: break;
        case VerifyReport::Index::missing: return "missing";
        case VerifyReport::Index::ahead: return "ahead";
        case VerifyReport::Index::compared: return "compared";
    }
    return "left_out";
}

// "2 held, 5 settled"
std::string states_of(const VerifyReport& report) {
    std::string text;
    for (std::size_t i = 0; i < report.states.size(); ++i) {
        if (report.states[i] == 0) continue;
        text += fmt::format("{}{} {}", text.empty() ? "" : ", ", human_count(report.states[i]),
                            name(static_cast<Status>(i)));
    }
    return text.empty() ? "none" : text;
}

void print_line(std::string_view what, const std::string& how, std::chrono::nanoseconds time = {}) {
    fmt::print("  {:<14} {}{}\n", what, how,
               time.count() > 0 ? coloured(Colour::dim, fmt::format(" ({})", human_duration(time))) : "");
}

void print_begin(const VerifyReport& report) {
    if (report.from) {
        print_line("checkpoint", fmt::format("frame {}, signed {} by {}{}", report.from->seq,
                                             to_rfc3339(report.from->time), to_hex(report.from->key),
                                             report.is_key_known ? "" : ": is it one that you trust? --key tells"));
    }
    if (report.begun_with > 0) {
        print_line(
            "begin",
            fmt::format("{}the books are proved from the image of frame {} on, whose cells were taken as "
                        "they are",
                        report.from || report.whole_history ? "" : "earlier frames were dropped: ", report.begun_with));
    } else if (report.from) {
        print_line("begin", "no image stands before it: the books are proved from the first frame on");
    } else if (!report.whole_history) {
        print_line("begin", "earlier frames were dropped and no image is left: the books are not proved");
    }
}

void print_decisions(const VerifyReport& report) {
    if (!report.decides) return print_line("decisions", "not decided again (--no-decide)");
    print_line(
        "decisions",
        fmt::format("{} commands and {} expiries decided again up to frame {}: the same outcomes, the same cells",
                    human_count(report.decided), human_count(report.expired), report.decided_through),
        report.times.decided);
}

void print_index(const VerifyReport& report) {
    switch (report.index) {
        case VerifyReport::Index::left_out: return print_line("index", "left out");
        case VerifyReport::Index::missing:
            return print_line("index", "none, or an empty one; a start makes it again from the journal");
        case VerifyReport::Index::ahead:
            return print_line("index",
                              fmt::format("not compared: it has read frame {}, which the mirror here lacks yet",
                                          report.index_through));
        case VerifyReport::Index::compared: break;
    }
    const bool is_behind = report.index_through < report.last;
    print_line(
        "index",
        fmt::format("{} entries, what frames up to {} imply and nothing else{}", human_count(report.index_entries),
                    report.index_through, is_behind ? "; a running service has yet to write the rest" : ""),
        report.times.index);
}

void print_proved(const VerifyReport& report) {
    print_begin(report);
    print_line("chain",
               fmt::format("frames {} to {}, {}: every checksum, digest and link", report.first, report.last,
                           human_bytes(report.bytes)),
               report.times.chain);
    print_line("payments", fmt::format("{}, each in one state: {}", human_count(report.payments), states_of(report)));
    print_line(
        "balances",
        fmt::format("{} accounts derived again; holds are what open payments reserve", human_count(report.accounts)),
        report.times.books);
    print_line("sums", fmt::format("zero after every frame in {}", fmt::join(report.currencies, ", ")));
    print_decisions(report);
    print_line("keys",
               fmt::format("{} spent once, those up to frame {} sealed", human_count(report.ids), report.ids_through),
               report.times.ids);
    if (report.image > 0) {
        print_line("image", fmt::format("frame {}: equal to what the frames fold to", report.image),
                   report.times.image);
    }
    print_index(report);
    if (report.checkpoints > 0) {
        print_line("checkpoints",
                   fmt::format("{} signed, of frames that are as they say", human_count(report.checkpoints)));
    }
    if (report.void_frames > 0) print_line("void frames", human_count(report.void_frames));
    print_line("newest digest", to_hex(report.digest));
    print_line("took", human_duration(report.took));
}

}  // namespace

void print_report_json(const VerifyReport& report) {
    std::string text;
    JsonWriter json(text);
    json.begin_object().field("proved", report.proved()).field("first", report.first).field("last", report.last);
    json.field("digest", to_hex(report.digest)).field("whole_history", report.whole_history);
    json.field("begun_with_image", report.begun_with).key("from_checkpoint");
    if (report.from) {
        write_checkpoint(json, *report.from);
    } else {
        json.raw("null");
    }
    json.field("key_known", report.is_key_known).field("checkpoints", report.checkpoints);
    json.field("frames", report.frames).field("bytes", report.bytes).field("outcomes", report.outcomes);
    json.field("payments", report.payments).field("payments_open", report.payments_open).key("states").begin_object();
    for (std::size_t i = 1; i < report.states.size(); ++i) {
        json.field(name(static_cast<Status>(i)), report.states[i]);
    }
    json.end_object().field("accounts", report.accounts);
    json.field("decided_again", report.decides).field("commands_decided", report.decided);
    json.field("expired", report.expired)
        .field("reversals", report.reversals)
        .field("decided_through", report.decided_through);
    json.field("void_frames", report.void_frames).field("image", report.image).field("ids", report.ids);
    json.field("ids_through", report.ids_through);
    json.field("index", index_word(report)).field("index_through", report.index_through);
    json.field("index_entries", report.index_entries);
    write_times(json, report);
    json.key("currencies").begin_array();
    for (const std::string& currency : report.currencies) json.value(currency);
    json.end_array().key("findings").begin_array();
    for (const VerifyFinding& finding : report.findings) write_finding(json, finding);
    json.end_array().field("findings_cut", report.findings_cut).end_object();
    fmt::print("{}\n", text);
}

void print_report(const VerifyReport& report) {
    fmt::print("{}\n", coloured(report.proved() ? Colour::green : Colour::red,
                                report.proved() ? "the books are proved" : "the books are NOT proved"));
    if (report.proved() || report.frames > 0) print_proved(report);
    for (const VerifyFinding& finding : report.findings) {
        fmt::print("{} {}\n", coloured(Colour::red, "fault"), describe(finding));
    }
    if (report.findings_cut) fmt::print("... and more\n");
}

}  // namespace nostro::cli
