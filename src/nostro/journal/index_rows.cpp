#include "nostro/journal/index_rows.hpp"

#include "nostro/journal/index_key.hpp"
#include "nostro/ports/index_hash.hpp"

namespace nostro {
namespace {

// A row ends with a zero, so that one that begins another sorts before it. Zeros and ones inside are written as two
// bytes each, which keeps the order.
constexpr char kEnd = 0, kEscape = 1;

}  // namespace

std::string row_prefix(TenantNo tenant, std::string_view group) {
    return std::string(IndexKey(IndexTag::row).u16(tenant).u64(index_hash(group)).view());
}

std::string row_bound(std::string_view prefix, std::string_view row) {
    std::string key(prefix);
    for (const char c : row.substr(0, kIndexRowMax)) {
        if (c == kEnd || c == kEscape) {
            key += kEscape;
            key += static_cast<char>(c + 1);
        } else {
            key += c;
        }
    }
    key += kEnd;
    return key;
}

std::string row_key(std::string_view prefix, std::string_view row, Place place) {
    const IndexKey at = IndexKey(IndexTag::row).place(place);  // its tag is left out
    return row_bound(prefix, row).append(at.view().substr(1));
}

}  // namespace nostro
