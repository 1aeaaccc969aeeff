#include "nostro/journal/checkpoint_files.hpp"

#include <fmt/format.h>

#include "nostro/base/text.hpp"
#include "nostro/journal/data_directory.hpp"

namespace nostro {
namespace {

std::string file_of(Seq seq) {
    return fmt::format("{}/{:012}.ndjson", kCheckpointsFolder, seq / CheckpointFiles::kFramesPerFile);
}

}  // namespace

Result<> CheckpointFiles::read(const std::string& name) {
    const auto mapping = disk_->map(name);
    if (!mapping) return mapping.error();
    const auto bytes = (*mapping)->bytes();
    newest_name_ = name;
    newest_text_.assign(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    std::string_view rest = newest_text_;
    for (std::size_t number = 1; !rest.empty(); ++number) {
        const auto [line, behind] = split_once(rest, '\n');
        rest = behind;
        const auto checkpoint = read_checkpoint(line);
        const bool rises = checkpoint && (known_.empty() || known_.back().seq < checkpoint->seq);
        if (!rises || !is_genuine(*checkpoint)) {
            return Error{
                ErrorCode::corrupt,
                fmt::format("{}, line {}: {}; checkpoints can be signed again: move the file away", name, number,
                            !checkpoint ? checkpoint.error().what
                            : !rises    ? "it is not behind the one before"
                                        : "the signature is wrong")};
        }
        known_.push_back(*checkpoint);
    }
    return {};
}

Result<CheckpointFiles> CheckpointFiles::open(Disk& disk) {
    CheckpointFiles files(disk);
    const auto names = disk.list(kCheckpointsFolder);
    if (!names) return names.error();
    for (const std::string& name : *names) {
        if (!name.ends_with(".ndjson")) continue;
        if (auto read = files.read(std::string(kCheckpointsFolder) + "/" + name); !read) return read.error();
    }
    return files;
}

Result<> CheckpointFiles::add(const Checkpoint& checkpoint) {
    const std::string name = file_of(checkpoint.seq);
    if (name != newest_name_) {
        newest_name_ = name;
        newest_text_.clear();
    }
    const std::size_t before = newest_text_.size();
    JsonWriter json(newest_text_);
    write_checkpoint(json, checkpoint);
    newest_text_ += '\n';
    auto kept = disk_->replace(name, std::as_bytes(std::span(newest_text_)));
    if (!kept) newest_text_.resize(before);
    return kept;
}

}  // namespace nostro
