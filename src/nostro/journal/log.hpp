// Looking into a journal frame by frame: `nostro log`.
#pragma once
#include <functional>
#include <string>

#include "nostro/base/result.hpp"
#include "nostro/journal/segment_store.hpp"
#include "nostro/wire/frame.hpp"

namespace nostro {

struct LoggedFrame {
    const DecodedFrame& decoded;
    FramePlace place;
};

// Frames from..to of a data directory, also while its owner writes; 0 for `to`: up to the last one. `each` says false
// to stop. Returns the first frame not given. not_found: no journal, or older than kept history.
Result<Seq> read_log(const std::string& data_directory, Seq from, Seq to,
                     const std::function<bool(const LoggedFrame&)>& each);

// One line: "17 2026-11-21T09:30:00.123456Z 40 settled, 2 rejected; 3 accounts; 8 KiB at segments/...:4096".
std::string describe(const LoggedFrame& frame);
// One line an outcome: "17.4 settled 12.75 USD 5c2... -> 8fa... (payment 03...)".
std::string describe(const DecodedFrame& frame, std::size_t outcome);

// The same as a JSON document in one line; the counts are of the frame, "outcomes" are there when they are wished.
std::string describe_json(const LoggedFrame& frame, bool outcomes);

}  // namespace nostro
