// Accounts with their texts, as frames leave them: the index has them too, but later.
//
// Threads: one.
#pragma once
#include <unordered_map>

#include "nostro/engine/service.hpp"

namespace nostro {

class FrameAccounts {
public:
    // `in_order`: take() meets each frame after the one before. The service outlives it.
    FrameAccounts(const Service& service, bool in_order) : service_(service), in_order_(in_order) {}

    // Before what the frame tells is asked for; the frame lives until the next one.
    void take(const DecodedFrame& frame);
    // As the frame `seq`, which take() met last, left it; nullptr: there is none. Until the next call of a member.
    // `unavailable`: the index has not read that far.
    Result<const AccountRecord*> find(AccountId id, Seq seq);

private:
    void take_command(const DecodedFrame& frame, const Outcome& outcome, Place place);

    const Service& service_;
    const bool in_order_;
    const DecodedFrame* frame_ = nullptr;
    Seq last_ = 0;
    Seq needs_ = 0;  // the index must have read this to know what is not here
    std::unordered_map<AccountId, AccountRecord> known_;
};

}  // namespace nostro
