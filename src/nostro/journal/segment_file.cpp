#include "nostro/journal/segment_file.hpp"

#include <algorithm>
#include <utility>

namespace nostro {

Result<std::shared_ptr<OpenFile>> OpenFile::open(Disk& disk, const std::string& name) {
    auto number = disk.open(name);
    if (!number) return number.error();
    auto bytes = disk.size(*number);
    if (!bytes) {
        static_cast<void>(disk.close(*number).has_value());
        return bytes.error();
    }
    return std::shared_ptr<OpenFile>(new OpenFile(disk, name, *number, *bytes));
}

OpenFile::~OpenFile() { static_cast<void>(disk_.close(number_).has_value()); }

Result<> OpenFile::read(std::uint64_t offset, std::span<std::byte> into) const {
    auto got = disk_.read(number_, offset, into);
    if (!got) return got.error();
    if (*got != into.size()) {
        return Error{ErrorCode::corrupt, name_ + ": ends at byte " + std::to_string(offset + *got) + ", before byte " +
                                             std::to_string(offset + into.size())};
    }
    return {};
}

Result<std::span<const std::byte>> FileWindow::view(std::uint64_t offset, std::size_t bytes) {
    if (offset < begin_ || offset + bytes > begin_ + bytes_.size()) {
        if (offset > file_->bytes() || bytes > file_->bytes() - offset) {
            return Error{ErrorCode::corrupt, file_->name() + ": ends before byte " + std::to_string(offset + bytes)};
        }
        const auto wanted = std::min<std::uint64_t>(std::max(ahead_, bytes), file_->bytes() - offset);
        bytes_.resize(static_cast<std::size_t>(wanted));
        begin_ = offset;
        if (auto read = file_->read(offset, bytes_); !read) {
            bytes_.clear();
            return read.error();
        }
    }
    return std::span<const std::byte>(bytes_).subspan(static_cast<std::size_t>(offset - begin_), bytes);
}

Result<Probe> probe_frame(FileWindow& window, std::uint64_t offset, std::uint64_t limit) {
    Probe probe;
    if (offset + kDiskBlock > limit) return probe;
    auto block = window.view(offset, kDiskBlock);
    if (!block) return block.error();
    if (all_zero(*block)) return probe;
    probe.kind = Probe::Kind::damaged;
    auto header = decode_frame_header(block->first(kFrameHeaderBytes));
    if (!header) {
        probe.why = header.error().what;
        return probe;
    }
    probe.header = *header;
    probe.bytes = frame_size(*header);
    if (probe.bytes > limit - offset) {
        probe.why = "the frame is longer than the segment";
        return probe;
    }
    auto bytes = window.view(offset, static_cast<std::size_t>(probe.bytes));
    if (!bytes) return bytes.error();
    auto frame = decode_frame(*bytes);
    if (!frame) {
        probe.why = frame.error().what;
        return probe;
    }
    probe.kind = Probe::Kind::frame;
    probe.frame = std::move(*frame);
    return probe;
}

}  // namespace nostro
