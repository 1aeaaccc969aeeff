// nostro pull: a data folder from a journal in Kafka or PostgreSQL, which verify, log, backup and a service on files
// can use.
#include <fmt/format.h>

#include "nostro/app/commands.hpp"
#include "nostro/app/kafka_journal.hpp"
#include "nostro/app/postgres_journal.hpp"
#include "nostro/cli/terminal.hpp"
#include "nostro/journal/mirror.hpp"
#include "nostro/journal/posix_disk.hpp"

namespace nostro {
namespace {

using cli::Exit;

struct PullOptions {
    std::string folder, config_file;
    std::vector<std::string> sets;
};

Result<FollowedJournal> follow(const Config& config) {
    if (config.journal.kind == "postgres") return follow_postgres_journal(config);
    if (config.journal.kind == "kafka" || !config.kafka.bootstrap_servers.empty()) return follow_kafka_journal(config);
    if (!config.journal.postgres_url.empty()) return follow_postgres_journal(config);
    return Error{ErrorCode::invalid,
                 "journal.kind: set it to where the journal is, kafka or postgres, and kafka.bootstrap_servers (or "
                 "KAFKA_BOOTSTRAP_SERVERS) or journal.postgres_url"};
}

Result<Seq> copy(const FollowedJournal& from, SegmentJournal& to) {
    const auto head = to.take_over();
    if (!head) return head.error();
    if (from.begin_behind) {
        if (auto begun = from.begin_behind(to.end()); !begun) return begun.error();
    }
    const auto last = from.journal->follow(std::chrono::milliseconds(0));
    if (!last) return last.error();
    const auto another = [&](const std::string& why) {
        return Error{ErrorCode::conflict,
                     fmt::format("the folder holds {} frames, the journal {}{}: it was not made from it", head->seq,
                                 *last, why)};
    };
    if (head->seq > *last) return another("");
    cli::Progress progress("pull", "frames", *last);
    CopyBounds bounds;
    bounds.through = *last;
    bounds.progress = [&](Seq seq) { progress.update(seq); };
    const auto copied = copy_accepted(*from.journal, to, bounds);
    if (!copied && copied.error().code == ErrorCode::invalid) return another(", and " + copied.error().what);
    if (!copied) return copied.error();
    progress.finish(*last);
    return to.end().seq;
}

Exit pull(cli::Context&, PullOptions& options) {
    const auto config = load_config(options.config_file, options.sets);
    if (!config) return cli::fail(Exit::usage, config.error().what);
    const auto followed = follow(*config);
    if (!followed) return cli::fail(followed.error());
    auto disk = PosixDisk::open(options.folder, {});
    if (!disk) return cli::fail(disk.error());
    SegmentJournalOptions files;
    files.copies = true;
    files.tail_bytes = 0;
    SegmentJournal journal(**disk, files);
    const auto last = copy(*followed, journal);
    if (!last) return cli::fail(last.error());
    fmt::print("{} holds the journal up to frame {}; nostro verify --data {} proves it\n", options.folder, *last,
               options.folder);
    return Exit::done;
}

}  // namespace

void add_pull(cli::Command app, cli::Context& context) {
    cli::add_command<PullOptions>(
        app, context, "pull", "A data folder from a journal in Kafka or PostgreSQL, or what is new since the last time",
        [](cli::Command& command, PullOptions& options) {
            command.option("folder", options.folder, "Made if it is not there; no service may run on it").required();
            command.option("--config", options.config_file, "TOML file; `nostro config show` prints one");
            command.option("--set", options.sets, "section.key=value, over everything else; may be repeated")
                .repeatable();
        },
        pull);
}

}  // namespace nostro
