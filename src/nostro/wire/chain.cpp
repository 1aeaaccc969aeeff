#include "nostro/wire/chain.hpp"

#include <string>
#include <utility>

namespace nostro {
namespace {

Error broken(const EncodedFrame& frame, const std::string& why) {
    return {ErrorCode::invalid, "frame " + std::to_string(frame.header.seq) + " does not continue the chain: " + why};
}

void set_header(ChainPoint& point, const EncodedFrame& frame) {
    point.seq = frame.header.seq;
    point.digest = frame.digest;
    point.time = frame.header.time;
    point.epoch = frame.header.epoch;
    point.nonce = frame.header.nonce;
}

}  // namespace

Result<> advance(ChainPoint& point, const EncodedFrame& frame) {
#ifdef NOSTRO_MUTANT_NO_CHAIN_RULE  // see tests/mutants
    set_header(point, frame);
    return {};
#endif
    const auto& header = frame.header;
    if (header.seq != point.seq + 1) return broken(frame, "frame " + std::to_string(point.seq + 1) + " is due");
    if (header.previous != point.digest) return broken(frame, "it names another frame before it");
    if (header.epoch < point.epoch) return broken(frame, "its epoch is older");
    if (header.time < point.time) return broken(frame, "its time goes back");
    if (header.accepted >= header.seq) return broken(frame, "it says of itself that it is durable");
    // Kept from call to call: the writer's thread allocates nothing.
    thread_local std::vector<Cursor> first, last;
    if (auto decoded = decode_cursors(frame, first, last); !decoded) return decoded.error();
    if (first != point.cursors) return broken(frame, "its sources begin elsewhere than they had been read to");
    set_header(point, frame);
    point.cursors.assign(last.begin(), last.end());
    return {};
}

Result<ChainPoint> point_behind(const EncodedFrame& frame) {
    ChainPoint point;
    std::vector<Cursor> first;
    if (auto decoded = decode_cursors(frame, first, point.cursors); !decoded) return decoded.error();
    set_header(point, frame);
    return point;
}

}  // namespace nostro
