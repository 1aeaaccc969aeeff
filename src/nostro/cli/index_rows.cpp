#include "nostro/cli/index_rows.hpp"

#include "nostro/profiles/profile.hpp"

namespace nostro::cli {

IndexRows index_rows() {
    return {.of =
                [](TenantNo tenant, const Payment& payment, std::vector<IndexRow>& into) {
                    const ProfileEntry* profile = find_profile(tenant);
                    if (profile != nullptr && profile->rows != nullptr) profile->rows(payment, into);
                },
            .version = kProfileRowsVersion};
}

}  // namespace nostro::cli
