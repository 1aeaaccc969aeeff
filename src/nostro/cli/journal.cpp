// nostro verify, log, backup, restore: the journal looked into, proved and copied, also while a service writes it.
#include <fmt/format.h>

#include <filesystem>
#include <optional>

#include "nostro/base/hex.hpp"
#include "nostro/base/json_text.hpp"
#include "nostro/base/text.hpp"
#include "nostro/base/time.hpp"
#include "nostro/cli/command.hpp"
#include "nostro/cli/index_rows.hpp"
#include "nostro/cli/key_file.hpp"
#include "nostro/cli/proof.hpp"
#include "nostro/cli/terminal.hpp"
#include "nostro/cli/verify_report.hpp"
#include "nostro/cli/verify_url.hpp"
#include "nostro/journal/backup.hpp"
#include "nostro/journal/log.hpp"
#include "nostro/journal/verify.hpp"

namespace nostro::cli {
namespace {

struct VerifyArguments {
    std::string data = "nostro-data", url, proof, key, from;
    bool no_decide = false;
};

// Where a proof from a checkpoint begins, and whose signature counts: the key that was named, else the one with which
// the service of this folder signs.
std::optional<Exit> set_checkpoint(const VerifyArguments& arguments, VerifyOptions& options) {
    if (arguments.from == "latest") {
        options.from_checkpoint = VerifyOptions::kNewest;
    } else if (const auto seq = parse_uint64(arguments.from); seq && *seq > 0) {
        options.from_checkpoint = *seq;
    } else {
        return fail(Exit::usage,
                    fmt::format("--from {}: name the frame of a signed checkpoint, or `latest`", arguments.from));
    }
    if (!arguments.key.empty()) {
        options.key = digest_from_hex(arguments.key);
        if (!options.key) return fail(Exit::usage, "--key: send 64 hex digits, as `nostro keys show` prints");
        return std::nullopt;
    }
    const auto key = read_key_file((std::filesystem::path(arguments.data) / "checkpoint.key").string());
    if (key) options.key = key->public_key();
    return std::nullopt;
}

Exit verify_command(Context& context, VerifyArguments& arguments) {
    if (!arguments.proof.empty()) return verify_proof(context, arguments.proof, arguments.key);
    if (!arguments.key.empty() && arguments.from.empty()) return fail(Exit::usage, "--key goes with --proof or --from");
    if (!arguments.url.empty()) {
        context.url = arguments.url;
        return verify_url(context);
    }
    if (const auto none = no_such_folder(arguments.data)) return *none;
    std::optional<Progress> progress;
    VerifyOptions options;
    options.decide = !arguments.no_decide;
    options.index_rows = index_rows();
    if (!arguments.from.empty()) {
        if (const auto wrong = set_checkpoint(arguments, options)) return *wrong;
    }
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
        print_report_json(*report);
    } else {
        print_report(*report);
    }
    // For the service's own page of proofs; whoever may only read the folder has proved it all the same.
    const bool is_whole = options.decide && !options.from_checkpoint;
    if (is_whole && report->proved() && report->last > 0) (void)keep_verified(arguments.data, *report, system_now());
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
                           "A saved proof instead, of GET /v1/payments/{id}/proof or of GET /v1/ledger/proof");
            command.option(
                "--from", arguments.from,
                "Only from this signed checkpoint on: its frame, or `latest`; the books begin with the image "
                "before it");
            command.flag("--no-decide", arguments.no_decide,
                         "Leave out deciding every command again: quicker, and outcomes are taken as recorded");
            command.option("--key", arguments.key,
                           "With --proof or --from: the public key to trust, 64 hex digits; of --from the default is "
                           "that of checkpoint.key in the folder");
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
