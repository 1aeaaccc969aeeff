// Policies from any bytes. The first says what they are: the text of one, its compiled form, or the inside of that
// form under a checksum that fits. Whatever is taken must decide, name its windows and come back equal.
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>

#include "nostro/base/assert.hpp"
#include "nostro/base/crc32c.hpp"
#include "nostro/base/text.hpp"
#include "nostro/domain/policy.hpp"

namespace nostro {
namespace {

constexpr Instant kNow{std::chrono::sys_days(std::chrono::year(2026) / 11 / 21) + std::chrono::hours(9)};

std::string seal(std::string_view inside) {
    std::string form = "NSTRPOL1";
    form += inside;
    const std::uint32_t sum = crc32c(std::as_bytes(std::span(form)));
    for (int shift = 0; shift < 32; shift += 8) form += static_cast<char>(sum >> shift & 0xff);
    return form;
}

Payment some_payment(const Policy& policy, Currency currency, std::int64_t minor, RailNo rail, std::string_view type) {
    Payment payment;
    payment.rail = rail;
    payment.debtor = account_id(policy.tenant(), "ada");
    payment.creditor = account_id(policy.tenant(), "bob");
    payment.amount = Money(minor, currency);
    payment.type = type;
    return payment;
}

void decide(const Policy& policy) {
    static const Currency usd = Currency::parse("USD").value(), jpy = Currency::parse("JPY").value();
    for (const std::int64_t minor :
         {std::int64_t{1}, std::int64_t{1'000'001}, std::numeric_limits<std::int64_t>::max()}) {
        for (const RailNo rail : {RailNo{0}, RailNo{1}, RailNo{9'999}}) {
            for (const Currency currency : {usd, jpy}) {
                const Payment payment = some_payment(policy, currency, minor, rail, "TRANSFER");
                const PartyFacts risky{RiskLevel::high, AccountKind::merchant, kNow};
                const Assessment first = policy.assess(payment);
                const Assessment whole = policy.with_parties(first, payment, risky, PartyFacts{}, kNow);
                std::size_t hits = whole.hit_count;
                for (const Hit& hit : whole.fired()) {
                    NOSTRO_ASSERT(!policy.name(hit.rule).empty(), "a hit has a name");
                    NOSTRO_ASSERT(is_valid_utf8(policy.input_text(hit, currency)), "and words for what it saw");
                }
                for (const Limit& limit : policy.limits(rail)) {
                    if (limit.any_currency || limit.currency == currency) ++hits;
                    NOSTRO_ASSERT(limit.ring > 0, "a limit has a bucket");
                    NOSTRO_ASSERT(!policy.window_name(limit, policy.bucket(limit, kNow)).empty(), "with a name");
                    NOSTRO_ASSERT(policy.bucket(limit, kNow) <= policy.bucket(limit, kNow + std::chrono::hours(999)),
                                  "buckets never go back");
                }
                if (policy.rail_refusal(payment)) ++hits;
                NOSTRO_ASSERT(hits <= kHitsMax, "an outcome has room for every hit");
            }
        }
    }
}

void check_loaded(std::string_view form) {
    const auto policy = Policy::load(form);
    if (!policy) {
        NOSTRO_ASSERT(policy.error().code == ErrorCode::corrupt, "damage is called so");
        return;
    }
    decide(**policy);
}

void check_text(std::string_view text) {
    const auto policy = Policy::parse(text, 1, kNow);
    if (!policy) {
        NOSTRO_ASSERT(policy.error().code == ErrorCode::invalid && is_valid_utf8(policy.error().what),
                      "a readable error");
        NOSTRO_ASSERT(policy.error().what.starts_with("policy"), "that says where");
        return;
    }
    decide(**policy);
    const std::string form = (*policy)->compiled();
    const auto loaded = Policy::load(form);
    NOSTRO_ASSERT(loaded.has_value() && (*loaded)->compiled() == form, "what was compiled is read back");
}

}  // namespace
}  // namespace nostro

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
    if (data[0] % 4 == 0) {
        nostro::check_loaded(bytes);
    } else if (data[0] % 4 == 1) {
        nostro::check_loaded(nostro::seal(bytes));
    } else {
        nostro::check_text(bytes);
    }
    return 0;
}
