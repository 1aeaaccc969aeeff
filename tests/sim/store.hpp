// What a simulated process keeps its journal on, and how that loses what was not durable.
#pragma once
#include <memory>

#include "nostro/adapters/memory/faulty_disk.hpp"
#include "nostro/adapters/memory/memory_disk.hpp"
#include "nostro/adapters/memory/memory_journal.hpp"
#include "nostro/base/random.hpp"
#include "nostro/ports/journal.hpp"

namespace nostro::sim {

// The journal of one process. Dropping it without crash() leaves what is under way to its fate.
class OpenJournal {
public:
    virtual ~OpenJournal() = default;
    virtual Journal& journal() = 0;
    virtual const SealedIds* sealed() { return nullptr; }
    // Some of what is under way becomes durable, or all of it.
    virtual void progress(Xoshiro256& random, bool all) = 0;
    virtual std::size_t under_way() const = 0;
    // Space ends, or comes back.
    virtual void set_full(bool full) = 0;
    // One of the next things it does fails.
    virtual void break_soon(Xoshiro256& random) = 0;
    virtual bool is_broken() const = 0;  // it has; the process must not go on for long
    // Background work of the journal, stepped by hand.
    virtual void upkeep(Instant) {}
    // The process ends: of what is under way anything may be durable.
    virtual void crash(Xoshiro256& random) = 0;
    virtual std::uint64_t operations() const { return 0; }  // of its disk, so far
};

class Store {
public:
    virtual ~Store() = default;
    virtual std::unique_ptr<OpenJournal> open() = 0;
    virtual bool allows_two_owners() const = 0;
    virtual bool seals_ids() const = 0;  // known ids leave memory in time
};

// Frames in a MemoryLog, which several processes may own at once.
class LogStore final : public Store {
public:
    explicit LogStore(std::size_t in_flight_max) : in_flight_max_(in_flight_max) {}
    std::unique_ptr<OpenJournal> open() override;
    bool allows_two_owners() const override { return true; }
    bool seals_ids() const override { return false; }

private:
    std::shared_ptr<MemoryLog> log_ = std::make_shared<MemoryLog>();
    std::size_t in_flight_max_;
};

// Segments on a disk that loses power, with the fold and the sealed ids behind them.
class SegmentStoreOnMemoryDisk final : public Store {
public:
    struct Writes {
        std::size_t in_flight_max = 3;
        std::size_t waited_bytes_max = 0;
    };
    explicit SegmentStoreOnMemoryDisk(Writes writes,
                                      std::shared_ptr<MemoryStorage> storage = std::make_shared<MemoryStorage>())
        : storage_(std::move(storage)), writes_(writes) {}
    void plan(const FaultyDisk::Plan& plan) { plan_ = plan; }  // of the next one that is opened
    std::unique_ptr<OpenJournal> open() override;
    bool allows_two_owners() const override { return false; }
    bool seals_ids() const override { return true; }

private:
    std::shared_ptr<MemoryStorage> storage_;
    Writes writes_;
    FaultyDisk::Plan plan_;
};

}  // namespace nostro::sim
