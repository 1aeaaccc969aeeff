#include "nostro/engine/live.hpp"

#include <algorithm>
#include <deque>
#include <limits>
#include <mutex>
#include <utility>

namespace nostro {
namespace {

constexpr std::size_t kNoticesMax = 16;
constexpr std::size_t kFramesAtOnce = 64;  // of one subscriber, before it is the next one's turn
constexpr std::uint32_t kEndOfFrame = std::numeric_limits<std::uint32_t>::max();

// The position behind an event.
Place after(Place place) {
    return place.index == kEndOfFrame ? Place{place.seq + 1, 0} : Place{place.seq, place.index + 1};
}

bool matches(const Search& filter, const Outcome& outcome) {
    if (!is_of_payment(outcome.event) || outcome.tenant != filter.tenant) return false;
    if (filter.account && outcome.debtor != *filter.account && outcome.creditor != *filter.account) return false;
    if (filter.rail && outcome.rail != *filter.rail) return false;
    if (filter.status && outcome.status != *filter.status) return false;
    if (filter.currency && outcome.amount.currency() != *filter.currency) return false;
    if (filter.min_minor && outcome.amount.minor() < *filter.min_minor) return false;
    return !filter.max_minor || outcome.amount.minor() <= *filter.max_minor;
}

bool matches(const Search& filter, const Payment* payment) {
    if (!filter.type && !filter.reference) return true;
    if (payment == nullptr) return false;
    return (!filter.type || payment->type == *filter.type) &&
           (!filter.reference || payment->reference == *filter.reference);
}

}  // namespace

struct Subscription::State {
    Search filter;
    std::size_t events_max = 0;
    std::shared_ptr<Live::State> hub;
    Place next;  // first outcome not looked at; the hub's thread alone

    std::mutex mutex;
    std::deque<StreamEvent> events;
    std::vector<Subscription::Notice> notices;
    Place taken;        // position() when events wait
    Place looked_at;    // position() when none do
    bool full = false;  // the hub has more
    std::optional<Error> error;

    // Apart from the other one, so that what wake() calls may take.
    std::mutex wake_mutex;
    std::function<void()> wake;  // empty: closed

    bool closed() {
        const std::lock_guard lock(wake_mutex);
        return wake == nullptr;
    }
    void call_wake() {
        const std::lock_guard lock(wake_mutex);
        if (wake) wake();
    }
    std::size_t room() {
        const std::lock_guard lock(mutex);
        full = events.size() >= events_max;
        return events_max - std::min(events_max, events.size());
    }
    void end(Error why) {
        {
            const std::lock_guard lock(mutex);
            error = std::move(why);
        }
        call_wake();
    }
};

struct Live::State {
    State(const FrameCache& cache, std::size_t events, std::size_t subscribers)
        : frames(cache), events_max(events), subscribers_max(subscribers) {}

    const FrameCache& frames;
    const std::size_t events_max, subscribers_max;
    std::function<void()> room;  // cheap: called under the mutex, so that none follows stop()
    mutable std::mutex mutex;
    bool stopped = false;
    std::vector<std::shared_ptr<Subscription::State>> subscriptions;

    void call_room() {
        const std::lock_guard lock(mutex);
        if (room && !stopped) room();
    }
    // Looks at the frames that a subscription has not seen; returns how many.
    static Result<std::size_t> fill(const FrameCache& frames, Subscription::State& to);
    static Result<bool> look_at(const FrameCache& frames, const DecodedPtr& frame, Subscription::State& to,
                                std::size_t& room);
};

Subscription::Subscription(std::shared_ptr<State> state) : state_(std::move(state)) {}

Subscription::~Subscription() { close(); }

void Subscription::close() {
    const std::lock_guard lock(state_->wake_mutex);
    state_->wake = nullptr;
}

Result<std::size_t> Subscription::take(std::size_t count_max, std::vector<StreamEvent>& into) {
    std::size_t count = 0;
    bool had_more = false;
    {
        const std::lock_guard lock(state_->mutex);
        while (count < count_max && !state_->events.empty()) {
            state_->taken = state_->events.front().place;
            into.push_back(std::move(state_->events.front()));
            state_->events.pop_front();
            ++count;
        }
        if (count == 0 && state_->error) return *state_->error;
        had_more = count > 0 && std::exchange(state_->full, false);
    }
    if (had_more) state_->hub->call_room();
    return count;
}

std::vector<Subscription::Notice> Subscription::notices() {
    const std::lock_guard lock(state_->mutex);
    return std::exchange(state_->notices, {});
}

Place Subscription::position() const {
    const std::lock_guard lock(state_->mutex);
    return state_->events.empty() ? std::max(state_->taken, state_->looked_at) : state_->taken;
}

Live::Live(const FrameCache& frames, std::size_t events_max, std::size_t subscribers_max)
    : state_(std::make_shared<State>(frames, events_max, subscribers_max)) {}

Live::~Live() { stop(); }

void Live::on_room(std::function<void()> wake) { state_->room = std::move(wake); }

Result<std::unique_ptr<Subscription>> Live::subscribe(std::optional<Place> after_event, Search filter,
                                                      std::function<void()> wake) {
    const Seq newest = state_->frames.accepted();
    if (after_event && after_event->seq > newest) {
        return Error{ErrorCode::invalid, "the newest event is of frame " + std::to_string(newest) + ": Last-Event-ID " +
                                             std::to_string(after_event->seq) + "." +
                                             std::to_string(after_event->index) + " is not of this journal"};
    }
    auto subscription = std::make_shared<Subscription::State>();
    subscription->filter = std::move(filter);
    subscription->events_max = state_->events_max;
    subscription->hub = state_;
    subscription->taken = after_event.value_or(Place{newest, kEndOfFrame});
    subscription->next = after(subscription->taken);
    subscription->wake = std::move(wake);
    {
        const std::lock_guard lock(state_->mutex);
        if (state_->stopped) return Error{ErrorCode::unavailable, "stopping: the engine ends"};
        auto& all = state_->subscriptions;
        std::erase_if(all, [](const auto& each) { return each->closed(); });
        if (all.size() >= state_->subscribers_max) {
            return Error{ErrorCode::unavailable,
                         "overloaded: " + std::to_string(all.size()) +
                             " subscribers are connected; [stream] subscribers_max bounds them"};
        }
        all.push_back(subscription);
    }
    state_->call_room();
    return std::unique_ptr<Subscription>(new Subscription(std::move(subscription)));
}

void Live::tell(std::string event, std::string json) {
    std::vector<std::shared_ptr<Subscription::State>> all;
    {
        const std::lock_guard lock(state_->mutex);
        all = state_->subscriptions;
    }
    for (const auto& each : all) {
        {
            const std::lock_guard lock(each->mutex);
            if (each->notices.size() >= kNoticesMax) each->notices.erase(each->notices.begin());
            each->notices.push_back({event, json});
        }
        each->call_wake();
    }
}

Result<std::size_t> Live::step() {
    std::vector<std::shared_ptr<Subscription::State>> all;
    {
        const std::lock_guard lock(state_->mutex);
        std::erase_if(state_->subscriptions, [](const auto& each) { return each->closed(); });
        all = state_->subscriptions;
    }
    std::size_t looked_at = 0;
    for (const auto& each : all) {
        const auto filled = State::fill(state_->frames, *each);
        if (filled) {
            looked_at += *filled;
            continue;
        }
        each->end(filled.error());
        const std::lock_guard lock(state_->mutex);
        std::erase(state_->subscriptions, each);
    }
    return looked_at;
}

Result<std::size_t> Live::State::fill(const FrameCache& frames, Subscription::State& to) {
    std::size_t room = to.room();
    std::size_t count = 0;
    std::vector<DecodedPtr> one;
    while (room > 0 && count < kFramesAtOnce && to.next.seq <= frames.accepted()) {
        one.clear();
        if (const auto read = frames.frames(to.next.seq, 1, one); !read) return read.error();
        if (one.empty()) break;
        const auto done = look_at(frames, one.front(), to, room);
        if (!done) return done.error();
        if (!*done) break;
        ++count;
    }
    return count;
}

Result<bool> Live::State::look_at(const FrameCache& frames, const DecodedPtr& frame, Subscription::State& to,
                                  std::size_t& room) {
    const auto& outcomes = frame->changes.outcomes;
    bool added = false;
    for (; to.next.index < outcomes.size() && room > 0; ++to.next.index) {
        const Outcome& outcome = outcomes[to.next.index];
        if (!matches(to.filter, outcome)) continue;
        StreamEvent event;
        event.place = to.next;
        event.at = frame->time();
        event.frame = event.origin = frame;
        event.outcome = &outcome;
        if (outcome.origin.seq != frame->seq()) {
            auto origin = frames.frame(outcome.origin.seq);
            if (!origin && origin.error().code != ErrorCode::not_found) return origin.error();
            event.origin = origin ? *origin : nullptr;
        }
        if (event.origin != nullptr && outcome.origin.index < event.origin->changes.outcomes.size()) {
            event.payment = payment_of(*event.origin, event.origin->changes.outcomes[outcome.origin.index]);
        }
        if (!matches(to.filter, event.payment)) continue;
        const std::lock_guard lock(to.mutex);
        to.events.push_back(std::move(event));
        to.full = --room == 0;
        added = true;
    }
    const bool whole = to.next.index >= outcomes.size();
    if (whole) {
        const std::lock_guard lock(to.mutex);
        to.looked_at = Place{to.next.seq, kEndOfFrame};
        to.next = Place{to.next.seq + 1, 0};
    }
    if (added) to.call_wake();
    return whole;
}

std::size_t Live::subscribers() const {
    const std::lock_guard lock(state_->mutex);
    return static_cast<std::size_t>(std::count_if(state_->subscriptions.begin(), state_->subscriptions.end(),
                                                  [](const auto& each) { return !each->closed(); }));
}

void Live::stop() {
    std::vector<std::shared_ptr<Subscription::State>> all;
    {
        const std::lock_guard lock(state_->mutex);
        state_->stopped = true;
        all.swap(state_->subscriptions);
    }
    for (const auto& each : all) each->end({ErrorCode::unavailable, "stopping: the engine ends"});
}

}  // namespace nostro
