// A frame: what one turn of settlement decided, as it stands in every journal. docs/formats/frame.md draws
// it byte by byte.
//
//   header (128 bytes, little endian) | body = sections, each with kind, count, length and CRC32C | zeros to 4 KiB
//
// Digest of a frame: SHA-256 over its header, which holds the SHA-256 of the body; so a proof needs one
// frame and the headers up to a checkpoint.
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "nostro/base/ids.hpp"
#include "nostro/base/result.hpp"
#include "nostro/domain/command.hpp"
#include "nostro/domain/cursor.hpp"
#include "nostro/domain/outcome.hpp"
#include "nostro/wire/command_codec.hpp"
#include "nostro/wire/frame_map.hpp"

namespace nostro {

constexpr std::size_t kFrameAlign = 4096;       // frames start and end on it, in files and in memory
constexpr std::size_t kFrameHeaderBytes = 128;  // a reader needs so many to call decode_frame_header
constexpr std::size_t kFrameBodyMax = 256u << 20;

struct FrameHeader {
    Seq seq = 0;
    std::uint32_t epoch = 0;  // goes up by one with each take-over
    std::uint64_t nonce = 0;  // random, of the owner's process: no two owners write the same bytes
    Instant time{};           // of every command in it; never goes back
    Digest previous{};        // digest of the frame before; zeros for the first
    Seq accepted = 0;         // newest frame known durable when this one was built
    std::uint32_t body_bytes = 0;
    Digest body_digest{};
};

struct FreeAligned {
    void operator()(std::byte* memory) const;
};
using AlignedBytes = std::unique_ptr<std::byte[], FreeAligned>;
AlignedBytes allocate_aligned(std::size_t bytes);  // at kFrameAlign

// The bytes of one whole frame, aligned to kFrameAlign, its length a multiple of it. Immutable once built;
// shared by the journal's writer, the feed and readers.
class EncodedFrame {
public:
    FrameHeader header;
    Digest digest{};
    std::span<const std::byte> bytes() const { return {memory_.get(), size_}; }  // header, body, padding
    std::span<const std::byte> body() const { return {memory_.get() + kFrameHeaderBytes, header.body_bytes}; }

protected:
    friend class FrameBuilder;
    friend Result<std::shared_ptr<const EncodedFrame>> decode_frame(std::span<const std::byte> bytes);
    EncodedFrame() = default;
    AlignedBytes memory_;
    std::size_t size_ = 0, capacity_ = 0;
};
using FramePtr = std::shared_ptr<const EncodedFrame>;

// Checks magic, version, lengths, section CRCs and the body's digest, and copies. `corrupt`: says which check
// failed and at which byte. Bytes beyond the frame are ignored.
Result<FramePtr> decode_frame(std::span<const std::byte> bytes);
// The header alone, checked by its own CRC: enough to walk a file. `corrupt` as above.
Result<FrameHeader> decode_frame_header(std::span<const std::byte> bytes);
std::size_t frame_size(const FrameHeader& header);  // padded

// Builds frames one after the other, in recycled memory: nothing is allocated in steady state.
// Threads: one owner; a finished frame may be released on any thread.
class FrameBuilder {
public:
    // Frames up to this size never move while they grow; larger ones are allowed and cost a copy.
    explicit FrameBuilder(std::size_t frame_bytes_max);
    ~FrameBuilder();
    FrameBuilder(const FrameBuilder&) = delete;
    FrameBuilder& operator=(const FrameBuilder&) = delete;

    // Starts a frame; one that was started and not finished is forgotten.
    void begin();
    // Adds a command as encode_command() wrote it; returns its number in the frame.
    std::uint32_t add_command(std::span<const std::byte> encoded);
    std::uint32_t commands() const;
    // An upper bound of what the frame would take with these changes, merged or not yet, header and padding included:
    // to close it before it grows too big. Looks at what is new in them since the last call.
    std::size_t bytes_at_most(const Changes& changes);
    // Closes it. `header`'s body fields are filled in here. About 250 ns a payment, most of it SHA-256.
    FramePtr finish(FrameHeader header, std::span<const Cursor> first, std::span<const Cursor> last,
                    const Changes& changes);

private:
    struct State;
    std::unique_ptr<State> state_;
};

// A frame taken apart. Views point into the frame, which it keeps alive.
struct DecodedFrame {
    FramePtr frame;
    std::vector<Cursor> first, last;
    std::vector<Command> commands;
    Changes changes;
    CommandMemory memory;  // what the commands' spans point to
    FrameMap map;          // of its outcomes and commands, also of those that were left out
    Seq seq() const { return frame->header.seq; }
    Instant time() const { return frame->header.time; }
};
using DecodedPtr = std::shared_ptr<const DecodedFrame>;
enum class Sections : std::uint8_t {
    all,
    images,    // no commands: what install() needs
    outcomes,  // commands and outcomes: what a reader of payments needs; a ChangePolicy has no policy then
};
// `corrupt`: names section and byte. `into` may be one that was used before: its memory is.
Result<> decode_body(FramePtr frame, Sections which, DecodedFrame& into);
Result<> decode_cursors(const EncodedFrame& frame, std::vector<Cursor>& first, std::vector<Cursor>& last);

}  // namespace nostro
