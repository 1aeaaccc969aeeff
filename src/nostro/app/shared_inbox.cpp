#include "nostro/app/shared_inbox.hpp"

#include <utility>

namespace nostro {
namespace {

// Of what is in the inbox already when this process ends.
constexpr std::chrono::seconds kStopPatience{5};

}  // namespace

void SharedInbox::Door::submit(std::unique_ptr<Submission> submission) {
    if (open) return intake->submit(std::move(submission));
    submission->reply(Error{ErrorCode::unavailable, "standby: this instance begins to follow; try again in a moment"});
}

Result<> SharedInbox::OwnFrames::project(std::span<const DecodedPtr> frames) {
    for (const DecodedPtr& frame : frames) intake->followed(frame);
    from = frames.back()->seq() + 1;
    return {};
}

SharedInbox::SharedInbox(const Config& config)
    : config_(config), inbox_(PostgresInboxOptions{.address = config.postgres.url}) {}

std::unique_ptr<SharedInbox> SharedInbox::make(const Config& config) {
    if (config.inbox.kind != "postgres") return nullptr;
    return std::unique_ptr<SharedInbox>(new SharedInbox(config));
}

void SharedInbox::add_to(ServiceParts& parts) {
    parts.writes = &door_;
    parts.on_followed = [this](const DecodedPtr& frame) {
        if (door_.open) door_.intake->followed(frame);
    };
}

Result<> SharedInbox::follows(Service& service) {
    PostgresIntakeOptions options;
    options.address = config_.postgres.url;
    options.commands_max = config_.inbox.commands_max;
    options.bytes_max = config_.inbox.bytes_max;
    options.frame = [&service](Seq seq) { return service.frame(seq); };
    door_.intake = std::make_unique<PostgresIntake>(std::move(options));
    if (const Seq newest = service.accepted(); newest > 0) {
        const auto frame = service.frame(newest);
        if (!frame) return frame.error();
        door_.intake->followed(*frame);
    }
    door_.open = true;
    return {};
}

Result<> SharedInbox::owns(Service& service) {
    if (door_.intake != nullptr && own_frames_.intake == nullptr) {
        own_frames_.intake = door_.intake.get();
        own_frames_.from = service.accepted() + 1;
        service.add_projection({"inbox", &own_frames_});
    }
    if (auto added = service.add_source(inbox_); !added) return added;
    owns_ = true;
    return {};
}

void SharedInbox::stop() {
    if (door_.intake != nullptr) door_.intake->stop(kStopPatience);
    inbox_.stop();
}

PartState SharedInbox::state() const {
    PartState state{.name = "inbox", .ready = true, .needed = false, .reason = {}};
    if (owns_) {
        state.reason = inbox_.trouble();
    } else if (door_.open) {
        state.reason = door_.intake->trouble();
        state.needed = true;
    }
    state.ready = state.reason.empty();
    return state;
}

}  // namespace nostro
