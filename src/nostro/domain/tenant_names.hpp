// Names of the tenants whose numbers are compiled in. Frames say whose a policy is; an image file has the policies and
// the tenants, but not which belong together, and only the name tells.
//
// Threads: know_tenant() before there are others; then any.
#pragma once
#include <optional>
#include <string_view>

#include "nostro/domain/payment.hpp"

namespace nostro {

void know_tenant(TenantNo tenant, std::string_view name);
// nullopt: no tenant of that name is compiled in.
std::optional<TenantNo> tenant_known_as(std::string_view name);
bool is_known_tenant(TenantNo tenant);

}  // namespace nostro
