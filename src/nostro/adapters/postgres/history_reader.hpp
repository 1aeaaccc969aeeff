// What one question reads out of frames, and how the server's answers are taken apart. Inner part of history.hpp.
//
// Threads: one.
#pragma once
#include <algorithm>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "nostro/adapters/postgres/history.hpp"
#include "nostro/base/hex.hpp"
#include "nostro/base/text.hpp"
#include "nostro/ports/history_pages.hpp"
#include "nostro/wire/recorded.hpp"

namespace nostro {

// Of columns that this program has written, which are never out of range.
inline std::int64_t number_at(const PostgresAnswer& answer, int row, int column) {
    return parse_int64(answer.text(row, column)).value_or(0);
}
inline Place place_at(const PostgresAnswer& answer, int row, int column) {
    return {static_cast<Seq>(number_at(answer, row, column)),
            static_cast<std::uint32_t>(number_at(answer, row, column + 1))};
}
// Parameters, within what the columns hold: a cursor may name any place.
inline std::string seq_text(Seq seq) {
    return std::to_string(std::min<Seq>(seq, std::numeric_limits<std::int64_t>::max()));
}
inline std::string index_text(std::uint32_t index) {
    return std::to_string(std::min<std::uint32_t>(index, std::numeric_limits<std::int32_t>::max()));
}
template <class IdType>
std::string ids_text(const std::vector<IdType>& ids) {
    std::string text = "{";
    for (const IdType id : ids) {
        if (text.size() > 1) text += ',';
        append_hex(text, id);
    }
    return text + "}";
}

class PostgresHistory::Reader {
public:
    explicit Reader(const PostgresHistory& history) : history_(history) {}

    // not_found: it is not kept.
    Result<DecodedPtr> frame(Seq seq) {
        if (last_ == nullptr || last_->seq() != seq) {
            auto read = history_.options_.frame(seq);
            if (!read) return read.error();
            last_ = std::move(*read);
        }
        return last_;
    }
    // `corrupt`: the server names an outcome that is not there.
    Result<RecordedPart> outcome_at(Place place) {
        const auto read = frame(place.seq);
        if (!read) return read.error();
        const auto& outcomes = (*read)->changes.outcomes;
        if (place.index >= outcomes.size()) {
            return misplaced(place.seq, "outcome " + std::to_string(place.index));
        }
        const Outcome& outcome = outcomes[place.index];
        return RecordedPart{outcome, command_of(**read, outcome), place, (*read)->time(), *read};
    }

private:
    const PostgresHistory& history_;
    DecodedPtr last_;  // neighbours are often in it
};

}  // namespace nostro
