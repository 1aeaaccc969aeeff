// Rows that profiles keep of their payments in the query index: how they are asked for, and their keys.
#pragma once
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "nostro/domain/payment.hpp"
#include "nostro/ports/history.hpp"

namespace nostro {

// The same for whoever fills the index, rebuilds it and proves it: another answer is another index.
struct IndexRows {
    // Appends what is kept of a payment, or of a kept record, as Recorded::payment shows it. Empty: nothing is kept.
    // Threads: any. The same payment always gives the same rows.
    std::function<void(TenantNo, const Payment&, std::vector<IndexRow>&)> of;
    // Goes up when `of` gives other rows than before: an index of another version is made anew.
    std::uint32_t version = 0;
};

// Begins the keys of a group's rows.
std::string row_prefix(TenantNo tenant, std::string_view group);
// The first key, of whatever place, of rows that are not less than `row`; what is beyond kIndexRowMax does not count.
std::string row_bound(std::string_view prefix, std::string_view row);
std::string row_key(std::string_view prefix, std::string_view row, Place place);

}  // namespace nostro
