// The one truth of a Book: an endless chain of frames, each holding commands, their outcomes, the images
// they left, and how far every source has been read.
//
// Durability: a frame reported by accepted() survives the loss of the process and of whatever the adapter
//             promises beyond it (segment: power; Kafka: a broker; PostgreSQL: a standby; memory: nothing).
// One writer: a frame is accepted only if it continues the chain (seq + 1, digest of the one before, first
//             cursors = its last cursors). Of two writers the second sees `fenced`; its frame counts for no reader.
// Threads:    take_over, ready, append and accepted belong to one thread; image and read may be called from any.
// Errors:     any error of append or accepted is final: what became of the frames in flight is unknown, the process
// ends,
//             and the next one reads it from the chain.
#pragma once
#include <chrono>
#include <cstddef>
#include <functional>
#include <optional>
#include <utility>
#include <vector>

#include "nostro/base/ids.hpp"
#include "nostro/base/result.hpp"
#include "nostro/domain/cursor.hpp"
#include "nostro/wire/frame.hpp"

namespace nostro {

struct Head {
    Seq seq = 0;  // newest frame of the chain; 0: empty
    Digest digest{};
    std::uint32_t epoch = 0;  // of the new owner
    Instant time{};
    std::vector<Cursor> cursors;  // how far every source has been read
};

class Journal {
public:
    virtual ~Journal() = default;

    // Becomes the writer: fences whoever was, and tells where the chain ends. Once.
    virtual Result<Head> take_over() = 0;

    // Whether a frame of frame_bytes_max() could be appended now. `unavailable`: no space; says of which file system
    // and how much is missing. Asked before anything is decided, so that nothing decided is ever without a place.
    // The last free space is kept for `upkeep`: holds that expire. May wait while space is being made ready, never for
    // space.
    enum class Need { intake, upkeep };
    virtual Result<> ready(Need need = Need::intake) = 0;
    // True: ready() would wait now. Of the owner's thread.
    virtual bool is_making_room() const { return false; }

    // For whoever does not own the Book: learns what owners have appended since, and waits at most `patience` if that
    // is nothing; read() then gives it. Returns the newest frame that is known of, which may be more than read() gives
    // yet. Before take_over, and on one thread. `invalid`: a journal of this kind cannot be followed; `unavailable`:
    // later, perhaps; `corrupt`: frames that were there are gone.
    virtual Result<Seq> follow(std::chrono::milliseconds patience);

    // Starts to write and returns at once. At most in_flight_max() frames may be under way.
    virtual Result<> append(FramePtr frame) = 0;
    // As append(), by a caller with nothing else to do: where a write is quick it is awaited, and the frame may be
    // durable on return. Where none is: append().
    virtual Result<> append_and_wait(FramePtr frame) { return append(std::move(frame)); }
    // Ids of frames up to `through` wait for the sealed runs, which are made of closed segments. True: one of them is
    // in the open segment, and the next frame that is appended, be it empty, begins another. False: it is closed
    // already, or there is no space to begin one yet. Cheap, of the owner's thread. An adapter without segments has
    // none to close.
    virtual bool close_through(Seq through);
    virtual std::size_t in_flight_max() const = 0;
    virtual std::size_t frame_bytes_max() const = 0;

    // The newest frame that is durable and in the chain.
    virtual Result<Seq> accepted() = 0;
    // `wake` is called when accepted() may have moved: on threads of the journal's own, or within append or
    // accepted. Cheap. Set before take_over.
    virtual void on_progress(std::function<void()> wake) = 0;

    // Gives the newest image (snapshot) in chunks to `install`; returns the frame it stands at, 0: there is none.
    virtual Result<Seq> image(const std::function<void(const Changes&)>& install) const = 0;

    // Calls `each` for accepted frames from `from` on, in order, until it says false or the end. Returns the first
    // one not given. `not_found`: `from` is older than kept history.
    virtual Result<Seq> read(Seq from, const std::function<bool(const FramePtr&)>& each) const = 0;

    // Appends the headers of accepted frames from..through, kFrameHeaderBytes each: what a proof walks along. An
    // adapter that can leave the bodies where they are does. not_found: older than kept history, or not accepted.
    virtual Result<> headers(Seq from, Seq through, std::vector<std::byte>& into) const;
};

// Known ids that have left the Book's memory, for ever on disk. Threads: any.
class SealedIds {
public:
    struct Found {
        Place place;
        std::uint64_t meaning;
    };
    virtual ~SealedIds() = default;
    // Among the ids of frames up to `last`, which is no newer than through(); newer ones may be found or not.
    virtual Result<std::optional<Found>> find(PaymentId id, Seq last) const = 0;
    virtual Seq through() const = 0;  // ids of frames up to here are in it
};

}  // namespace nostro
