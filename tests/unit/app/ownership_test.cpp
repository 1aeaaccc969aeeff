// How a process gives its Book away, and loses it.
#include "nostro/app/ownership.hpp"

#include <atomic>
#include <thread>

#include "tests/unit/engine/service_world.hpp"

namespace nostro::test {
namespace {

// Nobody else wants it.
class OnlyOne final : public Candidacy {
public:
    void begin(Told) override {}
    void claims() override {}
    void owns() override {}
    void stop() override {}
    std::string trouble() const override { return {}; }
};

class OwnershipTest : public ServiceTest {
protected:
    std::unique_ptr<Ownership> owned() {
        auto made = std::make_unique<Ownership>(Ownership::Parts{.service = service.get(),
                                                                 .candidacy = &candidacy,
                                                                 .begin = {},
                                                                 .fatal = [this](const Error&) { ++ended_at_once; },
                                                                 .end = [this] { ++ended_in_order; }});
        made->start();
        return made;
    }

    const Error fenced{ErrorCode::fenced, "journal: another owner has taken over the journal"};
    OnlyOne candidacy;
    std::atomic<int> ended_at_once{0}, ended_in_order{0};
};

TEST_F(OwnershipTest, WhoeverGaveTheBookAwayEndsInOrderAndElseAtOnce) {
    const auto ownership = owned();
    ownership->lost(fenced);
    EXPECT_EQ(ended_at_once, 1);
    ASSERT_TRUE(ownership->hand_over());
    ownership->lost({ErrorCode::corrupt, "frames are gone"});
    EXPECT_EQ(ended_at_once, 2) << "whatever it did before";
    ownership->lost(fenced);
    EXPECT_EQ(ended_at_once, 2);
    EXPECT_EQ(ended_in_order, 1);
}

// The thread sanitizer looks on.
TEST_F(OwnershipTest, ItMayBeOvertakenWhileItGivesTheBookAway) {
    const auto ownership = owned();
    constexpr int kTimes = 200;
    std::jthread others([&] {
        for (int i = 0; i < kTimes; ++i) ownership->lost(fenced);
    });
    for (int i = 0; i < 20; ++i) EXPECT_TRUE(ownership->hand_over());
    others.join();
    EXPECT_EQ(ended_at_once + ended_in_order, kTimes);
}

}  // namespace
}  // namespace nostro::test
