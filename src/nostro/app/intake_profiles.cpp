#ifdef NOSTRO_KAFKA
#include "nostro/app/intake_profiles.hpp"

#include <fmt/format.h>

#include <utility>

#include "nostro/adapters/memory/memory_journal.hpp"
#include "nostro/app/command_messages.hpp"
#include "nostro/app/kafka.hpp"
#include "nostro/engine/frame_cache.hpp"
#include "nostro/engine/query.hpp"
#include "nostro/engine/submission_builder.hpp"
#include "nostro/engine/tenant_ledger.hpp"

namespace nostro {

// The ledger of a profile as its routes see it here: it takes wishes, and has nothing to read.
class IntakeProfiles::Door final : public Ledger {
public:
    Door(TenantNo tenant, std::unique_ptr<KafkaIntake> intake, const Policies& policies, const Clock& clock)
        : tenant_(tenant), intake_(std::move(intake)), policies_(policies), clock_(clock) {}

    TenantNo tenant() const override { return tenant_; }
    const Clock& clock() const override { return clock_; }
    void submit(std::shared_ptr<const void> memory, std::span<const Wish> wishes, Receipts reply) override {
        SubmissionBuilder builder({.policies = &policies_, .sealed = nullptr, .tenant = tenant_}, std::move(memory));
        for (const Wish& wish : wishes) {
            if (auto added = add_wish(builder, wish); !added) return reply(added.error());
        }
        intake_->submit(builder.take(std::move(reply)));
    }
    Result<> complete(std::vector<Receipt>&) const override { return {}; }  // nothing is known to have come before
    void when_readable(std::function<void()> then) const override { then(); }
    const History& history() const override { return nothing_; }
    Result<DecodedPtr> frame(Seq seq) const override { return frames_.frame(seq); }
    PolicyPtr policy() const override { return policies_.current(tenant_); }
    PolicyPtr policy(PolicyVersion version) const override { return policies_.version(tenant_, version); }

    const KafkaIntake& intake() const { return *intake_; }

private:
    const TenantNo tenant_;
    const std::unique_ptr<KafkaIntake> intake_;
    const Policies& policies_;
    const Clock& clock_;
    MemoryJournal nowhere_{std::make_shared<MemoryLog>()};
    FrameCache frames_{nowhere_, 0};
    Query nothing_{nullptr, frames_};
};

IntakeProfiles::IntakeProfiles(std::vector<ServedProfile> served) : served_(std::move(served)) {}
IntakeProfiles::~IntakeProfiles() = default;

Result<std::unique_ptr<IntakeProfiles>> IntakeProfiles::open(const Config& config, const ServedProfiles& profiles,
                                                             const KafkaSettings& settings, KafkaIntakeOptions options,
                                                             Policies& policies, const Clock& clock) {
    std::unique_ptr<IntakeProfiles> all(new IntakeProfiles(profiles.list()));
    for (const ServedProfiles::Setup& each : profiles.setups()) {
        auto policy = Policy::parse(each.setup->policy, 1, clock.now());
        if (!policy) return policy.error();
        policies.publish(each.entry->tenant, std::move(*policy));
        options.topic = profile_commands_topic(config.kafka.commands_topic, each.entry->name);
        if (auto provided = provide_topic(config, options.topic); !provided) return provided.error();
        auto opened = KafkaIntake::open(settings, options, clock);
        if (!opened) return opened.error();
        all->doors_.push_back(std::make_unique<Door>(each.entry->tenant, std::move(*opened), policies, clock));
        all->served_[all->doors_.size() - 1].ledger = all->doors_.back().get();
    }
    return all;
}

std::vector<Route> IntakeProfiles::routes(const std::function<void(const Request&, const Reply&)>& elsewhere) const {
    std::vector<Route> all;
    for (const ServedProfile& served : served_) {
        const ProfileEntry& entry = *served.entry;
        for (Route& route : served.profile->routes(*served.ledger)) {
            route.profile = entry.name;
            if (!is_posted_without_book(entry.name, route.operation)) {
                route.hidden = true;
                route.blocks = false;
                route.handler = elsewhere;
            }
            all.push_back(std::move(route));
        }
    }
    return all;
}

std::vector<const KafkaIntake*> IntakeProfiles::intakes() const {
    std::vector<const KafkaIntake*> all;
    for (const auto& door : doors_) all.push_back(&door->intake());
    return all;
}

}  // namespace nostro

#endif
