// The answering half of Session: from replies to bytes.
#include "nostro/http/session.hpp"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <exception>

#include "nostro/http/problem.hpp"
#include "nostro/http/refusals.hpp"
#include "nostro/http/session_block.hpp"

namespace nostro {
namespace {

constexpr std::size_t kStreamAhead = 64 * 1024;  // of a stream waiting for the socket

void append_number(std::string& to, std::uint64_t number, int base = 10) {
    char digits[24];
    const auto end = std::to_chars(digits, digits + sizeof digits, number, base).ptr;
    to.append(digits, end);
}

// Status lines with what every answer carries.
std::string_view status_line(std::uint16_t status) {
    switch (status) {
        case 200: return "HTTP/1.1 200 OK\r\n";
        case 201: return "HTTP/1.1 201 Created\r\n";
        case 202: return "HTTP/1.1 202 Accepted\r\n";
        default: return {};
    }
}

}  // namespace

Session::Session(SessionSurroundings& surroundings, std::uint64_t connection)
    : around_(surroundings),
      connection_(connection),
      message_since_(surroundings.now),
      written_since_(surroundings.now) {
    slots_.resize(1);
}

Session::~Session() {
    if (stream_ != nullptr) around_.metrics->streams.add(-1);
}

Session::Slot& Session::open_slot(const Router::Found& found, std::optional<Method> method, bool close) {
    if (open_slots() == slots_.size()) {  // full: twice the ring, in order
        std::vector<Slot> larger(slots_.size() * 2);
        for (std::uint64_t no = first_; no != next_; ++no) {
            larger[no & (larger.size() - 1)] = std::move(slots_[no & (slots_.size() - 1)]);
        }
        slots_ = std::move(larger);
    }
    Slot& opened = slots_[next_++ & (slots_.size() - 1)];
    opened.response.clear();
    const Route* const route = found.route;
    opened.route = route;
    opened.path = found.path;
    opened.method = method;
    opened.since = around_.now;
    opened.ready = false;
    opened.head_only = method == Method::head;
    opened.close = close;
    opened.is_read = route != nullptr && route->method == Method::get && (route->blocks || route->keeps_request);
    if (opened.is_read) ++reads_open_;
    return opened;
}

Session::Slot* Session::slot(std::uint64_t request) {
    if (request < first_ || request >= next_) return nullptr;
    return &slots_[request & (slots_.size() - 1)];
}

void Session::pop_slot() {
    if (slot(first_)->is_read) --reads_open_;
    Response& answered = slot(first_)->response;
    answered.stream.reset();
    if (answered.body.capacity() > Output::kCopyMax) answered.body = {};
    ++first_;
    if (first_ == next_ && !message_begun_) message_since_ = around_.now;
}

void Session::answer(std::uint64_t request, Response response) {
    Slot& answered = *slot(request);
    answered.response = std::move(response);
    answered.ready = true;
}

void Session::reply(std::uint64_t request, ReplySink::Render& render) {
    Slot* answered = slot(request);
    if (answered == nullptr || answered->ready) return;
    try {
        render(answered->response);
    } catch (const std::exception&) {  // out of memory, or a bug: this request alone pays for it
        answered->response.refuse(500, "internal_error", "the answer could not be written");
    }
    finish_refusal(answered->response, *around_.router, answered->route);
    answered->ready = true;
}

void Session::count(const Slot& answered) const {
    around_.metrics->answered(*around_.router, {.route = answered.route,
                                                .path = answered.path,
                                                .method = answered.method,
                                                .status = answered.response.status,
                                                .time = around_.now - answered.since});
}

void Session::write_head(Slot& answered, bool close) {
    const Response& response = answered.response;
    std::string& to = output_.tail();
    if (const auto line = status_line(response.status); !line.empty()) {
        to.append(line);
    } else {
        to.append("HTTP/1.1 ");
        append_number(to, response.status);
        to.append(" ").append(status_phrase(response.status)).append("\r\n");
    }
    to.append(around_.date);
    if (!response.content_type.empty()) to.append("Content-Type: ").append(response.content_type).append("\r\n");
    if (response.stream != nullptr) {
        to.append("Transfer-Encoding: chunked\r\n");
    } else if (response.status != 204) {
        to.append("Content-Length: ");
        append_number(to, response.fixed_body.empty() ? response.body.size() : response.fixed_body.size());
        to.append("\r\n");
    }
    if (!response.cacheable) to.append("Cache-Control: no-store\r\n");
    if (close) to.append("Connection: close\r\n");
    to.append("X-Content-Type-Options: nosniff\r\n").append(around_.cors).append(response.headers).append("\r\n");
}

void Session::flush() {
    while (first_ != next_ && stream_ == nullptr && !over_) {
        Slot& front = *slot(first_);
        if (!front.ready) break;
        const bool last = in_ == In::closed && first_ + 1 == next_;
        const bool close = front.close || last || (stopped_ && first_ + 1 == next_);
        if (output_.empty()) written_since_ = around_.now;
        write_head(front, close);
        count(front);
        if (front.response.stream != nullptr && !front.head_only) {
            add_chunk(front.response.body);
            begin_stream(front);
            return;
        }
        if (!front.head_only) {
            if (front.response.fixed_body.empty()) {
                if (front.response.body.size() <= Output::kCopyMax) {
                    output_.append(front.response.body);
                } else {
                    output_.append_owned(std::move(front.response.body));
                }
            } else {
                output_.append_static(front.response.fixed_body);
            }
        }
        pop_slot();
        if (close) {
            over_ = true;
            close_input();
        }
    }
    if (continue_due_ && open_slots() == 0) {
        continue_due_ = false;
        output_.append("HTTP/1.1 100 Continue\r\n\r\n");
    }
}

void Session::begin_stream(Slot& front) {
    stream_ = std::move(front.response.stream);
    stream_ready_ = true;
    stream_pulling_ = stream_begun_ = false;
    around_.metrics->streams.add(1);
    // A wake comes back as a reply to this request, on this connection's own thread.
    stream_->on_wake(
        [sink = around_.sink, connection = connection_, request = first_] { sink->stream_woken(connection, request); });
    if (stopped_ && !stream_->has_end()) end_stream();
}

void Session::stream_woken(std::uint64_t request) {
    if (stream_ != nullptr && request == first_) stream_ready_ = true;
}

void Session::stream_part(std::uint64_t request, BodyStream::State state, std::string&& part) {
    if (stream_ == nullptr || request != first_) return;
    stream_pulling_ = false;
    after_part(state, part);
}

void Session::add_chunk(std::string_view part) {
    if (part.empty()) return;
    if (output_.empty()) written_since_ = around_.now;
    std::string& to = output_.tail();
    append_number(to, part.size(), 16);
    to.append("\r\n").append(part).append("\r\n");
    slot(first_)->since = around_.now;
}

void Session::after_part(BodyStream::State state, std::string_view part) {
    add_chunk(part);
    if (state == BodyStream::State::more) stream_ready_ = true;
    if (state == BodyStream::State::end) end_stream();
}

void Session::end_stream() {
    output_.append("0\r\n\r\n");
    stream_.reset();
    around_.metrics->streams.add(-1);
    const bool last = (in_ == In::closed || stopped_) && first_ + 1 == next_;
    const bool close = slot(first_)->close || last;
    pop_slot();
    if (!close) return;
    over_ = true;
    close_input();
}

void Session::pump() {
    while (!over_ && stream_ != nullptr && stream_ready_ && !stream_pulling_ && output_.size() < kStreamAhead) {
        // A worker that is woken before the first write may take the processor from it, and what is ready would wait
        // for what comes next.
        if (stream_->blocks() && !stream_begun_ && !output_.empty()) return;
        stream_begun_ = true;
        // Before next() looks, so that a wake which comes while it does is not lost.
        stream_ready_ = false;
        if (stream_->blocks()) {
            stream_pulling_ = around_.sink->on_worker(
                [stream = stream_, sink = around_.sink, connection = connection_, request = first_] {
                    std::string part;
                    const BodyStream::State state = stream->next(part);
                    sink->stream_part(connection, request, state, std::move(part));
                });
            if (!stream_pulling_) stream_ready_ = true;  // the workers have too much to do: the next tick asks again
            return;
        }
        std::string part;
        const BodyStream::State state = stream_->next(part);
        after_part(state, part);
        flush();
    }
}

void Session::advance() {
    for (;;) {
        flush();
        pump();
        if (over_ || pending_.empty() || !has_room()) break;
        const std::size_t used = take({reinterpret_cast<const char*>(pending_.data()), pending_.size()});
        if (used == 0) break;
        const std::size_t left = pending_.size() >= used ? pending_.size() - used : 0;
        if (left != 0) std::memmove(pending_.data(), pending_.data() + used, left);
        pending_.resize(left);
    }
    if (in_ == In::closed && open_slots() == 0) over_ = true;
    if (stopped_ && open_slots() == 0 && !message_begun_) over_ = true;
}

void Session::written(std::size_t bytes) {
    around_.metrics->sent_bytes_total.add(bytes);
    output_.written(bytes);
    written_since_ = around_.now;
}

void Session::stop() {
    stopped_ = true;
    close_input();
    if (stream_ != nullptr && !stream_->has_end()) end_stream();
    if (open_slots() == 0) over_ = true;
}

bool Session::tick() {
    const SessionLimits& limits = *around_.limits;
    const auto passed = [&](SteadyTime since, std::chrono::nanoseconds most) { return around_.now - since > most; };
    if (!output_.empty() && passed(written_since_, limits.write_timeout)) {
        around_.metrics->timeouts_total.add();
        return false;
    }
    if (over_) return true;
    if (stream_ != nullptr) {
        const Slot& front = *slot(first_);
        if (output_.empty() && passed(front.since, limits.heartbeat)) add_chunk(stream_->heartbeat());
        return true;
    }
    if (open_slots() != 0 && !slot(first_)->ready && passed(slot(first_)->since, limits.reply_timeout)) {
        Response late;
        late.refuse(503, "outcome_unknown", "no answer came in time; ask again with the same key");
        finish_refusal(late, *around_.router, slot(first_)->route);
        answer(first_, std::move(late));
        return true;
    }
    if (in_ == In::closed || !wants_input()) return true;
    std::chrono::nanoseconds most = limits.idle_timeout;
    if (in_ == In::body || in_ == In::chunked || in_ == In::skip) {
        const std::size_t received = block_ == nullptr ? 0 : block_->bytes.size();
        most = limits.body_timeout + std::chrono::seconds(received / limits.body_bytes_per_second_min);
    } else if (message_begun_) {
        most = limits.head_timeout;
    } else if (open_slots() != 0) {
        return true;
    }
    if (!passed(message_since_, most)) return true;
    around_.metrics->timeouts_total.add();
    if (!message_begun_ && in_ == In::head) {  // idle: nothing to answer
        over_ = true;
        return true;
    }
    refuse({408, "request_timeout", "the request came too slowly"});
    return true;
}

}  // namespace nostro
