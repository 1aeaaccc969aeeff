// Every version of every tenant's policy, for intake (the one in force) and for readers (the one that decided).
//
// Threads: any. A version is published once the frame that brought it is accepted.
#pragma once
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "nostro/domain/policy.hpp"

namespace nostro {

class Policies {
public:
    // Names tenant 0; further tenants come with their first policy.
    explicit Policies(std::string tenant);

    PolicyPtr current(TenantNo tenant) const;                         // nullptr: none yet
    PolicyPtr version(TenantNo tenant, PolicyVersion version) const;  // nullptr: not kept
    std::vector<PolicyPtr> all(TenantNo tenant) const;                // oldest first
    Result<TenantNo> tenant(std::string_view name) const;             // not_found: names those that exist
    std::string tenant_name(TenantNo tenant) const;                   // empty: no such tenant
    std::vector<std::string> tenant_names() const;                    // by number

    void publish(TenantNo tenant, PolicyPtr policy);  // the engine's own

private:
    mutable std::mutex mutex_;
    std::map<TenantNo, std::string> names_;
    std::map<TenantNo, std::map<PolicyVersion, PolicyPtr>> versions_;
};

}  // namespace nostro
