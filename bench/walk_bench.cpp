// The least that taking a bulk request can cost: simdjson walks the very bytes that `nostro bench` sends, every member
// of every payment once, and does nothing with them. What the server spends on a payment is told in these.
#include <benchmark/benchmark.h>
#include <simdjson.h>

#include "nostro/cli/bench_requests.hpp"

namespace nostro {
namespace {

void walk_bulk_body(benchmark::State& state) {
    cli::BenchRequestOptions options;
    options.accounts = 10'000;
    options.batch = 1000;
    cli::BenchRequests requests(options);
    // Eight requests, as many as a bulk load has under way: they come from memory as those of a server do.
    constexpr std::size_t kRequests = 8;
    std::vector<simdjson::padded_string> bodies;
    for (std::size_t i = 0; i < kRequests; ++i) {
        std::string text(requests.size(), '\0');
        requests.lay_out(text.data());
        requests.stamp(text.data());
        bodies.emplace_back(text.substr(text.find("\r\n\r\n") + 4));
    }
    simdjson::ondemand::parser parser;
    std::int64_t payments = 0, members = 0;
    std::size_t turn = 0;
    for (auto _ : state) {
        const auto& body = bodies[turn++ % kRequests];
        simdjson::ondemand::document_stream lines;
        if (parser.iterate_many(body, body.size()).get(lines) != simdjson::SUCCESS) state.SkipWithError("no NDJSON");
        for (auto line : lines) {
            for (auto member : line.get_object()) {
                const std::string_view key = member.unescaped_key();
                const std::string_view value = member.value().get_string();
                benchmark::DoNotOptimize(key.data() + value.size());
                ++members;
            }
            ++payments;
        }
    }
    if (members != payments * 7) state.SkipWithError("not all was walked");
    state.SetItemsProcessed(payments);
    state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(bodies[0].size()));
}
BENCHMARK(walk_bulk_body)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace nostro
