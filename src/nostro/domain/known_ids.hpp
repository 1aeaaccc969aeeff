// Keys that are spent, in four generations of fixed size. When the newest is full the oldest begins anew, once
// sealed runs hold what was in it.
//
// Nothing is ever cleared: a cell carries the frame that wrote it, and a generation remembers the frame that it
// began with, so cells of its former life count as empty.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>

#include "nostro/base/ids.hpp"
#include "nostro/domain/cell_memory.hpp"
#include "nostro/domain/cell_table.hpp"
#include "nostro/domain/outcome.hpp"

namespace nostro {

// Frame 44 bits, outcome 16, state of the payment 3, "a reviewer has decided" 1: 10,000 frames a second for 55 years.
class KnownCell {
public:
    static constexpr Seq kSeqMax = (Seq{1} << 44) - 1;
    static constexpr std::uint32_t kIndexMax = 0xffff;

    PaymentId id;
    std::uint64_t meaning;

    Seq seq() const { return word_ >> 20; }
    Place place() const { return {seq(), static_cast<std::uint32_t>(word_ >> 4) & kIndexMax}; }
    void set_place(Place place) {
        NOSTRO_ASSERT(place.seq <= kSeqMax && place.index <= kIndexMax, "a place does not fit into a known id");
        word_ = (place.seq << 20) | (std::uint64_t{place.index} << 4) | (word_ & 15);
    }
    Status state() const { return static_cast<Status>(word_ & 7); }
    void set_state(Status state) { word_ = (word_ & ~std::uint64_t{7}) | static_cast<std::uint64_t>(state); }
    bool is_reviewed() const { return (word_ & 8) != 0; }
    void set_reviewed() { word_ |= 8; }

private:
    std::uint64_t word_;
};
static_assert(sizeof(KnownCell) == 32 && static_cast<int>(Status::quarantined) == 7);

class KnownIds {
public:
    static constexpr std::size_t kGenerations = 4;

    explicit KnownIds(std::uint64_t known_max);

    // Turns to the next generation if the running one has less than `reserve` left and the next is free.
    void begin_frame(Seq seq, std::size_t reserve);

    KnownCell* find(PaymentId id);
    const KnownCell* find(PaymentId id) const { return const_cast<KnownIds*>(this)->find(id); }
    void prefetch(PaymentId id) const;

    // Precondition: not known, and there is room.
    KnownCell& insert(PaymentId id, Place place, std::uint64_t meaning);
    void take_back(KnownCell& newest);

    std::size_t room() const { return cells_max_ - running().count; }  // of the running generation
    std::size_t cells_max() const { return cells_max_; }               // of one generation
    // The newest frame of the generation after the running one, whose ids are to be sealed before it is free; 0: it is.
    Seq next_waits_for() const;
    bool has_next() const { return next_waits_for() == 0; }

    void forget(Seq through);
    Seq forgotten_through() const { return forgotten_through_; }

private:
    struct Generation {
        explicit Generation(std::size_t cells) : table(cells) {}
        CellArray<KnownCell> table;
        Seq first = std::numeric_limits<Seq>::max();  // cells of earlier frames are empty ones
        Seq last = 0;
        std::size_t count = 0;
    };
    static KnownCell& look(Generation& in, PaymentId id);
    const Generation& running() const { return generations_[running_]; }

    std::size_t cells_max_;
    std::array<Generation, kGenerations> generations_;
    std::size_t running_ = 0;
    Seq forgotten_through_ = 0, sealed_through_ = 0;
    bool has_begun_ = false;
};

}  // namespace nostro
