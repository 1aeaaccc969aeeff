// How frames are read back: the newest from memory, older ones out of the partition.
#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "nostro/adapters/kafka/kafka_journal.hpp"
#include "nostro/wire/frame_record.hpp"

namespace nostro {
namespace {

constexpr std::size_t kReadersKept = 4;
constexpr std::size_t kKeptMax = 1'024;  // frames out of memory at once
constexpr std::size_t kFollowedMax = 64;
constexpr std::chrono::seconds kIdentifyEvery{1};

}  // namespace

Result<Seq> KafkaJournal::read(Seq from, const std::function<bool(const FramePtr&)>& each) const {
    Seq next = from == 0 ? 1 : from;
    if (next <= begun_behind_) {
        return Error{ErrorCode::not_found,
                     fmt::format("frame {} is older than what was read of {}/{}, from frame {} on", next,
                                 options_.topic, options_.partition, begun_behind_ + 1)};
    }
    std::unique_ptr<PartitionReader> reader;
    std::vector<FramePtr> kept;
    for (bool more = true; more;) {
        const Seq through = accepted_;
        if (next > through) break;
        kept.clear();
        if (tail_.get(next, through, kKeptMax, kept)) {
            for (std::size_t i = 0; more && i < kept.size(); ++i, ++next) more = each(kept[i]);
            continue;
        }
        const auto stored = read_stored(next, reader, each);
        if (!stored) return stored.error();
        more = *stored;
    }
    if (reader) {
        const std::lock_guard lock(readers_mutex_);
        if (readers_.size() < kReadersKept) readers_.push_back(std::move(reader));
    }
    return next;
}

Result<std::unique_ptr<PartitionReader>> KafkaJournal::idle_reader() const {
    {
        const std::lock_guard lock(readers_mutex_);
        if (!readers_.empty()) {
            auto reader = std::move(readers_.back());
            readers_.pop_back();
            return reader;
        }
    }
    return PartitionReader::open(options_.cluster, options_.topic, options_.partition);
}

Result<bool> KafkaJournal::read_stored(Seq& next, std::unique_ptr<PartitionReader>& reader,
                                       const std::function<bool(const FramePtr&)>& each) const {
    // Where the next frame stands; none: it is in memory by now, or not accepted.
    const auto place = [&]() -> std::optional<std::int64_t> {
        const std::lock_guard lock(mutex_);
        const Seq first_kept = tail_.first();
        if (next > accepted_ || (first_kept != 0 && next >= first_kept)) return std::nullopt;
        return chain_.offset_of(next);
    };
    auto due = place();
    if (!due) return true;
    if (!reader) {
        auto idle = idle_reader();
        if (!idle) return idle.error();
        reader = std::move(*idle);
    }
    const Seq before = next;
    bool more = true;
    Result<> sound;
    const auto read =
        reader->read(*due, options_.look_up_patience, [&](std::int64_t offset, std::span<const std::byte> record) {
            if (offset < *due) return true;  // no frame of the chain
            auto frame = decode_record(record);
            if (offset != *due || !frame || (*frame)->header.seq != next) {
                sound = Error{ErrorCode::corrupt,
                              fmt::format("kafka: {}/{}: record {} is not frame {}, which was accepted there",
                                          options_.topic, options_.partition, *due, next)};
                return false;
            }
            ++next;
            more = each(*frame);
            due = more ? place() : std::nullopt;
            return due.has_value();
        });
    if (!read) return read.error();
    if (!sound) return sound.error();
    if (next == before) {
        return Error{ErrorCode::unavailable, fmt::format("kafka: frame {} cannot be read from {}/{} at present", next,
                                                         options_.topic, options_.partition)};
    }
    return more;
}

// What is there already is read as an owner would read it; after that the log is listened to.
Result<Seq> KafkaJournal::follow(std::chrono::milliseconds patience) {
    std::int64_t from = 0;
    {
        const std::lock_guard lock(mutex_);
        if (epoch_ != 0) return Error{ErrorCode::invalid, "journal: follow after take_over"};
        if (!follower_) {
            if (auto read = read_log(options_.look_up_patience); !read) return read.error();
            auto opened = PartitionReader::open(options_.cluster, options_.topic, options_.partition,
                                                PartitionReader::Manner::on_and_on);
            if (!opened) return opened.error();
            follower_ = std::move(*opened);
            return chain_.point().seq;
        }
        from = chain_.next_offset();
    }
    if (const auto now = std::chrono::steady_clock::now(); now - identified_ >= kIdentifyEvery) {
        identified_ = now;
        const auto is_another = is_another_topic();
        const std::lock_guard lock(mutex_);
        if (is_another && *is_another) return made_anew();
    }
    const auto end =
        follower_->follow(from, patience, kFollowedMax, [this](std::int64_t offset, std::span<const std::byte> record) {
            const std::lock_guard lock(mutex_);
            FramePtr frame;
            const auto verdict = chain_.look(offset, record, frame);
            looked(verdict, frame);
            return true;
        });
    const std::lock_guard lock(mutex_);
    if (!end && end.error().code == ErrorCode::corrupt) {
        // A leader that has just become one may say so too; reading waits for it, and says what is wrong.
        if (auto read = read_log(options_.look_up_patience); !read) return read.error();
        return chain_.point().seq;
    }
    if (!end) return end.error();
    if (options_.void_records != nullptr) options_.void_records->set(chain_.void_records());
    const std::int64_t unread = std::max<std::int64_t>(*end - chain_.next_offset(), 0);
    return chain_.point().seq + static_cast<Seq>(unread);
}

}  // namespace nostro
