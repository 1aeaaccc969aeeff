// nostro verify, log, backup, restore: the journal looked into, proved and copied, also while a service writes it.
#include <fmt/format.h>

#include <optional>

#include "nostro/base/hex.hpp"
#include "nostro/base/json_text.hpp"
#include "nostro/base/text.hpp"
#include "nostro/base/time.hpp"
#include "nostro/cli/command.hpp"
#include "nostro/cli/proof.hpp"
#include "nostro/cli/terminal.hpp"
#include "nostro/cli/verify_url.hpp"
#include "nostro/journal/backup.hpp"
#include "nostro/journal/log.hpp"
#include "nostro/journal/verify.hpp"

namespace nostro::cli {
namespace {

struct VerifyArguments {
    std::string data = "nostro-data", url, proof, key;
};

void print_json(const VerifyReport& report) {
    std::string text;
    JsonWriter json(text);
    json.begin_object().field("proved", report.proved()).field("first", report.first).field("last", report.last);
    json.field("digest", to_hex(report.digest)).field("whole_history", report.whole_history);
    json.field("frames", report.frames).field("bytes", report.bytes).field("payments", report.payments);
    json.field("payments_open", report.payments_open).field("accounts", report.accounts);
    json.field("void_frames", report.void_frames).field("image", report.image).field("ids", report.ids);
    json.field("took_ms", report.took.count() / 1'000'000).key("currencies").begin_array();
    for (const std::string& currency : report.currencies) json.value(currency);
    json.end_array().key("findings").begin_array();
    for (const VerifyFinding& finding : report.findings) json.value(describe(finding));
    json.end_array().end_object();
    fmt::print("{}\n", text);
}

void print_proof(const VerifyReport& report) {
    const auto line = [](std::string_view what, const std::string& how) { fmt::print("  {:<22} {}\n", what, how); };
    fmt::print("{}\n", coloured(report.proved() ? Colour::green : Colour::red,
                                report.proved() ? "the books are proved" : "the books are NOT proved"));
    line("chain", fmt::format("frames {} to {}, {}: every checksum, digest and link", report.first, report.last,
                              human_bytes(report.bytes)));
    line("payments", fmt::format("{}, each decided once; {} open", human_count(report.payments),
                                 human_count(report.payments_open)));
    line("balances",
         fmt::format("{} accounts derived again; holds are what open payments reserve", human_count(report.accounts)));
    line("sums", fmt::format("zero after every frame in {}", fmt::join(report.currencies, ", ")));
    if (report.image > 0) line("image", fmt::format("frame {}: equal to what the frames fold to", report.image));
    if (report.ids_through > 0)
        line("sealed keys", fmt::format("{} up to frame {}", human_count(report.ids), report.ids_through));
    if (!report.whole_history) line("history", "earlier frames were dropped: proved from the image on");
    if (report.void_frames > 0) line("void frames", human_count(report.void_frames));
    line("newest digest", to_hex(report.digest));
    line("took", human_duration(report.took));
    for (const VerifyFinding& finding : report.findings) {
        fmt::print("{} {}\n", coloured(Colour::red, "fault"), describe(finding));
    }
    if (report.findings_cut) fmt::print("... and more\n");
}

Exit verify_command(Context& context, VerifyArguments& arguments) {
    if (!arguments.proof.empty()) return verify_proof(context, arguments.proof, arguments.key);
    if (!arguments.key.empty()) return fail(Exit::usage, "--key goes with --proof");
    if (!arguments.url.empty()) {
        context.url = arguments.url;
        return verify_url(context);
    }
    if (const auto none = no_such_folder(arguments.data)) return *none;
    std::optional<Progress> progress;
    VerifyOptions options;
    options.progress = [&](std::uint64_t done, std::uint64_t all) {
        if (!progress) progress.emplace("verify", "frames", all);
        if (done == all) {
            progress->finish(done);
        } else {
            progress->update(done);
        }
    };
    if (context.json || !is_terminal(stderr)) options.progress = nullptr;
    const auto report = verify(arguments.data, options);
    if (!report) return fail(Exit::usage, report.error().what);
    if (context.json) {
        print_json(*report);
    } else {
        print_proof(*report);
    }
    // For the service's own page of proofs; whoever may only read the folder has proved it all the same.
    if (report->proved() && report->last > 0) (void)keep_verified(arguments.data, *report, system_now());
    return report->proved() ? Exit::done : Exit::no;
}

struct LogArguments {
    std::string data = "nostro-data";
    Seq from = 1, to = 0;
    bool outcomes = false;
};

Exit log_command(Context& context, LogArguments& arguments) {
    if (const auto none = no_such_folder(arguments.data)) return *none;
    if (arguments.to != 0 && arguments.to < arguments.from) {
        return fail(Exit::usage, fmt::format("--to {} is before --from {}", arguments.to, arguments.from));
    }
    std::uint64_t shown = 0;
    const auto next = read_log(arguments.data, arguments.from, arguments.to, [&](const LoggedFrame& frame) {
        ++shown;
        if (context.json) {
            fmt::print("{}\n", describe_json(frame, arguments.outcomes));
            return true;
        }
        fmt::print("{}\n", describe(frame));
        if (arguments.outcomes) {
            for (std::size_t i = 0; i < frame.decoded.changes.outcomes.size(); ++i) {
                fmt::print("  {}\n", describe(frame.decoded, i));
            }
        }
        return true;
    });
    if (!next) return fail(next.error());
    if (shown == 0) return fail(Exit::no, fmt::format("the journal has no frame {} yet", *next));
    return Exit::done;
}

struct CopyArguments {
    std::string from, to;
};

Exit copy(Context& context, const CopyArguments& arguments, std::string_view did,
          Result<BackupReport> (*run)(const std::string&, const std::string&, const CopyProgressCall&)) {
    if (const auto none = no_such_folder(arguments.from)) return *none;
    std::optional<Progress> progress;
    const auto report = run(arguments.from, arguments.to, [&](const CopyProgress& copied) {
        if (!is_terminal(stderr)) return;
        if (!progress) progress.emplace(std::string(did), "bytes", copied.bytes_in_all);
        progress->update(copied.bytes_done);
    });
    progress.reset();
    if (!report) return fail(report.error());
    if (context.json) {
        std::string text;
        JsonWriter json(text);
        json.begin_object().field("first", report->first).field("through", report->through);
        json.field("digest", to_hex(report->digest))
            .field("files", report->files)
            .field("bytes", report->bytes)
            .end_object();
        fmt::print("{}\n", text);
        return Exit::done;
    }
    fmt::print("{}: frames {} to {}, {} in {} files, in {}\ndigest of the last frame: {}\n", did, report->first,
               report->through, human_bytes(report->bytes), report->files, human_duration(report->took),
               to_hex(report->digest));
    return Exit::done;
}

}  // namespace

void add_journal(Command app, Context& context) {
    add_command<VerifyArguments>(
        app, context, "verify", "Prove the books from the journal alone, also while a service runs on it",
        [&](Command& command, VerifyArguments& arguments) {
            command.option("--data", arguments.data, "Folder of the journal").with_default();
            command.option("--url", arguments.url, "A running service instead: only that what it tells is consistent");
            command.option("--proof", arguments.proof,
                           "A payment's proof instead, as GET /v1/payments/{id}/proof gave it");
            command.option("--key", arguments.key, "With --proof: the public key to trust, 64 hex digits");
            command.flag("--json", context.json, "Print the report as JSON");
        },
        verify_command);
    add_command<LogArguments>(
        app, context, "log", "Look into the journal, frame by frame",
        [&](Command& command, LogArguments& arguments) {
            command.option("--data", arguments.data, "Folder of the journal").with_default();
            command.option("--from", arguments.from, "First frame").with_default();
            command.option("--to", arguments.to, "Last frame; 0: the newest").with_default();
            command.flag("--outcomes", arguments.outcomes, "Every outcome, a line each");
            command.flag("--json", context.json, "A JSON document a frame, with --outcomes those too");
        },
        log_command);
    add_command<CopyArguments>(
        app, context, "backup", "A consistent copy of a data folder, also while a service runs on it",
        [&](Command& command, CopyArguments& arguments) {
            command.option("data", arguments.from, "Folder of the journal").required();
            command.option("target", arguments.to, "An empty or new folder").required();
            command.flag("--json", context.json, "Print the report as JSON");
        },
        [](Context& ctx, CopyArguments& arguments) { return copy(ctx, arguments, "backup", backup); });
    add_command<CopyArguments>(
        app, context, "restore", "A data folder from a backup, checked and proved",
        [&](Command& command, CopyArguments& arguments) {
            command.option("backup", arguments.from, "Folder of the backup").required();
            command.option("data", arguments.to, "An empty or new folder").required();
            command.flag("--json", context.json, "Print the report as JSON");
        },
        [](Context& ctx, CopyArguments& arguments) { return copy(ctx, arguments, "restore", restore); });
}

}  // namespace nostro::cli
