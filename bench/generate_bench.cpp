// Generated documents into memory, with what they were counted. To a file: docs/generators.md.
#include <benchmark/benchmark.h>

#include <string>

#include "nostro/formats/paysim.hpp"
#include "nostro/generate/b2b.hpp"
#include "nostro/generate/clearing.hpp"
#include "nostro/generate/paysim.hpp"
#include "nostro/generate/upi.hpp"

namespace nostro::generate {
namespace {

constexpr std::size_t kBufferBytes = 1 << 20;

// `append(text)` makes one document.
template <class Append>
void measure(benchmark::State& state, const Append& append) {
    std::string text;
    text.reserve(2 * kBufferBytes);
    Tally tally;
    std::int64_t bytes = 0;
    for (auto _ : state) {
        tally.add(append(text));
        if (text.size() < kBufferBytes) continue;
        bytes += static_cast<std::int64_t>(text.size());
        text.clear();
    }
    state.SetItemsProcessed(state.iterations());
    state.SetBytesProcessed(bytes + static_cast<std::int64_t>(text.size()));
}

void upi_messages(benchmark::State& state) {
    UpiGenerator generator({.realistic = state.range(0) != 0});
    Instant at{};
    measure(state, [&](std::string& to) { return generator.append(to, at += std::chrono::milliseconds(500)); });
}
BENCHMARK(upi_messages)->ArgName("realistic")->Arg(0)->Arg(1);

void b2b_documents(benchmark::State& state) {
    B2bGenerator generator({.realistic = state.range(0) != 0});
    Instant at{};
    measure(state, [&](std::string& to) { return generator.append(to, at += std::chrono::milliseconds(200)); });
}
BENCHMARK(b2b_documents)->ArgName("realistic")->Arg(0)->Arg(1);

void clearing_rows(benchmark::State& state) {
    ClearingGenerator generator({.realistic = state.range(0) != 0});
    measure(state, [&](std::string& to) { return generator.append(to); });
}
BENCHMARK(clearing_rows)->ArgName("realistic")->Arg(0)->Arg(1);

void paysim_rows(benchmark::State& state) {
    paysim::Generator generator({.count = 0});
    const Currency usd = Currency::parse("USD").value();
    measure(state, [&](std::string& to) {
        const auto row = generator.next();
        paysim::append_row(to, *row);
        return Made{.type = paysim::name(row->type), .status = {}, .amount = Money(row->amount_minor, usd)};
    });
}
BENCHMARK(paysim_rows);

}  // namespace
}  // namespace nostro::generate
