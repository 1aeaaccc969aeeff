#include "nostro/engine/follower.hpp"

#include <string>
#include <utility>

namespace nostro {

Result<> Follower::begin() {
    if (begun_) return {};
    Result<> installed;
    const auto image = parts_.journal->image([&](const Changes& changes) {
        if (installed) installed = parts_.book->install(0, Instant{}, changes);
        publish(changes);
    });
    if (!image) return image.error();
    if (!installed) return installed.error();
    // Ids up to the image stand in sealed runs, not in the Book. More may: they are sealed before an image is written.
    if (const Seq sealed = parts_.sealed != nullptr ? parts_.sealed->through() : 0; sealed < *image) {
        return Error{ErrorCode::corrupt, "the image stands at frame " + std::to_string(*image) +
                                             " but the ids up to there are not sealed: run nostro rebuild"};
    }
    point_.seq = image_ = *image;
    static_cast<void>(forget_sealed());
    begun_ = true;
    return {};
}

Result<std::size_t> Follower::install(std::size_t frames_max) {
    std::size_t count = 0;
    Result<> taken;
    const auto read = parts_.journal->read(point_.seq + 1, [&](const FramePtr& frame) {
        taken = take(frame);
        return taken && ++count < frames_max;
    });
    if (!taken) return taken.error();
    if (!read) return read.error();
    return count;
}

Result<> Follower::take(const FramePtr& frame) {
    // Of the frame that an image stands at only the number is known.
    if (point_.seq == image_ && image_ != 0) {
        auto behind = point_behind(*frame);
        if (!behind) return behind.error();
        point_ = std::move(*behind);
    } else if (auto continues = advance(point_, *frame); !continues) {
        return Error{ErrorCode::corrupt, "the journal gives what is no chain: " + continues.error().what};
    }
    if (auto done = decode_body(frame, Sections::images, decoded_); !done) return done.error();
    const auto& header = frame->header;
    if (auto done = parts_.book->install(header.seq, header.time, decoded_.changes); !done) return done.error();
    publish(decoded_.changes);
    return {};
}

// What the Book has installed: of an image file it knows whose names they are.
void Follower::publish(const Changes& changes) {
    for (std::size_t i = 0; i < changes.policies.size(); ++i) {
        auto tenant = tenant_of_policy(changes, i);
        if (!tenant) tenant = parts_.book->tenant(changes.policies[i]->tenant());
        if (tenant) parts_.policies->publish(*tenant, changes.policies[i]);
    }
}

bool Follower::forget_sealed() {
    const Seq through = parts_.sealed != nullptr ? parts_.sealed->through() : 0;
    if (through <= forgotten_) return false;
    parts_.book->forget_known(through);
    forgotten_ = through;
    return true;
}

}  // namespace nostro
