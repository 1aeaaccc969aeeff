// Processes that may own a journal in Kafka are members of one group, which has the journal's partition to give.
// Whoever is given it looks whether the owner is a member as well: that one is alive then, however the group has shared
// out. If it is not, it is gone (the coordinator has not heard from it for the session's time-out), and the Book is
// vacant.
//
// Nothing is read by the group, and no offset of it counts.
#pragma once
#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <thread>

#include "nostro/adapters/kafka/client.hpp"
#include "nostro/base/trouble.hpp"
#include "nostro/ports/candidacy.hpp"

namespace nostro {

struct KafkaOwnerGroupOptions {
    KafkaSettings cluster;
    std::string topic;
    std::int32_t partition = 0;
    std::string group;
    // Of the classic protocol. Brokers that have the newer one have a setting of their own for it,
    // group.consumer.session.timeout.ms.
    std::chrono::milliseconds session_timeout{6'000};
    std::uint64_t nonce = 0;               // as this process would claim the journal
    std::function<std::uint64_t()> owner;  // nonce of who claimed it last; 0: nobody did
};

class KafkaOwnerGroup final : public Candidacy {
public:
    explicit KafkaOwnerGroup(KafkaOwnerGroupOptions options) : options_(std::move(options)) {}
    ~KafkaOwnerGroup() override { KafkaOwnerGroup::stop(); }

    void begin(Told told) override;
    void claims() override {}
    void owns() override { owns_ = true; }
    void stop() override;
    std::string trouble() const override { return trouble_.text(); }

private:
    void run(const std::stop_token& stop);
    Result<> join(bool newer);
    bool is_given();
    Result<bool> owner_is_member() const;
    Result<bool> is_member(std::uint64_t nonce) const;
    void look_whether_well();

    const KafkaOwnerGroupOptions options_;
    Told told_;
    std::atomic<bool> owns_{false};
    bool paused_ = false;
    std::unique_ptr<KafkaClient> client_;
    Trouble trouble_{"owner_group_waits", "owner_group_recovered"};
    std::chrono::steady_clock::time_point look_at_{};  // while there is trouble
    std::jthread thread_;
};

}  // namespace nostro
