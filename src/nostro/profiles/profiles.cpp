// Every profile that is compiled in: one line each. The number of a tenant is for life.
#include <algorithm>
#include <array>

#include "nostro/profiles/b2b.hpp"
#include "nostro/profiles/clearing.hpp"
#include "nostro/profiles/logging.hpp"
#include "nostro/profiles/profile.hpp"
#include "nostro/profiles/tps.hpp"
#include "nostro/profiles/upi.hpp"

namespace nostro {

std::span<const ProfileEntry> profiles() {
    static const std::array entries{
        ProfileEntry{.tenant = 1, .name = "upi", .title = "", .version = "", .make = make_upi},
        ProfileEntry{.tenant = 2,
                     .name = "tps",
                     .title = "Transaction Processing System",
                     .version = "0.1.0",
                     .make = make_tps,
                     .rows = tps::index_rows},
        ProfileEntry{.tenant = 3,
                     .name = "logging",
                     .title = "Financial Transaction Log",
                     .version = "0.1.0",
                     .make = make_logging},
        ProfileEntry{.tenant = 4,
                     .name = "b2b",
                     .title = "Payment Transaction API",
                     .version = "1.0.0",
                     .make = make_b2b,
                     .rows = b2b::index_rows},
        ProfileEntry{.tenant = 5, .name = "clearing", .title = "", .version = "", .make = make_clearing},
    };
    return entries;
}

const ProfileEntry* find_profile(std::string_view name) {
    const auto all = profiles();
    const auto found = std::ranges::find(all, name, &ProfileEntry::name);
    return found == all.end() ? nullptr : &*found;
}

const ProfileEntry* find_profile(TenantNo tenant) {
    const auto all = profiles();
    const auto found = std::ranges::find(all, tenant, &ProfileEntry::tenant);
    return found == all.end() ? nullptr : &*found;
}

}  // namespace nostro
