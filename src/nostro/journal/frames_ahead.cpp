#include "nostro/journal/frames_ahead.hpp"

#include <pthread.h>

#include <algorithm>

namespace nostro {

FramesAhead::FramesAhead(const Journal& journal, Seq from) : journal_(journal), from_(from) {
    reader_ = std::jthread([this](const std::stop_token& stop) { read_all(stop); });
    pthread_setname_np(reader_.native_handle(), "frames ahead");
}

FramesAhead::~FramesAhead() = default;

FramesAhead::Batch* FramesAhead::free_batch(const std::stop_token& stop) {
    std::unique_lock lock(mutex_);
    const auto in_use = [this] { return filled_ - std::max<std::size_t>(taken_, 1) + 1; };
    if (!changed_.wait(lock, stop, [&] { return in_use() < batches_.size(); })) return nullptr;
    Batch& batch = batches_[filled_ % batches_.size()];
    batch.frames.clear();
    batch.bytes = 0;
    return &batch;
}

void FramesAhead::hand_over() {
    const std::lock_guard lock(mutex_);
    ++filled_;
    changed_.notify_all();
}

Result<> FramesAhead::decode(const FramePtr& frame, Batch& into) {
    if (into.frames.size() == into.memory.size()) into.memory.push_back(std::make_shared<DecodedFrame>());
    const auto& decoded = into.memory[into.frames.size()];
    if (auto done = decode_body(frame, Sections::all, *decoded); !done) return done;
    into.frames.push_back(decoded);
    into.bytes += frame->bytes().size();
    return {};
}

void FramesAhead::read_all(const std::stop_token& stop) {
    Batch* batch = nullptr;
    Result<> failed;
    const auto read = journal_.read(from_, [&](const FramePtr& frame) {
        if (batch == nullptr) batch = free_batch(stop);
        if (batch == nullptr) return false;
        failed = decode(frame, *batch);
        if (!failed) return false;
        if (batch->frames.size() == kFramesMax || batch->bytes >= kBytesMax) {
            hand_over();
            batch = nullptr;
        }
        return !stop.stop_requested();
    });
    if (batch != nullptr && !batch->frames.empty()) hand_over();
    const std::lock_guard lock(mutex_);
    if (!read) failed = read.error();
    failed_ = std::move(failed);
    ended_ = true;
    changed_.notify_all();
}

Result<std::span<const DecodedPtr>> FramesAhead::next() {
    std::unique_lock lock(mutex_);
    // The batch before this one is free from now on.
    if (taken_ <= filled_) ++taken_;
    changed_.notify_all();
    changed_.wait(lock, [this] { return ended_ || taken_ <= filled_; });
    if (taken_ <= filled_) return std::span<const DecodedPtr>(batches_[(taken_ - 1) % batches_.size()].frames);
    if (!failed_) return failed_.error();
    return std::span<const DecodedPtr>();
}

}  // namespace nostro
