#include "nostro/journal/verify_reversals.hpp"

#include <algorithm>
#include <variant>

#include "nostro/base/hex.hpp"
#include "nostro/base/time.hpp"

namespace nostro {

void VerifyReversals::add(const DecodedFrame& frame) {
    for (const Outcome& outcome : frame.changes.outcomes) {
        if (outcome.reverses.empty() || outcome.command >= frame.commands.size()) continue;
        const auto* body = std::get_if<ReversePayment>(&frame.commands[outcome.command].body);
        if (body == nullptr) continue;
        claims_.push_back({frame.seq(), outcome.payment, body->original, body->original_at, body->original_status,
                           body->original_is_reversal, body->original_minor, body->original_settled_at});
    }
}

// True: the original waited at first, and the claim says that it has settled since.
bool VerifyReversals::check_first(const Claim& claim, const DecodedFrame& frame, const Fault& fault) const {
    const auto wrong = [&](const std::string& what) {
        fault(claim.seq, "of its original " + to_hex(claim.original) + " it says " + what, claim.reversal);
        return false;
    };
    const auto& outcomes = frame.changes.outcomes;
    const Outcome* first = claim.at.index < outcomes.size() ? &outcomes[claim.at.index] : nullptr;
    if (first == nullptr || first->payment != claim.original || first->event != Event::submitted) {
        return wrong("that it begins in frame " + std::to_string(claim.at.seq) + ", where it does not");
    }
    if (claim.is_reversal == first->reverses.empty()) return wrong("whether it is a reversal, and is wrong");
    // It may have waited when intake looked, and have ended since.
    if (is_open(first->status)) return claim.status == Status::settled;
    if (claim.status != first->status) {
        return wrong("that it is " + std::string(name(claim.status)) + "; it was " + std::string(name(first->status)));
    }
    if (first->status != Status::settled) return false;
    if (claim.minor != first->amount.minor() || claim.settled_at != frame.time()) {
        return wrong(std::to_string(claim.minor) + " at " + to_rfc3339(claim.settled_at) + "; it settled " +
                     std::to_string(first->amount.minor()) + " at " + to_rfc3339(frame.time()));
    }
    return false;
}

// Looks where it says that it settled: in the frames of that time.
Result<> VerifyReversals::check_settled(const Claim& claim, Seq last, const ReadFrame& read, const ReadHeader& header,
                                        const Fault& fault) {
    Seq low = claim.at.seq, high = std::min(last, claim.seq);
    while (low < high) {
        const Seq middle = low + (high - low) / 2;
        const auto found = header(middle);
        if (!found) return found.error();
        if (found->time < claim.settled_at) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    for (; low <= claim.seq; ++low) {
        if (auto done = read(low, frame_); !done) return done;
        if (frame_.time() != claim.settled_at) break;
        for (const Outcome& outcome : frame_.changes.outcomes) {
            const bool settles = outcome.payment == claim.original && outcome.status == Status::settled;
            if (settles && outcome.amount.minor() == claim.minor) return {};
        }
    }
    fault(claim.seq,
          "of its original " + to_hex(claim.original) + " it says " + std::to_string(claim.minor) + " at " +
              to_rfc3339(claim.settled_at) + ", when it did not settle so",
          claim.reversal);
    return {};
}

Result<> VerifyReversals::check(Seq first, Seq last, const ReadFrame& read, const ReadHeader& header,
                                const Fault& fault) {
    std::ranges::sort(claims_, {}, &Claim::at);
    std::vector<Claim> settled_later;
    Seq read_seq = 0;
    for (const Claim& claim : claims_) {
        if (claim.at.seq < first) continue;
        ++checked_;
        if (claim.at.seq > claim.seq) {
            fault(claim.seq, "it reverses a payment that comes after it", claim.reversal);
            continue;
        }
        if (claim.at.seq != read_seq) {
            if (auto done = read(claim.at.seq, frame_); !done) return done;
            read_seq = claim.at.seq;
        }
        if (check_first(claim, frame_, fault)) settled_later.push_back(claim);
    }
    std::ranges::sort(settled_later, {}, &Claim::settled_at);
    for (const Claim& claim : settled_later) {
        if (auto done = check_settled(claim, last, read, header, fault); !done) return done;
    }
    claims_.clear();
    return {};
}

}  // namespace nostro
