// What the topic of cleared transactions is told: one message for each transaction, with what clearance said of it.
// Internal to the profile.
//
// Threads: one. Accounts are read from the history once and kept; balances come with the frames themselves.
#pragma once
#include <cstdint>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "nostro/ports/ledger.hpp"
#include "nostro/ports/topic.hpp"
#include "nostro/wire/frame.hpp"
#include "nostro/wire/recorded.hpp"

namespace nostro::clearing {

class ClearedTopic {
public:
    // Of one outcome of the tenant. `unavailable`: the history has not read so far.
    Result<> publish(const Ledger& ledger, const DecodedPtr& frame, std::uint32_t outcome,
                     std::vector<Message>& messages);

private:
    Result<std::optional<AccountRecord>> account(const Ledger& ledger, std::string_view name);
    void begin(const DecodedPtr& frame);

    DecodedPtr frame_;
    std::unordered_map<AccountId, const AccountImage*> images_;  // of frame_
    std::unordered_map<AccountId, AccountRecord> known_;
};

}  // namespace nostro::clearing
