// What a policy costs a payment: the half at intake, the half in the Book, the bucket of a limit; and what it costs to
// take one in, which is done elsewhere.
#include <benchmark/benchmark.h>

#include <string>

#include "nostro/base/embedded.hpp"
#include "nostro/domain/policy.hpp"

namespace nostro {
namespace {

constexpr Instant kNow{std::chrono::sys_days(std::chrono::year(2026) / 11 / 21) + std::chrono::hours(9)};

PolicyPtr built_in(std::string_view name) { return Policy::parse(*embedded_file(name), 1, kNow).value(); }

// Eight rules that fire, and lists of a thousand names.
PolicyPtr heavy() {
    std::string names;
    for (int i = 0; i < 1'000; ++i) names += "'acc" + std::to_string(i) + "', ";
    std::string text = "tenant='nostro'\n[thresholds]\nreview=70\n";
    for (int i = 0; i < 4; ++i) {
        text += "[[rule]]\nname='m" + std::to_string(i) + "'\nkind='match'\ntypes=['TRANSFER', 'T" + std::to_string(i) +
                "']\npoints=1\n";
    }
    for (int i = 0; i < 2; ++i) {
        text += "[[rule]]\nname='a" + std::to_string(i) + "'\nkind='deny'\nparty='either'\naccounts=['ada', " + names +
                "]\npoints=1\n";
    }
    for (int i = 0; i < 2; ++i) {
        text += "[[rule]]\nname='b" + std::to_string(i) + "'\nkind='amount_band'\nabove={EUR='1.00', USD='5.00'}\n" +
                "points=1\n";
    }
    return Policy::parse(text, 1, kNow).value();
}

Payment a_payment() {
    Payment payment;
    payment.debtor = account_id("nostro", "ada");
    payment.creditor = account_id("nostro", "bob");
    payment.amount = Money(1'200'000, Currency::parse("USD").value());
    payment.type = "TRANSFER";
    return payment;
}

void assess(benchmark::State& state, const PolicyPtr& policy) {
    const Payment payment = a_payment();
    for (auto _ : state) benchmark::DoNotOptimize(policy->assess(payment));
}
BENCHMARK_CAPTURE(assess, nostro, built_in("profiles/nostro.toml"));
BENCHMARK_CAPTURE(assess, paysim, built_in("profiles/paysim.toml"));
BENCHMARK_CAPTURE(assess, eight_fire, heavy());

void with_parties(benchmark::State& state, const PolicyPtr& policy) {
    const Payment payment = a_payment();
    const Assessment first = policy->assess(payment);
    const PartyFacts high{RiskLevel::high, AccountKind::customer, kNow - std::chrono::hours(1)};
    for (auto _ : state) benchmark::DoNotOptimize(policy->with_parties(first, payment, high, PartyFacts{}, kNow));
}
BENCHMARK_CAPTURE(with_parties, nostro, built_in("profiles/nostro.toml"));
BENCHMARK_CAPTURE(with_parties, paysim, built_in("profiles/paysim.toml"));

void bucket_of_a_calendar_day(benchmark::State& state) {
    const PolicyPtr policy = built_in("profiles/nostro.toml");
    const Limit& limit = policy->limits().front();
    Instant now = kNow;
    for (auto _ : state) benchmark::DoNotOptimize(policy->bucket(limit, now += std::chrono::minutes(1)));
}
BENCHMARK(bucket_of_a_calendar_day);

void parse_the_built_in(benchmark::State& state) {
    const auto text = *embedded_file("profiles/nostro.toml");
    for (auto _ : state) benchmark::DoNotOptimize(Policy::parse(text, 1, kNow));
}
BENCHMARK(parse_the_built_in);

void load_the_built_in(benchmark::State& state) {
    const std::string compiled = built_in("profiles/nostro.toml")->compiled();
    for (auto _ : state) benchmark::DoNotOptimize(Policy::load(compiled));
}
BENCHMARK(load_the_built_in);

}  // namespace
}  // namespace nostro
