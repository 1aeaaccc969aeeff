#include "nostro/profiles/clearing_topic.hpp"

#include <utility>

#include "nostro/profiles/clearing_documents.hpp"

namespace nostro::clearing {
namespace {

constexpr std::size_t kKnownMax = 100'000;
constexpr std::string_view kTenant = "clearing";

}  // namespace

void ClearedTopic::begin(const DecodedPtr& frame) {
    if (frame == frame_) return;
    frame_ = frame;
    images_.clear();
    for (const AccountImage& image : frame->changes.accounts) images_.emplace(image.id, &image);
}

Result<std::optional<AccountRecord>> ClearedTopic::account(const Ledger& ledger, std::string_view name) {
    if (name.empty()) return std::optional<AccountRecord>();
    const AccountId id = account_id(kTenant, name);
    auto found = known_.find(id);
    if (found == known_.end()) {
        if (ledger.history().as_of().seq < frame_->seq()) {
            return Error{ErrorCode::unavailable, "the query index has not read the accounts of these transactions yet"};
        }
        auto read = ledger.history().account(id);
        if (!read) return read.error();
        if (!*read) return std::optional<AccountRecord>();
        if (known_.size() >= kKnownMax) known_.clear();
        found = known_.emplace(id, std::move(**read)).first;
    }
    if (const auto image = images_.find(id); image != images_.end()) found->second.image = *image->second;
    return std::optional(found->second);
}

Result<> ClearedTopic::publish(const Ledger& ledger, const DecodedPtr& frame, std::uint32_t index,
                               std::vector<Message>& messages) {
    begin(frame);
    const Outcome& outcome = frame->changes.outcomes[index];
    if (outcome.event == Event::account_changed) known_.erase(outcome.debtor);  // its texts may be others now
    if (outcome.event != Event::submitted && outcome.event != Event::record_kept) return {};
    if (!outcome.reverses.empty()) return {};  // what is given back is no transaction of the topic
    Recorded recorded;
    add_outcome(recorded, frame, index);
    Arena arena;
    const auto [from_name, to_name] = account_names(recorded.payment, arena);
    const auto from = account(ledger, from_name);
    if (!from) return from.error();
    const auto to = account(ledger, to_name);
    if (!to) return to.error();
    const PolicyPtr policy = outcome.why.version != 0 ? ledger.policy(outcome.why.version) : ledger.policy();
    if (policy == nullptr) return Error{ErrorCode::unavailable, "the policy that decided is not known yet"};
    const auto step = step_of(recorded, 0, *policy, *from ? &**from : nullptr, *to ? &**to : nullptr);
    if (!step) return {};  // a customer
    Message message;
    message.value = cleared_message(*step);
    messages.push_back(std::move(message));
    return {};
}

}  // namespace nostro::clearing
