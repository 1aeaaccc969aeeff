#include "nostro/journal/verify_ids.hpp"

#include <utility>

namespace nostro {

Result<> VerifyIds::open(Disk& disk) {
    auto sealed = SealedRuns::open(disk, true);
    if (!sealed) return sealed.error();
    sealed_ = std::move(*sealed);
    return {};
}

void VerifyIds::check_unsealed(const KnownImage& known, const Fault& fault) {
    if (!unsealed_.get(known.id).second) fault("its id was spent before", known.id);
    if (!sealed_ || sealed_->runs()->empty()) return;
    const auto sealed = sealed_->find(known.id, sealed_->through());
    if (!sealed) {
        fault(sealed.error().what, known.id);
    } else if (*sealed) {
        fault("its id was spent before, in frame " + std::to_string((*sealed)->place.seq), known.id);
    }
}

void VerifyIds::check_sealed(const KnownImage& known, Seq seq, const IdRun& run, const Fault& fault) const {
    const auto found = run.find(known.id);
    if (!found) return fault(found.error().what, known.id);
    const bool is_in_range = seq >= run.tail().first && seq <= run.tail().through;
    const Place place{seq, known.index};
    if (is_in_range && (!*found || (*found)->place != place || (*found)->meaning != known.meaning)) {
        fault("its id is not sealed as the frame has it, in " + run.name(), known.id);
    }
    if (!is_in_range && *found) {
        fault("its id is spent twice: also in frame " + std::to_string((*found)->place.seq), known.id);
    }
}

void VerifyIds::check(const KnownImage& known, Seq seq, const Fault& fault) {
    ++count_;
    if (seq > through()) return check_unsealed(known, fault);
    const auto runs = sealed_->runs();
    for (const auto& run : *runs) check_sealed(known, seq, *run, fault);
}

// Every first outcome of a payment spends its id, once.
void VerifyIds::check(const DecodedFrame& frame, const Fault& fault) {
    constexpr std::size_t kPrefetch = 12;
    const auto& outcomes = frame.changes.outcomes;
    const auto& spends = frame.changes.known;
    spent_.assign(outcomes.size(), false);
    for (std::size_t i = 0; i < spends.size(); ++i) {
        if (i + kPrefetch < spends.size()) unsealed_.prefetch(spends[i + kPrefetch].id);
        const KnownImage& known = spends[i];
        check(known, frame.seq(), fault);
        if (known.index < outcomes.size() && outcomes[known.index].payment == known.id) spent_[known.index] = true;
    }
    for (std::size_t i = 0; i < outcomes.size(); ++i) {
        if (outcomes[i].event != Event::submitted || outcomes[i].payment.empty() || spent_[i]) continue;
        fault("its first outcome does not spend its id", outcomes[i].payment);
    }
}

void VerifyIds::end(const Fault& fault) const {
    if (!sealed_) return;
    std::uint64_t sealed = 0;
    const auto runs = sealed_->runs();
    for (const auto& run : *runs) sealed += run->tail().ids;
    if (sealed + unsealed_.size() == count_) return;
    fault("holds " + std::to_string(sealed) + " ids, the frames spend " + std::to_string(count_ - unsealed_.size()),
          std::nullopt);
}

}  // namespace nostro
