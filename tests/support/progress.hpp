// Waits for what a journal accepts, woken by the journal.
#pragma once
#include <atomic>

#include "nostro/ports/journal.hpp"

namespace nostro::test {

class Progress {
public:
    void watch(Journal& journal) {
        journal.on_progress([this] {
            ++count_;
            count_.notify_all();
        });
    }
    // What accepted() says once it says `seq`, or what ended it.
    Result<Seq> wait_for(Journal& journal, Seq seq) {
        for (;;) {
            const auto seen = count_.load();
            auto accepted = journal.accepted();
            if (!accepted || *accepted >= seq) return accepted;
            count_.wait(seen);
        }
    }

private:
    std::atomic<std::uint64_t> count_{0};
};

}  // namespace nostro::test
