// HTTP messages and routes as plain values: what a handler sees, without sockets, threads or parsing. A route is
// data, from which the router, the checks of parameters and the OpenAPI document all derive.
//
// Lifetime: the views of a Request live as long as the handler's call, and beyond it as long as `memory` is held.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace nostro {

enum class Method : std::uint8_t { get, head, post, put, patch, del, options };
std::string_view name(Method method);

struct HeaderField {
    std::string_view name, value;
};

struct Route;

// simdjson reads so far beyond the end of what it parses; that many bytes behind a body may be read.
constexpr std::size_t kBodyPadding = 64;
constexpr std::size_t kParametersMax = 16;

struct Request {
    Method method = Method::get;
    std::string_view path;          // as sent: /v1/payments
    std::string_view query;         // as sent, without '?'
    std::string_view content_type;  // of the body, as the route lists it; empty: there is no body. A profile's: as sent
    std::string_view body;
    std::span<const HeaderField> headers;
    const Route* route = nullptr;
    // Decoded and checked, in the order of route->parameters; data() == nullptr: not sent.
    std::array<std::string_view, kParametersMax> values{};
    std::shared_ptr<const void> memory;  // keeps every view alive; nullptr: they end with the call

    // The value of one of the route's parameters; empty when it was not sent.
    std::string_view parameter(std::string_view name) const;
    bool has(std::string_view name) const;
    // Of any header; empty when it was not sent.
    std::string_view header(std::string_view name) const;
};

// A body that is made while it is sent: server-sent events, exports. The server asks for the next part only when
// the one before has left, so a slow reader costs one part of memory and holds up nobody.
class BodyStream {
public:
    enum class State : std::uint8_t {
        more,  // ask again
        wait,  // nothing now; ask again after `wake`
        end,
    };
    virtual ~BodyStream() = default;
    // Appends the next part, some 16 to 64 KiB. Runs on a worker if blocks(), else on the connection's own thread;
    // never two at a time.
    virtual State next(std::string& into) = 0;
    virtual bool blocks() const { return false; }
    // A document, not a flow of events: whoever stops waits for its end, because half of it would look whole.
    virtual bool has_end() const { return true; }
    // Called once, before next(). `wake` may be called from any thread, in vain too, and after the stream is gone.
    virtual void on_wake(std::function<void()> /*wake*/) {}
    // Sent when nothing else was for a while; empty: nothing.
    virtual std::string_view heartbeat() const { return {}; }
};

struct Response {
    std::uint16_t status = 200;
    std::string_view content_type = "application/json";  // lives for ever; empty: no body
    std::string headers;                                 // further ones, each "Name: value\r\n"
    std::string body;
    std::string_view fixed_body;         // instead of both: bytes that live for ever
    std::unique_ptr<BodyStream> stream;  // what follows `body`
    bool cacheable = false;              // else Cache-Control: no-store is sent
    // Of a refusal that the server is to put into words, in the shape of the route; both live for ever.
    std::string_view refusal_code, refusal_detail;

    void refuse(std::uint16_t with_status, std::string_view code, std::string_view detail);
    void header(std::string_view header_name, std::string_view value);
    void clear();  // as new, with the memory it has
};

// Where the answer to one request goes. Copies are the same place. Threads: any.
// The first answer counts, later ones are dropped; without one the server answers 503 outcome_unknown in the end.
class ReplySink {
public:
    using Render = std::move_only_function<void(Response&)>;
    virtual ~ReplySink() = default;
    virtual void reply(std::uint64_t connection, std::uint64_t request, Render render) = 0;
    // Runs `work`, which may block, on a worker; false: too much waits already.
    virtual bool on_worker(std::move_only_function<void()> work) = 0;
};

class Reply {
public:
    Reply() = default;
    Reply(std::shared_ptr<ReplySink> sink, std::uint64_t connection, std::uint64_t request)
        : sink_(std::move(sink)), connection_(connection), request_(request) {}

    void operator()(Response response) const;
    // Runs `render` on the connection's own thread, so that the caller (settlement) only hands over facts.
    void later(ReplySink::Render render) const { sink_->reply(connection_, request_, std::move(render)); }
    // Runs `work`, which may block and answers by this Reply; when too much waits, 503 is answered instead.
    void on_worker(std::move_only_function<void()> work) const;

private:
    std::shared_ptr<ReplySink> sink_;
    std::uint64_t connection_ = 0, request_ = 0;
};

// --- routes -------------------------------------------------------------------------------------------------

enum class ParameterIn : std::uint8_t { path, query, header };
// Each has one check and one schema, side by side in http/parameters.cpp.
enum class ParameterKind : std::uint8_t {
    text,          // min..max characters
    integer,       // min..max
    choice,        // one of `choices`
    instant,       // RFC 3339
    as_of,         // RFC 3339 or seq:N
    decimal,       // an amount
    currency,      // three capitals
    payment_id,    // 32 hex digits
    account_name,  // as domain/account.hpp says
    key,           // Idempotency-Key
    place,         // seq.index
    prefer,        // any; what it does not know is ignored, as RFC 7240 says
};

struct Parameter {
    std::string_view name;
    ParameterIn in = ParameterIn::query;
    ParameterKind kind = ParameterKind::text;
    bool required = false;
    std::int64_t min = 0, max = 0;
    std::vector<std::string_view> choices{};
    std::string_view description{};
    std::string_view example{};
};

// One form in which a route takes its body or gives an answer; `schema` names one of openapi_schemas.json, or one that
// the route's profile brings.
struct Content {
    std::string_view type;
    std::string_view schema;
};
struct RouteAnswer {
    std::uint16_t status = 200;
    std::string_view description;
    std::vector<Content> content{};           // empty: no body
    std::vector<std::string_view> headers{};  // names, described in http/openapi.cpp
};

using Handler = std::function<void(const Request& request, const Reply& reply)>;

struct Route {
    Method method = Method::get;
    std::string_view path;  // "/v1/payments/{id}"
    std::string_view operation, tag, summary, description;
    std::vector<Parameter> parameters;  // those of the path first, in its order
    std::vector<Content> takes;         // empty: no body
    bool body_required = true;          // of those that take one
    std::size_t body_bytes_max = 64 * 1024;
    std::vector<RouteAnswer> answers;
    bool blocks = false;  // the handler may wait for a disk: it runs on a worker, and its Request keeps its memory
    bool keeps_request = false;  // it does not, but its Request has to outlive the call
    bool hidden = false;         // not in the OpenAPI document: pages for people
    // Whose it is: a profile's name. Its refusals have the shape that clients of that system know
    // (wire/framework_errors.hpp), its handler meets bodies of any type, absent ones too, and it stands in that
    // system's API document. Empty: native, problem+json.
    std::string_view profile{};
    Handler handler;
};

}  // namespace nostro
