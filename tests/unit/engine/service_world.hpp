// The whole engine on its threads, over a journal in memory, with an index that can be held back.
#pragma once
#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <vector>

#include "nostro/engine/service.hpp"
#include "tests/unit/engine/world.hpp"

namespace nostro::test {

// Holds projections back on demand, and is the index that Query asks.
class SlowIndex final : public Projection, public History {
public:
    Result<Seq> next() override { return read_through() + 1; }
    Result<> project(std::span<const DecodedPtr> frames) override {
        const std::lock_guard lock(mutex_);
        if (stuck) return Error{ErrorCode::unavailable, "index: stuck"};
        for (const DecodedPtr& frame : frames) frames_.push_back(frame);
        return {};
    }
    Seq read_through() const {
        const std::lock_guard lock(mutex_);
        return frames_.size();
    }
    AsOf as_of() const override { return {read_through(), Instant{}}; }
    Result<std::optional<Recorded>> payment(PaymentId id) const override {
        if (away) return none();
        const std::lock_guard lock(mutex_);
        std::optional<Recorded> found;
        for (const DecodedPtr& frame : frames_) {
            for (std::uint32_t i = 0; i < frame->changes.outcomes.size(); ++i) {
                if (frame->changes.outcomes[i].payment != id) continue;
                if (!found) found.emplace();
                add_outcome(*found, frame, i);
            }
        }
        return found;
    }
    Result<Page<Recorded>> payments(const Search&) const override { return none(); }
    Result<Page<Recorded>> reviews(TenantNo, std::uint32_t, const std::string&) const override { return none(); }
    Result<std::optional<AccountRecord>> account_as_of(AccountId, Seq) const override { return none(); }
    Result<std::optional<AccountRecord>> account(AccountId id) const override {
        const std::lock_guard lock(mutex_);
        std::optional<AccountRecord> found;
        for (const DecodedPtr& frame : frames_) {
            for (const AccountImage& image : frame->changes.accounts) {
                if (image.id == id) found.emplace().image = image;
            }
        }
        return found;
    }
    Result<Page<AccountRecord>> accounts(TenantNo, std::uint32_t, const std::string&) const override { return none(); }
    Result<AccountImage> account_at(AccountId, Seq) const override { return none(); }
    Result<Seq> seq_at(Instant) const override { return none(); }
    Result<Page<Entry>> entries(AccountId, std::optional<Instant>, std::optional<Instant>, bool, std::uint32_t,
                                const std::string&) const override {
        return none();
    }
    Result<Page<DeadLetter>> dead_letters(std::uint32_t, const std::string&) const override { return none(); }
    Result<std::optional<DeadLetter>> dead_letter(Place) const override { return std::optional<DeadLetter>(); }
    Result<std::vector<Book::KindTotal>> totals_at(Seq) const override { return none(); }
    Result<std::optional<Seq>> frame_of_number(TenantNo tenant, std::uint64_t number) const override {
        const std::lock_guard lock(mutex_);
        for (const DecodedPtr& frame : frames_) {
            for (const Outcome& outcome : frame->changes.outcomes) {
                if (outcome.tenant == tenant && outcome.number >= number && outcome.number > 0) return frame->seq();
            }
        }
        return std::optional<Seq>();
    }
    Result<Page<Recorded>> rows(const RowSearch&) const override { return none(); }

    std::atomic<bool> stuck{false}, away{false};

private:
    static Error none() { return {ErrorCode::unavailable, "not in this index"}; }
    mutable std::mutex mutex_;
    std::vector<DecodedPtr> frames_;
};

class ServiceTest : public testing::Test {
protected:
    void SetUp() override { restart(); }
    void restart() {
        begin_anew().set_bounds(4, frame_bytes_max);
        ServiceParts parts;
        parts.journal = journal.get();
        parts.index = &index;
        parts.projections = {{"index", &index}};
        parts.fatal = [this](const Error& error) { fatal.set_value(error); };
        start(std::move(parts));
    }
    // For a journal of the test's own, which stands before this one and is gone before the fixture is.
    MemoryJournal& begin_anew() {
        service.reset();
        registry = std::make_unique<MetricsRegistry>();
        journal = std::make_unique<MemoryJournal>(log);
        return *journal;
    }
    struct EndsService {
        std::unique_ptr<Service>& service;
        ~EndsService() { service.reset(); }
    };
    // The service over it, which ends with what is returned.
    [[nodiscard]] EndsService start_over(Journal& over) {
        ServiceParts parts;
        parts.journal = &over;
        start(std::move(parts));
        return {service};
    }
    void start(ServiceParts parts) {
        parts.clock = &clock;
        parts.metrics = registry.get();
        ServiceOptions options;
        options.book = kSmallBook;
        options.default_policy = "tenant = \"nostro\"\n";
        options.fresh_wait = 20ms;
        service = std::make_unique<Service>(std::move(parts), options);
        const auto started = service->start();
        ASSERT_TRUE(started) << started.error().what;
    }

    // Throws, which fails the test, where it would else wait for ever.
    template <class Value>
    static Value wait(std::future<Value> future) {
        if (future.wait_for(20s) != std::future_status::ready) throw std::runtime_error("no answer");
        return future.get();
    }
    using Receipts = Result<std::vector<Receipt>>;
    std::future<Receipts> send(SubmissionBuilder& builder) {
        auto promise = std::make_shared<std::promise<Receipts>>();
        auto future = promise->get_future();
        service->submit(builder.take([promise](Receipts receipts) { promise->set_value(std::move(receipts)); }));
        return future;
    }
    std::vector<Receipt> run(SubmissionBuilder& builder) {
        auto receipts = wait(send(builder));
        EXPECT_TRUE(receipts) << (receipts ? "" : receipts.error().what);
        return receipts ? std::move(*receipts) : std::vector<Receipt>();
    }
    void open(std::string_view name, std::int64_t minor) {
        OpenAccount account;
        account.name = name;
        account.currency = currency("EUR");
        account.opening_minor = minor;
        auto builder = service->build(nullptr);
        ASSERT_TRUE(builder.open_account(account, {}));
        EXPECT_EQ(run(builder).at(0).answer.kind, Answer::Kind::recorded);
    }
    static PaymentWish wish(std::string_view key, std::int64_t minor) {
        PaymentWish wish;
        wish.payment.amount = Money(minor, currency("EUR"));
        wish.payment.debtor_name = "ada";
        wish.payment.creditor_name = "bob";
        wish.payment.key = key;
        return wish;
    }
    Receipt pay(std::string_view key, std::int64_t minor) {
        auto builder = service->build(nullptr);
        EXPECT_TRUE(builder.payment(wish(key, minor)));
        const auto receipts = run(builder);
        return receipts.empty() ? Receipt{} : receipts[0];
    }
    Result<BalanceNow> balance(std::string_view name) {
        auto promise = std::make_shared<std::promise<Result<BalanceNow>>>();
        auto future = promise->get_future();
        service->balance(account(name), [promise](Result<BalanceNow> now) { promise->set_value(std::move(now)); });
        return wait(std::move(future));
    }

    std::shared_ptr<MemoryLog> log = std::make_shared<MemoryLog>();
    std::size_t frame_bytes_max = 8u << 20;
    SystemClock clock;
    std::promise<Error> fatal;
    SlowIndex index;
    std::unique_ptr<MetricsRegistry> registry;
    std::unique_ptr<MemoryJournal> journal;
    std::unique_ptr<Service> service;
};

}  // namespace nostro::test
