#include "nostro/adapters/kafka/kafka_intake.hpp"

#include <fmt/format.h>

#include <array>
#include <utility>

#include "nostro/base/hex.hpp"
#include "nostro/base/log.hpp"
#include "nostro/wire/command_message.hpp"

namespace nostro {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds kPollFor{50};
constexpr int kFlushMax = 5'000;

}  // namespace

// A submission whose reports have not all come.
struct KafkaIntake::Waiting {
    KafkaIntake* intake = nullptr;
    std::unique_ptr<Submission> submission;
    std::vector<std::byte> values;  // of all commands, one after the other
    std::size_t bytes = 0;
    std::atomic<std::size_t> left{0};
    std::atomic<std::size_t> there{0}, maybe{0}, late{0};
    std::mutex mutex;
    std::string why;  // mutex; of the first that is not there
};

Result<std::unique_ptr<KafkaIntake>> KafkaIntake::open(const KafkaSettings& settings, const KafkaIntakeOptions& options,
                                                       const Clock& clock) {
    std::unique_ptr<KafkaIntake> intake(new KafkaIntake(options, clock));
    auto client =
        KafkaClient::open(KafkaClient::Kind::producer, settings,
                          {{"enable.idempotence", "true"},
                           {"acks", "all"},
                           // A request to a broker for each costs four times the processor, and is no sooner there.
                           {"linger.ms", "0.5"},
                           {"compression.type", options.compression},
                           {"partitioner", "murmur2_random"},
                           {"queue.buffering.max.messages", std::to_string(options.commands_max + 1)},
                           {"queue.buffering.max.kbytes", "2097151"},  // ours is smaller
                           {"message.max.bytes", "67108864"},          // the topic's own bound decides
                           {"message.timeout.ms", std::to_string(options.timeout.count())}},
                          [self = intake.get()](const rd_kafka_message_t& message) { self->delivered(message); });
    if (!client) return client.error();
    intake->client_ = std::move(*client);
    intake->topic_.reset(rd_kafka_topic_new(intake->client_->get(), options.topic.c_str(), nullptr));
    if (intake->topic_ == nullptr) {
        return kafka_error(rd_kafka_last_error(), fmt::format("kafka: topic {}", options.topic));
    }
    intake->reports_ = std::jthread([self = intake.get()](const std::stop_token& stop) {
        while (!stop.stop_requested()) {
            self->client_->poll(kPollFor);
            const auto fatal = self->client_->fatal();
            if (fatal && self->options_.fatal) return self->options_.fatal(*fatal);
        }
    });
    return intake;
}

KafkaIntake::~KafkaIntake() {
    if (client_ == nullptr) return;
    reports_.request_stop();
    if (reports_.joinable()) reports_.join();
    // Each has its report in the end: the timeout is one.
    rd_kafka_flush(client_->get(), static_cast<int>(options_.timeout.count()) + kFlushMax);
}

// Empty: it may go on.
std::string KafkaIntake::refusal(std::size_t commands, std::size_t bytes) {
    if (commands_.load(std::memory_order_relaxed) + commands > options_.commands_max ||
        bytes_.load(std::memory_order_relaxed) + bytes > options_.bytes_max) {
        return "overloaded: too much waits for the brokers; send it again";
    }
    if (!is_away_.load(std::memory_order_relaxed)) return {};
    const std::lock_guard lock(mutex_);
    const auto now = steady_clock::now();
    if (now - tried_ >= options_.again_after) {
        tried_ = now;
        return {};
    }
    return "the brokers do not take it: " + trouble_;
}

// What would be refused for ever.
std::optional<Error> KafkaIntake::fault_of(const Submission& submission) const {
    std::size_t begin = 0;
    for (const std::uint32_t end : submission.ends) {
        if (end - begin > options_.command_bytes_max) {
            return Error{ErrorCode::invalid, fmt::format("body: one of it has {} bytes, and a topic takes {} at most",
                                                         end - begin, options_.command_bytes_max)};
        }
        begin = end;
    }
    return std::nullopt;
}

void KafkaIntake::submit(std::unique_ptr<Submission> submission) {
    const std::size_t count = submission->commands.size();
    if (auto fault = fault_of(*submission)) {
        refused_.fetch_add(count, std::memory_order_relaxed);
        return submission->reply(std::move(*fault));
    }
    const std::size_t bytes = submission->encoded.size();
    if (std::string why = refusal(count, bytes); !why.empty()) {
        refused_.fetch_add(count, std::memory_order_relaxed);
        return submission->reply(Error{ErrorCode::unavailable, std::move(why)});
    }
    commands_.fetch_add(count, std::memory_order_relaxed);
    bytes_.fetch_add(bytes, std::memory_order_relaxed);
    auto owned = std::make_unique<Waiting>();
    Waiting& waiting = *owned.release();  // whoever hears the last report ends it
    waiting.intake = this;
    waiting.bytes = bytes;
    waiting.left = count + 1;
    waiting.values.reserve(bytes + count);
    std::size_t begin = 0;
    for (const std::uint32_t end : submission->ends) {
        waiting.values.push_back(kCommandForm);
        const auto encoded = submission->encoded.view().subspan(begin, end - begin);
        waiting.values.insert(waiting.values.end(), encoded.begin(), encoded.end());
        begin = end;
    }
    waiting.submission = std::move(submission);
    for (std::size_t command = 0; command < count; ++command) {
        if (!produce(waiting, command)) done(waiting);
    }
    done(waiting);
}

bool KafkaIntake::produce(Waiting& waiting, std::size_t command) {
    const Submission& submission = *waiting.submission;
    const std::size_t begin = command == 0 ? 0 : submission.ends[command - 1] + command;
    const std::size_t end = submission.ends[command] + command + 1;
    std::array<char, kIdHexSize> key{};
    to_hex(submission.commands[command].id, key.data());
    // No flags: the value is neither copied nor freed, it is ours until its report. The key is copied.
    if (rd_kafka_produce(topic_.get(), RD_KAFKA_PARTITION_UA, 0, waiting.values.data() + begin, end - begin, key.data(),
                         key.size(), &waiting) == 0) {
        return true;
    }
    const std::lock_guard lock(waiting.mutex);
    if (waiting.why.empty()) waiting.why = rd_kafka_err2str(rd_kafka_last_error());
    return false;
}

void KafkaIntake::delivered(const rd_kafka_message_t& message) {
    auto& waiting = *static_cast<Waiting*>(message._private);
    if (message.err == RD_KAFKA_RESP_ERR_NO_ERROR) {
        waiting.there.fetch_add(1, std::memory_order_relaxed);
    } else {
        if (rd_kafka_message_status(&message) != RD_KAFKA_MSG_STATUS_NOT_PERSISTED) {
            waiting.maybe.fetch_add(1, std::memory_order_relaxed);
        }
        if (message.err == RD_KAFKA_RESP_ERR__MSG_TIMED_OUT) waiting.late.fetch_add(1, std::memory_order_relaxed);
        const std::lock_guard lock(waiting.mutex);
        if (waiting.why.empty()) waiting.why = rd_kafka_err2str(message.err);
    }
    done(waiting);
}

void KafkaIntake::done(Waiting& waiting) {
    if (waiting.left.fetch_sub(1, std::memory_order_acq_rel) == 1) finish(std::unique_ptr<Waiting>(&waiting));
}

void KafkaIntake::finish(std::unique_ptr<Waiting> waiting) {
    Submission& submission = *waiting->submission;
    const std::size_t count = submission.commands.size();
    commands_.fetch_sub(count, std::memory_order_relaxed);
    bytes_.fetch_sub(waiting->bytes, std::memory_order_relaxed);
    if (waiting->there == count) {
        confirmed_.fetch_add(count, std::memory_order_relaxed);
        if (is_away_.load(std::memory_order_relaxed)) note({});
        std::vector<Receipt> receipts(count);
        const Instant now = clock_.now();
        for (std::size_t i = 0; i < count; ++i) {
            receipts[i].answer.kind = Answer::Kind::recorded;
            receipts[i].payment = payment_of(submission.commands[i]);
            receipts[i].accepted_at = now;
        }
        return submission.reply(std::move(receipts));
    }
    if (waiting->late != 0) note(waiting->why);
    const std::string what = fmt::format("kafka: topic {}: {}", options_.topic, waiting->why);
    if (waiting->there == 0 && waiting->maybe == 0) {
        refused_.fetch_add(count, std::memory_order_relaxed);
        return submission.reply(Error{ErrorCode::unavailable, what});
    }
    unknown_.fetch_add(count, std::memory_order_relaxed);
    submission.reply(Error{ErrorCode::unknown, what});
}

void KafkaIntake::note(std::string trouble) {
    const std::lock_guard lock(mutex_);
    if (trouble.empty() != trouble_.empty()) {
        log_event(trouble.empty() ? LogLevel::info : LogLevel::warn,
                  trouble.empty() ? "intake_goes_on" : "intake_waits", {{"topic", options_.topic}, {"why", trouble}});
    }
    is_away_.store(!trouble.empty(), std::memory_order_relaxed);
    tried_ = steady_clock::now();
    trouble_ = std::move(trouble);
}

std::string KafkaIntake::trouble() const {
    const std::lock_guard lock(mutex_);
    return trouble_;
}

}  // namespace nostro
