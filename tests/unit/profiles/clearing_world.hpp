// Clearing over a real engine: rows in, steps out.
#pragma once
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "nostro/base/text.hpp"
#include "nostro/profiles/clearing_documents.hpp"
#include "nostro/wire/message_json.hpp"
#include "tests/unit/profiles/profile_world.hpp"

namespace nostro::clearing {

class ClearingWorld : public testing::Test {
protected:
    static void replace(std::string& text, std::string_view what, std::string_view with) {
        const auto at = text.find(what);
        ASSERT_NE(at, std::string::npos) << what;
        text.replace(at, what.size(), with);
    }
    // Another engine, with this policy.
    void begin(const std::string& policy) {
        world_ =
            std::make_unique<test::ProfileWorld>(*find_profile("clearing"), test::ProfileWorld::Variables(), policy);
        accounts_.clear();
    }
    test::ProfileWorld& world() { return *world_; }

    // An account as the two rows of its table and of its customer bring it.
    void open(const std::string& number, std::string_view risk_level, std::string_view balance,
              std::string_view owner = "Somebody", std::string_view type = "CHECKING") {
        const auto told = world().send(fmt::format(
            R"({{"account_number":"{}","customer_id":"C{}","customer_name":"{}","risk_level":"{}","account_type":"{}","balance":"{}"}})",
            number, accounts_.size(), owner, risk_level, type, balance));
        ASSERT_EQ(told.outcome.event, Event::account_opened) << told.dead_letter;
        const auto& opened = std::get<OpenAccount>(told.frame->commands.at(told.outcome.command).body);
        AccountRecord& record = accounts_[number];
        record.name = opened.name;
        record.holder = opened.holder;
        record.metadata = opened.metadata;
        record.opened = told.receipt.place;
    }
    void sample() {
        for (const auto& account : world().setup.accounts) {
            open(account.name, account.risk_level, account.opening, account.holder,
                 message_member(account.metadata, "account_type"));
        }
    }
    void change(const std::string& number, AccountStatus status) {
        auto builder = world().service->build(nullptr, find_profile("clearing")->tenant);
        ChangeAccount change;
        change.id = builder.account(accounts_.at(number).name);
        change.status = status;
        ASSERT_TRUE(builder.change_account(change, {}));
        ASSERT_EQ(world().run(builder).at(0).answer.kind, Answer::Kind::recorded);
    }
    AccountImage image(std::string_view number) {
        Arena arena;
        std::promise<Result<BalanceNow>> promise;
        auto future = promise.get_future();
        world().service->balance(account_id("clearing", account_name(number, arena)),
                                 [&](Result<BalanceNow> now) { promise.set_value(std::move(now)); });
        return future.get().value().account;
    }
    std::vector<std::int64_t> balances() {
        std::vector<std::int64_t> all;
        for (const auto& account : world().setup.accounts) all.push_back(image(account.name).balance);
        return all;
    }

    static std::string a_row(std::string_view id, std::string_view amount, std::string_view from, std::string_view to) {
        return fmt::format(
            R"({{"transaction_id":"{}","amount":{},"from_account":"{}","to_account":"{}","transaction_type":"TRANSFER","description":"a transfer"}})",
            id, amount, from, to);
    }
    // The clearance of a row; views live as long as the test.
    Step sent(std::string_view message) {
        const auto told = world().send(message);
        EXPECT_EQ(told.dead_letter, "") << message;
        EXPECT_EQ(told.receipt.answer.kind, Answer::Kind::recorded) << message;
        Recorded& recorded = recorded_.emplace_back();
        add_outcome(recorded, told.frame, told.receipt.place.index);
        return step(recorded);
    }
    Step sent(std::string_view id, std::string_view amount, std::string_view from, std::string_view to) {
        return sent(a_row(id, amount, from, to));
    }
    // What a reviewer decides of what was sent last.
    Step decided(bool approve, std::string_view by, std::string_view note) {
        Recorded& recorded = recorded_.back();
        auto builder = world().service->build(nullptr, find_profile("clearing")->tenant);
        EXPECT_TRUE(builder.decide_review(recorded.payment.id, approve, by, note, {}));
        const Receipt receipt = world().run(builder).at(0);
        EXPECT_EQ(receipt.answer.kind, Answer::Kind::recorded);
        add_outcome(recorded, world().service->frame(receipt.place.seq).value(), receipt.place.index);
        return step(recorded);
    }
    // All of what was sent last.
    Step reversed() {
        const Recorded& original = recorded_.back();
        auto builder = world().service->build(nullptr, find_profile("clearing")->tenant);
        EXPECT_TRUE(builder.reverse(original, std::nullopt, {}, {}, {}));
        const Receipt receipt = world().run(builder).at(0);
        add_outcome(recorded_.emplace_back(), world().service->frame(receipt.place.seq).value(), receipt.place.index);
        return step(recorded_.back());
    }
    Recorded& last() { return recorded_.back(); }

    const std::string original_policy{embedded_file("profiles/clearing.toml").value()};

private:
    const AccountRecord* account(std::string_view name) {
        for (auto& [number, record] : accounts_) {
            if (record.name != name) continue;
            record.image = image(number);
            return &record;
        }
        return nullptr;
    }
    Step step(const Recorded& recorded) {
        Arena arena;
        const auto [from, to] = account_names(recorded.payment, arena);
        policy_ = world().policy();
        return step_of(recorded, recorded.outcomes.size() - 1, *policy_, account(from), account(to)).value();
    }

    std::unique_ptr<test::ProfileWorld> world_ = std::make_unique<test::ProfileWorld>(*find_profile("clearing"));
    std::map<std::string, AccountRecord, std::less<>> accounts_;
    std::deque<Recorded> recorded_;
    PolicyPtr policy_;
};

}  // namespace nostro::clearing
