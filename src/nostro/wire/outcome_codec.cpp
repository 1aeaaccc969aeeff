#include "nostro/wire/outcome_codec.hpp"

#include "nostro/wire/payload_parts.hpp"

namespace nostro {
namespace {

// Bits of the 16 that follow event and status: what is written because it is not as expected.
struct OutcomeBits {
    static constexpr std::uint16_t kReason = 1 << 0, kTenant = 1 << 1, kRail = 1 << 2, kCommand = 1 << 3,
                                   kPayment = 1 << 4, kDebtor = 1 << 5, kCreditor = 1 << 6, kAmount = 1 << 7,
                                   kNumber = 1 << 8, kOrigin = 1 << 9, kAccepted = 1 << 10, kExpires = 1 << 11,
                                   kReverses = 1 << 12, kWhy = 1 << 15;
    static constexpr int kBalancesShift = 13;
};
enum Balances : std::uint16_t {
    none = 0,   // all zero
    moved = 1,  // debtor - amount, creditor + amount
    still = 2,  // after as before
    all = 3,
};

std::int64_t plus(std::int64_t a, std::int64_t b) {
    return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) + static_cast<std::uint64_t>(b));
}
std::int64_t minus(std::int64_t a, std::int64_t b) {
    return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) - static_cast<std::uint64_t>(b));
}

Balances balances_of(const Outcome& o) {
    if ((o.debtor_before | o.debtor_after | o.creditor_before | o.creditor_after) == 0) return none;
    if (o.debtor_after == o.debtor_before && o.creditor_after == o.creditor_before) return still;
    const std::int64_t amount = o.amount.minor();
    if (o.debtor_after == minus(o.debtor_before, amount) && o.creditor_after == plus(o.creditor_before, amount)) {
        return moved;
    }
    return all;
}

// Bits of the byte that opens a `why`: advice (2), hits (4), then
constexpr std::uint8_t kScore = 0x40;

bool is_default(const Assessment& why) {
    return why.version == 0 && why.advice == Advice::clear && why.score == 0 && why.hit_count == 0;
}

}  // namespace

void OutcomeDefaults::after(const Outcome& outcome) {
    ++point_.index;
    if (outcome.event == Event::submitted) point_.last_number = outcome.number;
    if (outcome.command == kNoCommand) return;
    const std::uint32_t items = facts_.commands == nullptr ? 0 : facts_.commands->items(outcome.command);
    const bool more_items = outcome.item < items && outcome.item + 1 < items;
    point_.next_command = more_items ? outcome.command : outcome.command + 1;
    point_.next_item = more_items ? outcome.item + 1 : 0;
}

void OutcomeWriter::put(RawWriter& raw, const Outcome& o) {
    unsigned bits = 0;
    const auto set = [&](std::uint16_t bit, bool when) { bits |= when ? bit : 0u; };
    const PaymentHead& payment = defaults_.payment(o.command, o.item);
    const Balances balances = balances_of(o);
    set(OutcomeBits::kReason, o.reason != Reason::none);
    set(OutcomeBits::kTenant, o.tenant != defaults_.tenant(o.command));
    set(OutcomeBits::kRail, o.rail != payment.rail);
    set(OutcomeBits::kCommand,
        o.command != defaults_.command(o.event) || o.item != (o.command == kNoCommand ? 0 : defaults_.item()));
    set(OutcomeBits::kPayment, o.payment != payment.id);
    set(OutcomeBits::kDebtor, o.debtor != payment.debtor);
    set(OutcomeBits::kCreditor, o.creditor != payment.creditor);
    set(OutcomeBits::kAmount, o.amount != payment.amount);
    set(OutcomeBits::kNumber, o.number != defaults_.number(o.event));
    set(OutcomeBits::kOrigin, o.origin != defaults_.origin(o.event));
    set(OutcomeBits::kAccepted, o.accepted_at != defaults_.accepted_at(o.event));
    set(OutcomeBits::kExpires, o.expires_at != Instant{});
    set(OutcomeBits::kReverses, !o.reverses.empty());
    set(OutcomeBits::kWhy, !is_default(o.why));
    bits |= static_cast<unsigned>(balances) << OutcomeBits::kBalancesShift;

    raw.u8(static_cast<std::uint8_t>(static_cast<unsigned>(o.event) | static_cast<unsigned>(o.status) << 4));
    raw.u16(static_cast<std::uint16_t>(bits));
    if ((bits & OutcomeBits::kReason) != 0) raw.u8(static_cast<std::uint8_t>(o.reason));
    if ((bits & OutcomeBits::kCommand) != 0) {
        raw.varint(o.command == kNoCommand ? 0 : std::uint64_t{o.command} + 1);
        raw.varint(o.item);
    }
    if ((bits & OutcomeBits::kTenant) != 0) raw.varint(o.tenant);
    if ((bits & OutcomeBits::kRail) != 0) raw.varint(o.rail);
    if ((bits & OutcomeBits::kPayment) != 0) put_id(raw, o.payment);
    if ((bits & OutcomeBits::kDebtor) != 0) put_id(raw, o.debtor);
    if ((bits & OutcomeBits::kCreditor) != 0) put_id(raw, o.creditor);
    if ((bits & OutcomeBits::kAmount) != 0) {
        raw.zigzag(o.amount.minor());
        put_currency(raw, o.amount.currency());
    }
    if ((bits & OutcomeBits::kNumber) != 0) raw.varint(o.number);
    if ((bits & OutcomeBits::kOrigin) != 0) put_place(raw, o.origin);
    if ((bits & OutcomeBits::kAccepted) != 0) put_instant(raw, o.accepted_at);
    if ((bits & OutcomeBits::kExpires) != 0) put_instant(raw, o.expires_at);
    if ((bits & OutcomeBits::kReverses) != 0) put_id(raw, o.reverses);
    if (balances != none) {
        raw.zigzag(o.debtor_before);
        raw.zigzag(o.creditor_before);
    }
    if (balances == all) {
        raw.zigzag(o.debtor_after);
        raw.zigzag(o.creditor_after);
    }
    if ((bits & OutcomeBits::kWhy) != 0) put_why(raw, o.why);
    defaults_.after(o);
}

void OutcomeWriter::put_why(RawWriter& raw, const Assessment& why) {
    raw.u8(static_cast<std::uint8_t>(static_cast<unsigned>(why.advice) | unsigned{why.hit_count} << 2 |
                                     (why.score != 0 ? kScore : 0u)));
    raw.varint(why.version);
    if (why.score != 0) raw.zigzag(why.score);
    for (const Hit& hit : why.fired()) {
        const HitShape shape{hit.rule, hit.points, hit.at_most, hit.bucket};
        const auto found =
            shapes_.find(shape, shape.bucket * 31 + shape.rule + (static_cast<std::uint64_t>(shape.at_most) << 20));
        raw.varint(found.number);
        if (found.is_new) {
            raw.varint(shape.rule);
            raw.zigzag(shape.points);
            raw.zigzag(shape.at_most);
            raw.varint(shape.bucket);
        }
        raw.zigzag(hit.input);
    }
}

void OutcomeReader::get(PayloadReader& in, Outcome& o) {
    const std::uint8_t first = in.u8();
    o.event = in.enumerator(first & 15, kEventLast, "no event");
    o.status = in.enumerator(static_cast<std::uint8_t>(first >> 4), kStatusLast, "no status");
    const std::uint16_t bits = in.u16();
    if ((bits & OutcomeBits::kReason) != 0) o.reason = in.enumerator(in.u8(), kReasonLast, "no reason");
    o.command = defaults_.command(o.event);
    o.item = o.command == kNoCommand ? 0 : defaults_.item();
    if ((bits & OutcomeBits::kCommand) != 0) {
        const auto command = in.varint_at_most(std::uint64_t{UINT32_MAX}, "a command beyond 32 bits");
        o.command = command == 0 ? kNoCommand : static_cast<std::uint32_t>(command - 1);
        o.item = in.varint32();
    }
    const PaymentHead& payment = defaults_.payment(o.command, o.item);
    o.tenant = (bits & OutcomeBits::kTenant) != 0 ? in.varint16() : defaults_.tenant(o.command);
    o.rail = (bits & OutcomeBits::kRail) != 0 ? in.varint16() : payment.rail;
    o.payment = (bits & OutcomeBits::kPayment) != 0 ? in.id<PaymentId>() : payment.id;
    o.debtor = (bits & OutcomeBits::kDebtor) != 0 ? in.id<AccountId>() : payment.debtor;
    o.creditor = (bits & OutcomeBits::kCreditor) != 0 ? in.id<AccountId>() : payment.creditor;
    o.amount = payment.amount;
    if ((bits & OutcomeBits::kAmount) != 0) {
        const std::int64_t minor = in.zigzag();
        o.amount = Money(minor, in.currency());
    }
    o.number = (bits & OutcomeBits::kNumber) != 0 ? in.varint() : defaults_.number(o.event);
    o.origin = (bits & OutcomeBits::kOrigin) != 0 ? get_place(in) : defaults_.origin(o.event);
    o.accepted_at = (bits & OutcomeBits::kAccepted) != 0 ? in.instant() : defaults_.accepted_at(o.event);
    if ((bits & OutcomeBits::kExpires) != 0) o.expires_at = in.instant();
    if ((bits & OutcomeBits::kReverses) != 0) o.reverses = in.id<PaymentId>();
    const auto balances = static_cast<Balances>(bits >> OutcomeBits::kBalancesShift & 3);
    if (balances != none) {
        o.debtor_before = in.zigzag();
        o.creditor_before = in.zigzag();
        const std::int64_t amount = balances == moved ? o.amount.minor() : 0;
        o.debtor_after = balances == all ? in.zigzag() : minus(o.debtor_before, amount);
        o.creditor_after = balances == all ? in.zigzag() : plus(o.creditor_before, amount);
    }
    if ((bits & OutcomeBits::kWhy) != 0) get_why(in, o.why);
    defaults_.after(o);
}

void OutcomeReader::get_why(PayloadReader& in, Assessment& why) {
    const std::uint8_t first = in.u8();
    const std::uint8_t hits = first >> 2 & 15;
    if (hits > kHitsMax || (first & 0x80) != 0) in.fail("a why with unknown flags");
    why.advice = static_cast<Advice>(first & 3);
    why.version = in.varint32();
    if ((first & kScore) != 0) {
        const std::int64_t score = in.zigzag();
        why.score = static_cast<std::int32_t>(score);
        if (why.score != score) in.fail("a score beyond 32 bits");
    }
    for (std::uint8_t i = 0; i < hits && in.ok(); ++i) {
        const auto number = static_cast<std::uint32_t>(in.varint_at_most(shapes_.count(), "no such rule so far"));
        HitShape shape;
        if (number == shapes_.count()) {
            shape.rule = in.varint16();
            const std::int64_t points = in.zigzag();
            shape.points = static_cast<std::int32_t>(points);
            if (shape.points != points) in.fail("points beyond 32 bits");
            shape.at_most = in.zigzag();
            shape.bucket = in.varint();
            shapes_.add(shape);
        } else {
            shape = shapes_[number];
        }
        const std::int64_t input = in.zigzag();
        if (in.ok()) why.add({shape.rule, shape.points, input, shape.at_most, shape.bucket});
    }
}

}  // namespace nostro
