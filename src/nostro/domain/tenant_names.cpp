#include "nostro/domain/tenant_names.hpp"

#include <map>
#include <string>

namespace nostro {
namespace {

std::map<TenantNo, std::string>& known() {
    static std::map<TenantNo, std::string> names;
    return names;
}

}  // namespace

void know_tenant(TenantNo tenant, std::string_view name) { known().insert_or_assign(tenant, std::string(name)); }

std::optional<TenantNo> tenant_known_as(std::string_view name) {
    for (const auto& [tenant, known_name] : known()) {
        if (known_name == name) return tenant;
    }
    return std::nullopt;
}

bool is_known_tenant(TenantNo tenant) { return known().contains(tenant); }

}  // namespace nostro
