#include "nostro/engine/topic_projection.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "nostro/base/text.hpp"
#include "nostro/engine/feed.hpp"

namespace nostro {
namespace {

constexpr std::size_t kMessagesMax = 10'000;  // published at once
// Frames with nothing to tell are noted now and then: meeting them again costs nothing but their reading.
constexpr Seq kSaveEvery = 1'000;

Result<Seq> read_position(Disk& disk, const std::string& name) {
    const auto file = disk.open(name);
    if (!file) return file.error().code == ErrorCode::not_found ? Result<Seq>(Seq{1}) : file.error();
    std::string text(32, '\0');
    const auto read = disk.read(*file, 0, std::as_writable_bytes(std::span(text)));
    if (auto closed = disk.close(*file); !closed) return closed.error();
    if (!read) return read.error();
    text.resize(*read);
    const auto seq = parse_uint64(trim(text));
    if (seq && *seq > 0) return *seq;
    return Error{ErrorCode::corrupt, fmt::format("{}: {} is no frame number. Remove the file to publish all again, or "
                                                 "write the first frame that is to be published",
                                                 name, quoted(text))};
}

std::string_view value_of(const Headers& headers, std::string_view name) {
    const auto found = std::ranges::find(headers, name, &Headers::value_type::first);
    return found == headers.end() ? std::string_view() : std::string_view(found->second);
}

}  // namespace

TopicProjection::TopicProjection(std::string file, Disk* disk, Topic& topic, Render render,
                                 std::function<std::string()> journal)
    : file_(std::move(file)),
      disk_(disk),
      topic_(topic),
      render_(std::move(render)),
      journal_name_(std::move(journal)) {}

Result<Seq> TopicProjection::next() {
    if (next_ == 0) {
        const auto read = disk_ != nullptr ? read_position(*disk_, file_) : Result<Seq>(Seq{1});
        if (!read) return read;
        const auto others = behind_others();
        if (!others) return others;
        saved_ = *read;
        next_ = std::max(*read, *others);
    }
    return next_;
}

// Whoever published a message of a frame had published all of those before, but for what he was given with it.
Result<Seq> TopicProjection::behind_others() {
    if (!journal_name_) return Seq{1};
    journal_ = journal_name_();
    const auto newest = topic_.newest();
    if (!newest) return newest.error();
    Seq last = 0;
    for (const Headers& headers : *newest) {
        if (value_of(headers, kMessageJournalHeader) != journal_) continue;
        const auto seq = parse_uint64(split_once(value_of(headers, kMessageIdHeader), '.').first);
        last = std::max(last, seq.value_or(0));
    }
    return last < Feed::kFramesMax ? 1 : last - Feed::kFramesMax + 1;
}

Result<> TopicProjection::project(std::span<const DecodedPtr> frames) {
    messages_.clear();
    bool told = false;
    for (const DecodedPtr& frame : frames) {
        for (std::uint32_t i = 0; i < frame->changes.outcomes.size(); ++i) {
            const std::size_t before = messages_.size();
            if (auto rendered = render_(frame, i, messages_); !rendered) return rendered;
            for (std::size_t made = before; made < messages_.size(); ++made) {
                Headers& headers = messages_[made].headers;
                headers.emplace_back(kMessageIdHeader, fmt::format("{}.{}", frame->seq(), i));
                if (!journal_.empty()) headers.emplace_back(kMessageJournalHeader, journal_);
            }
        }
        told = told || !messages_.empty();
        if (messages_.size() < kMessagesMax) continue;
        if (auto published = publish(); !published) return published;
    }
    if (auto published = publish(); !published) return published;
    next_ = frames.back()->seq() + 1;
    return told || next_ - saved_ >= kSaveEvery ? save() : Result<>();
}

Result<> TopicProjection::publish() {
    if (messages_.empty()) return {};
    if (auto published = topic_.publish(messages_); !published) return published;
    messages_.clear();
    return {};
}

Result<> TopicProjection::save() {
    if (disk_ == nullptr) return {};
    const std::string text = fmt::format("{}\n", next_);
    if (auto replaced = disk_->replace(file_, std::as_bytes(std::span(text))); !replaced) return replaced;
    saved_ = next_;
    return {};
}

}  // namespace nostro
