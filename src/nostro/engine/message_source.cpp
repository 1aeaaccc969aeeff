#include "nostro/engine/message_source.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

#include "nostro/base/log.hpp"
#include "nostro/base/time.hpp"
#include "nostro/engine/submission_builder.hpp"
#include "nostro/engine/tenant_ledger.hpp"

namespace nostro {

// What the arrivals of one step point into.
struct MessageSource::Batch {
    Arena arena{256u << 10};
    std::unique_ptr<Submission> submission;
};

namespace {

// The commands of one step's messages, as they are made.
class Preparing {
public:
    Preparing(const MessageSource::Options& options, const MessageSource::Add& add, const Policies& policies,
              Arena& arena)
        : options_(options),
          add_(add),
          arena_(arena),
          builder_({.policies = &policies, .sealed = nullptr, .tenant = options.tenant}, nullptr) {}

    Result<> add(const TopicMessage& message) {
        const KeepDeadLetter* letter = letter_of(message);
        if (auto why = add_commands(message)) {
            KeepDeadLetter unreadable = *letter;
            unreadable.why = arena_.copy(*why);
            if (auto added = add_wish(builder_, Wish(unreadable)); !added) return added.error();
        }
        for (std::size_t command = afters_.size(); command < builder_.size(); ++command) {
            // Until its last command is in a frame, the message is one that was not read.
            const bool is_last = command + 1 == builder_.size();
            afters_.push_back({options_.number, message.part, message.position + (is_last ? 1 : 0)});
            letters_.push_back(letter);
        }
        return {};
    }

    void reserve(std::size_t messages) {
        builder_.reserve(messages);
        afters_.reserve(messages);
        letters_.reserve(messages);
    }

    std::unique_ptr<Submission> take() { return builder_.take({}); }
    const Cursor& after(std::size_t command) const { return afters_[command]; }
    const KeepDeadLetter* letter(std::size_t command) const { return letters_[command]; }

private:
    // nullopt: its commands are added. Else why it is a dead letter.
    std::optional<std::string> add_commands(const TopicMessage& message) {
        if (message.value.size() > options_.message_bytes_max) {
            return fmt::format("a message of {} bytes; at most {}", message.value.size(), options_.message_bytes_max);
        }
        const std::size_t before = builder_.size();
        if (auto added = add_(message, builder_, arena_); !added) return added.error().what;
        if (builder_.size() == before) return "it asks for nothing";
        return std::nullopt;
    }

    const KeepDeadLetter* letter_of(const TopicMessage& message) {
        std::string_view& source = sources_[message.part];
        if (source.empty()) source = arena_.copy(fmt::format("{}:{}", options_.name, message.part));
        const KeepDeadLetter letter{.source = source,
                                    .position = arena_.copy(std::to_string(message.position)),
                                    .format = options_.format,
                                    .why = {},
                                    .bytes = arena_.copy(message.value.substr(0, options_.message_bytes_max))};
        return arena_.copy(std::span(&letter, 1)).data();
    }

    const MessageSource::Options& options_;
    const MessageSource::Add& add_;
    Arena& arena_;
    SubmissionBuilder builder_;
    std::map<std::uint32_t, std::string_view> sources_;
    std::vector<Cursor> afters_;
    std::vector<const KeepDeadLetter*> letters_;
};

MessageSource::Add added_by(std::string name, MessageSource::Read read) {
    return [name = std::move(name), read = std::move(read)](const TopicMessage& message, SubmissionBuilder& builder,
                                                            Arena& arena) -> Result<> {
        std::vector<Wish> wishes;
        const std::string_view source = arena.copy(fmt::format("{}:{}", name, message.part));
        if (auto done = read(message.value, source, message.position, arena, wishes); !done) return done;
        for (const Wish& wish : wishes) {
            if (auto added = add_wish(builder, wish); !added) return added;
        }
        return {};
    };
}

}  // namespace

MessageSource::MessageSource(Options options, TopicReader& reader, Read read)
    : MessageSource(options, reader, added_by(options.name, std::move(read))) {}

MessageSource::MessageSource(Options options, TopicReader& reader, Add add)
    : options_(std::move(options)), reader_(reader), add_(std::move(add)) {}

void MessageSource::begin(const Policies& policies) {
    const std::lock_guard lock(mutex_);
    policies_ = &policies;
}

void MessageSource::on_room(std::function<void()> room) {
    const std::lock_guard lock(mutex_);
    room_ = std::move(room);
}

void MessageSource::on_arrival(std::function<void()> wake) {
    const std::lock_guard lock(mutex_);
    wake_ = std::move(wake);
}

void MessageSource::close() {
    const std::lock_guard lock(mutex_);
    closed_ = true;
}

Result<> MessageSource::seek(std::span<const Cursor> cursors) {
    std::vector<Cursor> own;
    for (const Cursor& cursor : cursors) {
        if (cursor.source == options_.number) own.push_back(cursor);
    }
    if (auto sought = reader_.seek(own); !sought) return sought;
    const std::lock_guard lock(mutex_);
    ahead_.clear();
    ahead_count_ = 0;
    parts_.clear();
    for (const Cursor& cursor : own) parts_.push_back({cursor.part, cursor.next, cursor.next, cursor.next});
    sought_ = true;
    return {};
}

bool MessageSource::may_read() const {
    const std::lock_guard lock(mutex_);
    return sought_ && policies_ != nullptr && !closed_ && ahead_count_ < options_.ahead_max;
}

Result<std::size_t> MessageSource::step() {
    if (!may_read()) return std::size_t{0};
    messages_.clear();
    const SteadyTime began = steady_now();
    const auto read = reader_.read(options_.messages_max, options_.wait, messages_);
    const bool is_down = !read && read.error().code == ErrorCode::unavailable;
    auto prepared = read || is_down ? prepare(messages_) : Result<Prepared>(read.error());
    note(reader_.parts());
    std::function<void()> wake;
    {
        const std::lock_guard lock(mutex_);
        trouble_ = read ? std::string() : read.error().what;
        if (!prepared) {
            failure_ = prepared.error();
        } else if (!prepared->arrivals.empty()) {
            ahead_count_ += prepared->arrivals.size();
            ahead_.push_back(std::move(*prepared));
        }
        if (!messages_.empty() || !failure_) wake = wake_;
    }
    if (wake) wake();
    if (!prepared) return prepared.error();
    const bool has_waited = read && options_.wait.count() > 0 && elapsed_since(began) >= options_.wait;
    return std::max<std::size_t>(messages_.size(), has_waited ? 1 : 0);
}

Result<MessageSource::Prepared> MessageSource::prepare(const std::vector<TopicMessage>& messages) const {
    Prepared prepared;
    if (messages.empty()) return prepared;
    auto batch = std::make_shared<Batch>();
    Preparing preparing(options_, add_, *policies_, batch->arena);
    preparing.reserve(messages.size());
    for (const TopicMessage& message : messages) {
        if (auto added = preparing.add(message); !added) return added.error();
    }
    batch->submission = preparing.take();
    const Submission& submission = *batch->submission;
    prepared.arrivals.reserve(submission.commands.size());
    std::size_t begin = 0;
    for (std::size_t i = 0; i < submission.commands.size(); ++i) {
        const auto encoded = submission.encoded.view().subspan(begin, submission.ends[i] - begin);
        begin = submission.ends[i];
        prepared.arrivals.push_back({submission.commands[i], preparing.after(i), batch, encoded, preparing.letter(i)});
    }
    return prepared;
}

void MessageSource::note(const std::vector<TopicPart>& parts) {
    const std::lock_guard lock(mutex_);
    for (const TopicPart& each : parts) {
        auto found = std::ranges::lower_bound(parts_, each.part, {}, &Part::part);
        if (found == parts_.end() || found->part != each.part) found = parts_.insert(found, {each.part, 0, 0, 0});
        found->end = std::max(found->end, each.end);
    }
}

Result<> MessageSource::poll(std::size_t count_max, std::vector<Arrival>& arrivals) {
    std::function<void()> room;
    {
        const std::lock_guard lock(mutex_);
        if (closed_) return {};
        if (ahead_.empty()) return failure_;
        const bool was_full = ahead_count_ >= options_.ahead_max;
        while (count_max > 0 && !ahead_.empty()) {
            Prepared& front = ahead_.front();
            const std::size_t count = std::min(count_max, front.arrivals.size() - front.next);
            for (std::size_t i = 0; i < count; ++i) {
                Arrival& arrival = front.arrivals[front.next++];
                const auto part = std::ranges::lower_bound(parts_, arrival.after.part, {}, &Part::part);
                if (part != parts_.end() && part->part == arrival.after.part) part->taken = arrival.after.next;
                arrivals.push_back(std::move(arrival));
            }
            count_max -= count;
            ahead_count_ -= count;
            if (front.next == front.arrivals.size()) ahead_.pop_front();
        }
        if (was_full && ahead_count_ < options_.ahead_max) room = room_;
    }
    if (room) room();
    return {};
}

std::string MessageSource::trouble() const {
    const std::lock_guard lock(mutex_);
    return trouble_;
}

std::vector<MessageSource::Part> MessageSource::parts() const {
    const std::lock_guard lock(mutex_);
    return parts_;
}

}  // namespace nostro
