// What the reconciler does with what a store tells it; that stores tell the truth is tested with them.
#include "nostro/engine/reconcile.hpp"

#include <thread>

#include "tests/unit/engine/service_world.hpp"

namespace nostro::test {
namespace {

// A store in which somebody edits balances, and which nobody writes again: what was adopted stays to be seen in it.
class EditedStore final : public ComparedStore {
public:
    explicit EditedStore(std::function<Seq()> through) : through_(std::move(through)) {}

    const std::string& name() const override { return name_; }
    Result<Comparison> compare(bool, const CompareWatch&) override {
        Comparison found;
        found.through = through_();
        for (const Drift& drift : edits) found.add(drift);
        return found;
    }
    void edit(AccountId id, std::string journal, std::string now, Seq changed) {
        Drift drift;
        drift.place = "accounts";
        drift.key = "ada";
        drift.column = "balance";
        drift.journal = std::move(journal);
        drift.found = std::move(now);
        drift.account = id;
        drift.changed = changed;
        edits = {drift};
    }

    std::vector<Drift> edits;

private:
    const std::string name_ = "edited";
    const std::function<Seq()> through_;
};

class ReconcilerTest : public ServiceTest {
protected:
    void SetUp() override {
        ServiceTest::SetUp();
        open("ada", 1'000);
        begin();
    }
    void TearDown() override { reconciler.reset(); }
    void begin() {
        reconciler = std::make_unique<Reconciler>(Reconciler::Parts{
            .service = service.get(), .clock = &clock, .metrics = registry.get(), .every = std::nullopt});
        reconciler->start({&store});
    }
    ReconcileRun::Store adopted(std::string_view reason = "statement 7") {
        while (index.as_of().seq < service->accepted()) std::this_thread::yield();  // it is asked for the account
        const auto asked = reconciler->ask({ReconcileMode::adopt, "ops.lee", std::string(reason)});
        EXPECT_TRUE(asked) << asked.error().what;
        auto run = reconciler->run(*asked);
        while (run->state != ReconcileRun::State::done) {
            std::this_thread::yield();
            run = reconciler->run(*asked);
        }
        return run->stores.at(0);
    }
    std::int64_t posted() { return balance("ada")->account.balance; }

    EditedStore store{[this] { return service->accepted(); }};
    std::unique_ptr<Reconciler> reconciler;
};

TEST_F(ReconcilerTest, AnEditThatIsAdoptedTwiceMovesOnce) {
    store.edit(account("ada"), "10.00", "30.50", 2);
    auto first = adopted();
    ASSERT_EQ(first.adopted.size(), 1u);
    EXPECT_EQ(first.adopted[0].refused, "");
    EXPECT_FALSE(first.adopted[0].before);
    EXPECT_EQ(first.adopted[0].amount.minor(), 2'050);
    EXPECT_EQ(posted(), 3'050);
    const Seq after = service->accepted();

    const auto again = adopted();
    ASSERT_EQ(again.adopted.size(), 1u);
    EXPECT_EQ(again.adopted[0].refused, "");
    EXPECT_TRUE(again.adopted[0].before);
    EXPECT_TRUE(again.is_clean());
    EXPECT_EQ(posted(), 3'050);
    EXPECT_EQ(service->accepted(), after) << "and nothing is written";

    // Also by a process that only finds it in the journal.
    reconciler.reset();
    restart();
    begin();
    EXPECT_TRUE(adopted().adopted.at(0).before);
    EXPECT_EQ(posted(), 3'050);
}

TEST_F(ReconcilerTest, AnotherEditOfABalanceIsAdoptedOnceItsAccountHasChanged) {
    store.edit(account("ada"), "10.00", "30.50", 2);
    ASSERT_EQ(adopted().adopted.at(0).refused, "");
    store.edit(account("ada"), "10.00", "40.00", 2);  // of the balance that was adopted away
    EXPECT_EQ(adopted().adopted.at(0).refused, "another edit of this balance was adopted already");
    EXPECT_EQ(posted(), 3'050);
    store.edit(account("ada"), "30.50", "0.50", service->accepted());
    EXPECT_EQ(adopted().adopted.at(0).refused, "");
    EXPECT_EQ(posted(), 50);
}

}  // namespace
}  // namespace nostro::test
