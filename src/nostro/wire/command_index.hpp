// The few fixed facts of every payment among a frame's encoded commands, read without looking at the rest. Outcomes
// and images are written as differences from them. Inner part of the frame codec.
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "nostro/domain/command.hpp"
#include "nostro/wire/section.hpp"

namespace nostro {

// The first byte of a command. Numbers stand in journals: they are never given to another kind.
enum class CommandKind : std::uint8_t {
    submit_payment = 1,
    submit_group = 2,
    capture_payment = 3,
    void_payment = 4,
    reverse_payment = 5,
    decide_review = 6,
    open_account = 7,
    change_account = 8,
    adjust_balance = 9,
    change_policy = 10,
    keep_record = 11,
    keep_dead_letter = 12,
    resolve_dead_letter = 13,
};

// The second byte: what of tenant, id and meaning follows, and what is known from the body.
struct CommandFlags {
    enum Mode : std::uint8_t { of_body = 0, zero = 1, written = 2 };
    static constexpr std::uint8_t kTenant = 0x10;  // written; else 0
    Mode id = of_body, meaning = of_body;
    bool tenant = false;
    std::uint8_t byte() const {
        return static_cast<std::uint8_t>(id | meaning << 2 | (tenant ? kTenant : std::uint8_t{0}));
    }
};

// Bits of the 16 that open a payment.
struct PaymentBits {
    static constexpr std::uint16_t kManual = 1 << 0, kRail = 1 << 1, kTenant = 1 << 2, kExpires = 1 << 3,
                                   kRequested = 1 << 4, kDebtorOpening = 1 << 5, kCreditorOpening = 1 << 6,
                                   kKey = 1 << 7, kType = 1 << 8, kReference = 1 << 9, kDescription = 1 << 10,
                                   kMetadata = 1 << 11, kAttachment = 1 << 12, kAll = (1 << 13) - 1;
};

// What stands first in every encoded payment.
struct PaymentHead {
    PaymentId id;
    std::uint64_t meaning = 0;
    AccountId debtor, creditor;
    Money amount;
    RailNo rail = 0;
    std::uint16_t bits = 0;
};
void read_payment_head(PayloadReader& in, PaymentHead& into);

struct CommandHead {
    CommandKind kind{};
    CommandFlags flags;
    TenantNo tenant = 0;
    PaymentId id;               // if written
    std::uint64_t meaning = 0;  // if written
};
CommandHead read_command_head(PayloadReader& in);

struct IndexedPayment {
    PaymentHead head;
    TenantNo tenant = 0;
};

class CommandIndex {
public:
    void clear() { begin_at(0); }
    // Empties it; the next command that is added has that number.
    void begin_at(std::uint32_t command) {
        first_ = command;
        payments_.clear();
        commands_.clear();
    }
    // False: `bytes` is no command; nothing was added. `what` then says more.
    bool add(std::span<const std::byte> bytes, Error& what);

    std::uint32_t size() const { return static_cast<std::uint32_t>(commands_.size()); }
    // 0 of a command that is not there.
    std::uint32_t items(std::uint32_t command) const {
        const Entry* found = entry(command);
        return found == nullptr ? 0 : found->count;
    }
    // nullptr: there is no such command, or it is about no payment of its own.
    const IndexedPayment* payment(std::uint32_t command, std::uint32_t item) const {
        const Entry* found = entry(command);
        if (found == nullptr || item >= found->count) return nullptr;
        return &payments_[found->first + item];
    }
    TenantNo tenant(std::uint32_t command) const {
        const Entry* found = entry(command);
        return found == nullptr ? TenantNo{0} : found->tenant;
    }
    CommandKind kind(std::uint32_t command) const { return commands_[command - first_].kind; }

private:
    struct Entry {
        std::uint32_t first, count;
        TenantNo tenant;
        CommandKind kind;
    };
    // Numbers before the first wrap around, and are beyond the end.
    const Entry* entry(std::uint32_t command) const {
        const std::uint32_t at = command - first_;
        return at < commands_.size() ? &commands_[at] : nullptr;
    }

    std::uint32_t first_ = 0;
    std::vector<Entry> commands_;
    std::vector<IndexedPayment> payments_;
    Currency likely_;  // of the last payment
};

}  // namespace nostro
