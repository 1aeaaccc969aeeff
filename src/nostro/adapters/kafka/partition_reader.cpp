#include "nostro/adapters/kafka/partition_reader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <thread>
#include <utility>

namespace nostro {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds kAskEvery{100}, kSilence{1'000};

const KafkaOptions kReading = {
    {"auto.offset.reset", "error"},  // what is not there must be said, never read past
    {"enable.auto.commit", "false"},
    {"enable.partition.eof", "true"},
    {"check.crcs", "true"},
    // It reads what is there and then stops: no fetch of the end may stand in the way of the next one.
    {"fetch.wait.max.ms", "5"},
    {"fetch.error.backoff.ms", "50"},
    {"fetch.queue.backoff.ms", "20"},
    {"fetch.message.max.bytes", "4194304"},
    {"queued.min.messages", "2000"},
    {"queued.max.messages.kbytes", "32768"},
    {"socket.timeout.ms", "3000"},
};

}  // namespace

Result<std::unique_ptr<PartitionReader>> PartitionReader::open(const KafkaSettings& settings, std::string topic,
                                                               std::int32_t partition, Manner manner) {
    std::unique_ptr<PartitionReader> reader(new PartitionReader);
    KafkaOptions options = kReading;
    // The broker answers as soon as there is a record.
    if (manner == Manner::on_and_on) options.emplace_back("fetch.wait.max.ms", "500");
    auto client = KafkaClient::open(KafkaClient::Kind::consumer, settings, options);
    if (!client) return client.error();
    reader->client_ = std::move(*client);
    reader->handle_.reset(rd_kafka_topic_new(reader->client_->get(), topic.c_str(), nullptr));
    if (!reader->handle_) return kafka_error(rd_kafka_last_error(), fmt::format("kafka: topic {}", topic));
    reader->topic_ = std::move(topic);
    reader->partition_ = partition;
    return reader;
}

Result<PartitionReader::Ends> PartitionReader::ends(milliseconds patience) const {
    const auto deadline = steady_clock::now() + patience;
    for (auto left = patience;; left = std::chrono::duration_cast<milliseconds>(deadline - steady_clock::now())) {
        Ends ends;
        const auto code = rd_kafka_query_watermark_offsets(client_->get(), topic_.c_str(), partition_, &ends.first,
                                                           &ends.next, static_cast<int>(left.count()));
        client_->poll(milliseconds(0));
        if (code == RD_KAFKA_RESP_ERR_NO_ERROR) return ends;
        const Error error = kafka_error(code, fmt::format("kafka: the ends of {}/{}", topic_, partition_));
        // Whoever has just become the leader does not know the end yet; whoever no longer is one does not tell it.
        if (error.code != ErrorCode::unavailable || steady_clock::now() + kAskEvery >= deadline) return error;
        std::this_thread::sleep_for(kAskEvery);
    }
}

Result<> PartitionReader::read(std::int64_t from, milliseconds patience, const Each& each) {
    auto deadline = steady_clock::now() + patience;
    const std::string where = fmt::format("kafka: {}/{}", topic_, partition_);
    auto now = ends(patience);
    // A leader that has just become one may not know yet how far the one before had come.
    while (now && from > now->next && steady_clock::now() < deadline) {
        std::this_thread::sleep_for(kAskEvery);
        now = ends(patience);
    }
    if (!now) return now.error();
    if (from < now->first || from > now->next) {
        return Error{ErrorCode::corrupt,
                     fmt::format("{}: record {} is wanted, but the log holds {} to {}: it was cut, or the topic was "
                                 "made anew",
                                 where, from, now->first, now->next)};
    }
    if (from == now->next) return {};
    if (rd_kafka_consume_start(handle_.get(), partition_, from) != 0) return kafka_error(rd_kafka_last_error(), where);
    auto done = take(from, now->next, patience, each);
    // Left running it would fetch ahead whatever is written, and hold it in memory.
    rd_kafka_consume_stop(handle_.get(), partition_);
    if (!done) done.error().what = fmt::format("{}: {}", where, done.error().what);
    return done;
}

Result<> PartitionReader::take(std::int64_t at, std::int64_t end, milliseconds patience, const Each& each) {
    auto deadline = steady_clock::now() + patience;
    while (at < end) {
        const KafkaMessage message(rd_kafka_consume(handle_.get(), partition_, 100));
        client_->poll(milliseconds(0));
        if (!message) {
            if (steady_clock::now() < deadline) continue;
            return Error{ErrorCode::unavailable,
                         fmt::format("no record came from {} on for {} ms", at, patience.count())};
        }
        if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
            if (message->offset >= end) return {};  // nothing but markers up to there
            continue;
        }
        if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
            return kafka_error(message->err, fmt::format("record {}", at));
        }
        deadline = steady_clock::now() + patience;
        at = message->offset + 1;
        if (!each(message->offset, {static_cast<const std::byte*>(message->payload), message->len})) return {};
    }
    return {};
}

Result<> PartitionReader::begin_at(std::int64_t from) {
    if (from == following_) return {};
    if (following_ >= 0) rd_kafka_consume_stop(handle_.get(), partition_);
    following_ = -1;
    if (rd_kafka_consume_start(handle_.get(), partition_, from) != 0) {
        return kafka_error(rd_kafka_last_error(), fmt::format("kafka: {}/{}", topic_, partition_));
    }
    following_ = from;
    heard_ = steady_clock::now();
    return {};
}

Result<std::int64_t> PartitionReader::follow(std::int64_t from, milliseconds patience, std::size_t count_max,
                                             const Each& each) {
    if (auto begun = begin_at(from); !begun) return begun.error();
    const auto until = steady_clock::now() + patience;
    for (std::size_t count = 0; count < count_max;) {
        const auto left = std::chrono::ceil<milliseconds>(until - steady_clock::now());
        const int wait = count != 0 ? 0 : static_cast<int>(std::max<std::int64_t>(left.count(), 0));
        const KafkaMessage message(rd_kafka_consume(handle_.get(), partition_, wait));
        client_->poll(milliseconds(0));
        if (!message) break;
        if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) continue;
        if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
            following_ = -1;
            rd_kafka_consume_stop(handle_.get(), partition_);
            return kafka_error(message->err, fmt::format("kafka: {}/{}: record {}", topic_, partition_, from));
        }
        following_ = message->offset + 1;
        heard_ = steady_clock::now();
        ++count;
        if (!each(message->offset, {static_cast<const std::byte*>(message->payload), message->len})) break;
    }
    if (steady_clock::now() - heard_ < kSilence) {
        std::int64_t first = 0, next = 0;
        static_cast<void>(rd_kafka_get_watermark_offsets(client_->get(), topic_.c_str(), partition_, &first, &next));
        return std::max(next, following_);
    }
    // Nothing is written, or nobody answers: a fetch that waits tells neither.
    const auto now = ends(kSilence);
    if (!now) return now.error();
    heard_ = steady_clock::now();
    return now->next;
}

}  // namespace nostro
