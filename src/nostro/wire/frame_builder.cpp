#include <algorithm>
#include <cstring>
#include <utility>

#include "nostro/base/assert.hpp"
#include "nostro/base/sha256.hpp"
#include "nostro/wire/changes_codec.hpp"
#include "nostro/wire/command_index.hpp"
#include "nostro/wire/frame.hpp"
#include "nostro/wire/frame_header.hpp"
#include "nostro/wire/frame_pool.hpp"
#include "nostro/wire/image_codec.hpp"

namespace nostro {

struct FrameBuilder::State {
    explicit State(std::size_t frame_bytes_max) : capacity_usual(frame_bytes_max) {}

    // Room for `n` bytes behind the `size` there are.
    void ensure(std::size_t n) {
        if (size + n <= memory.capacity) return;
        std::size_t capacity = std::max(capacity_usual, size + n);
        if (memory.capacity != 0) capacity = std::max(capacity, memory.capacity * 2);
        capacity = (capacity + kFrameAlign - 1) / kFrameAlign * kFrameAlign;
        FramePool::Memory larger{allocate_aligned(capacity), capacity};
        if (size != 0) std::memcpy(larger.bytes.get(), memory.bytes.get(), size);
        memory = std::move(larger);
    }
    std::byte* at() { return memory.bytes.get() + size; }
    void set_end(const RawWriter& raw) { size = static_cast<std::size_t>(raw.at() - memory.bytes.get()); }

    const std::size_t capacity_usual;
    std::shared_ptr<FramePool> pool = std::make_shared<FramePool>();
    FramePool::Memory memory;  // of the frame that is being built, and of all before it
    std::size_t size = 0;      // bytes of it so far
    CommandIndex index;
    ChangesBound bound;
    bool open = false;
};

namespace {

// The commands' section begins behind the header, before anything is known of it.
constexpr std::size_t kCommandsAt = kFrameHeaderBytes + kSectionHeaderBytes;
constexpr std::size_t kCursorSectionsMax = 2 * kSectionHeaderBytes;

}  // namespace

FrameBuilder::FrameBuilder(std::size_t frame_bytes_max) : state_(std::make_unique<State>(frame_bytes_max)) {}
FrameBuilder::~FrameBuilder() = default;

void FrameBuilder::begin() {
    State& s = *state_;
    s.size = 0;
    s.ensure(kCommandsAt);
    s.size = kCommandsAt;
    s.index.clear();
    s.bound.clear();
    s.open = true;
}

std::uint32_t FrameBuilder::add_command(std::span<const std::byte> encoded) {
    State& s = *state_;
    NOSTRO_ASSERT(s.open, "frame: a command before begin()");
    Error what{};
    const bool is_command = s.index.add(encoded, what);
    NOSTRO_ASSERT(is_command, "frame: bytes that are no command");
    s.ensure(kVarintMax + encoded.size());
    RawWriter raw(s.at());
    raw.varint(encoded.size());
    raw.bytes(encoded);
    s.set_end(raw);
    return s.index.size() - 1;
}

std::uint32_t FrameBuilder::commands() const { return state_->index.size(); }

std::size_t FrameBuilder::bytes_at_most(const Changes& changes) {
    return state_->size + state_->bound.bytes(changes) + kCursorSectionsMax + kFrameAlign;
}

FramePtr FrameBuilder::finish(FrameHeader header, std::span<const Cursor> first, std::span<const Cursor> last,
                              const Changes& changes) {
    State& s = *state_;
    NOSTRO_ASSERT(s.open, "frame: finish() without begin()");
    s.open = false;
    s.bound.clear();  // images may have been merged since the bound was asked
    s.ensure(s.bound.bytes(changes) + kCursorSectionsMax + (first.size() + last.size()) * kCursorMax + kFrameAlign);

    std::byte* const begin = s.memory.bytes.get();
    const std::uint32_t commands = s.index.size();
    if (commands == 0) {
        s.size = kFrameHeaderBytes;
    } else {
        RawWriter section(begin + kFrameHeaderBytes);
        section.u32(static_cast<std::uint32_t>(SectionKind::commands));
        section.u32(commands);
        SectionWriter::seal(begin + kFrameHeaderBytes, s.at());
    }
    RawWriter raw(s.at());
    put_changes(raw, changes, {header.seq, header.time, &s.index}, s.bound);
    for (const auto& [kind, cursors] :
         {std::pair{SectionKind::cursors_first, first}, {SectionKind::cursors_last, last}}) {
        if (cursors.empty()) continue;
        SectionWriter section(raw);
        section.begin(kind, cursors.size());
        put_cursors(raw, cursors);
        section.end();
    }
    s.set_end(raw);

    NOSTRO_ASSERT(s.size - kFrameHeaderBytes <= kFrameBodyMax, "frame: too large");
    header.body_bytes = static_cast<std::uint32_t>(s.size - kFrameHeaderBytes);
    header.body_digest = sha256(std::span<const std::byte>(begin + kFrameHeaderBytes, header.body_bytes));
    put_frame_header(begin, header);
    const std::size_t padded = frame_size(header);
    std::memset(begin + s.size, 0, padded - s.size);

    // The frame's memory goes back to the pool when its last reader lets go, wherever that is.
    struct Pooled : EncodedFrame {
        explicit Pooled(std::shared_ptr<FramePool> of) : pool(std::move(of)) {}
        ~Pooled() { pool->give({std::move(memory_), capacity_}); }
        std::shared_ptr<FramePool> pool;
    };
    // A copy costs a hundredth of what building it did, and readers keep memory of the frame's own size.
    FramePool::Memory own = s.pool->take(padded);
    std::memcpy(own.bytes.get(), begin, padded);
    auto frame = std::allocate_shared<Pooled>(FramePoolAllocator<Pooled>(s.pool), s.pool);
    frame->header = header;
    frame->digest = frame_digest(begin);
    frame->capacity_ = own.capacity;
    frame->memory_ = std::move(own.bytes);
    frame->size_ = padded;
    s.size = 0;
    return frame;
}

}  // namespace nostro
