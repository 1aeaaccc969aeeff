// The live stream: outcomes of payments as they are accepted, in order, without a gap, to any number of subscribers.
//
// A subscription is a position in the journal and a bounded queue in front of it. One that reads slowly just stays
// behind: its queue is filled again from the journal when it has room, so nothing is dropped and nobody waits for it.
//
// Threads: any; one reader a subscription.
#pragma once
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "nostro/base/result.hpp"
#include "nostro/engine/frame_cache.hpp"
#include "nostro/ports/history.hpp"

namespace nostro {

struct StreamEvent {
    Place place;  // the event's id is `seq.index`
    Instant at{};
    DecodedPtr frame;                  // keeps `outcome` alive
    const Outcome* outcome = nullptr;  // of a payment, always
    DecodedPtr origin;                 // the frame in which the payment was submitted; may be `frame`
    const Payment* payment = nullptr;  // nullptr: that frame is older than kept history
};

class Subscription {
public:
    // Appends what waits, at most `count_max`, and gives its room back. Returns how many. An error ends the
    // subscription: not_found: the position is older than kept history; unavailable: the engine stops.
    Result<std::size_t> take(std::size_t count_max, std::vector<StreamEvent>& into);
    // What was told to all since; these have no place in the journal, and are lost with the connection.
    struct Notice {
        std::string event, json;
    };
    std::vector<Notice> notices();
    // What Last-Event-ID would be if all taken events were sent; further on when what followed did not match.
    Place position() const;
    // No wake follows once it has returned. The destructor does it too.
    void close();
    ~Subscription();

private:
    friend class Live;
    struct State;
    explicit Subscription(std::shared_ptr<State> state);
    std::shared_ptr<State> state_;
};

class Live {
public:
    Live(const FrameCache& frames, std::size_t events_max, std::size_t subscribers_max);
    ~Live();

    // `after`: the last event seen (Last-Event-ID); absent: from now on. Of `filter` count tenant, account, rail,
    // status, type, reference, currency, min_minor and max_minor. `wake`: called on the hub's thread when take() has
    // something new to give or to say; must not block, may be called in vain. unavailable: too many subscribers.
    Result<std::unique_ptr<Subscription>> subscribe(std::optional<Place> after, Search filter,
                                                    std::function<void()> wake);

    // To every subscriber; of those that do not read the newest few are kept.
    void tell(std::string event, std::string json);
    // Fills the queues that have room; returns how many frames it looked at. The engine's own: one thread calls it.
    Result<std::size_t> step();
    std::size_t subscribers() const;
    void stop();  // every subscription ends with `unavailable`

    // Called when a subscriber has made room: the engine wakes the stage. Set before the first subscribe().
    void on_room(std::function<void()> wake);

private:
    friend class Subscription;
    struct State;
    std::shared_ptr<State> state_;
};

}  // namespace nostro
