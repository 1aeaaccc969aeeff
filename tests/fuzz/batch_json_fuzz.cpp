// Batches of payments and accounts, and account changes, from any bytes: each item is told once, in order, either good
// or with its errors, a body is refused with a reason or taken whole, and one that is good throughout is JSON to a
// strict parser too.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "nostro/base/embedded.hpp"
#include "nostro/domain/policy.hpp"
#include "nostro/wire/batch_json.hpp"
#include "nostro/wire/request_json.hpp"
#include "tests/fuzz/strict_json.hpp"

namespace {

using namespace nostro;

void require(bool promise) {
    if (!promise) std::abort();
}

const Policy& policy() {
    static const PolicyPtr parsed = Policy::parse(embedded_file("profiles/nostro.toml").value_or(""), 1,
                                                  Instant{std::chrono::seconds{1'795'000'000}})
                                        .value();
    return *parsed;
}

struct Items {
    std::size_t told = 0, good = 0;

    template <class Item>
    void tell(const Item& item, bool is_good) {
        require(item.index == told++);
        require(is_good == item.errors->empty());
        good += is_good ? 1 : 0;
    }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static JsonReader reader;
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const JsonInput input{text, text.size()};
    Arena arena;
    FieldErrors errors;

    Items payments, lines, accounts, account_lines;
    const auto batch = read_payment_batch(
        reader, input, arena, [&](const BatchItem& item) { payments.tell(item, item.wish != nullptr); }, errors);
    require(batch.has_value() == errors.empty());
    require(!batch || (batch->count == payments.told && batch->count > 0));
    require(!batch || payments.good < payments.told || is_strict_json(text));

    errors.clear();
    const auto of_lines = read_payment_lines(
        reader, input, BatchMode::atomic, arena, [&](const BatchItem& item) { lines.tell(item, item.wish != nullptr); },
        errors);
    require(of_lines.has_value() == errors.empty());
    require(!of_lines || of_lines->count == lines.told);

    errors.clear();
    const auto each_account = [&](const AccountItem& item) { accounts.tell(item, item.account != nullptr); };
    require(read_account_batch(reader, input, policy(), arena, each_account, errors).has_value() == errors.empty());
    require(!errors.empty() || accounts.good < accounts.told || is_strict_json(text));
    errors.clear();
    const auto each_line = [&](const AccountItem& item) { account_lines.tell(item, item.account != nullptr); };
    require(read_account_lines(reader, input, policy(), arena, each_line, errors).has_value() == errors.empty());

    errors.clear();
    ChangeAccountBody change;
    if (read_change_account(reader, input, policy(), arena, change, errors)) {
        static_cast<void>(change_account(change, {1, 2}, Currency::parse("USD").value(), errors));
    } else {
        require(!errors.empty());
    }
    return 0;
}
