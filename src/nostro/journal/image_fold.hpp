// Folds closed segments into the last image, seals their ids, archives and drops: everything that happens behind the
// journal, at its own pace.
//
// step() does one piece and is called by hand or by a thread of the owner's. Order, so that a crash between any two
// loses nothing: ids of the frames, then their image (read back before it counts), then archives, then drops. The Book
// is never asked: no pause, no copy, and an image that cannot differ from what the journal says.
#pragma once
#include <chrono>
#include <functional>
#include <mutex>
#include <string>
#include <vector>

#include "nostro/journal/cells.hpp"
#include "nostro/journal/image_file.hpp"
#include "nostro/journal/sealed_runs.hpp"
#include "nostro/journal/segment_store.hpp"

namespace nostro {

struct FoldOptions {
    std::size_t memory_bytes = 256u << 20;        // cells and ids gathered before an image is written
    bool archive = true;                          // compress closed segments that an image stands for
    std::size_t plain_segments = 1;               // newest closed ones left as they are
    std::size_t keep_segments = 0;                // archived ones kept; 0: all, for ever
    std::chrono::days keep_days{0};               // 0: all; with both, what either keeps is kept
    std::uint64_t ids_max = 0;                    // that the Book remembers; 0: never behind()
    std::function<void(std::size_t bytes)> pace;  // told after each piece of reading or writing; may sleep
};

class ImageFold {
public:
    ImageFold(Disk& disk, SegmentStore& store, SealedRuns& ids, JournalId journal, FoldOptions options);

    // One piece of work. False: there is none until another segment is closed, or the disk is full: then it looks again
    // ten seconds later by `now`. An error is none to end for: whoever calls again has it tried again, after pauses
    // that grow to a minute; until then it answers false.
    Result<bool> step(Instant now);
    // What is wrong and what that costs; empty: nothing. Threads: any.
    std::string trouble() const;

    Seq image() const { return image_; }  // where the newest one stands
    // How much of the Book's memory for ids is taken, at most, by ids that could have left it: 1, and payments will be
    // refused.
    double behind() const;

private:
    void set_trouble(std::string text);
    Result<bool> piece(Instant now);
    Result<bool> fold(Seq last);
    Result<> write_image(const NewestCells& table, const ImageHead& head);
    Result<bool> archive_one(const std::vector<SegmentInfo>& segments);
    Result<> archive(const SegmentInfo& segment);
    Result<bool> drop_one(const std::vector<SegmentInfo>& segments, Instant now);
    void pace(std::size_t bytes) const {
        if (options_.pace) options_.pace(bytes);
    }

    Disk& disk_;
    SegmentStore& store_;
    SealedRuns& ids_;
    const JournalId journal_;
    const FoldOptions options_;
    bool looked_ = false;
    Seq image_ = 0;
    std::chrono::seconds pause_{0};
    Instant retry_at_{};
    mutable std::mutex mutex_;
    std::string trouble_;
};

}  // namespace nostro
