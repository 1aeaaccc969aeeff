// The frames of a data directory, by number: which segment or archive holds each, and reading them.
//
// Knows accepted frames only. One writer adds; any thread reads.
#pragma once
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "nostro/journal/archive_file.hpp"
#include "nostro/journal/recovery.hpp"
#include "nostro/journal/segment_file.hpp"
#include "nostro/ports/disk.hpp"
#include "nostro/wire/frame.hpp"

namespace nostro {

struct FramePlace {
    std::string file;
    std::uint64_t offset = 0;
};

class SegmentStore {
public:
    SegmentStore(Disk& disk, const std::vector<SegmentInfo>& segments);

    // A frame was accepted; it stands in that segment. A new number closes the segment before.
    void add(std::uint64_t number, std::uint64_t file_bytes, std::uint64_t offset, const EncodedFrame& frame);
    // The last segment is closed, though none follows yet.
    void close_last();
    // Closed segments whose footer is not written yet, and that it is now.
    std::vector<SegmentFooter> without_footer() const;
    void set_footed(std::uint64_t number);
    // A segment's frames now stand in its archive alone; a segment or archive is gone.
    void set_archived(std::uint64_t number);
    void drop(std::uint64_t number);

    // Where a frame stands, for people. Reads up to it.
    Result<FramePlace> place(Seq seq) const;

    Seq first() const;                          // oldest frame kept; 0: none
    std::vector<SegmentInfo> segments() const;  // without marks; the last is not closed, unless it has its footer

    // Of closed segments that end behind frame `seq`: bytes up to the end of their frames.
    std::uint64_t closed_bytes_behind(Seq seq) const;

    // Gives accepted frames from `from` up to and with `through`. True: all were given; false: `each` said stop.
    // not_found: older than kept history; `corrupt`: names file, byte and frame.
    Result<bool> read(Seq from, Seq through, const std::function<bool(const FramePtr&)>& each) const;
    // Bytes of a frame, from its header's first on, and little else is read. They are not checked: whoever asks knows
    // their checksum. Errors as above.
    Result<> bytes(Seq seq, std::uint32_t begin, std::span<std::byte> into) const;
    // bytes() is asked for these soon. A hint: many that are given one after the other are fetched together.
    void will_read(Seq seq, std::uint32_t begin, std::uint32_t bytes) const;
    // Appends the headers of frames from..through, kFrameHeaderBytes each, and reads little else. Errors as above.
    Result<> headers(Seq from, Seq through, std::vector<std::byte>& into) const;

private:
    struct Entry {
        SegmentInfo info;
        bool has_marks = false;
        bool closed = false;  // by close_last()
    };
    // Where a read may begin: a frame at or before the wanted one.
    struct Start {
        std::uint64_t number = 0;
        bool archived = false;
        Seq seq = 0, last = 0;
        std::uint64_t offset = 0, end = 0;
    };
    Result<Start> find(Seq seq) const;
    Result<std::shared_ptr<OpenFile>> file(std::uint64_t number) const;
    Result<std::shared_ptr<const ArchiveReader>> archive(std::uint64_t number) const;
    Result<> load_marks(std::uint64_t number) const;
    Result<Seq> read_segment(const Start& start, Seq from, Seq through,
                             const std::function<bool(const FramePtr&)>& each, bool& goes_on) const;
    Result<Seq> read_archive(const Start& start, Seq from, Seq through,
                             const std::function<bool(const FramePtr&)>& each, bool& goes_on) const;
    // Calls `step` for the file in which `from` stands until it has moved beyond `through`; files that go meanwhile are
    // looked for again.
    Result<> walk(Seq from, Seq through, const std::function<Result<Seq>(const Start&, Seq)>& step) const;
    Result<std::uint64_t> offset_in_segment(const Start& start, const std::shared_ptr<OpenFile>& file, Seq seq) const;
    Result<Seq> headers_of_segment(const Start& start, Seq from, Seq through, std::vector<std::byte>& into) const;
    Result<Seq> headers_of_archive(const Start& start, Seq from, Seq through, std::vector<std::byte>& into) const;
    void note_archived(std::uint64_t number) const;
    Entry* entry(std::uint64_t number) const;  // with the lock held

    Disk& disk_;
    mutable std::mutex mutex_;
    mutable std::vector<Entry> entries_;  // in order
    // Files that were read lately stay open.
    mutable std::list<std::pair<std::uint64_t, std::shared_ptr<OpenFile>>> open_files_;
    mutable std::list<std::pair<std::uint64_t, std::shared_ptr<const ArchiveReader>>> open_archives_;
};

}  // namespace nostro
