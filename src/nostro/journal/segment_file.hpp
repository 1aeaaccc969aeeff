// A segment or archive file being read: a window of its bytes, and the frames in it.
//
// Threads: one.
#pragma once
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "nostro/journal/segment_format.hpp"
#include "nostro/ports/disk.hpp"
#include "nostro/wire/frame.hpp"

namespace nostro {

// An open file, closed with its last owner. Threads: any.
class OpenFile {
public:
    static Result<std::shared_ptr<OpenFile>> open(Disk& disk, const std::string& name);
    ~OpenFile();
    OpenFile(const OpenFile&) = delete;
    OpenFile& operator=(const OpenFile&) = delete;

    Disk& disk() const { return disk_; }
    Disk::FileNo number() const { return number_; }
    const std::string& name() const { return name_; }
    std::uint64_t bytes() const { return bytes_; }
    // Exactly that many; `corrupt` when the file ends before.
    Result<> read(std::uint64_t offset, std::span<std::byte> into) const;
    void will_read(std::uint64_t offset, std::uint64_t bytes) const { disk_.will_read(number_, offset, bytes); }

private:
    OpenFile(Disk& disk, std::string name, Disk::FileNo number, std::uint64_t bytes)
        : disk_(disk), name_(std::move(name)), number_(number), bytes_(bytes) {}

    Disk& disk_;
    const std::string name_;
    const Disk::FileNo number_;
    const std::uint64_t bytes_;
};

// Reads ahead. A view is valid until the next call.
class FileWindow {
public:
    explicit FileWindow(std::shared_ptr<OpenFile> file, std::size_t ahead = 1 << 20)
        : file_(std::move(file)), ahead_(ahead) {}

    const OpenFile& file() const { return *file_; }
    Result<std::span<const std::byte>> view(std::uint64_t offset, std::size_t bytes);
    void forget() { bytes_.clear(); }  // the file may have changed

private:
    std::shared_ptr<OpenFile> file_;
    std::size_t ahead_;
    std::uint64_t begin_ = 0;
    std::vector<std::byte> bytes_;
};

// What stands at one place of a segment.
struct Probe {
    enum class Kind {
        empty,    // a block of zeros, or no room
        frame,    // whole, by its checksums; whether it continues the chain is another question
        damaged,  // anything else
    };
    Kind kind = Kind::empty;
    FramePtr frame;
    std::string why;                    // damaged: what is wrong
    std::optional<FrameHeader> header;  // if that much can be read
    std::uint64_t bytes = 0;            // of the frame, padded, if there is a header
};
// An error only if the file cannot be read.
Result<Probe> probe_frame(FileWindow& window, std::uint64_t offset, std::uint64_t limit);

}  // namespace nostro
