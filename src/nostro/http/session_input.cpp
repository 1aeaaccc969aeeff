// The reading half of Session: from bytes to handlers.
#include <algorithm>
#include <cstring>
#include <exception>

#include "nostro/base/log.hpp"
#include "nostro/base/text.hpp"
#include "nostro/http/parameters.hpp"
#include "nostro/http/problem.hpp"
#include "nostro/http/refusals.hpp"
#include "nostro/http/session_block.hpp"

namespace nostro {
namespace {

std::string_view text_of(const ByteBuffer& bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

void append(ByteBuffer& to, std::string_view text) {
    const std::size_t size = to.size();
    if (size + text.size() + kBodyPadding > to.capacity()) to.reserve(size + text.size() + 1024 + kBodyPadding);
    to.resize(size + text.size());
    if (!text.empty()) std::memcpy(to.data() + size, text.data(), text.size());
}

constexpr std::size_t kKeptPending = 16 * 1024;  // memory that an idle connection may hold on to
constexpr std::size_t kFirstBytes = 16 * 1024;   // memory for a body of which nothing has come yet

void drop_front(ByteBuffer& bytes, std::size_t count) {
    const std::size_t left = bytes.size() - std::min(count, bytes.size());  // it may have been cleared meanwhile
    if (left != 0) std::memmove(bytes.data(), bytes.data() + count, left);
    bytes.resize(left);
    if (left == 0 && bytes.capacity() > kKeptPending) bytes = ByteBuffer();
}

// The route's form that a Content-Type names; empty: none. The only parameter taken is charset=utf-8.
std::string_view taken_type(const Route& route, std::string_view content_type) {
    const auto [type, parameters] = split_once(content_type, ';');
    const std::string_view rest = trim(parameters);
    if (!rest.empty() && !equal_ignoring_case(rest, "charset=utf-8") &&
        !equal_ignoring_case(rest, "charset=\"utf-8\"")) {
        return {};
    }
    for (const Content& content : route.takes) {
        if (equal_ignoring_case(trim(type), content.type)) return content.type;
    }
    return {};
}

bool is_loopback_name(std::string_view host) {
    return equal_ignoring_case(host, "localhost") || host == "[::1]" || host.starts_with("127.") ||
           (host.size() > 10 && equal_ignoring_case(host.substr(host.size() - 10), ".localhost"));
}

// Whether a native route can take a body that is there or not.
std::optional<Refusal> missing_body(const RequestHead& head, const Route& route) {
    if (route.takes.empty()) {
        if (!head.has_body()) return std::nullopt;
        return Refusal{400, "body_not_taken", "this route takes no body"};
    }
    if (head.has_body() || !route.body_required) return std::nullopt;
    if (!head.content_length) return Refusal{411, "length_required", "send a body with Content-Length or chunked"};
    return Refusal{400, "body_missing", "the body is empty"};
}

// With a slash too many behind a profile's path, the originals name the path without it.
std::optional<Response> redirect_of(const Router& router, const RequestHead& head) {
    if (!router.has_profiles() || head.path.size() < 2 || !head.path.ends_with('/')) return std::nullopt;
    const std::string_view path = head.path.substr(0, head.path.size() - 1);
    if (!router.is_of_profile(path)) return std::nullopt;
    Response response;
    response.status = 307;
    response.content_type = {};
    std::string location(path);
    if (!head.query.empty()) location.append("?").append(head.query);
    response.header("Location", location);
    return response;
}

void run_handler(const Route& route, const Request& request, const Reply& reply) {
    try {
        route.handler(request, reply);
    } catch (const std::exception& failure) {
        log_error("http_handler_failed", {{"operation", route.operation}, {"what", failure.what()}});
        reply.later([](Response& response) {
            response.refuse(500, "internal_error", "the request met a fault of the program; the log says more");
        });
    }
}

}  // namespace

std::string cors_fields(std::string_view cors_origin) {
    if (cors_origin.empty()) return {};
    std::string fields = "Access-Control-Allow-Origin: ";
    fields.append(cors_origin).append("\r\n");
    fields.append("Access-Control-Expose-Headers: Location, Idempotent-Replayed, Retry-After\r\n");
    return fields;
}

void Session::receive(std::string_view bytes) {
    around_.metrics->received_bytes_total.add(bytes.size());
    if (in_ == In::closed) return;
    if (!message_begun_ && !bytes.empty()) {
        message_begun_ = true;
        message_since_ = around_.now;
    }
    if (pending_.empty()) {
        append(pending_, bytes.substr(take(bytes)));
        return;
    }
    append(pending_, bytes);
    drop_front(pending_, take(text_of(pending_)));
}

std::span<char> Session::direct() {
    if (in_ != In::body || !pending_.empty()) return {};
    ByteBuffer& bytes = block_->bytes;
    const std::size_t left = block_->head_bytes + block_->body_bytes - bytes.size();
    return {reinterpret_cast<char*>(bytes.data()) + bytes.size(), std::min(left, block_->room())};
}

void Session::received(std::size_t bytes) {
    around_.metrics->received_bytes_total.add(bytes);
    block_->bytes.resize(block_->bytes.size() + bytes);
    if (block_->bytes.size() == block_->head_bytes + block_->body_bytes) finish_block();
}

bool Session::has_room() const {
    return in_ != In::closed && !stopped_ && open_slots() < around_.limits->pipelined_max &&
           reads_open_ < around_.limits->pipelined_reads_max && output_.size() < around_.limits->output_bytes_max;
}

bool Session::wants_input() const { return has_room() || in_ == In::closed; }

void Session::end_of_input() {
    // Half a message will never be whole. Answers under way are still sent, but nobody follows events any more.
    const bool unread = stream_ != nullptr && !stream_->has_end();
    if (unread || open_slots() == 0) over_ = true;
    if (unread) output_.clear();
    close_input();
}

void Session::close_input() {
    in_ = In::closed;
    pending_.clear();
    block_.reset();
    continue_due_ = false;
}

// Returns how many bytes were used; the rest is kept for when more came, or when there is room.
std::size_t Session::take(std::string_view bytes) {
    std::size_t used = 0;
    while (used < bytes.size() && has_room()) {
        const std::string_view rest = bytes.substr(used);
        std::size_t taken = 0;
        switch (in_) {
            case In::head: taken = take_head(rest); break;
            case In::body: taken = take_body(rest); break;
            case In::chunked: taken = take_chunked(rest); break;
            case In::skip:
                taken = static_cast<std::size_t>(std::min<std::uint64_t>(skip_left_, rest.size()));
                skip_left_ -= taken;
                if (skip_left_ == 0) in_ = In::head;
                break;
            case In::closed: break;
        }
        if (in_ == In::closed) return bytes.size();
        if (taken == 0) break;
        used += taken;
        // What follows is the begin of another message.
        message_begun_ = in_ != In::head || used < bytes.size();
        if (in_ == In::head) message_since_ = around_.now;
    }
    return used;
}

std::size_t Session::take_head(std::string_view bytes) {
    // RFC 9112 asks to overlook one empty line before a request; some clients send it after a body.
    if (!skipped_line_ && bytes[0] == '\r') {
        if (bytes.size() == 1) return 0;
        if (bytes[1] == '\n') {
            skipped_line_ = true;
            return 2;
        }
    }
    const auto end = head_end_.find(bytes, around_.limits->head);
    if (!end) {
        refuse(end.error());
        return bytes.size();
    }
    if (!*end) return 0;
    head_end_.restart();
    skipped_line_ = false;
    return take_message(bytes, **end);
}

std::size_t Session::take_message(std::string_view bytes, std::size_t head_bytes) {
    RequestHead& head = around_.head;
    const std::string_view head_text = bytes.substr(0, head_bytes);
    if (auto good = parse_head(head_text, around_.limits->head, head); !good) {
        refuse(good.error(), split_once(split_once(head_text, ' ').second, ' ').first);
        return bytes.size();
    }
    const Router::Found found = head.method ? around_.router->find(*head.method, head.path) : Router::Found{};
    const std::uint64_t body_bytes = head.content_length.value_or(0);
    if (auto early = early_answer(head, found)) {
        const bool skip = !head.chunked && !head.expects_continue && head.method &&
                          body_bytes <= around_.limits->skipped_body_bytes_max;
        open_slot(found, head.method, head.close || !skip);
        answer(next_ - 1, std::move(*early));
        if (head.close || !skip) {
            refused_ = refused_ || head.has_body();
            close_input();
            return bytes.size();
        }
        skip_left_ = body_bytes;
        if (skip_left_ != 0) in_ = In::skip;
        return head_bytes;
    }
    if (!head.chunked && bytes.size() - head_bytes >= body_bytes) {
        const auto body = bytes.substr(head_bytes, static_cast<std::size_t>(body_bytes));
        const bool close = head.close;
        dispatch(head, found, body, nullptr);
        if (close) close_input();
        return head_bytes + body.size();
    }
    begin_block(head_text, head, *found.route);
    return head_bytes;
}

void Session::begin_block(std::string_view head_bytes, const RequestHead& head, const Route& route) {
    const std::size_t expected = head.chunked ? 4096 : static_cast<std::size_t>(*head.content_length);
    block_ = std::make_shared<Block>(around_.budget, head_bytes.size() + std::min(expected, kFirstBytes));
    if (!head.chunked) block_->most = head_bytes.size() + expected;
    block_->append(head_bytes);
    block_->route = &route;
    block_->head_bytes = head_bytes.size();
    block_->body_bytes = expected;
    in_ = head.chunked ? In::chunked : In::body;
    if (head.chunked) decoder_.emplace(route.body_bytes_max);
    continue_due_ = head.expects_continue;
}

std::size_t Session::take_body(std::string_view bytes) {
    continue_due_ = false;
    const std::size_t left = block_->head_bytes + block_->body_bytes - block_->bytes.size();
    const std::string_view part = bytes.substr(0, left);
    block_->append(part);
    if (part.size() == left) finish_block();
    return part.size();
}

std::size_t Session::take_chunked(std::string_view bytes) {
    continue_due_ = false;
    std::size_t used = 0;
    for (;;) {
        auto step = decoder_->step(bytes.substr(used));
        if (!step) {
            refuse(step.error());
            return bytes.size();
        }
        used += step->taken;
        block_->append(step->data);
        if (step->done) {
            finish_block();
            return used;
        }
        if (step->taken == 0) return used;
    }
}

// The message is complete. Its head is read again, because it stands in another place now.
void Session::finish_block() {
    const std::shared_ptr<Block> block = std::move(block_);
    in_ = In::head;
    message_begun_ = false;
    message_since_ = around_.now;
    if (auto good = parse_head(block->head_text(), around_.limits->head, block->head); !good) {
        refuse(good.error());
        return;
    }
    const Router::Found found = around_.router->find(*block->head.method, block->head.path);
    const bool close = block->head.close;
    // Only a chunked body can turn out to be empty.
    if (found.route->body_required && found.route->profile.empty() && block->body().empty()) {
        open_slot(found, block->head.method, close);
        answer(next_ - 1, problem(400, "body_missing", "the body is empty"));
    } else {
        dispatch(block->head, found, block->body(), block);
    }
    if (close) close_input();
}

bool Session::is_known_host(std::string_view host) const {
    if (!around_.limits->local_hosts_only) return true;
    const std::string_view host_part = host_name(host);
    return is_loopback_name(host_part) || std::ranges::any_of(around_.limits->hosts, [&](const std::string& known) {
               return equal_ignoring_case(known, host_part);
           });
}

bool Session::is_own_origin(const RequestHead& head) const {
    const std::size_t scheme_end = head.origin.find("://");  // https: behind a proxy that speaks TLS
    return scheme_end != std::string_view::npos && equal_ignoring_case(head.origin.substr(scheme_end + 3), head.host);
}

// What a browser asks before a page of another origin may send something is answered for every route.
Response Session::options_answer(const RequestHead& head, const Router::Found& found) const {
    Response response;
    response.status = 204;
    response.content_type = {};
    const std::string_view allow = found.allow.empty() ? "GET, HEAD, POST, PUT, PATCH, OPTIONS" : found.allow;
    response.header("Allow", allow);
    if (around_.cors.empty() || head.origin.empty()) return response;
    response.header("Access-Control-Allow-Methods", allow);
    for (const HeaderField& field : head.headers()) {
        if (!equal_ignoring_case(field.name, "access-control-request-headers")) continue;
        response.header("Access-Control-Allow-Headers", field.value);
        response.header("Vary", "Access-Control-Request-Headers");
    }
    response.header("Access-Control-Max-Age", "600");
    return response;
}

std::optional<Refusal> Session::early_refusal(const RequestHead& head, const Router::Found& found) const {
    if (!is_known_host(head.host)) {
        return Refusal{421, "host_not_served", "this address answers to names of this machine only, such as localhost"};
    }
    if (!head.method) return Refusal{501, "method_not_known", "no route here knows this method"};
    if (head.expects_other) return Refusal{417, "expectation_failed", "the only Expect known is 100-continue"};
    const bool framework = refusal_shape(*around_.router, found.route, head.path) == RefusalShape::framework;
    if (found.allow.empty() && head.path != "*") {
        return Refusal{404, "not_found", framework ? "Not Found" : "there is nothing at this path; / has a list"};
    }
    if (head.method == Method::options) return std::nullopt;
    if (found.route == nullptr) {
        return Refusal{405, "method_not_allowed",
                       framework ? "Method Not Allowed" : "this path takes other methods; Allow names them"};
    }
    const bool changes = found.route->method != Method::get;
    if (changes && !head.origin.empty() && !is_own_origin(head) && around_.limits->cors_origin != "*" &&
        around_.limits->cors_origin != head.origin) {
        return Refusal{403, "cross_origin", "pages of other origins may not change anything here"};
    }
    return std::nullopt;
}

// What can be said from the head alone.
std::optional<Response> Session::early_answer(const RequestHead& head, const Router::Found& found) const {
    if (auto refusal = early_refusal(head, found)) {
        if (refusal->status == 404) {
            if (auto elsewhere = redirect_of(*around_.router, head)) return elsewhere;
        }
        Response response = refusal_of(refusal_shape(*around_.router, found.route, head.path), *refusal);
        if (refusal->status == 405) response.header("Allow", found.allow);
        return response;
    }
    if (head.method == Method::options) return options_answer(head, found);
    return body_fault(head, *found.route);
}

std::optional<Response> Session::body_fault(const RequestHead& head, const Route& route) const {
    const RefusalShape shape = refusal_shape(*around_.router, &route, route.path);
    // A profile's handler says what is wrong with a body itself, but not with one that is too large.
    if (route.profile.empty()) {
        if (auto refusal = missing_body(head, route)) return refusal_of(shape, *refusal);
    }
    if (!head.has_body()) return std::nullopt;
    for (const HeaderField& field : head.headers()) {
        if (!equal_ignoring_case(field.name, "Content-Encoding") || equal_ignoring_case(field.value, "identity"))
            continue;
        return refusal_of(shape, {415, "content_encoding_not_supported",
                                  "a body in a Content-Encoding is not read here; send it as it is"});
    }
    if (head.content_length.value_or(0) > route.body_bytes_max) {
        const std::string detail = "the body is larger than " + format_bytes(route.body_bytes_max);
        return refusal_of(shape, {413, "body_too_large", detail});
    }
    if (route.profile.empty() && taken_type(route, head.content_type).empty()) {
        std::string detail = "Content-Type must be";
        for (const Content& content : route.takes)
            detail.append(&content == route.takes.data() ? " " : " or ").append(content.type);
        return refusal_of(shape, {415, "content_type_not_supported", detail});
    }
    // Small ones are bounded by the number of connections: whoever sends large ones slowly is not in their way.
    const std::uint64_t most = head.chunked ? route.body_bytes_max : *head.content_length;
    if (most > around_.limits->skipped_body_bytes_max &&
        around_.budget->used.load(std::memory_order_relaxed) > around_.limits->body_bytes_in_flight_max) {
        return refusal_of(shape, {503, "overloaded", "too many large bodies are under way; try again"});
    }
    return std::nullopt;
}

void Session::dispatch(const RequestHead& head, const Router::Found& found, std::string_view body,
                       std::shared_ptr<Block> block) {
    const Route& route = *found.route;
    if ((route.blocks || route.keeps_request) &&
        block == nullptr) {  // the request outlives this call: it gets memory of its own
        block = std::make_shared<Block>(around_.budget, head.path.size() + body.size() + 1024);
        const char* begin = head.method_text.data();
        const HeaderField& last = head.fields[head.field_count - 1];
        const auto head_bytes = static_cast<std::size_t>(last.value.data() + last.value.size() - begin);
        block->append({begin, head_bytes});
        block->append("\r\n\r\n");
        block->head_bytes = head_bytes + 4;
        block->append(body);
        if (auto good = parse_head(block->head_text(), around_.limits->head, block->head); !good)
            return refuse(good.error());
        return dispatch(block->head, around_.router->find(*block->head.method, block->head.path), block->body(), block);
    }
    open_slot(found, head.method, head.close);
    Request request;
    request.method = *head.method;
    request.path = head.path;
    request.query = head.query;
    request.body = body;
    if (!route.profile.empty()) {
        request.content_type = head.content_type;
    } else if (!body.empty()) {
        request.content_type = taken_type(route, head.content_type);
    }
    request.headers = head.headers();
    request.route = &route;
    request.memory = block;
    std::string& decoded = block == nullptr ? around_.decoded : block->decoded;
    decoded.clear();
    if (auto fault = read_parameters(found.segments(), head, decoded, request)) {
        if (refusal_shape(*around_.router, &route, route.path) == RefusalShape::framework) {
            if (fault->status == 400) return answer(next_ - 1, framework_refusal(*fault, request));
            return answer(next_ - 1, refusal_of(RefusalShape::framework, {fault->status, fault->code, fault->detail}));
        }
        const std::pair<std::string_view, std::string_view> named{"parameter", fault->parameter};
        return answer(next_ - 1, problem(fault->status, fault->code, fault->detail, nullptr, {&named, 1}));
    }
    const Reply reply(around_.sink, connection_, next_ - 1);
    if (!route.blocks) return run_handler(route, request, reply);
    reply.on_worker([request = std::move(request), reply] { run_handler(*request.route, request, reply); });
}

// Nothing after this can be understood: answers, and reads no more.
void Session::refuse(const Refusal& refusal, std::string_view path) {
    around_.metrics->refused_heads_total.add();
    const Route* const route = block_ == nullptr ? nullptr : block_->route;
    if (route != nullptr) path = route->path;
    open_slot({}, std::nullopt, true);
    const RefusalShape shape = path.empty() ? RefusalShape::problem : refusal_shape(*around_.router, route, path);
    answer(next_ - 1, refusal_of(shape, refusal));
    refused_ = true;
    close_input();
}

}  // namespace nostro
