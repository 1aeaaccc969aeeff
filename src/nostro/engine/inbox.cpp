#include "nostro/engine/inbox.hpp"

#include <utility>

namespace nostro {
namespace {

Error stopping() { return {ErrorCode::unavailable, "stopping: the engine takes no more; try again in a moment"}; }

}  // namespace

Inbox::Inbox(std::size_t commands_max, std::size_t bytes_max) : commands_max_(commands_max), bytes_max_(bytes_max) {}

void Inbox::submit(std::unique_ptr<Submission> submission) {
    const std::size_t commands = submission->commands.size(), bytes = submission->encoded.size();
    bool closed = false;
    {
        const std::lock_guard lock(mutex_);
        closed = closed_;
        // One that is larger than the bound goes in alone; else it could never be taken.
        const std::size_t before = commands_.load(std::memory_order_relaxed);
        const bool fits = before == 0 || (before + commands <= commands_max_ &&
                                          bytes_.load(std::memory_order_relaxed) + bytes <= bytes_max_);
        if (!closed && fits) {
            commands_.fetch_add(commands, std::memory_order_relaxed);
            bytes_.fetch_add(bytes, std::memory_order_relaxed);
            submissions_.push_back(std::move(submission));
            waiting_.store(true, std::memory_order_release);
        }
    }
    // A unique_ptr that was moved is null, so it tells whether it was taken.
    // NOLINTBEGIN(bugprone-use-after-move)
    if (submission == nullptr) {
        if (wake_) wake_();
        return;
    }
    if (closed) return submission->reply(stopping());
    overloaded_.fetch_add(1, std::memory_order_relaxed);
    submission->reply(Error{ErrorCode::unavailable,
                            "overloaded: as much waits for its turn as [engine] inbox_commands_max and "
                            "inbox_bytes_max allow; try again in a second"});
    // NOLINTEND(bugprone-use-after-move)
}

void Inbox::read(std::unique_ptr<Read> read) {
    {
        const std::lock_guard lock(mutex_);
        if (!closed_) {
            reads_.push_back(std::move(read));
            waiting_.store(true, std::memory_order_release);
        }
    }
    if (read != nullptr) return read->answer(stopping());  // NOLINT(bugprone-use-after-move)
    if (wake_) wake_();
}

void Inbox::close() {
    const std::lock_guard lock(mutex_);
    closed_ = true;
}

void Inbox::take(std::vector<std::unique_ptr<Submission>>& submissions, std::vector<std::unique_ptr<Read>>& reads) {
    if (empty()) return;
    const std::lock_guard lock(mutex_);
    waiting_.store(false, std::memory_order_release);
    for (auto& submission : submissions_) submissions.push_back(std::move(submission));
    for (auto& read : reads_) reads.push_back(std::move(read));
    submissions_.clear();
    reads_.clear();
}

void Inbox::decided(std::size_t commands, std::size_t bytes) {
    commands_.fetch_sub(commands, std::memory_order_relaxed);
    bytes_.fetch_sub(bytes, std::memory_order_relaxed);
}

}  // namespace nostro
