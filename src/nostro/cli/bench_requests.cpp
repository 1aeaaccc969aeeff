#include "nostro/cli/bench_requests.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "nostro/cli/load.hpp"

namespace nostro::cli {
namespace {

constexpr std::size_t kAccountDigits = 7, kNumberDigits = 12;

// "00" to "99" in a row.
constexpr auto kPairs = [] {
    std::array<char, 200> pairs{};
    for (std::size_t i = 0; i < 100; ++i) {
        pairs[2 * i] = static_cast<char>('0' + i / 10);
        pairs[2 * i + 1] = static_cast<char>('0' + i % 10);
    }
    return pairs;
}();

// The last `digits` digits of a number, with leading zeros.
inline void write_digits(char* to, std::size_t digits, std::uint64_t number) {
    while (digits >= 2) {
        digits -= 2;
        std::memcpy(to + digits, &kPairs[number % 100 * 2], 2);
        number /= 100;
    }
    if (digits == 1) *to = static_cast<char>('0' + number % 10);
}

}  // namespace

std::string bench_account(std::uint32_t number) { return fmt::format("bench-{:07}", number); }

BenchRequests::BenchRequests(const BenchRequestOptions& options)
    : targets_(options.targets), random_(options.seed), accounts_(options.accounts), hot_percent_(options.hot_percent) {
    if (!targets_.empty()) {
        lay_out_target(options.url);
    } else if (options.body.empty()) {
        lay_out_payments(options);
    } else {
        lay_out_body(options);
    }
}

void BenchRequests::lay_out_target(const Url& url) {
    text_ = "GET ";
    target_at_ = text_.size();
    text_ += fmt::format("{} HTTP/1.1\r\nHost: {}:{}\r\n\r\n", targets_.front(), url.host, url.port);
}

void BenchRequests::lay_out_body(const BenchRequestOptions& options) {
    text_ = post_head(options.url, options.path, "application/json");
    text_ += fmt::format("Content-Length: {}\r\n\r\n", options.body.size());
    for (const char c : options.body) {
        if (c == '#') digits_.push_back(text_.size());
        text_ += c == '#' ? '0' : c;
    }
}

void BenchRequests::lay_out_payments(const BenchRequestOptions& options) {
    const bool bulk = options.batch > 1;
    std::string path = options.path;
    if (path.empty()) path = bulk ? "/v1/payments/batch" : "/v1/payments";
    text_ = post_head(options.url, path, bulk ? "application/x-ndjson" : "application/json");
    // A key looks like the UUID that most clients send; its first half tells runs apart.
    const std::uint64_t run = random_u64();
    const std::string key = fmt::format("{:08x}-{:04x}-{:04x}-{:04x}-{:012}", run >> 32, run >> 16 & 0xffff,
                                        run & 0xffff, options.seed & 0xffff, 0);
    const auto payment = [&] {
        std::string text = "{";
        if (bulk) text += fmt::format(R"("idempotency_key":"{}",)", key);
        text += fmt::format(R"("debtor_account":"{}","creditor_account":"{}","amount":"00.00","currency":"USD",)"
                            R"("type":"TRANSFER","reference":"INV-000000000000"}})",
                            bench_account(0), bench_account(0));
        if (bulk) text += '\n';
        return text;
    }();
    const auto digits_of = [&](std::string_view name, std::size_t prefix) {
        return payment.find(fmt::format("\"{}\":\"", name)) + name.size() + 4 + prefix;
    };
    const std::size_t key_in_head = text_.size() + std::string_view("Idempotency-Key: ").size();
    if (!bulk) text_ += fmt::format("Idempotency-Key: {}\r\n", key);
    text_ += fmt::format("Content-Length: {}\r\n\r\n", payment.size() * options.batch);
    for (std::uint32_t i = 0; i < options.batch; ++i) {
        const std::size_t at = text_.size();
        const std::size_t key_at = bulk ? at + digits_of("idempotency_key", 0) : key_in_head;
        places_.push_back({key_at + key.size() - kNumberDigits, at + digits_of("debtor_account", 6),
                           at + digits_of("creditor_account", 6), at + digits_of("amount", 0),
                           at + digits_of("reference", 4)});
        text_ += payment;
    }
}

void BenchRequests::lay_out(char* to) const { std::memcpy(to, text_.data(), text_.size()); }

void BenchRequests::stamp(char* at) {
    if (!targets_.empty()) {
        const std::string& target = targets_[random_.below(targets_.size())];
        std::ranges::copy(target, at + target_at_);
    }
    std::uint64_t drawn_digits = 0;
    for (std::size_t i = 0; i < digits_.size(); ++i) {
        if (i % 16 == 0) drawn_digits = random_.next();  // enough for so many
        at[digits_[i]] = static_cast<char>('0' + drawn_digits % 10);
        drawn_digits /= 10;
    }
    for (const Places& places : places_) {
        const std::uint64_t debtor = random_.below(accounts_);
        const std::uint64_t drawn = random_.next();
        std::uint64_t creditor = drawn % 100 < hot_percent_ ? 0 : random_.below(accounts_);
        if (creditor == debtor) creditor = (creditor + 1) % accounts_;
        write_digits(at + places.key, kNumberDigits, number_);
        write_digits(at + places.debtor, kAccountDigits, debtor);
        write_digits(at + places.creditor, kAccountDigits, creditor);
        // Two pairs of digits around the point, "10.00" to "99.99".
        write_digits(at + places.amount, 2, 10 + (drawn >> 8) % 90);
        write_digits(at + places.amount + 3, 2, (drawn >> 32) % 100);
        write_digits(at + places.reference, kNumberDigits, number_);
        ++number_;
    }
}

}  // namespace nostro::cli
