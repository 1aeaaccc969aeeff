#include "nostro/app/ownership.hpp"

#include <condition_variable>
#include <utility>

#include "nostro/base/log.hpp"

namespace nostro {
namespace {

constexpr std::chrono::seconds kBeginAgain{2};

// False: it is to stop.
bool pause(const std::stop_token& stop, std::chrono::milliseconds time) {
    std::mutex mutex;
    std::condition_variable_any woken;
    std::unique_lock lock(mutex);
    woken.wait_for(lock, stop, time, [] { return false; });
    return !stop.stop_requested();
}

Error alone() {
    return {ErrorCode::conflict,
            "the journal is in files or in memory, which one process has alone; journal.kind kafka or postgres lets "
            "others take over"};
}

}  // namespace

void Ownership::start() {
    if (parts_.candidacy == nullptr) return;
    if (parts_.service->role() == Role::owner) parts_.candidacy->owns();
    parts_.candidacy->begin({.vacant =
                                 [this] {
                                     if (parts_.service->role() == Role::owner || ending_) return;
                                     log_info("book_vacant", {});
                                     static_cast<void>(take_over());
                                 },
                             .overtaken = [this](const Error& error) { lost(error); }});
}

void Ownership::stop() {
    ending_ = true;
    const std::lock_guard lock(mutex_);
    for (std::jthread* thread : {&beginning_, &waiting_}) {
        thread->request_stop();
        if (thread->joinable()) thread->join();
    }
}

Result<Seq> Ownership::take_over() {
    if (parts_.candidacy == nullptr) return alone();
    const std::lock_guard lock(mutex_);
    if (ending_) return Error{ErrorCode::unavailable, "stopping: this process ends"};
    Service& service = *parts_.service;
    if (service.role() == Role::owner) return service.accepted();
    const SteadyTime began = steady_now();
    parts_.candidacy->claims();
    if (auto taken = service.take_over(); !taken) {
        parts_.fatal(taken.error());
        return taken.error();
    }
    parts_.candidacy->owns();
    const Seq seq = service.accepted();
    const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(steady_now() - began);
    log_info("book_taken_over", {{"seq", seq}, {"took_ms", took.count()}});
    begin_owning();
    return seq;
}

// Payments do not wait for what is told to others.
void Ownership::begin_owning() {
    beginning_ = std::jthread([this](const std::stop_token& stop) {
        for (std::size_t step = 0; step < parts_.begin.size(); ++step) {
            if (!begin_with(step, stop)) return;
        }
        log_info("owner_complete", {});
    });
}

// False: nothing goes on from there.
bool Ownership::begin_with(std::size_t step, const std::stop_token& stop) {
    for (;;) {
        const auto begun = parts_.begin[step](stop);
        if (begun) return true;
        if (stop.stop_requested()) return false;
        if (begun.error().code != ErrorCode::unavailable) {
            parts_.fatal(begun.error());
            return false;
        }
        log_warn("owner_waits", {{"what", begun.error().what}});
        if (!pause(stop, kBeginAgain)) return false;
    }
}

Result<Seq> Ownership::hand_over() {
    if (parts_.candidacy == nullptr) return alone();
    const std::lock_guard lock(mutex_);
    Result<Seq> last = Seq{0};
    {
        const std::lock_guard rest(rest_mutex_);
        last = handed_over_ ? Result<Seq>(parts_.service->accepted()) : parts_.service->hand_over();
        if (!last) return last;
        handed_over_ = true;
        waiting_.request_stop();
    }
    log_info("book_handed_over", {{"seq", *last}});
    waiting_ = std::jthread([this](const std::stop_token& stop) {
        if (!pause(stop, kTakenWithin)) return;
        {
            const std::lock_guard rest(rest_mutex_);
            if (stop.stop_requested() || !handed_over_.exchange(false)) return;
            parts_.service->resume();
        }
        log_warn("book_not_taken", {{"what", "nobody took the Book over; this process goes on as its owner"}});
    });
    return last;
}

void Ownership::lost(const Error& error) {
    if (error.code != ErrorCode::fenced || !handed_over_.exchange(false)) return parts_.fatal(error);
    // Nothing was in flight, so nothing is ahead of what is durable. Who waits for it to be taken finds it gone.
    log_info("book_given_away", {});
    parts_.end();
}

PartState Ownership::state() const {
    PartState state{.name = "ownership", .ready = true, .needed = false, .reason = {}};
    if (parts_.candidacy != nullptr) state.reason = parts_.candidacy->trouble();
    state.ready = state.reason.empty();
    return state;
}

}  // namespace nostro
