// One client's conversation, without its socket: bytes in, requests to handlers, answers out in the order of the
// requests. Everything that HTTP/1.1 is, stands here, so all of it is tested by calling functions.
//
// The owner (http/server.cpp) feeds receive(), hands replies back by reply(), and after each of these calls
// advance() and writes what output() holds.
// Threads: one owner. Bounds: requests under way, bytes waiting, sizes and times, all in SessionLimits.
#pragma once
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "nostro/base/bytes.hpp"
#include "nostro/base/time.hpp"
#include "nostro/http/chunked.hpp"
#include "nostro/http/head.hpp"
#include "nostro/http/http_metrics.hpp"
#include "nostro/http/output.hpp"
#include "nostro/http/router.hpp"
#include "nostro/wire/http_message.hpp"

namespace nostro {

struct SessionLimits {
    HeadLimits head;
    std::size_t pipelined_max = 64;                  // requests of one connection under way
    std::size_t pipelined_reads_max = 2;             // of these, lists and the like: their answers may be large
    std::size_t output_bytes_max = 1u << 20;         // of one connection; then nothing more is read from it
    std::size_t skipped_body_bytes_max = 64 * 1024;  // a refused body up to here is read, so that the connection lives
    std::size_t body_bytes_in_flight_max = 512u << 20;  // of all connections together; then 503
    std::chrono::milliseconds head_timeout{10'000};
    std::chrono::milliseconds body_timeout{15'000};  // and a second more for each body_bytes_per_second_min received
    std::size_t body_bytes_per_second_min = 32 * 1024;
    std::chrono::milliseconds idle_timeout{75'000};
    std::chrono::milliseconds write_timeout{30'000};  // without one byte taken by the client
    std::chrono::milliseconds reply_timeout{60'000};  // then 503 outcome_unknown
    std::chrono::milliseconds linger_timeout{2'000};  // a refused client may still read the answer
    std::chrono::milliseconds heartbeat{15'000};      // of streams that have nothing to say
    // Only names of this machine itself are taken as Host: else a web page whose name was bound to 127.0.0.1 could
    // make its visitors' browsers pay. Set by the server when it listens on loopback.
    bool local_hosts_only = false;
    std::vector<std::string> hosts;  // further names
    // Whose pages may read answers and change things (CORS): an origin, or * for any; empty: those of this server
    // alone.
    std::string cors_origin;
};

// Where handlers and streams report from any thread; the owner of the session brings it to the session's own.
class SessionSink : public ReplySink {
public:
    virtual void stream_woken(std::uint64_t connection, std::uint64_t request) = 0;
    virtual void stream_part(std::uint64_t connection, std::uint64_t request, BodyStream::State state,
                             std::string part) = 0;
};

struct BodyBudget {
    std::atomic<std::size_t> used{0};
};

// What the sessions of one thread share.
struct SessionSurroundings {
    const Router* router = nullptr;
    const SessionLimits* limits = nullptr;
    HttpMetrics* metrics = nullptr;
    std::shared_ptr<SessionSink> sink;
    std::shared_ptr<BodyBudget> budget;
    std::string date;  // "Date: Sat, 21 Nov 2026 09:30:00 GMT\r\n"
    std::string cors;  // what every answer carries for pages of other origins; cors_fields()
    SteadyTime now{};  // set before each call of a session
    bool stopping = false;
    RequestHead head;     // of the request being read
    std::string decoded;  // of its parameters
};

// The header lines for SessionLimits::cors_origin.
std::string cors_fields(std::string_view cors_origin);

class Session {
public:
    Session(SessionSurroundings& surroundings, std::uint64_t connection);
    ~Session();
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;

    // Bytes that came. kBodyPadding bytes behind them may be read.
    void receive(std::string_view bytes);
    // Where the next bytes may be read to directly, a large body's own memory; empty: call receive(). Then received().
    std::span<char> direct();
    void received(std::size_t bytes);
    void end_of_input();

    void reply(std::uint64_t request, ReplySink::Render& render);
    void stream_woken(std::uint64_t request);
    void stream_part(std::uint64_t request, BodyStream::State state, std::string&& part);

    // Puts ready answers into output() and goes on with what waited for room.
    void advance();
    Output& output() { return output_; }
    void written(std::size_t bytes);

    bool wants_input() const;
    // Nothing more will be said: close once output() is empty; linger: the client may have sent more than was read.
    bool is_over() const { return over_; }
    bool must_linger() const { return refused_; }
    // Finishes what is under way, then is over.
    void stop();
    // What time brings: answers 408 or 503, heartbeats. False: close at once.
    bool tick();

private:
    struct Block;
    struct Slot;
    enum class In : std::uint8_t { head, body, chunked, skip, closed };

    std::size_t take(std::string_view bytes);
    std::size_t take_head(std::string_view bytes);
    std::size_t take_message(std::string_view bytes, std::size_t head_bytes);
    std::size_t take_body(std::string_view bytes);
    std::size_t take_chunked(std::string_view bytes);
    void begin_block(std::string_view head_bytes, const RequestHead& head, const Route& route);
    void finish_block();
    std::optional<Response> early_answer(const RequestHead& head, const Router::Found& found) const;
    std::optional<Refusal> early_refusal(const RequestHead& head, const Router::Found& found) const;
    std::optional<Response> body_fault(const RequestHead& head, const Route& route) const;
    Response options_answer(const RequestHead& head, const Router::Found& found) const;
    bool is_known_host(std::string_view host) const;
    bool is_own_origin(const RequestHead& head) const;
    void dispatch(const RequestHead& head, const Router::Found& found, std::string_view body,
                  std::shared_ptr<Block> block);
    // `path`: what seems to be the target of a head that cannot be read.
    void refuse(const Refusal& refusal, std::string_view path = {});
    void answer(std::uint64_t request, Response response);

    Slot& open_slot(const Router::Found& found, std::optional<Method> method, bool close);
    Slot* slot(std::uint64_t request);
    std::size_t open_slots() const { return next_ - first_; }
    bool has_room() const;
    void flush();
    void write_head(Slot& slot, bool close);
    void count(const Slot& slot) const;
    void pop_slot();
    void begin_stream(Slot& slot);
    void pump();
    void add_chunk(std::string_view part);
    void after_part(BodyStream::State state, std::string_view part);
    void end_stream();
    void close_input();

    SessionSurroundings& around_;
    const std::uint64_t connection_;

    In in_ = In::head;
    ByteBuffer pending_;  // input that could not be used yet
    HeadEnd head_end_;
    bool skipped_line_ = false;
    std::shared_ptr<Block> block_;
    std::optional<ChunkedDecoder> decoder_;
    std::uint64_t skip_left_ = 0;
    SteadyTime message_since_{};  // first byte of the head, or begin of the body; of an idle one: end of the last
    bool message_begun_ = false;
    bool continue_due_ = false;

    std::vector<Slot> slots_;  // ring; size is a power of two
    std::uint64_t first_ = 0, next_ = 0;
    std::size_t reads_open_ = 0;  // of these
    Output output_;
    SteadyTime written_since_{};
    std::shared_ptr<BodyStream> stream_;  // of the slot first_
    bool stream_ready_ = false, stream_pulling_ = false, stream_begun_ = false;
    bool over_ = false, refused_ = false, stopped_ = false;
};

}  // namespace nostro
