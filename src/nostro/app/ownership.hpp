// Who owns the Book, as one process sees it: it takes over when it is told, or when the Book is vacant; it gives the
// Book away when it is told; it ends when somebody else took it.
//
// Threads: start and stop from one; take_over and hand_over from any, one after the other; lost from any.
#pragma once
#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "nostro/engine/service.hpp"
#include "nostro/ports/candidacy.hpp"

namespace nostro {

class Ownership {
public:
    struct Parts {
        Service* service = nullptr;
        Candidacy* candidacy = nullptr;  // nullptr: a journal that has one process alone
        // What only an owner does beside settling: other stores, topics, signed checkpoints. One after the other, each
        // tried again as long as it says `unavailable`; `stop` ends what it waits for.
        std::vector<std::function<Result<>(const std::stop_token& stop)>> begin;
        std::function<void(const Error&)> fatal;  // ends the process at once
        std::function<void()> end;                // ends it in order
    };
    explicit Ownership(Parts parts) : parts_(std::move(parts)) {}
    ~Ownership() { stop(); }

    // The service runs, as owner or standby.
    void start();
    // Nothing changes hands from here on. Before the service; the candidacy behind it, so that nobody takes over what
    // is still being settled.
    void stop();

    // Returns the newest durable frame once this process owns the Book. `conflict`: it never can.
    Result<Seq> take_over();
    // Nothing is decided any more when this returns. Whoever takes over within `kTakenWithin` has it, and this process
    // ends in order; else it goes on as the owner. Told again, the time begins anew.
    static constexpr std::chrono::seconds kTakenWithin{5};
    Result<Seq> hand_over();
    // Another process owns the Book, or the journal is gone.
    void lost(const Error& error);

    PartState state() const;

private:
    void begin_owning();
    bool begin_with(std::size_t step, const std::stop_token& stop);

    const Parts parts_;
    std::mutex mutex_;       // one change of owner at a time
    std::mutex rest_mutex_;  // handed_over_ says whether the service rests
    std::atomic<bool> handed_over_{false};
    std::atomic<bool> ending_{false};
    std::jthread beginning_, waiting_;
};

}  // namespace nostro
