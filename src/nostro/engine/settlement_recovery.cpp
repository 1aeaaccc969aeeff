// How settlement begins: the journal is taken over, its images are installed, and a frame of the new epoch is appended.
#include <utility>

#include "nostro/engine/settlement.hpp"
#include "nostro/wire/command_codec.hpp"

namespace nostro {
namespace {

// What the Book has installed: of an image file it knows whose names they are.
void publish(Policies& policies, const Book& book, const Changes& changes) {
    for (std::size_t i = 0; i < changes.policies.size(); ++i) {
        auto tenant = tenant_of_policy(changes, i);
        if (!tenant) tenant = book.tenant(changes.policies[i]->tenant());
        if (tenant) policies.publish(*tenant, changes.policies[i]);
    }
}

}  // namespace

Result<> Settlement::recover(Instant now, const PolicyPtr& first_policy) {
    auto head = journal_.take_over();
    if (!head) return head.error();
    head_ = std::move(*head);
    if (auto installed = install_history(); !installed) return installed.error();
    if (!book_.is_balanced()) {
        return Error{ErrorCode::corrupt, "the journal's images do not sum to zero: run nostro verify"};
    }
    cursors_ = head_.cursors;
    for (Source* source : parts_.sources) {
        if (auto sought = source->seek(cursors_); !sought) return sought.error();
    }
    parts_.frames->set_accepted(head_.seq);
    return append_take_over(std::max(now, head_.time), first_policy);
}

Result<> Settlement::install_history() {
    Result<> installed;
    const auto image = journal_.image([&](const Changes& changes) {
        if (installed) installed = book_.install(0, Instant{}, changes);
        publish(*parts_.policies, book_, changes);
    });
    if (!image) return image.error();
    if (!installed) return installed.error();
    // Ids up to the image stand in sealed runs, not in the Book. More may: they are sealed before an image is written.
    const Seq sealed = parts_.sealed != nullptr ? parts_.sealed->through() : 0;
    if (sealed < *image) {
        return Error{ErrorCode::corrupt, "the image stands at frame " + std::to_string(*image) +
                                             " but the ids up to there are not sealed: run nostro rebuild"};
    }
    if (sealed > head_.seq) {
        return Error{ErrorCode::corrupt,
                     "the journal ends at frame " + std::to_string(head_.seq) + " but ids are sealed up to frame " +
                         std::to_string(sealed) +
                         ": acknowledged frames are missing; restore the data directory from a backup"};
    }
    book_.forget_known(sealed);
    forgotten_ = sealed;
    const auto read = journal_.read(*image + 1, [&](const FramePtr& frame) {
        installed = install(frame);
        return static_cast<bool>(installed);
    });
    if (!installed) return installed.error();
    if (!read) return read.error();
    if (*read != head_.seq + 1) {
        return Error{ErrorCode::corrupt, "the journal ends at frame " + std::to_string(head_.seq) +
                                             " but could be read only up to frame " + std::to_string(*read - 1)};
    }
    return {};
}

Result<> Settlement::install(const FramePtr& frame) {
    if (auto done = decode_body(frame, Sections::images, decoded_); !done) return done.error();
    if (auto done = book_.install(frame->header.seq, frame->header.time, decoded_.changes); !done) return done.error();
    publish(*parts_.policies, book_, decoded_.changes);
    return {};
}

// Readers of the log, this process among them, learn from it where the old owner's frames end; and nobody is answered
// by an owner who was overtaken while it recovered.
Result<> Settlement::append_take_over(Instant now, const PolicyPtr& first_policy) {
    if (auto room = journal_.ready(Journal::Need::upkeep); !room) return room.error();
    open_frame(now, 0);
    if (first_policy != nullptr && book_.policy(0) == nullptr) {
        Command command;
        command.body = ChangePolicy{.policy = first_policy, .by = "nostro"};
        scratch_.clear();
        encode_command(command, scratch_);
        apply(command, scratch_, {});
    }
    if (auto closed = close_frame(true); !closed) return closed.error();
    take_over_seq_ = head_.seq;
    return {};
}

}  // namespace nostro
