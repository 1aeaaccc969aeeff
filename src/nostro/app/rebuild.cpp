// nostro rebuild index: a new query index from the journal, while no service runs on the data directory.
#include <fmt/format.h>

#include <filesystem>

#include "nostro/app/commands.hpp"
#include "nostro/app/kept_index.hpp"
#include "nostro/cli/index_rows.hpp"
#include "nostro/cli/terminal.hpp"
#include "nostro/journal/data_directory.hpp"
#include "nostro/journal/frames_ahead.hpp"
#include "nostro/journal/posix_disk.hpp"
#include "nostro/journal/query_index.hpp"
#include "nostro/journal/recovery.hpp"
#include "nostro/journal/segment_journal.hpp"

namespace nostro {
namespace {

using cli::Exit;

struct RebuildOptions {
    std::string data = "nostro-data";
};

Result<> project_all(const Journal& journal, QueryIndex& index, Seq last) {
    cli::Progress progress("rebuild index", "frames", last);
    FramesAhead ahead(journal, 1);
    for (;;) {
        const auto frames = ahead.next();
        if (!frames) return frames.error();
        if (frames->empty()) break;
        if (auto projected = index.project(*frames); !projected) return projected;
        progress.update(frames->back()->seq());
    }
    if (auto done = index.flush(); !done) return done;
    progress.finish(last);
    return {};
}

Exit rebuild(cli::Context&, RebuildOptions& options) {
    if (const auto none = cli::no_such_folder(options.data)) return *none;
    auto disk = PosixDisk::open(options.data, {});
    if (!disk) return cli::fail(disk.error());
    // Taking over tells that no service runs here, and where the chain ends.
    SegmentJournalOptions files;
    files.copies = mirrors_another(**disk);
    SegmentJournal journal(**disk, files);
    const auto head = journal.take_over();
    if (!head)
        return cli::fail(head.error().code == ErrorCode::conflict ? Exit::environment : Exit::no, head.error().what);
    if (beginning_is_dropped(options.data)) {
        return cli::fail(Exit::no, options.data +
                                       ": its first frames were dropped (journal.keep_days), so no index can be made "
                                       "anew; the one that is there stays");
    }
    const auto folder = std::filesystem::path(options.data) / kIndexFolder;
    std::error_code failed;
    std::filesystem::remove_all(folder, failed);
    if (failed) return cli::fail(Exit::environment, folder.string() + ": " + failed.message());
    auto index =
        QueryIndex::open({.folder = folder.string(), .rows = cli::index_rows()}, [](Seq) -> Result<DecodedPtr> {
            return Error{ErrorCode::unavailable, "nothing is read while the index is built"};
        });
    if (!index) return cli::fail(index.error());
    if (auto done = project_all(journal, **index, head->seq); !done) return cli::fail(done.error());
    fmt::print("the index holds {} frames\n", head->seq);
    return Exit::done;
}

}  // namespace

void add_rebuild(cli::Command app, cli::Context& context) {
    const cli::Command rebuild_command = app.add_group("rebuild", "Make a derived store again from the journal");
    cli::add_command<RebuildOptions>(
        rebuild_command, context, "index", "The query index; no service may run on the folder meanwhile",
        [](cli::Command& command, RebuildOptions& options) {
            command.option("--data", options.data, "Folder of the journal").with_default();
        },
        rebuild);
}

}  // namespace nostro
