#include "nostro/app/frame_accounts.hpp"

#include <algorithm>

namespace nostro {
namespace {

constexpr std::size_t kKnownMax = 200'000;

}  // namespace

void FrameAccounts::take(const DecodedFrame& frame) {
    frame_ = &frame;
    if (!in_order_) {
        known_.clear();
        needs_ = frame.seq();
        return;
    }
    // The first one, or one that is met again: what is known may stand behind it.
    const bool goes_on = frame.seq() == last_ + 1;
    last_ = frame.seq();
    if (!goes_on || known_.size() > kKnownMax) {
        known_.clear();
        needs_ = frame.seq() - 1;
    }
    const auto& outcomes = frame.changes.outcomes;
    for (std::uint32_t i = 0; i < outcomes.size(); ++i) {
        const Event event = outcomes[i].event;
        if (event == Event::account_opened || event == Event::account_changed) {
            take_command(frame, outcomes[i], {frame.seq(), i});
        }
    }
    for (const AccountImage& image : frame.changes.accounts) {
        if (const auto found = known_.find(image.id); found != known_.end()) found->second.image = image;
    }
}

void FrameAccounts::take_command(const DecodedFrame& frame, const Outcome& outcome, Place place) {
    const Command* command = command_of(frame, outcome);
    if (command == nullptr) return;
    if (const auto* open = std::get_if<OpenAccount>(&command->body); open != nullptr && open->id == outcome.debtor) {
        AccountRecord& record = known_[open->id];
        record.name = open->name;
        record.holder = open->holder;
        record.metadata = open->metadata;
        record.opened = place;
        return;
    }
    const auto* change = std::get_if<ChangeAccount>(&command->body);
    const auto found = known_.find(outcome.debtor);
    if (change == nullptr || found == known_.end()) {  // a payment opened it, or nobody asked for it so far
        needs_ = std::max(needs_, frame.seq());
        return;
    }
    if (change->holder) found->second.holder = *change->holder;
    if (change->metadata) found->second.metadata = *change->metadata;
}

Result<const AccountRecord*> FrameAccounts::find(AccountId id, Seq seq) {
    const auto known = known_.find(id);
    if (known != known_.end()) return &known->second;
    const auto needs = in_order_ ? needs_ : seq;
    if (service_.history().as_of().seq < needs) {
        return Error{ErrorCode::unavailable, "index_behind: its accounts are not in the index yet"};
    }
    auto found = service_.history().account_as_of(id, seq);
    if (!found) return found.error();
    if (!*found) return static_cast<const AccountRecord*>(nullptr);
    AccountRecord& record = known_.insert_or_assign(id, std::move(**found)).first->second;
    const auto& images = frame_->changes.accounts;
    const auto image = std::ranges::find(images, id, &AccountImage::id);
    if (image != images.end() && image->version > record.image.version) record.image = *image;
    return &record;
}

}  // namespace nostro
