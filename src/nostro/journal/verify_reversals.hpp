// What reversals say of their originals. Intake read it from the journal, and the Book believes it: whether the
// original settled, for how much and when. So it is held against the frames in which the original stands.
//
// Claims are gathered and checked in heaps, so that a frame is read once for all that name it.
#pragma once
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "nostro/wire/frame.hpp"

namespace nostro {

class VerifyReversals {
public:
    using Fault = std::function<void(Seq seq, std::string what, PaymentId payment)>;
    // Gives a frame, with commands and outcomes.
    using ReadFrame = std::function<Result<>(Seq seq, DecodedFrame& into)>;
    using ReadHeader = std::function<Result<FrameHeader>(Seq seq)>;

    void add(const DecodedFrame& frame);
    bool is_heap_full() const { return claims_.size() >= kHeapMax; }
    // Frames first..last can be read; originals before them are passed over.
    Result<> check(Seq first, Seq last, const ReadFrame& read, const ReadHeader& header, const Fault& fault);

    std::uint64_t checked() const { return checked_; }

private:
    static constexpr std::size_t kHeapMax = 100'000;
    struct Claim {
        Seq seq = 0;  // of the reversal
        PaymentId reversal, original;
        Place at;
        Status status = Status::settled;
        bool is_reversal = false;
        std::int64_t minor = 0;
        Instant settled_at{};
    };
    bool check_first(const Claim& claim, const DecodedFrame& frame, const Fault& fault) const;
    Result<> check_settled(const Claim& claim, Seq last, const ReadFrame& read, const ReadHeader& header,
                           const Fault& fault);

    std::vector<Claim> claims_;
    DecodedFrame frame_;
    std::uint64_t checked_ = 0;
};

}  // namespace nostro
