#include "nostro/app/cache_documents.hpp"

#include <fmt/format.h>

#include <unordered_map>
#include <utility>

#include "nostro/app/frame_accounts.hpp"
#include "nostro/profiles/account_names.hpp"
#include "nostro/profiles/clearing_documents.hpp"
#include "nostro/profiles/tps.hpp"
#include "nostro/profiles/upi.hpp"
#include "nostro/wire/recorded.hpp"

namespace nostro {
namespace {

constexpr std::chrono::hours kTpsHour{1};
// Behind every outcome of a frame: what stands after all of them.
constexpr std::uint32_t kAfterAll = 0xffffffff;

redis::Change string(std::string key, Place version, std::string value) {
    return {.key = std::move(key), .version = version, .value = std::move(value)};
}

// With all that became of it; the frames have it, be the index behind or not.
Result<Recorded> recorded_of(const Service& service, PaymentId id) {
    auto found = service.history().payment(id);
    if (!found) return found.error();
    if (!*found) return Error{ErrorCode::unavailable, "index_behind: a payment is not in the index yet"};
    return std::move(**found);
}

PolicyPtr policy_of(const Service& service, const Outcome& outcome) {
    const PolicyVersion version = outcome.why.version;
    return version == 0 ? service.policies().current(outcome.tenant)
                        : service.policies().version(outcome.tenant, version);
}

// Balances as they stand after the frame, whatever moved them, and the sums of days.
class UpiDocuments final : public CacheDocuments {
public:
    UpiDocuments(TenantNo tenant, const Service& service) : tenant_(tenant), service_(service) {}

    Result<> changes(const DecodedPtr& frame, std::vector<redis::Change>& into) override {
        users_.clear();
        for (std::uint32_t i = 0; i < frame->changes.outcomes.size(); ++i) {
            const Outcome& outcome = frame->changes.outcomes[i];
            if (outcome.tenant == tenant_) look_at(*frame, outcome, {frame->seq(), i}, into);
        }
        for (const AccountImage& image : frame->changes.accounts) {
            if (image.tenant != tenant_ || image.kind == AccountKind::house) continue;
            const auto user = user_of(image.id, frame->seq());
            if (!user) return user.error();
            if (user->empty()) continue;
            into.push_back(string("balance:" + *user, {frame->seq(), kAfterAll}, std::to_string(image.balance / 100)));
        }
        return {};
    }

private:
    void look_at(const DecodedFrame& frame, const Outcome& outcome, Place place, std::vector<redis::Change>& into) {
        const Payment* payment = payment_of(frame, outcome);
        if (payment == nullptr) {
            const Command* command = command_of(frame, outcome);
            const auto* opened = command == nullptr ? nullptr : std::get_if<OpenAccount>(&command->body);
            if (opened != nullptr)
                users_.try_emplace(opened->id, id_of_account(opened->name, "user:", "").value_or(""));
            return;
        }
        if (const auto balances = upi::balances_of(outcome, *payment); !balances.empty()) {
            users_.insert_or_assign(outcome.debtor, balances[0].user_id);
            users_.insert_or_assign(outcome.creditor, balances[1].user_id);
        }
        const PolicyPtr policy = policy_of(service_, outcome);
        if (policy == nullptr) return;
        for (upi::CacheEntry& entry : upi::cache_of(outcome, *payment, *policy)) {
            if (entry.expires_s == 0) continue;  // a balance: as the frame left it
            redis::Change change = string(std::move(entry.key), place, std::move(entry.value));
            change.expires_at = frame.time() + std::chrono::seconds(entry.expires_s);
            into.push_back(std::move(change));
        }
    }

    // Of an account that moved without a payment in this frame; empty: its name does not tell the user.
    Result<std::string> user_of(AccountId id, Seq seq) {
        if (const auto known = users_.find(id); known != users_.end()) return known->second;
        const auto account = service_.history().account(id);
        if (!account) return account.error();
        if (!*account) {
            if (service_.history().as_of().seq >= seq) return std::string();
            return Error{ErrorCode::unavailable, "index_behind: an account is not in the index yet"};
        }
        return id_of_account((*account)->name, "user:", "").value_or("");
    }

    const TenantNo tenant_;
    const Service& service_;
    std::unordered_map<AccountId, std::string> users_;  // of the frame
};

class TpsDocuments final : public CacheDocuments {
public:
    TpsDocuments(TenantNo tenant, const Service& service, tps::Words words)
        : tenant_(tenant), service_(service), words_(std::move(words)) {}

    Result<> changes(const DecodedPtr& frame, std::vector<redis::Change>& into) override {
        for (std::uint32_t i = 0; i < frame->changes.outcomes.size(); ++i) {
            const Outcome& outcome = frame->changes.outcomes[i];
            if (outcome.tenant != tenant_ || !is_of_payment(outcome.event)) continue;
            Recorded recorded;  // keeps alive what the payment points into
            const Payment* payment = payment_of(*frame, outcome);
            if (payment == nullptr) {
                auto found = recorded_of(service_, outcome.payment);
                if (!found) return found.error();
                recorded = std::move(*found);
                payment = &recorded.payment;
            }
            const auto transaction = tps::transaction_of(outcome, *payment, words_);
            if (!transaction) continue;
            tps::CacheEntry entry = tps::cache_of(*transaction);
            redis::Change change = string(std::move(entry.key), {frame->seq(), i}, std::move(entry.value));
            change.expires_at = frame->time() + std::chrono::seconds(entry.expires_s);
            change.sealed = true;
            into.push_back(std::move(change));
        }
        return {};
    }

private:
    const TenantNo tenant_;
    const Service& service_;
    const tps::Words words_;
};

class ClearingDocuments final : public CacheDocuments {
public:
    ClearingDocuments(const ProfileEntry& entry, const Service& service, bool rejected_reviews, bool in_order)
        : entry_(entry), service_(service), rejected_reviews_(rejected_reviews), accounts_(service, in_order) {}

    Result<> changes(const DecodedPtr& frame, std::vector<redis::Change>& into) override {
        accounts_.take(*frame);
        for (std::uint32_t i = 0; i < frame->changes.outcomes.size(); ++i) {
            const Outcome& outcome = frame->changes.outcomes[i];
            const bool is_transaction = is_of_payment(outcome.event) || outcome.event == Event::record_kept;
            if (outcome.tenant != entry_.tenant || !is_transaction || outcome.status == Status::quarantined) continue;
            if (auto done = look_at(frame, i, into); !done) return done;
        }
        return {};
    }

private:
    Result<> look_at(const DecodedPtr& frame, std::uint32_t index, std::vector<redis::Change>& into) {
        const Outcome& outcome = frame->changes.outcomes[index];
        const Place place{frame->seq(), index};
        Recorded recorded;
        std::size_t step = 0;
        if (outcome.event == Event::submitted || outcome.event == Event::record_kept) {
            add_outcome(recorded, frame, index);
        } else {
            auto found = recorded_of(service_, outcome.payment);
            if (!found) return found.error();
            recorded = std::move(*found);
            while (step < recorded.places.size() && recorded.places[step] != place) ++step;
            if (step == recorded.places.size()) return Error{ErrorCode::unavailable, "index_behind: of a payment"};
            forget_behind(recorded, step);
        }
        const PolicyPtr policy = policy_of(service_, recorded.outcomes.front());
        if (policy == nullptr) return {};  // dropped with its history
        Arena arena(512);
        const auto [from_name, to_name] = clearing::account_names(recorded.payment, arena);
        const auto from = account(from_name, frame->seq());
        if (!from) return from.error();
        std::optional<AccountRecord> payer;
        if (*from != nullptr) payer = **from;
        if (payer && outcome.status != Status::settled) {  // what is not settled tells what the payer had
            auto image = image_at(payer->image, frame->seq());
            if (!image) return image.error();
            payer->image = *image;
        }
        const auto to = account(to_name, frame->seq());
        if (!to) return to.error();
        const auto shown = clearing::step_of(recorded, step, *policy, payer ? &*payer : nullptr, *to);
        if (!shown) return {};
        clearing::HashChange change = clearing::hash_change(*shown, rejected_reviews_);
        if (!change.removed.empty() && (!change.written || change.written->key != change.removed)) {
            into.push_back({.key = std::move(change.removed), .version = place, .value = redis::Removed{}});
        }
        if (change.written) {
            into.push_back(
                {.key = std::move(change.written->key), .version = place, .value = std::move(change.written->fields)});
        }
        return {};
    }

    // The document tells how it stood then, whoever makes it and when.
    static void forget_behind(Recorded& recorded, std::size_t step) {
        recorded.outcomes.resize(step + 1);
        recorded.places.resize(step + 1);
        recorded.times.resize(step + 1);
    }

    // As the frame `seq` left it.
    Result<AccountImage> image_at(const AccountImage& newer, Seq seq) const {
        if (service_.history().as_of().seq < seq) {
            return Error{ErrorCode::unavailable, "index_behind: its accounts are not in the index yet"};
        }
        auto image = service_.history().account_at(newer.id, seq);
        if (!image && image.error().code == ErrorCode::not_found) return newer;  // it was opened later
        return image;
    }

    Result<const AccountRecord*> account(std::string_view name, Seq seq) {
        if (name.empty()) return static_cast<const AccountRecord*>(nullptr);
        return accounts_.find(account_id(entry_.name, name), seq);
    }

    const ProfileEntry& entry_;
    const Service& service_;
    const bool rejected_reviews_;
    FrameAccounts accounts_;
};

}  // namespace

std::optional<std::chrono::seconds> cached_for(std::string_view profile) {
    if (profile == "tps") return kTpsHour;
    if (profile == "upi" || profile == "clearing") return std::chrono::seconds(0);
    return std::nullopt;
}

std::unique_ptr<CacheDocuments> cache_documents(const ProfileEntry& entry, const ProfileSetup& setup,
                                                const Service& service, bool in_order) {
    if (entry.name == "upi") return std::make_unique<UpiDocuments>(entry.tenant, service);
    if (entry.name == "tps") return std::make_unique<TpsDocuments>(entry.tenant, service, tps::words_of(setup));
    if (entry.name != "clearing") return nullptr;
    const bool rejected_reviews = setup.setting("reviews_under_rejected", "false") == "true";
    return std::make_unique<ClearingDocuments>(entry, service, rejected_reviews, in_order);
}

}  // namespace nostro
