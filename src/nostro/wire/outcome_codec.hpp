// Outcomes as bytes: what their command says already is left out. Inner part of the frame codec;
// docs/formats/frame.md draws it.
#pragma once
#include <cstddef>
#include <cstdint>

#include "nostro/domain/outcome.hpp"
#include "nostro/wire/command_index.hpp"
#include "nostro/wire/frame_map.hpp"
#include "nostro/wire/recurring.hpp"
#include "nostro/wire/section.hpp"

namespace nostro {

// What outcomes and images may be written relative to. Of an image file: nothing.
struct FrameFacts {
    Seq seq = 0;
    Instant time{};
    const CommandIndex* commands = nullptr;
    const IndexedPayment* payment(std::uint32_t command, std::uint32_t item) const {
        return commands == nullptr ? nullptr : commands->payment(command, item);
    }
};

// What an outcome is expected to be if its bytes do not say otherwise. Writer and reader go through the same states.
class OutcomeDefaults {
public:
    explicit OutcomeDefaults(const FrameFacts& facts, const OutcomePoint& point = {}) : facts_(facts), point_(point) {}

    // Which command the next outcome is of, unless it says otherwise.
    std::uint32_t command(Event event) const { return event == Event::expired ? kNoCommand : point_.next_command; }
    std::uint32_t item() const { return point_.next_item; }
    std::uint64_t number(Event event) const { return event == Event::submitted ? point_.last_number + 1 : 0; }
    Place origin(Event event) const { return event == Event::submitted ? Place{facts_.seq, point_.index} : Place{}; }
    Instant accepted_at(Event event) const { return event == Event::submitted ? facts_.time : Instant{}; }
    TenantNo tenant(std::uint32_t command) const {
        return facts_.commands == nullptr ? TenantNo{0} : facts_.commands->tenant(command);
    }
    // The payment that a command brought: its id, sides, amount and rail hold unless the outcome says otherwise.
    const PaymentHead& payment(std::uint32_t command, std::uint32_t item) const {
        static constexpr PaymentHead kNone{};
        const IndexedPayment* found = facts_.payment(command, item);
        return found == nullptr ? kNone : found->head;
    }
    void after(const Outcome& outcome);
    const OutcomePoint& point() const { return point_; }

private:
    const FrameFacts& facts_;
    OutcomePoint point_;
};

class OutcomeWriter {
public:
    explicit OutcomeWriter(const FrameFacts& facts) : defaults_(facts) {}
    static constexpr std::size_t kFixedMax = 224, kHitMax = 44;
    static std::size_t bound(const Outcome& outcome) { return kFixedMax + outcome.why.hit_count * kHitMax; }
    void put(RawWriter& raw, const Outcome& outcome);

private:
    void put_why(RawWriter& raw, const Assessment& why);

    OutcomeDefaults defaults_;
    RecurringNumbers<HitShape> shapes_;
};

class OutcomeReader {
public:
    explicit OutcomeReader(const FrameFacts& facts) : defaults_(facts) {}
    // Goes on where another reader had come to.
    OutcomeReader(const FrameFacts& facts, const OutcomePoint& point, const HitShapes& shapes)
        : defaults_(facts, point), shapes_(shapes) {}
    // `into` is as new.
    void get(PayloadReader& in, Outcome& into);
    const OutcomePoint& point() const { return defaults_.point(); }
    const HitShapes& shapes() const { return shapes_; }

private:
    void get_why(PayloadReader& in, Assessment& into);

    OutcomeDefaults defaults_;
    HitShapes shapes_;
};

}  // namespace nostro
