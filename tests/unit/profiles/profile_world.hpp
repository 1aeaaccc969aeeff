// A profile over a real engine with its journal in memory: messages in, outcomes out.
#pragma once
#include <gtest/gtest.h>

#include <future>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "nostro/adapters/memory/memory_journal.hpp"
#include "nostro/base/embedded.hpp"
#include "nostro/base/log.hpp"
#include "nostro/base/metrics.hpp"
#include "nostro/engine/service.hpp"
#include "nostro/engine/tenant_ledger.hpp"
#include "nostro/profiles/profile.hpp"
#include "nostro/profiles/profile_file.hpp"

namespace nostro::test {

class ProfileWorld {
public:
    using Variables = std::map<std::string, std::string, std::less<>>;

    // `text` in the place of the profile's file; empty: the one in the program.
    explicit ProfileWorld(const ProfileEntry& entry, const Variables& variables = {}, std::string text = {})
        : entry_(entry) {
        configure_log({.level = LogLevel::warn});
        if (text.empty()) text = embedded_file("profiles/" + std::string(entry.name) + ".toml").value();
        setup = read_profile_file(text, "test.toml", [&](std::string_view name) -> std::optional<std::string> {
                    const auto found = variables.find(name);
                    return found == variables.end() ? std::nullopt : std::optional(found->second);
                }).value();
        profile = entry.make(setup).value();
        profile->register_metrics(metrics);
        ServiceParts parts;
        parts.journal = &journal_;
        parts.clock = &clock;
        parts.metrics = &metrics;
        parts.fatal = [](const Error& error) { throw std::runtime_error(error.what); };
        ServiceOptions options;
        options.book = {.accounts_max = 2'000,
                        .counters_max = 2'000,
                        .holds_max = 200,
                        .reversed_max = 100,
                        .bounds_max = 100,
                        .known_max = 20'000};
        options.default_policy = "tenant = \"nostro\"\n";
        service = std::make_unique<Service>(std::move(parts), options);
        service->start().value();
        auto builder = service->build(nullptr, entry.tenant);
        EXPECT_TRUE(builder.change_policy(Policy::parse(setup.policy, 1, clock.now()).value(), "test"));
        run(builder);
        ledger = std::make_unique<TenantLedger>(*service, clock, entry.tenant);
    }

    // What became of one thing that was wished. `payment` lives as long as `frame`.
    struct Told {
        Receipt receipt;
        Outcome outcome;
        Payment payment;  // of a record: its document is the attachment
        DecodedPtr frame;
        std::string dead_letter;  // why nobody could read the message
    };
    Told send(std::string_view message, const MessagePlace& place = {"test", 1}) {
        auto arena = std::make_shared<Arena>();
        const auto wish = profile->read(message, place, *arena);
        Told told;
        if (!wish) {
            told.dead_letter = wish.error().what;
            return told;
        }
        return submit(*wish, arena);
    }
    Told submit(const Wish& wish, const std::shared_ptr<const void>& memory = nullptr) {
        std::promise<Result<std::vector<Receipt>>> promise;
        auto future = promise.get_future();
        ledger->submit(memory, std::span(&wish, 1),
                       [&](Result<std::vector<Receipt>> receipts) { promise.set_value(std::move(receipts)); });
        auto receipts = future.get();
        if (!receipts) throw std::runtime_error(receipts.error().what);
        EXPECT_TRUE(ledger->complete(*receipts));
        return told_of(receipts->at(0));
    }
    // All of it that is not reversed yet, as POST /v1/payments/{id}/reverse does.
    Told reverse(const Told& original) {
        Recorded recorded;
        add_outcome(recorded, original.frame, original.receipt.place.index);
        auto builder = service->build(nullptr, entry_.tenant);
        EXPECT_TRUE(builder.reverse(recorded, std::nullopt, {}, {}, {}));
        return told_of(run(builder).at(0));
    }
    Told told_of(const Receipt& receipt) {
        Told told;
        told.receipt = receipt;
        if (told.receipt.place.seq == 0) return told;
        told.frame = service->frame(told.receipt.place.seq).value();
        told.outcome = told.frame->changes.outcomes.at(told.receipt.place.index);
        Recorded recorded;
        add_outcome(recorded, told.frame, told.receipt.place.index);
        told.payment = recorded.payment;
        profile->count(told.outcome, payment_of(*told.frame, told.outcome));
        return told;
    }
    std::vector<Receipt> run(SubmissionBuilder& builder) {
        std::promise<Result<std::vector<Receipt>>> promise;
        auto future = promise.get_future();
        service->submit(
            builder.take([&](Result<std::vector<Receipt>> receipts) { promise.set_value(std::move(receipts)); }));
        return future.get().value();
    }
    // Posted balance in minor units; nullopt: there is no such account.
    std::optional<std::int64_t> balance(std::string_view name) {
        std::promise<Result<BalanceNow>> promise;
        auto future = promise.get_future();
        service->balance(account_id(entry_.name, name),
                         [&](Result<BalanceNow> now) { promise.set_value(std::move(now)); });
        const auto now = future.get();
        return now ? std::optional(now->account.balance) : std::nullopt;
    }
    PolicyPtr policy() const { return ledger->policy(); }

    ProfileSetup setup;
    std::unique_ptr<Profile> profile;
    MetricsRegistry metrics;
    SystemClock clock;

private:
    const ProfileEntry& entry_;
    MemoryJournal journal_{std::make_shared<MemoryLog>()};

public:
    std::unique_ptr<Service> service;
    std::unique_ptr<TenantLedger> ledger;
};

}  // namespace nostro::test
