#include "nostro/ports/journal.hpp"

namespace nostro {

Result<Seq> Journal::follow(std::chrono::milliseconds) {
    return Error{ErrorCode::invalid, "journal: one of this kind has one process alone; nobody else can follow it"};
}

bool Journal::close_through(Seq) { return false; }

Result<> Journal::headers(Seq from, Seq through, std::vector<std::byte>& into) const {
    if (from > through) return {};
    const auto next = read(from, [&](const FramePtr& frame) {
        const auto header = frame->bytes().first(kFrameHeaderBytes);
        into.insert(into.end(), header.begin(), header.end());
        return frame->header.seq < through;
    });
    if (!next) return next.error();
    if (*next <= through) return Error{ErrorCode::not_found, "frame " + std::to_string(*next) + " is not accepted yet"};
    return {};
}

}  // namespace nostro
