#include "nostro/app/command_messages.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "nostro/engine/policies.hpp"
#include "nostro/engine/tenant_ledger.hpp"
#include "nostro/wire/command_message.hpp"

namespace nostro {
namespace {

constexpr TenantNo kUpi = 1;

class CommandMessagesTest : public testing::Test {
protected:
    SubmissionBuilder builder(TenantNo tenant) {
        return SubmissionBuilder({.policies = &policies_, .sealed = nullptr, .tenant = tenant}, nullptr);
    }
    // As an intake puts into its topic what is wished.
    std::string message(TenantNo tenant, const Wish& wish) {
        auto made = builder(tenant);
        EXPECT_TRUE(add_wish(made, wish));
        return value_of(*made.take({}));
    }
    static std::string value_of(const Submission& submission) {
        std::string value(1, static_cast<char>(kCommandForm));
        const auto bytes = submission.encoded.view();
        return value.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    }
    // The command that whoever has the Book makes of it; nullptr: nobody can read it, and `why_` says why.
    const Command* taken(TenantNo tenant, std::string_view value) {
        auto made = builder(tenant);
        TopicMessage message;
        message.value = value;
        const auto added = add_command_message(tenant, message, made, arena_);
        why_ = added ? "" : added.error().what;
        if (!added) return nullptr;
        submission_ = made.take({});
        return &submission_->commands.front();
    }

    Policies policies_{"nostro"};
    Arena arena_{1024};
    std::unique_ptr<Submission> submission_;
    std::string why_;
};

Wish a_payment() {
    PaymentWish wish;
    wish.payment.debtor_name = "user:a";
    wish.payment.creditor_name = "user:b";
    wish.payment.amount = Money(5'00, *Currency::parse("INR"));
    wish.payment.key = "tx-1";
    return wish;
}
Wish an_account() {
    OpenAccount account;
    account.name = "ACC1";
    account.currency = *Currency::parse("USD");
    account.opening_minor = 7;
    return account;
}
const Wish kRecord = RecordWish{"tx-2", Reason::amount_out_of_range, "{}"};
const Wish kLetter =
    KeepDeadLetter{.source = "file:1", .position = "7", .format = "upi message", .why = "no JSON", .bytes = "poison"};

TEST_F(CommandMessagesTest, WhatAMessageOfAProfileBecameIsTakenAsItWas) {
    for (const Wish& wish : {a_payment(), an_account(), kRecord, kLetter}) {
        const std::string value = message(kUpi, wish);
        const Command* command = taken(kUpi, value);
        ASSERT_NE(command, nullptr) << why_;
        EXPECT_EQ(value_of(*submission_), value) << "the same id, the same meaning, the same bytes";
        EXPECT_EQ(command->tenant, kUpi);
    }
}

TEST_F(CommandMessagesTest, NativeRoutesBringPaymentsAlone) {
    EXPECT_NE(taken(0, message(0, a_payment())), nullptr) << why_;
    for (const Wish& wish : {an_account(), kRecord, kLetter}) {
        EXPECT_EQ(taken(0, message(0, wish)), nullptr);
        EXPECT_THAT(why_, testing::HasSubstr("no command of the routes"));
    }
}

TEST_F(CommandMessagesTest, WhatNoMessageBecomesIsRefused) {
    auto voids = builder(kUpi), bounded = builder(kUpi);
    ASSERT_TRUE(voids.void_payment(PaymentId{1, 2}, {}));
    const OwnBound bound{.name_key = 1, .at_most = 5, .removed = false};
    OpenAccount account = std::get<OpenAccount>(an_account());
    account.bounds = std::span(&bound, 1);
    ASSERT_TRUE(bounded.open_account(account, {}));
    for (const std::string& value : {value_of(*voids.take({})), value_of(*bounded.take({})), message(2, a_payment()),
                                     std::string("poison"), std::string("\x01")}) {
        EXPECT_EQ(taken(kUpi, value), nullptr) << value;
        EXPECT_FALSE(why_.empty());
    }
}

// Whoever writes into the topic cannot name an id of somebody else's account.
TEST_F(CommandMessagesTest, IdsAreMadeAnew) {
    auto made = builder(kUpi);
    ASSERT_TRUE(add_wish(made, a_payment()));
    Command forged = made.take({})->commands.front();
    std::get<SubmitPayment>(forged.body).payment.debtor = AccountId{9, 9};
    std::get<SubmitPayment>(forged.body).payment.id = forged.id = PaymentId{9, 9};
    auto other = builder(kUpi);
    ASSERT_TRUE(other.command(forged));
    const Command* command = taken(kUpi, value_of(*other.take({})));
    ASSERT_NE(command, nullptr) << why_;
    EXPECT_EQ(value_of(*submission_), message(kUpi, a_payment()));
}

}  // namespace
}  // namespace nostro
