#include "nostro/engine/relay.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "nostro/base/assert.hpp"
#include "nostro/base/sha256.hpp"

namespace nostro {

Relay::Relay(Options options, TopicReader& reader, Transform transform, Topic& topic)
    : options_(std::move(options)),
      reader_(reader),
      transform_(std::move(transform)),
      topic_(topic),
      trouble_("relay_waits", "relay_recovered", options_.source) {}

Result<std::size_t> Relay::step() {
    if (messages_.empty()) {
        if (auto taken = take(); !taken) return waits(taken.error());
    }
    if (!messages_.empty()) {
        if (auto published = topic_.publish(messages_); !published) return waits(published.error());
    }
    const std::size_t count = messages_.size();
    messages_.clear();
    read_.clear();
    // Of those parts alone: others may be another reader's by now.
    std::vector<Cursor> cursors;
    for (const auto& [part, next] : next_) cursors.push_back({0, part, next});
    if (!cursors.empty()) reader_.commit(cursors);
    next_.clear();
    relayed_.fetch_add(count, std::memory_order_relaxed);
    trouble_.set(std::string());
    return count == 0 && options_.wait.count() > 0 ? std::size_t{1} : count;
}

// Whoever is away comes back; whoever refuses does so again.
Result<std::size_t> Relay::waits(const Error& error) {
    if (error.code != ErrorCode::unavailable && error.code != ErrorCode::unknown) return error;
    trouble_.set(error.what);
    return std::size_t{0};
}

Result<> Relay::take() {
    // What was read and could not be turned into messages is still there: views live until the next read().
    if (read_.empty()) {
        const auto read = reader_.read(options_.messages_max, options_.wait, read_);
        if (!read && (read_.empty() || read.error().code != ErrorCode::unavailable)) return read;
        fresh_.clear();
        for (const TopicMessage& message : read_) {
            known_[message.part] = next_[message.part] = message.position + 1;
            const bool is_fresh = is_new(message);
            if (is_fresh) fresh_.push_back(message);
            if (!is_fresh) dropped_.fetch_add(1, std::memory_order_relaxed);
        }
        const std::lock_guard lock(mutex_);
        lags_ = reader_.parts();
        for (TopicPart& part : lags_) {
            const std::uint64_t next = known_[part.part];
            part.end = part.end > next ? part.end - next : 0;
        }
    }
    if (fresh_.empty()) return {};
    if (auto done = transform_(fresh_, messages_); !done) {
        messages_.clear();
        return done;
    }
    NOSTRO_ASSERT(messages_.size() == fresh_.size(), "a relay gives one message for each");
    for (std::size_t i = 0; i < fresh_.size(); ++i) {
        messages_[i].from.next = fresh_[i].position;
        messages_[i].headers.emplace_back(kOriginHeader, origin_of(fresh_[i]));
    }
    return {};
}

std::string Relay::origin_of(const TopicMessage& message) const {
    const auto found = std::ranges::find(message.headers, kOriginHeader, [](const auto& each) { return each.first; });
    if (found != message.headers.end()) return std::string(found->second);
    return fmt::format("{}:{}:{}", options_.source, message.part, message.position);
}

// Both the place and the bytes: a place that somebody invents must not stand in the way of the message that is there.
bool Relay::is_new(const TopicMessage& message) {
    std::string whole = origin_of(message);
    whole.append(1, '\0').append(message.value);
    const Digest digest = sha256(whole);
    if (!met_.insert(digest).second) return false;
    met_in_order_.push_back(digest);
    if (met_in_order_.size() > options_.remembered) {
        met_.erase(met_in_order_.front());
        met_in_order_.pop_front();
    }
    return true;
}

std::vector<TopicPart> Relay::lags() const {
    const std::lock_guard lock(mutex_);
    return lags_;
}

}  // namespace nostro
