// What the smallest parts cost that every payment passes: digest of its id, checksum, text of amounts and times.
#include <benchmark/benchmark.h>

#include <string>
#include <vector>

#include "nostro/base/bounded_queue.hpp"
#include "nostro/base/bytes.hpp"
#include "nostro/base/crc32c.hpp"
#include "nostro/base/hex.hpp"
#include "nostro/base/json_text.hpp"
#include "nostro/base/metrics.hpp"
#include "nostro/base/sha256.hpp"
#include "nostro/base/signal.hpp"
#include "nostro/base/time.hpp"
#include "nostro/domain/money.hpp"

namespace nostro {
namespace {

constexpr Instant kSomeInstant{std::chrono::nanoseconds{1'795'253'400'123'456'789}};

// 40 bytes are an id's one block, 100 take two, the last is a frame's body.
void sha256_of(benchmark::State& state) {
    const std::string text(static_cast<std::size_t>(state.range(0)), 'x');
    for (auto _ : state) benchmark::DoNotOptimize(sha256(text));
    state.SetBytesProcessed(state.iterations() * state.range(0));
}
BENCHMARK(sha256_of)->Arg(40)->Arg(100)->Arg(1 << 20);

void crc32c_of(benchmark::State& state) {
    const std::vector<std::byte> data(static_cast<std::size_t>(state.range(0)), std::byte{7});
    for (auto _ : state) benchmark::DoNotOptimize(crc32c(data));
    state.SetBytesProcessed(state.iterations() * state.range(0));
}
BENCHMARK(crc32c_of)->Arg(64)->Arg(4096)->Arg(1 << 20);

void append_decimal_of_an_amount(benchmark::State& state) {
    const Currency usd = Currency::parse("USD").value();
    std::string text;
    std::int64_t minor = 123'456'789;
    for (auto _ : state) {
        text.clear();
        append_decimal(text, minor++, usd);
        benchmark::DoNotOptimize(text.data());
    }
}
BENCHMARK(append_decimal_of_an_amount);

void money_parse(benchmark::State& state) {
    const Currency usd = Currency::parse("USD").value();
    for (auto _ : state) benchmark::DoNotOptimize(Money::parse("1234567.89", usd));
}
BENCHMARK(money_parse);

void currency_parse(benchmark::State& state) {
    for (auto _ : state) benchmark::DoNotOptimize(Currency::parse("INR"));
}
BENCHMARK(currency_parse);

void append_rfc3339_of_an_instant(benchmark::State& state) {
    std::string text;
    Instant at = kSomeInstant;
    for (auto _ : state) {
        text.clear();
        append_rfc3339(text, at += std::chrono::microseconds(37));
        benchmark::DoNotOptimize(text.data());
    }
}
BENCHMARK(append_rfc3339_of_an_instant);

void parse_rfc3339_text(benchmark::State& state) {
    for (auto _ : state) benchmark::DoNotOptimize(parse_rfc3339("2026-11-21T09:30:00.123456Z"));
}
BENCHMARK(parse_rfc3339_text);

void append_hex_of_an_id(benchmark::State& state) {
    std::string text;
    PaymentId id{0x0123456789abcdef, 0};
    for (auto _ : state) {
        text.clear();
        ++id.low;
        append_hex(text, id);
        benchmark::DoNotOptimize(text.data());
    }
}
BENCHMARK(append_hex_of_an_id);

void json_of_an_answer(benchmark::State& state) {
    std::string text;
    for (auto _ : state) {
        text.clear();
        JsonWriter(text)
            .begin_object()
            .field("payment_id", "0123456789abcdeffedcba9876543210")
            .field("status", "settled")
            .field("number", state.iterations())
            .field("replayed", false)
            .end_object();
        benchmark::DoNotOptimize(text.data());
    }
}
BENCHMARK(json_of_an_answer);

// A record of twelve fields into a buffer that has room.
void bytes_written(benchmark::State& state) {
    ByteBuffer buffer(1 << 16);
    for (auto _ : state) {
        buffer.clear();
        ByteWriter writer(buffer);
        for (int i = 0; i < 100; ++i) {
            RawWriter raw = writer.claim(128);
            raw.u64(1), raw.u64(2), raw.u64(3), raw.u64(4), raw.u32(5), raw.u32(6), raw.u8(7), raw.u8(8);
            raw.varint(300), raw.zigzag(-70'000), raw.string("INV-1234567"), raw.u64(9);
            writer.commit(raw);
        }
        benchmark::DoNotOptimize(buffer.data());
        benchmark::ClobberMemory();
    }
    state.SetItemsProcessed(state.iterations() * 100);
}
BENCHMARK(bytes_written);

void histogram_record(benchmark::State& state) {
    Histogram histogram(Unit::nanoseconds);
    std::uint64_t value = 100;
    for (auto _ : state) histogram.record(value = value * 5 % 9'999'991);
}
BENCHMARK(histogram_record);

void push_notify_drain(benchmark::State& state) {
    BoundedQueue<std::uint64_t> queue(1024);
    Signal signal;
    std::vector<std::uint64_t> out;
    for (auto _ : state) {
        for (std::uint64_t i = 0; i < 100; ++i) {
            queue.try_push(std::uint64_t{i});
            signal.notify();
        }
        signal.try_take();
        out.clear();
        queue.drain(out, 1000);
    }
    state.SetItemsProcessed(state.iterations() * 100);
}
BENCHMARK(push_notify_drain);

}  // namespace
}  // namespace nostro
