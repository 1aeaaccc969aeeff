// The service as one tenant's ledger (ports/ledger.hpp).
#pragma once
#include "nostro/engine/service.hpp"
#include "nostro/ports/ledger.hpp"

namespace nostro {

// Adds what it asks for, of the builder's tenant; errors as those of the builder.
Result<> add_wish(SubmissionBuilder& builder, const Wish& wish);

class TenantLedger final : public Ledger {
public:
    // All outlive it. `cache`: nullptr where there is none.
    TenantLedger(Service& service, const Clock& clock, TenantNo tenant, Cache* cache = nullptr)
        : service_(service), clock_(clock), tenant_(tenant), cache_(cache) {}

    TenantNo tenant() const override { return tenant_; }
    const Clock& clock() const override { return clock_; }
    void submit(std::shared_ptr<const void> memory, std::span<const Wish> wishes, Receipts reply) override;
    Result<> complete(std::vector<Receipt>& receipts) const override { return service_.complete_replayed(receipts); }
    void when_readable(std::function<void()> then) const override {
        service_.when_readable(service_.accepted(), std::move(then));
    }
    const History& history() const override { return service_.history(); }
    Result<DecodedPtr> frame(Seq seq) const override { return service_.frame_once(seq); }
    Cache* cache() const override { return cache_; }
    PolicyPtr policy() const override { return service_.policies().current(tenant_); }
    PolicyPtr policy(PolicyVersion version) const override { return service_.policies().version(tenant_, version); }

private:
    Service& service_;
    const Clock& clock_;
    const TenantNo tenant_;
    Cache* const cache_;
};

}  // namespace nostro
