// Outcomes as bytes: what their command says already is left out. Inner part of the frame codec;
// docs/formats/frame.md draws it.
#pragma once
#include <cstddef>
#include <cstdint>

#include "nostro/domain/outcome.hpp"
#include "nostro/wire/command_index.hpp"
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

// The part of a rule's hit that is the same for most payments.
struct HitShape {
    RuleNo rule = 0;
    std::int32_t points = 0;
    std::int64_t at_most = 0;
    std::uint64_t bucket = 0;
    friend bool operator==(const HitShape&, const HitShape&) = default;
};

// What an outcome is expected to be if its bytes do not say otherwise. Writer and reader go through the same states.
class OutcomeDefaults {
public:
    explicit OutcomeDefaults(const FrameFacts& facts) : facts_(facts) {}

    // Which command the next outcome is of, unless it says otherwise.
    std::uint32_t command(Event event) const { return event == Event::expired ? kNoCommand : next_command_; }
    std::uint32_t item() const { return next_item_; }
    std::uint64_t number(Event event) const { return event == Event::submitted ? last_number_ + 1 : 0; }
    Place origin(Event event) const { return event == Event::submitted ? Place{facts_.seq, index_} : Place{}; }
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

private:
    const FrameFacts& facts_;
    std::uint32_t index_ = 0, next_command_ = 0, next_item_ = 0;
    std::uint64_t last_number_ = 0;
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
    // `into` is as new.
    void get(PayloadReader& in, Outcome& into);

private:
    void get_why(PayloadReader& in, Assessment& into);

    OutcomeDefaults defaults_;
    RecurringValues<HitShape> shapes_;
};

}  // namespace nostro
