// The live stream as server-sent events.
#include <memory>
#include <mutex>
#include <string>

#include "nostro/base/text.hpp"
#include "nostro/http/answers.hpp"
#include "nostro/http/api.hpp"

namespace nostro {
namespace {

constexpr std::size_t kEventsAtOnce = 128;

// Where the hub's wakes go: the subscription begins before the connection can be woken.
class WakeSlot {
public:
    void set(std::function<void()> wake) {
        const std::lock_guard lock(mutex_);
        wake_ = std::move(wake);
    }
    void operator()() {
        std::function<void()> wake;
        {
            const std::lock_guard lock(mutex_);
            wake = wake_;
        }
        if (wake) wake();
    }

private:
    std::mutex mutex_;
    std::function<void()> wake_;
};

class EventStream final : public BodyStream {
public:
    EventStream(Service& service, std::shared_ptr<WakeSlot> wake) : service_(service), wake_(std::move(wake)) {}
    ~EventStream() override { wake_->set({}); }

    void begin(std::unique_ptr<Subscription> subscription) { subscription_ = std::move(subscription); }
    bool has_end() const override { return false; }
    void on_wake(std::function<void()> wake) override { wake_->set(std::move(wake)); }
    std::string_view heartbeat() const override { return ": heartbeat\n\n"; }

    State next(std::string& into) override {
        if (!begun_) {  // at once, so that a client knows that it listens
            begun_ = true;
            into.append("retry: 1000\n: the outcomes of payments follow\n\n");
        }
        events_.clear();
        const auto taken = subscription_->take(kEventsAtOnce, events_);
        if (!taken) {
            end(into, taken.error());
            return State::end;
        }
        for (const StreamEvent& event : events_) add(into, event);
        for (const auto& [event, json] : subscription_->notices()) {
            into.append("event: ").append(event).append("\ndata: ").append(json).append("\n\n");
        }
        return *taken == kEventsAtOnce ? State::more : State::wait;
    }

private:
    void add(std::string& into, const StreamEvent& event) const {
        into.append("id: ").append(std::to_string(event.place.seq)).append(".");
        into.append(std::to_string(event.place.index)).append("\nevent: payment\ndata: ");
        JsonWriter json(into);
        const Outcome& outcome = *event.outcome;
        const PolicyPtr policy = service_.policies().version(outcome.tenant, outcome.why.version);
        write_event(json, outcome, event.payment, event.place, event.at, policy.get());
        into.append("\n\n");
    }
    static void end(std::string& into, const Error& error) {
        const bool dropped = error.code == ErrorCode::not_found;
        const Response told =
            problem(dropped ? 410 : 503, dropped ? "history_dropped" : words_of(error).code, error.what);
        into.append("event: error\ndata: ").append(told.body).append("\n\n");
    }

    Service& service_;
    std::shared_ptr<WakeSlot> wake_;
    std::unique_ptr<Subscription> subscription_;
    std::vector<StreamEvent> events_;
    bool begun_ = false;
};

void open_stream(Service& service, const Request& request, const Reply& reply) {
    Search filter;
    if (const auto bad = read_filters(service, request, filter)) return refuse_parameter(reply, *bad);
    std::optional<Place> after;
    if (request.has("Last-Event-ID")) {
        const auto [seq, index] = split_once(request.parameter("Last-Event-ID"), '.');
        after = Place{*parse_uint64(seq), *parse_uint32(index)};
        if (after->seq > service.accepted()) {
            return refuse_parameter(reply, {"Last-Event-ID", "is behind the newest event; is this another journal?"});
        }
    }
    const auto wake = std::make_shared<WakeSlot>();
    auto stream = std::make_unique<EventStream>(service, wake);
    auto subscription = service.live().subscribe(after, std::move(filter), [wake] { (*wake)(); });
    if (!subscription) return refuse(reply, subscription.error());
    stream->begin(std::move(*subscription));
    Response response;
    response.content_type = "text/event-stream";
    response.stream = std::move(stream);
    reply(std::move(response));
}

}  // namespace

std::vector<Route> stream_routes(const Api& api) {
    Service& service = *api.service;
    Route route =
        route_of(Method::get, "/v1/stream", "streamEvents", "Stream", "Outcomes of payments as they become durable");
    route.description =
        "Server-sent events. Each has an id; sent back as `Last-Event-ID` (browsers do so by themselves) it resumes "
        "without a "
        "gap. A comment comes every 15 s when nothing else does. A slow reader stays behind and misses nothing. An "
        "event `drift` without an id says that a store has "
        "begun to differ from the journal, or no longer does.";
    route.parameters = filter_parameters();
    route.parameters.push_back({.name = "Last-Event-ID",
                                .in = ParameterIn::header,
                                .kind = ParameterKind::place,
                                .description = "The last event that was seen.",
                                .example = "17.4"});
    route.answers = {{200, "Events until one side ends.", {{"text/event-stream", ""}}, {}}};
    add_problems(route, {400, 503});
    route.handler = [&service](const Request& request, const Reply& reply) { open_stream(service, request, reply); };
    std::vector<Route> routes;
    routes.push_back(std::move(route));
    return routes;
}

}  // namespace nostro
