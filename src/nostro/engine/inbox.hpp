// What waits for settlement's turn: submissions from many threads, read by one. Bounded by commands and bytes.
//
// What settlement has taken out still counts until it is decided, so the bound holds for all that waits.
#pragma once
#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "nostro/domain/book.hpp"
#include "nostro/ports/history.hpp"
#include "nostro/ports/intake.hpp"

namespace nostro {

class Inbox {
public:
    // Something to be asked of the Book between two frames. `ask` runs in settlement's turn; `answer` once all that
    // it saw is durable: `as_of` is the frame it stands at. Neither may block.
    struct Read {
        std::function<void(Book& book, Instant now)> ask;
        std::function<void(Result<AsOf> as_of)> answer;
    };

    Inbox(std::size_t commands_max, std::size_t bytes_max);

    // Threads: any. Replies `unavailable` itself, at once, when there is no room or the inbox is closed.
    void submit(std::unique_ptr<Submission> submission);
    void read(std::unique_ptr<Read> read);
    // `wake` is called after something was put in. Set before the first submit.
    void on_arrival(std::function<void()> wake) { wake_ = std::move(wake); }
    // Nothing more comes in: what follows is answered `stopping`.
    void close();

    // Threads: settlement's.
    void take(std::vector<std::unique_ptr<Submission>>& submissions, std::vector<std::unique_ptr<Read>>& reads);
    void decided(std::size_t commands, std::size_t bytes);  // gives room back
    bool empty() const { return !waiting_.load(std::memory_order_acquire); }

    std::size_t commands() const { return commands_.load(std::memory_order_relaxed); }
    std::size_t bytes() const { return bytes_.load(std::memory_order_relaxed); }
    std::uint64_t overloaded_total() const { return overloaded_.load(std::memory_order_relaxed); }

private:
    const std::size_t commands_max_, bytes_max_;
    std::function<void()> wake_;
    std::atomic<std::size_t> commands_{0}, bytes_{0};
    std::atomic<std::uint64_t> overloaded_{0};
    std::atomic<bool> waiting_{false};
    std::mutex mutex_;
    bool closed_ = false;
    std::vector<std::unique_ptr<Submission>> submissions_;
    std::vector<std::unique_ptr<Read>> reads_;
};

}  // namespace nostro
