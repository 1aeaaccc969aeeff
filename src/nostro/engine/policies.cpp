#include "nostro/engine/policies.hpp"

#include "nostro/base/text.hpp"

namespace nostro {

Policies::Policies(std::string tenant) { names_.emplace(TenantNo{0}, std::move(tenant)); }

PolicyPtr Policies::current(TenantNo tenant) const {
    const std::lock_guard lock(mutex_);
    const auto found = versions_.find(tenant);
    if (found == versions_.end() || found->second.empty()) return nullptr;
    return found->second.rbegin()->second;
}

PolicyPtr Policies::version(TenantNo tenant, PolicyVersion version) const {
    const std::lock_guard lock(mutex_);
    const auto found = versions_.find(tenant);
    if (found == versions_.end()) return nullptr;
    const auto kept = found->second.find(version);
    return kept == found->second.end() ? nullptr : kept->second;
}

std::vector<PolicyPtr> Policies::all(TenantNo tenant) const {
    const std::lock_guard lock(mutex_);
    std::vector<PolicyPtr> policies;
    if (const auto found = versions_.find(tenant); found != versions_.end()) {
        for (const auto& [version, policy] : found->second) policies.push_back(policy);
    }
    return policies;
}

Result<TenantNo> Policies::tenant(std::string_view name) const {
    const std::lock_guard lock(mutex_);
    std::string known;
    for (const auto& [number, tenant_name] : names_) {
        if (tenant_name == name) return number;
        known += known.empty() ? tenant_name : ", " + tenant_name;
    }
    return Error{ErrorCode::not_found, "no tenant " + quoted(name) + "; there are: " + known};
}

std::string Policies::tenant_name(TenantNo tenant) const {
    const std::lock_guard lock(mutex_);
    const auto found = names_.find(tenant);
    return found == names_.end() ? std::string() : found->second;
}

std::vector<std::string> Policies::tenant_names() const {
    const std::lock_guard lock(mutex_);
    std::vector<std::string> names;
    for (const auto& [number, name] : names_) names.push_back(name);
    return names;
}

void Policies::publish(TenantNo tenant, PolicyPtr policy) {
    const std::lock_guard lock(mutex_);
    names_.try_emplace(tenant, policy->tenant());
    versions_[tenant].insert_or_assign(policy->version(), std::move(policy));
}

}  // namespace nostro
