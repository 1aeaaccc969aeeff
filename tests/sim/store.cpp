#include "tests/sim/store.hpp"

namespace nostro::sim {
namespace {

class OpenLog final : public OpenJournal {
public:
    OpenLog(std::shared_ptr<MemoryLog> log, std::size_t in_flight_max)
        : journal_(std::move(log), MemoryJournal::Writes::by_hand) {
        journal_.set_bounds(in_flight_max, 1u << 20);
    }

    Journal& journal() override { return journal_; }
    void progress(Xoshiro256& random, bool all) override {
        const std::size_t under_way = journal_.under_way();
        if (under_way > 0) journal_.complete(all ? under_way : random.below(under_way + 1));
    }
    std::size_t under_way() const override { return journal_.under_way(); }
    void set_full(bool full) override { journal_.set_full(full); }
    void break_soon(Xoshiro256&) override {
        broken_ = true;
        journal_.fail();
    }
    bool is_broken() const override { return broken_; }
    // What is still under way afterwards goes with the journal.
    void crash(Xoshiro256& random) override { progress(random, false); }

private:
    MemoryJournal journal_;
    bool broken_ = false;
};

}  // namespace

std::unique_ptr<OpenJournal> LogStore::open() { return std::make_unique<OpenLog>(log_, in_flight_max_); }

}  // namespace nostro::sim
