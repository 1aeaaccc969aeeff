// How frames are read back: the newest from memory, older ones out of the table.
#include <fmt/format.h>

#include <algorithm>
#include <thread>
#include <utility>

#include "nostro/adapters/postgres/postgres_journal.hpp"
#include "nostro/base/text.hpp"
#include "nostro/wire/frame_record.hpp"

namespace nostro {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr std::size_t kReadersKept = 4;
// Whoever follows asks that often: a question to one row, some 50 us of a server's time.
constexpr milliseconds kLookEvery{5};
// Of one statement, unless its first frame is larger.
constexpr std::size_t kFramesMax = 1'024, kBytesMax = 4u << 20;

}  // namespace

// Rows that are missing at the beginning were deleted by somebody who wanted them gone.
Result<> PostgresJournal::check_begin(PostgresClient& client, Seq from) const {
    const auto answer = client.run(
        {fmt::format("SELECT coalesce(min(seq), 0) FROM {}.frames WHERE book = $1", sql_name(options_.schema)),
         {std::to_string(options_.book)}});
    if (!answer) return answer.error();
    const auto first = parse_uint64(answer->text(0, 0));
    if (!first || *first <= from) return {};
    return Error{ErrorCode::not_found,
                 fmt::format("{}: frame {} is older than the history that is kept: {}.frames begins with frame {}",
                             client.place(), from, options_.schema, *first)};
}

Result<std::vector<FramePtr>> PostgresJournal::read_stored(PostgresClient& client, Seq from, Seq through) const {
    auto answer = client.run(
        {.sql = fmt::format("WITH next AS (SELECT seq, sum(octet_length(frame)) OVER (ORDER BY seq) AS bytes "
                            "FROM {0}.frames WHERE book = $1 AND seq BETWEEN $2 AND $3) "
                            "SELECT frame FROM next JOIN {0}.frames USING (seq) "
                            "WHERE book = $1 AND (bytes <= {1} OR seq = $2) ORDER BY seq",
                            sql_name(options_.schema), kBytesMax),
         .parameters = {std::to_string(options_.book), std::to_string(from),
                        std::to_string(std::min(through, from + kFramesMax - 1))},
         .answers_bytes = true});
    if (!answer) return answer.error();
    std::vector<FramePtr> frames;
    for (int i = 0; i < answer->rows(); ++i) {
        const Seq seq = from + frames.size();
        auto frame = decode_record(answer->bytes(i, 0));
        const char* wrong = nullptr;
        if (frame && (*frame)->header.seq != seq) {
            wrong = "it is missing, or another one stands there";
        } else if (frame && !frames.empty() && (*frame)->header.previous != frames.back()->digest) {
            wrong = "it does not follow the one before";
        }
        if (frame && i == 0 && (*frame)->header.seq > from) {
            if (auto gone = check_begin(client, from); !gone) return gone.error();
        }
        if (!frame || wrong != nullptr) {
            return Error{ErrorCode::corrupt,
                         fmt::format("{}: {}.frames: frame {}: {}. Restore the table from a backup", client.place(),
                                     options_.schema, seq, frame ? wrong : frame.error().what.c_str())};
        }
        frames.push_back(std::move(*frame));
    }
    if (!frames.empty()) return frames;
    if (auto gone = check_begin(client, from); !gone) return gone.error();
    return Error{ErrorCode::corrupt, fmt::format("{}: {}.frames: frame {} is missing. Restore the table from a backup",
                                                 client.place(), options_.schema, from)};
}

Result<std::vector<FramePtr>> PostgresJournal::read_stored(Seq from, Seq through) const {
    ClientPtr client;
    {
        const std::lock_guard lock(readers_mutex_);
        if (!readers_.empty()) {
            client = std::move(readers_.back());
            readers_.pop_back();
        }
    }
    if (!client || client->is_lost()) {
        auto connected = reconnect();
        if (!connected) return connected.error();
        client = std::move(*connected);
    }
    auto frames = read_stored(*client, from, through);
    if (!client->is_lost()) {
        const std::lock_guard lock(readers_mutex_);
        if (readers_.size() < kReadersKept) readers_.push_back(std::move(client));
    }
    return frames;
}

Result<Seq> PostgresJournal::read(Seq from, const std::function<bool(const FramePtr&)>& each) const {
    Seq next = from == 0 ? 1 : from;
    std::vector<FramePtr> frames;
    for (;;) {
        Seq through = 0;
        {
            const std::lock_guard lock(mutex_);
            through = accepted_;
        }
        if (next > through) return next;
        frames.clear();
        if (!tail_.get(next, through, kFramesMax, frames)) {
            auto stored = read_stored(next, through);
            if (!stored) return stored.error();
            frames = std::move(*stored);
        }
        for (const FramePtr& frame : frames) {
            ++next;
            if (!each(frame)) return next;
        }
    }
}

Result<Seq> PostgresJournal::image(const std::function<void(const Changes&)>&) const { return Seq{0}; }

Result<ChainPoint> PostgresJournal::point_at(PostgresClient& client, const Row& row) const {
    if (row.seq == 0) return ChainPoint{};
    const auto frames = read_stored(client, row.seq, row.seq);
    if (!frames) return frames.error();
    if (frames->front()->digest != row.digest) {
        return Error{ErrorCode::corrupt, fmt::format("{}: {}.frames: frame {} is not the one that {}.books names",
                                                     client.place(), options_.schema, row.seq, options_.schema)};
    }
    return point_behind(*frames->front());
}

Result<Seq> PostgresJournal::follow(milliseconds patience) {
    if (taken_over_) return Error{ErrorCode::invalid, "journal: follow after take_over"};
    const auto until = steady_clock::now() + patience;
    for (;;) {
        if (client_->is_lost()) {
            auto client = reconnect();
            if (!client) return client.error();
            client_ = std::move(*client);
        }
        const auto row = read_row(*client_, false);
        if (!row) return row.error();
        if (row->seq < accepted_) {
            return Error{ErrorCode::corrupt,
                         fmt::format("{}: the journal ends with frame {}, but frame {} was there: was the database "
                                     "restored to an earlier state?",
                                     client_->place(), row->seq, accepted_)};
        }
        if (origin_ == 0) origin_ = row->origin;  // of a journal that nobody had owned yet
        if (!followed_) return follow_from(*row);
        if (row->seq > accepted_) return follow_to(row->seq);
        if (steady_clock::now() >= until) return row->seq;
        std::this_thread::sleep_for(std::min(kLookEvery, std::max(patience, milliseconds(1))));
    }
}

// What is there already is read from the tables when somebody asks for it.
Result<Seq> PostgresJournal::follow_from(const Row& row) {
    const auto point = point_at(*client_, row);
    if (!point) return point.error();
    followed_ = true;
    const std::lock_guard lock(mutex_);
    accepted_ = row.seq;
    return accepted_;
}

// What comes is kept in memory: several are about to read it.
Result<Seq> PostgresJournal::follow_to(Seq through) {
    while (accepted_ < through) {
        const auto frames = read_stored(*client_, accepted_ + 1, through);
        if (!frames) return frames.error();
        for (const FramePtr& frame : *frames) tail_.add(frame);
        const std::lock_guard lock(mutex_);
        accepted_ = frames->back()->header.seq;
    }
    return through;
}

}  // namespace nostro
