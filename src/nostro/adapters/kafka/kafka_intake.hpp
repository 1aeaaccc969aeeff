// The way in of a program that has no Book: commands go to a topic, from which the Book's owner takes them.
//
// Durability: a reply with receipts means that the brokers have every command (acks=all). Their status is `accepted`:
//             what becomes of them is decided where the Book is.
// Idempotency: a command's key is its id, so all deliveries of one id stand in one partition, in their order. Sending
//             again is harmless; the Book knows the id.
// Bounded:    commands_max and bytes_max of what is under way; beyond, and for a while after the brokers were lost, the
//             reply is `unavailable` at once.
// Threads:    submit() from any; replies come on a thread of its own, or on the caller's.
#pragma once
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "nostro/adapters/kafka/client.hpp"
#include "nostro/base/time.hpp"
#include "nostro/ports/intake.hpp"

namespace nostro {

struct KafkaIntakeOptions {
    std::string topic;
    std::chrono::milliseconds timeout{5'000};  // of one command, until the brokers have it
    std::string compression = "lz4";
    std::size_t commands_max = 100'000;
    std::size_t bytes_max = 128u << 20;
    std::size_t command_bytes_max = 1'000'000;     // a topic takes so much, as Kafka comes
    std::chrono::milliseconds again_after{1'000};  // one command tries, while the brokers are away
    std::function<void(const Error&)> fatal{};     // the client will do nothing any more; once, on its thread
};

class KafkaIntake final : public Intake {
public:
    // Connects later. `invalid`: a setting that librdkafka refuses. The clock outlives it.
    static Result<std::unique_ptr<KafkaIntake>> open(const KafkaSettings& settings, const KafkaIntakeOptions& options,
                                                     const Clock& clock);
    ~KafkaIntake() override;  // what is under way is waited for, `timeout` at most

    // `unavailable`: none of its commands is in the topic. `unknown`: some may be. `invalid`: none is, and one is
    // larger than a topic takes.
    void submit(std::unique_ptr<Submission> submission) override;

    const std::string& topic() const { return options_.topic; }
    std::string trouble() const;  // why the brokers took nothing last time; empty: they do
    std::uint64_t confirmed() const { return confirmed_.load(std::memory_order_relaxed); }  // commands
    std::uint64_t refused() const { return refused_.load(std::memory_order_relaxed); }
    std::uint64_t unknown() const { return unknown_.load(std::memory_order_relaxed); }
    std::size_t under_way() const { return commands_.load(std::memory_order_relaxed); }

private:
    struct Waiting;

    KafkaIntake(KafkaIntakeOptions options, const Clock& clock) : options_(std::move(options)), clock_(clock) {}
    std::string refusal(std::size_t commands, std::size_t bytes);
    std::optional<Error> fault_of(const Submission& submission) const;
    bool produce(Waiting& waiting, std::size_t command);
    void delivered(const rd_kafka_message_t& message);
    void done(Waiting& waiting);
    void finish(std::unique_ptr<Waiting> waiting);
    void note(std::string trouble);

    const KafkaIntakeOptions options_;
    const Clock& clock_;
    std::atomic<std::size_t> commands_{0}, bytes_{0};
    std::atomic<std::uint64_t> confirmed_{0}, refused_{0}, unknown_{0};
    std::atomic<bool> is_away_{false};
    mutable std::mutex mutex_;
    std::string trouble_;                            // mutex_
    std::chrono::steady_clock::time_point tried_{};  // mutex_
    std::unique_ptr<KafkaClient> client_;
    KafkaTopicHandle topic_;  // looked up by name it costs a lock of the whole client a command
    std::jthread reports_;    // ends first
};

}  // namespace nostro
