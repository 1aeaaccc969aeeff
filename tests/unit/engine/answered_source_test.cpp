// Sources whose commands have callers: what they are told, and when.
#include "tests/unit/engine/world.hpp"

namespace nostro::test {
namespace {

using Kind = Answer::Kind;

// A source whose callers wait for what becomes of their commands.
class AnsweredSource final : public Source {
public:
    explicit AnsweredSource(std::uint32_t number) : from(number) {}
    bool is_answered() const override { return true; }
    void answered(std::vector<Answered> answers) override {
        for (Answered& each : answers) told.push_back(std::move(each));
    }
    Result<> seek(std::span<const Cursor> cursors) override { return from.seek(cursors); }
    Result<> poll(std::size_t count_max, std::vector<Arrival>& arrivals) override {
        return from.poll(count_max, arrivals);
    }
    // "kind reason" of each, in their order.
    std::vector<std::string> kinds() const {
        std::vector<std::string> all;
        for (const Answered& each : told) {
            const Answer& answer = each.receipts.front().answer;
            all.push_back(std::to_string(static_cast<int>(answer.kind)) + " " + std::string(name(answer.reason)));
        }
        return all;
    }
    MemorySource from;
    std::vector<Answered> told;
};

class AnsweredSourceTest : public testing::Test {
protected:
    void start() {
        options.sources = {&source};
        node = std::make_unique<Node>(log, options);
        node->start();
        node->run(two_accounts());
    }

    AnsweredSource source{7};
    std::shared_ptr<MemoryLog> log = std::make_shared<MemoryLog>();
    NodeOptions options;
    std::unique_ptr<Node> node;
};

TEST_F(AnsweredSourceTest, IsToldWhatBecameOfEachAndLeavesNoDeadLetter) {
    start();
    source.from.put(a_payment().id(1).of("EUR", 10).command());
    source.from.put(a_payment().id(1).of("EUR", 10).command());             // again
    source.from.put(a_payment().id(1).of("EUR", 10).meaning(2).command());  // another one
    source.from.put(a_command(VoidPayment{payment_id_of(99)}));
    const std::array items{a_payment().id(2).of("EUR", 1).submit(), a_payment().id(3).of("EUR", 2).submit()};
    source.from.put(a_command(SubmitGroup{items}));
    node->settle();
    const std::string none(name(Reason::none));
    EXPECT_EQ(source.kinds(), (std::vector<std::string>{"0 " + none, "1 " + none, "2 " + none,
                                                        "3 " + std::string(name(Reason::not_found)), "0 " + none}));
    ASSERT_EQ(source.told.size(), 5u);
    EXPECT_EQ(source.told[0].receipts.at(0).status, Status::settled);
    EXPECT_EQ(source.told[1].receipts.at(0).answer.first, source.told[0].receipts.at(0).place);
    EXPECT_EQ(source.told[4].receipts.size(), 2u);
    EXPECT_EQ(source.told[4].receipts[1].payment, payment_id_of(3));
    for (std::size_t i = 0; i < source.told.size(); ++i) EXPECT_EQ(source.told[i].after, (Cursor{7, 0, i + 1}));
    EXPECT_EQ(source.told[1].frame, node->journal_head());
    const auto frame = node->frame(node->journal_head());
    EXPECT_EQ(frame->last.at(0).next, 5u);
    for (const Command& command : frame->commands) {
        EXPECT_FALSE(std::holds_alternative<KeepDeadLetter>(command.body));
    }
}

TEST_F(AnsweredSourceTest, HearsNothingBeforeItIsDurable) {
    start();
    source.from.put(a_payment().id(1).of("EUR", 10).command());
    node->turn();
    ASSERT_EQ(node->journal.under_way(), 1u);
    EXPECT_TRUE(source.told.empty());
    node->settle();
    EXPECT_EQ(source.told.size(), 1u);
}

TEST_F(AnsweredSourceTest, IsRefusedByAFullBookAndGoesOn) {
    options.book.holds_max = 1;
    start();
    const auto held = [](std::uint64_t id) { return a_payment().id(id).of("EUR", 10).manual().command(); };
    while (node->run(held(100 + node->journal_head())).one().answer.kind == Kind::recorded) {
        ASSERT_LT(node->journal_head(), 2'000u);
    }
    source.from.put(held(1));
    source.from.put(a_payment().id(2).of("EUR", 10).command());
    node->settle();
    ASSERT_EQ(source.told.size(), 2u);
    EXPECT_EQ(source.told[0].receipts.at(0).reason, Reason::book_full);
    EXPECT_EQ(source.told[1].receipts.at(0).status, Status::settled);
}

}  // namespace
}  // namespace nostro::test
