#include "nostro/domain/known_ids.hpp"

#include <algorithm>

namespace nostro {

KnownIds::KnownIds(std::uint64_t known_max)
    : cells_max_(static_cast<std::size_t>(known_max / kGenerations) + 1),
      generations_{Generation(places_for(cells_max_)), Generation(places_for(cells_max_)),
                   Generation(places_for(cells_max_)), Generation(places_for(cells_max_))} {}

void KnownIds::begin_frame(Seq seq, std::size_t reserve) {
    if (!has_begun_) {
        has_begun_ = true;
        generations_[running_].first = seq;
        forgotten_through_ = std::max(forgotten_through_, seq - 1);  // what was before came with an image file
        return;
    }
    if (room() >= reserve || !has_next()) return;
    running_ = (running_ + 1) % kGenerations;
    Generation& next = generations_[running_];
    forgotten_through_ = std::max(forgotten_through_, next.last);
    next.first = seq;
    next.last = 0;
    next.count = 0;
}

Seq KnownIds::next_waits_for() const {
    const Generation& next = generations_[(running_ + 1) % kGenerations];
#ifdef NOSTRO_MUTANT_GENERATION_NOT_SEALED  // see tests/mutants
    return 0;
#endif
    return next.count == 0 || next.last <= sealed_through_ ? 0 : next.last;
}

KnownCell& KnownIds::look(Generation& in, PaymentId id) {
    const std::size_t places = in.table.size();
    std::size_t at = place_of({mixed(id)}, places);
    while (in.table[at].seq() >= in.first && in.table[at].id != id) {
        if (++at == places) at = 0;
    }
    return in.table[at];
}

KnownCell* KnownIds::find(PaymentId id) {
    for (Generation& generation : generations_) {
        if (generation.count == 0) continue;  // a miss of the caches less
        KnownCell& cell = look(generation, id);
        if (cell.seq() >= generation.first) return &cell;
    }
    return nullptr;
}

void KnownIds::prefetch(PaymentId id) const {
    for (const Generation& generation : generations_) {
        if (generation.count == 0 && &generation != &running()) continue;
        const auto& table = generation.table;
        prefetch_lines(&table[place_of({mixed(id)}, table.size())], 64);
    }
}

KnownCell& KnownIds::insert(PaymentId id, Place place, std::uint64_t meaning) {
    NOSTRO_ASSERT(room() != 0, "the table of known ids is over-filled");
    Generation& into = generations_[running_];
    KnownCell& cell = look(into, id);
    cell = KnownCell{};
    cell.id = id;
    cell.meaning = meaning;
    cell.set_place(place);
    into.last = place.seq;
    ++into.count;
    return cell;
}

void KnownIds::take_back(KnownCell& newest) {
    newest = KnownCell{};
    --generations_[running_].count;
}

void KnownIds::forget(Seq through) {
    sealed_through_ = std::max(sealed_through_, through);
    if (!has_begun_) forgotten_through_ = std::max(forgotten_through_, through);
}

}  // namespace nostro
