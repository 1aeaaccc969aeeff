// Decides a journal again: its commands go through a Book of the verifier's own, under the recorded policies, at the
// recorded times, in the recorded order. What the Book then says and leaves must be what the frames say, bit for bit.
//
// A frame that differs ends it: what follows from a difference is none of its own.
// Memory: a Book that grows with the cells of the journal. Ids that are spent are not its business but the verifier's.
#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "nostro/domain/book.hpp"
#include "nostro/wire/frame.hpp"

namespace nostro {

class VerifyDecisions {
public:
    using Fault = std::function<void(std::string what, std::optional<PaymentId> payment)>;

    VerifyDecisions();

    // Takes the cells of an image as they are: the begin, where earlier frames are not at hand.
    void begin_with(const Changes& cells);
    // One frame; they come without gaps.
    void check(const DecodedFrame& frame, const Fault& fault);

    std::uint64_t commands() const { return commands_; }  // decided alike
    std::uint64_t expired() const { return expired_; }
    Seq through() const { return through_; }  // the last frame that was decided alike
    bool has_differed() const { return has_differed_; }

private:
    struct Needs;
    void make_room(const Needs& needs, Instant now);
    bool decide(const DecodedFrame& frame, const Fault& fault);
    bool check_due(const DecodedFrame& frame, std::size_t expired, const Fault& fault);

    BookSize size_;
    std::unique_ptr<Book> book_;
    Changes decided_;
    std::uint64_t commands_ = 0, expired_ = 0;
    Seq through_ = 0;
    bool has_differed_ = false;
    // How many payments a process lets expire in one frame: it is told by the frames that leave some for the next.
    std::uint64_t nonce_ = 0;
    std::uint32_t epoch_ = 0;
    std::size_t expired_most_ = 0;
    std::optional<std::size_t> expiries_max_;
};

}  // namespace nostro
