// Many payments or accounts in one body: {"payments":[...],"mode":"independent"}, {"accounts":[...]}, or NDJSON, a line
// an item. A bad item is told and does not disturb the others; a text that is no JSON fails as a whole.
//
// Threads: one a reader and arena. Time: linear in the text; items are called for in order, while reading.
#pragma once
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>

#include "nostro/domain/command.hpp"
#include "nostro/domain/policy.hpp"
#include "nostro/wire/payment_json.hpp"

namespace nostro {

constexpr std::size_t kBatchMax = 10'000, kGroupBytesMax = 256u << 10, kBatchLineMax = 64u << 10;

enum class BatchMode : std::uint8_t { independent, atomic };

struct BatchItem {
    std::size_t index;          // from 0
    std::string_view key;       // its idempotency_key, as far as there is one
    const PaymentWish* wish;    // nullptr: refused
    const FieldErrors* errors;  // pointers begin at the item; empty when there is a wish
};
struct Batch {
    BatchMode mode = BatchMode::independent;
    std::size_t count = 0;  // items called for
};

// Where the texts of items go. An input that outlives them is pointed into where nothing in it was escaped.
struct BatchTexts {
    BatchTexts(Arena& into, bool stays = false) : arena(into), input_stays(stays) {}
    Arena& arena;
    bool input_stays;
};

// nullopt: the body as a whole is refused, `errors` says why; what `each` was told until then counts for nothing.
// Each item names its `idempotency_key`.
std::optional<Batch> read_payment_batch(JsonReader& reader, const JsonInput& input, const BatchTexts& texts,
                                        const std::function<void(const BatchItem&)>& each, FieldErrors& errors);
// `mode` comes from the query here. Empty lines are skipped. A line that is no JSON is a bad item, no more.
std::optional<Batch> read_payment_lines(JsonReader& reader, const JsonInput& input, BatchMode mode,
                                        const BatchTexts& texts, const std::function<void(const BatchItem&)>& each,
                                        FieldErrors& errors);

struct AccountItem {
    std::size_t index;
    std::string_view name;
    const OpenAccount* account;  // nullptr: refused; its id and meaning are filled in by whoever knows the tenant
    const FieldErrors* errors;
};
// How many items; nullopt as above. `policy`: whose limits may be named.
std::optional<std::size_t> read_account_batch(JsonReader& reader, const JsonInput& input, const Policy& policy,
                                              Arena& arena, const std::function<void(const AccountItem&)>& each,
                                              FieldErrors& errors);
std::optional<std::size_t> read_account_lines(JsonReader& reader, const JsonInput& input, const Policy& policy,
                                              Arena& arena, const std::function<void(const AccountItem&)>& each,
                                              FieldErrors& errors);

// "independent", "atomic"
std::optional<BatchMode> parse_batch_mode(std::string_view text);

}  // namespace nostro
