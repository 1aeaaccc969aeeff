// The proof of one payment: for each of its outcomes the frame that holds it, the headers from there to the next
// checkpoint, and that checkpoint. Needs no journal and no service to be checked. docs/formats/proof.md.
#pragma once
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "nostro/domain/outcome.hpp"
#include "nostro/wire/checkpoint.hpp"
#include "nostro/wire/frame.hpp"

namespace nostro {

struct ProofPart {
    std::uint32_t index = 0;         // of the outcome in the frame
    FramePtr frame;                  // the one that holds it
    std::vector<std::byte> headers;  // of the frames behind it up to the checkpoint's, kFrameHeaderBytes each
    Checkpoint checkpoint;
};

// Appends the JSON document.
void write_proof(std::string& to, PaymentId payment, std::span<const ProofPart> parts);

struct ProvedOutcome {
    DecodedPtr frame;
    std::uint32_t index = 0;
    Checkpoint checkpoint;
    const Outcome& outcome() const { return frame->changes.outcomes[index]; }
};
struct ProvedPayment {
    PaymentId payment;
    std::vector<ProvedOutcome> outcomes;  // the first and those that followed on it, at least one
    // The state is that of this frame. Whoever gave the proof may have left out what came later.
    Seq as_of() const { return outcomes.back().frame->seq(); }
    bool has_ended() const { return !is_open(outcomes.back().outcome().status); }
};
// Checks everything but whether the keys are to be trusted. `invalid`: says which step of which part failed.
Result<ProvedPayment> check_proof(std::string_view json);

}  // namespace nostro
