// nostro rebuild index: a new query index from the journal, while no service runs on the data directory.
#include <fmt/format.h>

#include <filesystem>

#include "nostro/app/commands.hpp"
#include "nostro/cli/index_rows.hpp"
#include "nostro/cli/terminal.hpp"
#include "nostro/engine/frame_cache.hpp"
#include "nostro/journal/data_directory.hpp"
#include "nostro/journal/posix_disk.hpp"
#include "nostro/journal/query_index.hpp"
#include "nostro/journal/segment_journal.hpp"

namespace nostro {
namespace {

using cli::Exit;

constexpr std::size_t kFramesAtOnce = 64;

struct RebuildOptions {
    std::string data = "nostro-data";
};

Result<Seq> project_all(const Journal& journal, QueryIndex& index, Seq last) {
    cli::Progress progress("rebuild index", "frames", last);
    std::vector<DecodedPtr> frames;
    Result<> failed;
    const auto project = [&] {
        failed = index.project(frames);
        if (!frames.empty()) progress.update(frames.back()->seq());
        frames.clear();
        return failed.has_value();
    };
    const auto read = journal.read(1, [&](const FramePtr& frame) {
        auto decoded = std::make_shared<DecodedFrame>();
        if (auto done = decode_body(frame, Sections::all, *decoded); !done) {
            failed = done;
            return false;
        }
        frames.push_back(std::move(decoded));
        return frames.size() < kFramesAtOnce || project();
    });
    if (!read) return read.error();
    if (!failed) return failed.error();
    if (!project()) return failed.error();
    if (auto done = index.flush(); !done) return done.error();
    progress.finish(last);
    return last;
}

Exit rebuild(cli::Context&, RebuildOptions& options) {
    if (const auto none = cli::no_such_folder(options.data)) return *none;
    auto disk = PosixDisk::open(options.data, {});
    if (!disk) return cli::fail(disk.error());
    // Taking over tells that no service runs here, and where the chain ends.
    SegmentJournal journal(**disk, {});
    const auto head = journal.take_over();
    if (!head)
        return cli::fail(head.error().code == ErrorCode::conflict ? Exit::environment : Exit::no, head.error().what);
    const auto folder = std::filesystem::path(options.data) / kIndexFolder;
    std::error_code failed;
    std::filesystem::remove_all(folder, failed);
    if (failed) return cli::fail(Exit::environment, folder.string() + ": " + failed.message());
    auto index =
        QueryIndex::open({.folder = folder.string(), .rows = cli::index_rows()}, [](Seq) -> Result<DecodedPtr> {
            return Error{ErrorCode::unavailable, "nothing is read while the index is built"};
        });
    if (!index) return cli::fail(index.error());
    const auto last = project_all(journal, **index, head->seq);
    if (!last) return cli::fail(last.error());
    fmt::print("the index holds {} frames\n", *last);
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
