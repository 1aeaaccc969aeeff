// Values that come again and again within a section (limits with their buckets): written whole once, then by number.
// Inner part of the codecs.
//
// Number n of the n values so far: one known already. Number equal to their count: a new one follows, and takes that
// number, unless kMax values have it: then it follows each time under the number kMax.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>

namespace nostro {

constexpr std::uint32_t kRecurringMax = 64;

// The writer's side: finds a value's number, in a small hash table that may forget. Then it is written once more, as
// a new one: longer, never wrong.
template <class Value>
class RecurringNumbers {
public:
    struct Found {
        std::uint32_t number;
        bool is_new;
    };
    Found find(const Value& value, std::uint64_t hash) {
        Slot& slot = slots_[static_cast<std::size_t>(hash * 0x9E3779B97F4A7C15u >> 57)];
        if (slot.used && slot.value == value) return {slot.number, false};
        if (count_ == kRecurringMax) return {kRecurringMax, true};
        slot = {value, count_, true};
        return {count_++, true};
    }

private:
    struct Slot {
        Value value{};
        std::uint32_t number = 0;
        bool used = false;
    };
    std::array<Slot, 128> slots_{};
    std::uint32_t count_ = 0;
};

// The reader's side.
template <class Value>
class RecurringValues {
public:
    std::uint32_t count() const { return count_; }
    const Value& operator[](std::uint32_t number) const { return values_[number]; }
    void add(const Value& value) {
        if (count_ < kRecurringMax) values_[count_++] = value;
    }

private:
    std::array<Value, kRecurringMax> values_{};
    std::uint32_t count_ = 0;
};

}  // namespace nostro
