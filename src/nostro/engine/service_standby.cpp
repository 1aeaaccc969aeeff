// A Service that does not own the Book, how it comes to own it, and how an owner gives it away.
#include <utility>

#include "nostro/base/log.hpp"
#include "nostro/engine/service_running.hpp"

namespace nostro {
namespace {

// A standby that is to take over waits for the question under way.
constexpr std::chrono::milliseconds kFollowWait{50};

}  // namespace

Result<> Service::Running::begin_behind() {
    role = Role::standby;
    if (auto followed = settlement.follow(); !followed) return followed;
    newest_known = frames.accepted();
    note_up_to_date();
    start_threads();
    follow_runner.start();
    return {};
}

// Asks the journal what others have appended; settlement's turn installs it.
Result<std::size_t> Service::Running::follow_step() {
    const auto newest = parts.journal->follow(kFollowWait);
    if (!newest) {
        if (newest.error().code != ErrorCode::unavailable) return newest.error();
        set_trouble("journal_unavailable: " + newest.error().what);
        return std::size_t{0};
    }
    set_trouble({});
    newest_known = *newest;
    if (*newest > frames.accepted()) settlement_runner.signal().notify();
    note_up_to_date();
    return std::size_t{1};
}

void Service::Running::note_up_to_date() {
    if (frames.accepted() >= newest_known) up_to_date = steady_now();
}

void Service::Running::set_trouble(std::string text) {
    const std::lock_guard lock(failure_mutex);
    if (text == trouble) return;
    if (trouble.empty()) log_warn("journal_not_followed", {{"why", text}});
    if (text.empty()) log_info("journal_followed_again", {});
    trouble = std::move(text);
}

std::string Service::Running::following_trouble() const {
    const std::lock_guard lock(failure_mutex);
    return trouble;
}

Result<> Service::Running::take_over() {
    if (role != Role::standby) return Error{ErrorCode::conflict, "this process owns the Book already"};
    follow_runner.stop();
    if (auto loaded = suspects.load(); !loaded) return loaded.error();
    const auto first = first_policy();
    if (!first) return first.error();
    const std::lock_guard turn(turn_mutex);
    if (failed || ended) return Error{ErrorCode::unavailable, "stopping: the engine has ended"};
    if (auto owned = own(*first); !owned) {
        broken = true;
        return owned;
    }
    role = Role::owner;
    return {};
}

Result<Seq> Service::Running::hand_over(std::chrono::milliseconds patience) {
    if (role != Role::owner) return Error{ErrorCode::conflict, "this process does not own the Book"};
    static_cast<void>(rested.try_take());
    rest(true);
    settlement_runner.signal().notify();
    if (rested.wait_for(patience)) return frames.accepted();
    rest(false);
    return Error{ErrorCode::unavailable, "journal_unavailable: what is in flight is not confirmed; the Book was kept"};
}

void Service::Running::rest(bool rests) {
    const std::lock_guard turn(turn_mutex);
    settlement.rest(rests);
    resting = rests;
}

StandbyLag Service::Running::lag() const {
    if (role == Role::owner) return {};
    const Seq known = newest_known, installed = frames.accepted();
    return {known > installed ? known - installed : 0, steady_now() - up_to_date.load()};
}

}  // namespace nostro
