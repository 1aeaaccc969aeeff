// Keys that are spent: each once, by the first outcome of its payment, and sealed as the frames have it.
// Memory: ids of frames that are not sealed yet.
#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "nostro/journal/flat_map.hpp"
#include "nostro/journal/sealed_runs.hpp"
#include "nostro/wire/frame.hpp"

namespace nostro {

class VerifyIds {
public:
    using Fault = std::function<void(std::string what, std::optional<PaymentId> payment)>;

    // Before the frames are read: what is sealed then is in frames that are read afterwards.
    Result<> open(Disk& disk);
    void check(const DecodedFrame& frame, const Fault& fault);
    // Once all frames of the journal were checked: nothing is sealed that they do not have.
    void end(const Fault& fault) const;

    std::uint64_t count() const { return count_; }
    Seq through() const { return sealed_ ? sealed_->through() : 0; }

private:
    void check(const KnownImage& known, Seq seq, const Fault& fault);
    void check_unsealed(const KnownImage& known, const Fault& fault);
    void check_sealed(const KnownImage& known, Seq seq, const IdRun& run, const Fault& fault) const;

    std::unique_ptr<SealedRuns> sealed_;
    struct Nothing {};
    FlatMap<PaymentId, Nothing> unsealed_;
    std::vector<bool> spent_;  // outcomes of one frame
    std::uint64_t count_ = 0;
};

}  // namespace nostro
