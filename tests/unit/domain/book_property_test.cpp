#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "tests/unit/domain/book_world.hpp"

namespace nostro::test {

// Longer than rapidcheck would make them: what is wrong often needs a few dozen commands to show.
struct Steps {
    std::vector<Step> all;
    friend std::ostream& operator<<(std::ostream& out, const Steps& steps) {
        for (const Step& step : steps.all) out << step;
        return out;
    }
};

}  // namespace nostro::test

namespace rc {
template <>
struct Arbitrary<nostro::test::Steps> {
    static Gen<nostro::test::Steps> arbitrary() {
        using nostro::test::Step;
        return gen::map(gen::scale(5, gen::arbitrary<std::vector<Step>>()),
                        [](std::vector<Step> steps) { return nostro::test::Steps{std::move(steps)}; });
    }
};
}  // namespace rc

namespace nostro::test {
namespace {

constexpr BookSize kWorldBook{.accounts_max = 40,
                              .counters_max = 400,
                              .holds_max = 100,
                              .reversed_max = 100,
                              .bounds_max = 40,
                              .known_max = 4'000};

// One frame of a run, as a journal would keep it.
struct Written {
    Seq seq;
    Instant time;
    std::vector<OwnedCommand> commands;
    Changes changes;
};

// Runs steps in frames of a few, with time passing, and keeps what each frame left.
class World {
public:
    World() : book_(std::make_unique<Book>(kWorldBook)) {
        frame({a_command(ChangePolicy{world_policy_version(1), "first"})});
        std::vector<Command> opens;
        for (int i = 0; i < kPeople; ++i) {
            opens.push_back(an_account(kNames[i]).in(i + 1 == kPeople ? "USD" : "EUR").with(3000).command());
        }
        frame(opens);
    }

    template <class EachFrame>
    void run(const std::vector<Step>& steps, EachFrame each_frame) {
        std::size_t at = 0;
        while (at < steps.size()) {
            now_ += std::chrono::minutes(steps[at].extra * steps[at].extra * 5);
            begin();
            const std::size_t end = std::min(steps.size(), at + 1 + static_cast<std::size_t>(steps[at].amount) % 6);
            for (; at < end; ++at) apply(maker_.make(steps[at], *book_, now_));
            finish();
            each_frame(journal_.back());
        }
    }

    Book& book() { return *book_; }
    Instant now() const { return now_; }
    const std::vector<Written>& journal() const { return journal_; }
    CommandMaker& maker() { return maker_; }

private:
    void frame(const std::vector<Command>& commands) {
        begin();
        for (const Command& command : commands) apply({command, {}});
        finish();
    }
    void begin() {
        journal_.push_back({journal_.size() + 1, now_, {}, {}});
        book_->begin_frame(journal_.back().seq, now_, 3, journal_.back().changes);
    }
    void apply(OwnedCommand owned) {
        Written& written = journal_.back();
        const auto before = written.changes.outcomes.size();
        const Answer answer = book_->apply(owned.command, static_cast<std::uint32_t>(written.commands.size()));
        if (answer.kind == Answer::Kind::recorded) {
            check_group(owned.command, answer, written.changes);
            written.commands.push_back(std::move(owned));
        } else {
            RC_ASSERT(written.changes.outcomes.size() == before);
        }
        for (std::size_t i = before; i < written.changes.outcomes.size(); ++i) {
            const Place place{written.seq, static_cast<std::uint32_t>(i)};
            maker_.see(written.changes.outcomes[i], place, now_);
        }
    }
    static void check_group(const Command& command, const Answer& answer, const Changes& changes) {
        const auto* group = std::get_if<SubmitGroup>(&command.body);
        if (group == nullptr) return;
        RC_ASSERT(answer.count == group->payments.size());
        std::size_t settled = 0, culprits = 0;
        for (std::uint32_t i = 0; i < answer.count; ++i) {
            const Outcome& outcome = changes.outcomes[answer.index + i];
            RC_ASSERT(outcome.payment == group->payments[i].payment.id);
            settled += outcome.status == Status::settled;
            culprits += outcome.status == Status::rejected && outcome.reason != Reason::group_refused;
            if (outcome.status == Status::rejected && outcome.reason != Reason::group_refused) {
                RC_ASSERT(answer.item == i);
            }
        }
        RC_ASSERT(settled == 0 || settled == answer.count);
        RC_ASSERT(culprits == (settled == 0 ? 1u : 0u));
    }
    void finish() {
        Written& written = journal_.back();
        book_->end_frame();
        // Expiries are outcomes too, which the maker has not seen.
        for (std::size_t i = 0; i < written.changes.outcomes.size(); ++i) {
            const Outcome& outcome = written.changes.outcomes[i];
            if (outcome.event == Event::expired) {
                maker_.see(outcome, {written.seq, static_cast<std::uint32_t>(i)}, now_);
            }
        }
    }

    std::unique_ptr<Book> book_;
    Instant now_ = kStart;
    CommandMaker maker_;
    std::vector<Written> journal_;
};

TEST(BookPropertyTest, EverythingAddsUpAgainAfterEveryFrame) {
    ASSERT_TRUE(rc::check([](const Steps& steps) {
        World world;
        NaiveBook naive;
        for (const Written& written : world.journal()) {
            for (const Outcome& outcome : written.changes.outcomes) naive.see(outcome, world.book(), written.time);
        }
        world.run(steps.all, [&](const Written& written) {
            RC_ASSERT(world.book().is_balanced());
            for (const Outcome& outcome : written.changes.outcomes) naive.see(outcome, world.book(), written.time);
            naive.compare(world.book(), written.time);
        });
    }));
}

// One image a cell, and the versions of an account have no gaps.
TEST(BookPropertyTest, ImagesAreOneACellWithVersionsInTurn) {
    ASSERT_TRUE(rc::check([](const Steps& steps) {
        World world;
        world.run(steps.all, [](const Written&) {});
        std::map<AccountId, std::uint64_t> versions;
        for (const Written& written : world.journal()) {
            for (const AccountImage& image : written.changes.accounts) {
                RC_ASSERT(image.version == ++versions[image.id]);
                RC_ASSERT(image.held >= 0);
            }
            std::set<std::tuple<AccountId, std::uint32_t, std::uint8_t>> counters;
            for (const CounterImage& image : written.changes.counters) {
                RC_ASSERT(counters.insert({image.account, image.limit, image.place}).second);
            }
            std::set<PaymentId> holds;
            for (const HoldImage& image : written.changes.holds) RC_ASSERT(holds.insert(image.payment).second);
        }
    }));
}

TEST(BookPropertyTest, AStandbyThatOnlyInstallsIsEqualAfterEveryFrame) {
    ASSERT_TRUE(rc::check([](const Steps& steps) {
        World world;
        Book standby(kWorldBook);
        for (const Written& written : world.journal()) {
            RC_ASSERT(standby.install(written.seq, written.time, written.changes).has_value());
        }
        world.run(steps.all, [&](const Written& written) {
            RC_ASSERT(standby.install(written.seq, written.time, written.changes).has_value());
            RC_ASSERT(standby.digest() == world.book().digest());
            RC_ASSERT(standby.next_due() == world.book().next_due());
            RC_ASSERT(standby.is_balanced());
            for (const KnownImage& image : written.changes.known) {
                RC_ASSERT(standby.known(image.id)->state == world.book().known(image.id)->state);
                RC_ASSERT(standby.known(image.id)->place == world.book().known(image.id)->place);
            }
        });
    }));
}

// Recovery: an image file as of some frame, folded image by image, then the frames behind it, by a program whose
// rules are quite different.
TEST(BookPropertyTest, AProgramWithOtherRulesRecoversTheSameBook) {
    ASSERT_TRUE(rc::check([](const Steps& steps, std::uint8_t cut_at) {
        World world;
        world.run(steps.all, [](const Written&) {});
        const std::size_t cut = cut_at % (world.journal().size() + 1);
        Book folded(kWorldBook), recovered(kWorldBook);
        const auto with_other_rules = [](Changes changes) {
            for (PolicyPtr& policy : changes.policies) policy = a_policy("review_ttl = \"1h\"\n", policy->version());
            return changes;
        };
        for (std::size_t i = 0; i < cut; ++i) {
            const Written& written = world.journal()[i];
            RC_ASSERT(folded.install(written.seq, written.time, with_other_rules(written.changes)).has_value());
        }
        folded.export_cells(
            7, [&](const Changes& changes) { RC_ASSERT(recovered.install(0, kStart, changes).has_value()); });
        recovered.forget_known(cut);
        for (std::size_t i = cut; i < world.journal().size(); ++i) {
            const Written& written = world.journal()[i];
            RC_ASSERT(recovered.install(written.seq, written.time, with_other_rules(written.changes)).has_value());
        }
        RC_ASSERT(recovered.digest() == world.book().digest());
        RC_ASSERT(recovered.forgotten_through() == cut);
    }));
}

void expect_same(const Outcome& a, const Outcome& b) {
    RC_ASSERT(a.event == b.event);
    RC_ASSERT(a.status == b.status);
    RC_ASSERT(a.reason == b.reason);
    RC_ASSERT(a.payment == b.payment);
    RC_ASSERT(a.amount == b.amount);
    RC_ASSERT(a.number == b.number);
    RC_ASSERT(a.origin == b.origin);
    RC_ASSERT(a.command == b.command);
    RC_ASSERT(a.item == b.item);
    RC_ASSERT(a.expires_at == b.expires_at);
    RC_ASSERT(a.debtor_before == b.debtor_before);
    RC_ASSERT(a.debtor_after == b.debtor_after);
    RC_ASSERT(a.creditor_before == b.creditor_before);
    RC_ASSERT(a.creditor_after == b.creditor_after);
    RC_ASSERT(a.why.score == b.why.score);
    RC_ASSERT(std::equal(a.why.fired().begin(), a.why.fired().end(), b.why.fired().begin(), b.why.fired().end()));
}

TEST(BookPropertyTest, DecidingTheRecordedCommandsAgainGivesTheSameFrames) {
    ASSERT_TRUE(rc::check([](const Steps& steps) {
        World world;
        world.run(steps.all, [](const Written&) {});
        Book again(kWorldBook);
        Changes changes;
        for (const Written& written : world.journal()) {
            changes.clear();
            again.begin_frame(written.seq, written.time, 3, changes);
            for (std::uint32_t i = 0; i < written.commands.size(); ++i) again.apply(written.commands[i].command, i);
            again.end_frame();
            RC_ASSERT(changes.outcomes.size() == written.changes.outcomes.size());
            for (std::size_t i = 0; i < changes.outcomes.size(); ++i) {
                expect_same(changes.outcomes[i], written.changes.outcomes[i]);
            }
            RC_ASSERT(changes.accounts == written.changes.accounts);
            RC_ASSERT(changes.counters == written.changes.counters);
            RC_ASSERT(changes.holds == written.changes.holds);
            RC_ASSERT(changes.reversed == written.changes.reversed);
            RC_ASSERT(changes.known == written.changes.known);
            RC_ASSERT(changes.bounds == written.changes.bounds);
            RC_ASSERT(changes.tenants == written.changes.tenants);
        }
    }));
}

TEST(BookPropertyTest, ASimulationLeavesNoTraceAndTellsWhatThenHappens) {
    ASSERT_TRUE(rc::check([](const Steps& steps, const Steps& tried) {
        World world;
        world.run(steps.all, [](const Written&) {});
        Book& book = world.book();
        const Digest before = book.digest();
        const Instant due = book.next_due();
        Changes simulated, real;
        Seq seq = world.journal().size();
        for (const Step& step : tried.all) {
            const OwnedCommand owned = world.maker().make(step, book, world.now());
            book.simulate(owned.command, world.now(), simulated);
            RC_ASSERT(book.digest() == before);
            RC_ASSERT(book.next_due() == due);
            RC_ASSERT(book.is_balanced());
        }
        for (const Step& step : tried.all) {
            const OwnedCommand owned = world.maker().make(step, book, world.now());
            const Answer told = book.simulate(owned.command, world.now(), simulated);
            real.clear();
            book.begin_frame(++seq, world.now(), 0, real);
            const Answer answer = book.apply(owned.command, 0);
            book.end_frame();
            RC_ASSERT(told.kind == answer.kind);
            RC_ASSERT(told.reason == answer.reason);
            RC_ASSERT(simulated.outcomes.size() == real.outcomes.size());
            for (std::size_t i = 0; i < real.outcomes.size(); ++i) expect_same(simulated.outcomes[i], real.outcomes[i]);
        }
    }));
}

}  // namespace
}  // namespace nostro::test
