// The private parts of Session that its two sources share.
#pragma once
#include <algorithm>
#include <limits>
#include <memory>

#include "nostro/http/session.hpp"

namespace nostro {

// A request in memory of its own: one that came in pieces, or one that outlives the handler's call.
struct Session::Block {
    Block(std::shared_ptr<BodyBudget> budget_used, std::size_t size) : budget(std::move(budget_used)) { reserve(size); }
    ~Block() { budget->used.fetch_sub(counted, std::memory_order_relaxed); }
    Block(const Block&) = delete;
    Block& operator=(const Block&) = delete;

    void reserve(std::size_t size) {
        bytes.reserve(size + kBodyPadding);
        budget->used.fetch_add(bytes.capacity() - counted, std::memory_order_relaxed);
        counted = bytes.capacity();
    }
    // More than what came is taken as it comes: a length that is only announced costs nothing.
    std::size_t room() const { return bytes.capacity() - kBodyPadding - bytes.size(); }
    void append(std::string_view text) {
        const std::size_t size = bytes.size();
        if (text.size() > room()) reserve(std::max(size + text.size(), std::min(2 * (size + text.size()), most)));
        bytes.resize(size + text.size());
        if (!text.empty()) std::memcpy(bytes.data() + size, text.data(), text.size());
    }
    std::string_view text() const { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }
    std::string_view head_text() const { return text().substr(0, head_bytes); }
    std::string_view body() const { return text().substr(head_bytes); }

    std::shared_ptr<BodyBudget> budget;
    ByteBuffer bytes;  // head, body, padding
    std::size_t counted = 0;
    const Route* route = nullptr;
    std::size_t head_bytes = 0;
    std::size_t most = std::numeric_limits<std::size_t>::max();  // head and body together
    std::size_t body_bytes = 0;                                  // expected; of a chunked one: unknown
    RequestHead head;
    std::string decoded;
};

struct Session::Slot {
    Response response;
    const Route* route = nullptr;
    std::size_t path = Router::kNoPath;
    std::optional<Method> method;
    SteadyTime since{};
    bool ready = false;
    bool head_only = false;
    bool close = false;
    bool is_read = false;
};

}  // namespace nostro
