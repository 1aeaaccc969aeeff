// Frames as a ledger under load writes them: decided by a real Book under the built-in policy, between random accounts.
// Shared by the test of what a payment takes and the benchmark of what it costs.
#pragma once
#include <fmt/format.h>

#include <cstdint>
#include <deque>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "nostro/base/embedded.hpp"
#include "nostro/base/random.hpp"
#include "nostro/domain/book.hpp"
#include "nostro/domain/payment_id.hpp"
#include "nostro/wire/frame.hpp"

namespace nostro::test {

class BulkPayments {
public:
    static constexpr Instant kStart{std::chrono::nanoseconds{1'795'253'400'123'456'789}};
    static constexpr std::size_t kAccounts = 200'000;

    BulkPayments() : book_(std::make_unique<Book>(size())) {
        auto policy = Policy::parse(embedded_file("profiles/nostro.toml").value_or(""), 1, kStart);
        policy_ = policy ? *policy : nullptr;
        Changes changes;
        begin(changes);
        book_->apply({0, {}, 0, ChangePolicy{policy_, "start"}}, 0);
        std::uint32_t command = 8192;  // a policy is in force from the next frame on
        for (std::size_t i = 0; i < kAccounts; ++i) {
            if (command % 8192 == 0) {  // accounts of many frames, so of many instants
                book_->end_frame();
                begin(changes);
            }
            names_.push_back(fmt::format("ACC{:06}", i));
            OpenAccount open;
            open.id = account_id("nostro", names_.back());
            open.name = names_.back();
            open.currency = usd();
            open.opening_minor = 100'000'000;
            open.meaning = open.id.low;
            book_->apply({0, {}, 0, open}, command++ % 8192);
        }
        book_->end_frame();
    }

    // `count` payments that settle, as intake would encode them.
    struct Frame {
        std::vector<std::vector<std::byte>> encoded;
        Changes changes;
        FrameHeader header;
    };
    std::unique_ptr<Frame> frame(std::size_t count) {
        auto frame = std::make_unique<Frame>();
        begin(frame->changes);
        frame->header.seq = seq_;
        frame->header.time = now_;
        for (std::size_t i = 0; i < count; ++i) {
            const Command command = payment();
            book_->apply(command, static_cast<std::uint32_t>(i));
            encode_command(command, frame->encoded.emplace_back());
        }
        book_->end_frame();
        return frame;
    }

    static FramePtr build(FrameBuilder& builder, const Frame& frame) {
        builder.begin();
        for (const auto& encoded : frame.encoded) builder.add_command(encoded);
        return builder.finish(frame.header, {}, {}, frame.changes);
    }

    const PolicyPtr& policy() const { return policy_; }
    Command payment() {
        SubmitPayment submit;
        Payment& payment = submit.payment;
        texts_.clear();
        const auto debtor = random_.below(kAccounts);
        payment.debtor_name = names_[debtor];
        payment.creditor_name = names_[(debtor + 1 + random_.below(kAccounts - 1)) % kAccounts];
        payment.debtor = account_id("nostro", payment.debtor_name);
        payment.creditor = account_id("nostro", payment.creditor_name);
        payment.amount = Money(random_.between(1, 200'000), usd());
        payment.type = "TRANSFER";
        payment.key = texts_.emplace_back(fmt::format("8e03978e-40d5-43e8-bc93-{:012x}", random_.below(1ull << 48)));
        payment.reference = texts_.emplace_back(fmt::format("INV-{:07}", random_.below(10'000'000)));
        payment.id = payment_id("nostro", "key", payment.key);
        submit.meaning = payment_meaning(payment);
        submit.assessment = policy_->assess(payment);
        return {0, payment.id, submit.meaning, submit};
    }

private:
    static Currency usd() { return Currency::parse("USD").value(); }
    static BookSize size() {
        BookSize size;
        size.accounts_max = 300'000;
        size.counters_max = 1'000'000;
        size.holds_max = 1'000;
        size.reversed_max = 1'000;
        size.bounds_max = 1'000;
        size.known_max = 2'000'000;
        return size;
    }
    void begin(Changes& changes) {
        changes.clear();
        now_ += std::chrono::nanoseconds{1'000'003};
        book_->begin_frame(++seq_, now_, 1'024, changes);
    }

    std::unique_ptr<Book> book_;
    PolicyPtr policy_;
    std::deque<std::string> names_, texts_;
    Xoshiro256 random_{1};
    Seq seq_ = 0;
    Instant now_ = kStart;
};

}  // namespace nostro::test
