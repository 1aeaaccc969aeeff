#include "nostro/wire/command_index.hpp"

#include <cstring>

namespace nostro {

void read_payment_head(PayloadReader& in, PaymentHead& into) {
    // One check for all that has a fixed size: every payment of a frame comes by here, on the settlement thread. And
    // straight to where it stays: bytes that were written one by one are slow to copy at once.
    constexpr std::size_t kFixed = 2 + 16 + 8 + 16 + 16;
    const std::size_t before = in.at();
    const auto fixed = in.bytes(kFixed);
    if (!in.ok()) return;
    std::memcpy(&into.bits, fixed.data(), sizeof into.bits);
    into.id = load_id<PaymentId>(fixed.data() + 2);
    std::memcpy(&into.meaning, fixed.data() + 18, sizeof into.meaning);
    into.debtor = load_id<AccountId>(fixed.data() + 26);
    into.creditor = load_id<AccountId>(fixed.data() + 42);
    if ((into.bits & ~PaymentBits::kAll) != 0) in.fail("a payment with unknown bits", before);
    const std::int64_t minor = in.zigzag();
    into.amount = Money(minor, in.currency());
    if ((into.bits & PaymentBits::kRail) != 0) into.rail = in.varint16();
}

CommandHead read_command_head(PayloadReader& in) {
    CommandHead head;
    const std::uint8_t kind = in.u8();
    if (kind == 0 || kind > static_cast<std::uint8_t>(CommandKind::resolve_dead_letter)) in.fail("no kind of command");
    head.kind = static_cast<CommandKind>(kind);
    const std::uint8_t flags = in.u8();
    const std::uint8_t id = flags & 3, meaning = flags >> 2 & 3;
    if (id > CommandFlags::written || meaning > CommandFlags::written || (flags & 0xE0) != 0) {
        in.fail("a command with unknown flags");
        return head;
    }
    head.flags = {static_cast<CommandFlags::Mode>(id), static_cast<CommandFlags::Mode>(meaning),
                  (flags & CommandFlags::kTenant) != 0};
    if (head.flags.tenant) head.tenant = in.varint16();
    if (head.flags.id == CommandFlags::written) head.id = in.id<PaymentId>();
    if (head.flags.meaning == CommandFlags::written) head.meaning = in.u64();
    return head;
}

bool CommandIndex::add(std::span<const std::byte> bytes, Error& what) {
    PayloadReader in(bytes, likely_);
    const CommandHead head = read_command_head(in);
    const auto first = payments_.size();
    const auto read_payment = [&](PayloadReader& from) {
        IndexedPayment& payment = payments_.emplace_back();
        payment.tenant = head.tenant;
        read_payment_head(from, payment.head);
        likely_ = payment.head.amount.currency();
    };
    if (head.kind == CommandKind::submit_payment || head.kind == CommandKind::reverse_payment) {
        read_payment(in);
    } else if (head.kind == CommandKind::submit_group) {
        const auto count = in.varint_at_most(in.remaining(), "more items than bytes");
        for (std::uint64_t i = 0; i < count && in.ok(); ++i) {
            const auto size = in.varint_at_most(in.remaining(), "an item beyond the end");
            PayloadReader item(in.bytes(static_cast<std::size_t>(size)), likely_);
            read_payment(item);
            if (!item.ok()) in.fail("an item that is no payment");
        }
    }
    if (!in.ok()) {
        payments_.resize(first);
        what = in.error("command");
        return false;
    }
    commands_.push_back({static_cast<std::uint32_t>(first), static_cast<std::uint32_t>(payments_.size() - first),
                         head.tenant, head.kind});
    return true;
}

}  // namespace nostro
