// The loop under every `nostro generate`: makes documents, frames them, hands them out at a pace until there are enough
// or somebody presses Ctrl-C, and tells what they were.
#pragma once
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "nostro/base/result.hpp"
#include "nostro/cli/stop_request.hpp"
#include "nostro/generate/tally.hpp"

namespace nostro::cli {

struct GenerateStream {
    std::string unit;         // "messages"
    std::uint64_t count = 0;  // 0: endless
    // Around the documents: before the first, between two, behind each, behind the last.
    std::string begin, between, after, end;
    // Appends the next document. nullopt: there are no more.
    std::function<std::optional<generate::Made>(std::string& to)> next;
};

struct GeneratePace {
    std::uint64_t rate = 0;   // documents a second; 0: as fast as it goes
    std::uint64_t batch = 0;  // documents that come at once; 0: one, or what a fiftieth of a second makes
};

struct GenerateSink {
    // Takes whole documents with what stands around them.
    std::function<Result<>(std::string_view text)> write;
    // What was written goes out now, since the next may take its time. May be empty.
    std::function<Result<>()> flush;
    std::uint64_t documents_max = 0;  // of one write; 0: any number
};

// Runs until `count` documents are out or a stop is asked for. Draws progress if wanted. Errors: the sink's.
Result<generate::Tally> run_generate(const GenerateStream& stream, const GeneratePace& pace, const GenerateSink& sink,
                                     const StopRequest& stop, bool show_progress);

// By type: count, mean, min and max; totals by currency; counts by status.
std::string tally_text(const generate::Tally& tally);
// The same as members of an open JSON object.
std::string tally_json_members(const generate::Tally& tally);

}  // namespace nostro::cli
