// The signed checkpoints of a data directory: checkpoints/000000000042.ndjson holds those of a million frames, a JSON
// document a line, the oldest first. docs/formats/proof.md.
//
// Threads: one.
#pragma once
#include <string>
#include <vector>

#include "nostro/ports/disk.hpp"
#include "nostro/wire/checkpoint.hpp"

namespace nostro {

class CheckpointFiles {
public:
    static constexpr Seq kFramesPerFile = 1'000'000;

    // `corrupt`: names the file and the line.
    static Result<CheckpointFiles> open(Disk& disk);

    const std::vector<Checkpoint>& known() const { return known_; }  // as it was when opened; by frame
    Result<> add(const Checkpoint& checkpoint);                      // durable when it returns

private:
    explicit CheckpointFiles(Disk& disk) : disk_(&disk) {}
    Result<> read(const std::string& name);

    Disk* disk_;
    std::vector<Checkpoint> known_;
    std::string newest_name_, newest_text_;
};

}  // namespace nostro
