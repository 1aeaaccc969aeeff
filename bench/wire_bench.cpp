// What a payment costs on its way through bytes: read from JSON, encoded at intake, framed on the settlement thread,
// read back, and told as JSON.
#include <benchmark/benchmark.h>

#include <string>

#include "../tests/unit/wire/bulk_payments.hpp"
#include "nostro/base/crc32c.hpp"
#include "nostro/base/json_text.hpp"
#include "nostro/base/sha256.hpp"
#include "nostro/wire/answer_json.hpp"
#include "nostro/wire/batch_json.hpp"
#include "nostro/wire/frame.hpp"
#include "nostro/wire/payment_json.hpp"

namespace nostro {
namespace {

constexpr std::size_t kPayments = 4096;

// Twenty frames' worth, so that no frame is in the cache from the round before.
struct Frames {
    test::BulkPayments bulk;
    std::vector<std::unique_ptr<test::BulkPayments::Frame>> frames;
    Frames() {
        for (int i = 0; i < 20; ++i) frames.push_back(bulk.frame(kPayments));
    }
};
Frames& frames() {
    static Frames frames;
    return frames;
}

void per_payment(benchmark::State& state) {
    state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(kPayments));
    state.counters["s_payment"] = benchmark::Counter(static_cast<double>(state.iterations()) * kPayments,
                                                     benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}

// add_command() and finish(), SHA-256 and CRC-32C in it.
void frame_build(benchmark::State& state) {
    auto& all = frames().frames;
    FrameBuilder builder(4 << 20);
    std::size_t i = 0, bytes = 0;
    for (auto _ : state) {
        const FramePtr frame = test::BulkPayments::build(builder, *all[i++ % all.size()]);
        bytes = frame->bytes().size();
        benchmark::DoNotOptimize(frame->digest);
    }
    per_payment(state);
    state.counters["bytes_a_payment"] = static_cast<double>(bytes) / kPayments;
}
BENCHMARK(frame_build)->Unit(benchmark::kMicrosecond);

// The part of it that no encoding can save.
void frame_digest_and_checksum(benchmark::State& state) {
    FrameBuilder builder(4 << 20);
    const FramePtr frame = test::BulkPayments::build(builder, *frames().frames[0]);
    for (auto _ : state) {
        benchmark::DoNotOptimize(sha256(frame->body()));
        benchmark::DoNotOptimize(crc32c(frame->body()));
    }
    per_payment(state);
}
BENCHMARK(frame_digest_and_checksum)->Unit(benchmark::kMicrosecond);

void frame_check(benchmark::State& state) {
    FrameBuilder builder(4 << 20);
    const FramePtr frame = test::BulkPayments::build(builder, *frames().frames[0]);
    for (auto _ : state) benchmark::DoNotOptimize(decode_frame(frame->bytes()));
    per_payment(state);
}
BENCHMARK(frame_check)->Unit(benchmark::kMicrosecond);

void frame_take_apart(benchmark::State& state) {
    FrameBuilder builder(4 << 20);
    const FramePtr frame = test::BulkPayments::build(builder, *frames().frames[0]);
    DecodedFrame into;
    for (auto _ : state) benchmark::DoNotOptimize(decode_body(frame, static_cast<Sections>(state.range(0)), into));
    per_payment(state);
}
BENCHMARK(frame_take_apart)->ArgName("sections")->DenseRange(0, 2)->Unit(benchmark::kMicrosecond);

void command_encode(benchmark::State& state) {
    const Command command = frames().bulk.payment();
    std::vector<std::byte> bytes;
    for (auto _ : state) {
        bytes.clear();
        encode_command(command, bytes);
        benchmark::DoNotOptimize(bytes.data());
    }
}
BENCHMARK(command_encode);

constexpr std::string_view kBody =
    R"({"debtor_account":"ACC001234","creditor_account":"ACC004321","amount":"1000.00","currency":"USD","type":"TRANSFER","reference":"INV-1234567"})";

void payment_from_json(benchmark::State& state) {
    JsonReader reader;
    std::string body(kBody);
    body.resize(kBody.size() + kJsonPadding);
    Arena arena;
    PaymentWish wish;
    FieldErrors errors;
    for (auto _ : state) {
        arena.clear();
        benchmark::DoNotOptimize(read_payment(reader, {std::string_view(body).substr(0, kBody.size()), body.size()},
                                              "8e03978e-40d5-43e8-bc93-6894a57f9324", arena, wish, errors));
    }
}
BENCHMARK(payment_from_json);

void payment_id_and_meaning(benchmark::State& state) {
    const Command command = frames().bulk.payment();
    const Payment& payment = std::get<SubmitPayment>(command.body).payment;
    for (auto _ : state) {
        benchmark::DoNotOptimize(payment_id("nostro", "key", payment.key));
        benchmark::DoNotOptimize(payment_meaning(payment));
    }
}
BENCHMARK(payment_id_and_meaning);

void batch_from_json(benchmark::State& state) {
    std::string body = R"({"payments":[)";
    constexpr int kItems = 1000;
    for (int i = 0; i < kItems; ++i) {
        if (i != 0) body += ',';
        body += fmt::format(R"({{"idempotency_key":"8e03978e-40d5-43e8-bc93-{:012x}",)", i);
        body += kBody.substr(1);
    }
    body += "]}";
    const std::size_t size = body.size();
    body.resize(size + kJsonPadding);
    JsonReader reader;
    Arena arena(1 << 20);
    FieldErrors errors;
    std::size_t good = 0;
    for (auto _ : state) {
        arena.clear();
        const auto batch = read_payment_batch(
            reader, {std::string_view(body).substr(0, size), body.size()}, arena,
            [&](const BatchItem& item) { good += item.wish != nullptr ? 1 : 0; }, errors);
        benchmark::DoNotOptimize(batch);
    }
    state.SetItemsProcessed(static_cast<std::int64_t>(good));
}
BENCHMARK(batch_from_json)->Unit(benchmark::kMicrosecond);

void batch_receipts_to_json(benchmark::State& state) {
    Receipt receipt;
    receipt.payment = {1, 2};
    receipt.status = Status::settled;
    receipt.accepted_at = test::BulkPayments::kStart;
    std::string text;
    for (auto _ : state) {
        text.clear();
        JsonWriter json(text);
        json.begin_array();
        for (std::size_t i = 0; i < 1000; ++i) {
            write_batch_receipt(json, i, "8e03978e-40d5-43e8-bc93-6894a57f9324", receipt);
        }
        json.end_array();
        benchmark::DoNotOptimize(text.data());
    }
    state.SetItemsProcessed(state.iterations() * 1000);
}
BENCHMARK(batch_receipts_to_json)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace nostro
