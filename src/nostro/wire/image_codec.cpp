#include "nostro/wire/image_codec.hpp"

#include <algorithm>
#include <optional>

#include "nostro/wire/payload_parts.hpp"

namespace nostro {
namespace {

// How far a writer looks ahead for what an image may be named by. Farther, its id is written.
constexpr std::size_t kLookAhead = 64;

// Both sides of every outcome, one after the other: party 2n is the debtor of outcome n, party 2n + 1 its creditor.
// Accounts are touched in this order, so most images are of the next party.
AccountId party(std::span<const Outcome> outcomes, std::size_t number) {
    const Outcome& outcome = outcomes[number / 2];
    return number % 2 == 0 ? outcome.debtor : outcome.creditor;
}

template <class Matches>
std::optional<std::size_t> find_ahead(std::size_t from, std::size_t size, Matches matches) {
    const std::size_t end = std::min(size, from + kLookAhead);
    for (std::size_t i = from; i < end; ++i) {
        if (matches(i)) return i;
    }
    return std::nullopt;
}

// --- accounts: flags, what most accounts share by number, and the numbers of this one ------------------------

enum AccountBits : std::uint8_t {
    id_written = 0,
    id_next = 1,
    id_ahead = 2,
    id_mask = 3,
    has_held = 4,
    has_meaning = 8
};

struct AccountShape {
    TenantNo tenant = 0;
    AccountKind kind{};
    AccountStatus status{};
    RiskLevel risk_level{};
    bool has_bounds = false;
    Currency currency;
    std::int64_t floor = 0;
    friend bool operator==(const AccountShape&, const AccountShape&) = default;
};

std::uint64_t hash_of(const AccountShape& shape) {
    const auto code = shape.currency.code();
    return static_cast<std::uint64_t>(shape.floor) * 31 + static_cast<std::uint64_t>(shape.kind) +
           static_cast<std::uint64_t>(shape.status) * 8 + static_cast<std::uint64_t>(shape.risk_level) * 64 +
           (shape.has_bounds ? 512u : 0u) + shape.tenant * 1024u +
           (static_cast<std::uint64_t>(code[0]) << 32 | static_cast<std::uint64_t>(code[1]) << 40 |
            static_cast<std::uint64_t>(code[2]) << 48);
}

void put_shape(RawWriter& raw, const AccountShape& shape) {
    raw.varint(shape.tenant);
    raw.u8(static_cast<std::uint8_t>(shape.kind));
    raw.u8(static_cast<std::uint8_t>(shape.status));
    raw.u8(static_cast<std::uint8_t>(shape.risk_level));
    raw.u8(shape.has_bounds ? 1 : 0);
    put_currency(raw, shape.currency);
    raw.zigzag(shape.floor);
}

AccountShape get_shape(PayloadReader& in) {
    AccountShape shape;
    shape.tenant = in.varint16();
    shape.kind = in.enumerator(in.u8(), AccountKind::house, "no kind of account");
    shape.status = in.enumerator(in.u8(), AccountStatus::closed, "no account status");
    shape.risk_level = in.enumerator(in.u8(), RiskLevel::prohibited, "no risk level");
    shape.has_bounds = get_bool(in);
    shape.currency = in.currency();
    shape.floor = in.zigzag();
    return shape;
}

// A value by its number, new ones behind it.
template <class Value, class Get>
Value get_recurring(PayloadReader& in, RecurringValues<Value>& seen, Get get) {
    const auto number = static_cast<std::uint32_t>(in.varint_at_most(seen.count(), "a number not given so far"));
    if (number != seen.count()) return seen[number];
    const Value value = get(in);
    if (in.ok()) seen.add(value);
    return value;
}

// --- counters -----------------------------------------------------------------------------------------

struct CounterShape {
    std::uint32_t limit = 0;
    std::uint64_t bucket = 0;
    std::uint8_t place = 0;
    friend bool operator==(const CounterShape&, const CounterShape&) = default;
};

// --- holds --------------------------------------------------------------------------------------------

enum HoldBits : std::uint8_t { hold_of_outcome = 1, hold_manual = 2, hold_approved = 4 };
enum CountedBits : std::uint8_t { counted_credit = 1, counted_sum = 2 };

void put_counted(RawWriter& raw, const Counted& counted) {
    raw.u32(counted.limit);
    raw.u8(static_cast<std::uint8_t>((counted.credit_side ? counted_credit : 0) | (counted.is_sum ? counted_sum : 0)));
    raw.u8(counted.ring);
    raw.varint(counted.bucket);
}

Counted get_counted(PayloadReader& in) {
    Counted counted;
    counted.limit = in.u32();
    const std::uint8_t bits = in.u8();
    if (bits > 3) in.fail("a count with unknown flags");
    counted.credit_side = (bits & counted_credit) != 0;
    counted.is_sum = (bits & counted_sum) != 0;
    counted.ring = in.u8();
    counted.bucket = in.varint();
    return counted;
}

}  // namespace

void put_accounts(RawWriter& raw, std::span<const AccountImage> images, std::span<const Outcome> outcomes) {
    RecurringNumbers<AccountShape> shapes;
    RecurringNumbers<std::int64_t> openings;
    std::size_t next = 0;
    for (const AccountImage& image : images) {
        const auto found =
            find_ahead(next, outcomes.size() * 2, [&](std::size_t i) { return party(outcomes, i) == image.id; });
        const std::uint8_t id = !found ? id_written : *found == next ? id_next : id_ahead;
        raw.u8(static_cast<std::uint8_t>(id | (image.held != 0 ? has_held : 0) |
                                         (image.opened_meaning != 0 ? has_meaning : 0)));
        if (id == id_written) put_id(raw, image.id);
        if (id == id_ahead) raw.varint(*found - next);
        if (found) next = *found + 1;

        const AccountShape shape{image.tenant,     image.kind,     image.status, image.risk_level,
                                 image.has_bounds, image.currency, image.floor};
        const auto shape_found = shapes.find(shape, hash_of(shape));
        raw.varint(shape_found.number);
        if (shape_found.is_new) put_shape(raw, shape);
        const std::int64_t opened = image.opened_at.time_since_epoch().count();
        const auto opened_found = openings.find(opened, static_cast<std::uint64_t>(opened));
        raw.varint(opened_found.number);
        if (opened_found.is_new) raw.i64(opened);
        if (image.opened_meaning != 0) raw.u32(image.opened_meaning);
        raw.zigzag(image.balance);
        if (image.held != 0) raw.zigzag(image.held);
        raw.varint(image.version);
    }
}

void get_accounts(PayloadReader& in, std::size_t count, std::span<const Outcome> outcomes,
                  std::vector<AccountImage>& into) {
    RecurringValues<AccountShape> shapes;
    RecurringValues<std::int64_t> openings;
    const std::size_t parties = outcomes.size() * 2;
    std::size_t next = 0;
    into.reserve(into.size() + count);
    for (std::size_t i = 0; i < count && in.ok(); ++i) {
        AccountImage& image = into.emplace_back();
        const std::uint8_t bits = in.u8();
        const std::uint8_t id = bits & id_mask;
        if (bits > 15 || id > id_ahead) in.fail("an account with unknown flags");
        if (id == id_written) {
            image.id = in.id<AccountId>();
        } else {
            if (id == id_ahead) {
                const auto ahead = in.varint_at_most(parties - next, "an account of no outcome");
                next += static_cast<std::size_t>(ahead);
            }
            if (next >= parties) {
                in.fail("an account of no outcome");
                break;
            }
            image.id = party(outcomes, next++);
        }
        const AccountShape shape = get_recurring(in, shapes, get_shape);
        image.tenant = shape.tenant;
        image.kind = shape.kind;
        image.status = shape.status;
        image.risk_level = shape.risk_level;
        image.has_bounds = shape.has_bounds;
        image.currency = shape.currency;
        image.floor = shape.floor;
        const auto opened =
            get_recurring(in, openings, [](PayloadReader& from) { return static_cast<std::int64_t>(from.u64()); });
        image.opened_at = Instant{std::chrono::nanoseconds{opened}};
        if ((bits & has_meaning) != 0) image.opened_meaning = in.u32();
        image.balance = in.zigzag();
        if ((bits & has_held) != 0) image.held = in.zigzag();
        image.version = in.varint();
    }
}

void put_counters(RawWriter& raw, std::span<const CounterImage> images, std::span<const AccountImage> accounts) {
    RecurringNumbers<CounterShape> shapes;
    std::size_t last = 0;
    for (const CounterImage& image : images) {
        const auto found =
            find_ahead(last, accounts.size(), [&](std::size_t i) { return accounts[i].id == image.account; });
        raw.varint(found ? *found - last + 1 : 0);
        if (found) {
            last = *found;
        } else {
            put_id(raw, image.account);
        }
        const CounterShape shape{image.limit, image.bucket, image.place};
        const auto shape_found = shapes.find(shape, shape.limit + shape.bucket * 31 + shape.place * 1024u);
        raw.varint(shape_found.number);
        if (shape_found.is_new) {
            raw.u32(shape.limit);
            raw.varint(shape.bucket);
            raw.u8(shape.place);
        }
        raw.zigzag(image.value);
    }
}

void get_counters(PayloadReader& in, std::size_t count, std::span<const AccountImage> accounts,
                  std::vector<CounterImage>& into) {
    RecurringValues<CounterShape> shapes;
    std::size_t last = 0;
    into.reserve(into.size() + count);
    for (std::size_t i = 0; i < count && in.ok(); ++i) {
        CounterImage& image = into.emplace_back();
        const auto ahead = in.varint_at_most(accounts.size() - last, "a counter of no account");
        if (ahead == 0) {
            image.account = in.id<AccountId>();
        } else {
            last += static_cast<std::size_t>(ahead - 1);
            image.account = accounts[last].id;
        }
        const CounterShape shape = get_recurring(in, shapes, [](PayloadReader& from) {
            CounterShape read;
            read.limit = from.u32();
            read.bucket = from.varint();
            read.place = from.u8();
            return read;
        });
        image.limit = shape.limit;
        image.bucket = shape.bucket;
        image.place = shape.place;
        image.value = in.zigzag();
    }
}

void put_holds(RawWriter& raw, std::span<const HoldImage> images, std::span<const Outcome> outcomes) {
    std::size_t next = 0;
    for (const HoldImage& image : images) {
        const auto found = find_ahead(next, outcomes.size(), [&](std::size_t i) {
            const Outcome& o = outcomes[i];
            return o.payment == image.payment && o.debtor == image.debtor && o.creditor == image.creditor;
        });
        raw.u8(static_cast<std::uint8_t>((found ? hold_of_outcome : 0) |
                                         (image.capture == Capture::manual ? hold_manual : 0) |
                                         (image.approved ? hold_approved : 0)));
        raw.u8(static_cast<std::uint8_t>(image.status));
        if (found) {
            raw.varint(*found - next);
            next = *found;  // not beyond it: a payment may be captured in the frame that brought it
        } else {
            put_id(raw, image.payment);
            put_id(raw, image.debtor);
            put_id(raw, image.creditor);
        }
        raw.varint(image.tenant);
        raw.varint(image.rail);
        raw.zigzag(image.amount.minor());
        put_currency(raw, image.amount.currency());
        put_instant(raw, image.expires_at);
        put_instant(raw, image.hold_expires_at);
        put_place(raw, image.origin);
        put_instant(raw, image.accepted_at);
        raw.varint(image.number);
        raw.u8(image.counted_count);
        for (std::size_t i = 0; i < image.counted_count; ++i) put_counted(raw, image.counted[i]);
    }
}

void get_holds(PayloadReader& in, std::size_t count, std::span<const Outcome> outcomes, std::vector<HoldImage>& into) {
    std::size_t next = 0;
    for (std::size_t i = 0; i < count && in.ok(); ++i) {
        HoldImage& image = into.emplace_back();
        const std::uint8_t bits = in.u8();
        if (bits > 7) in.fail("a hold with unknown flags");
        image.approved = (bits & hold_approved) != 0;
        image.capture = (bits & hold_manual) != 0 ? Capture::manual : Capture::automatic;
        image.status = in.enumerator(in.u8(), kStatusLast, "no status");
        if ((bits & hold_of_outcome) != 0) {
            next += static_cast<std::size_t>(in.varint_at_most(outcomes.size() - next, "a hold of no outcome"));
            if (next >= outcomes.size()) {
                in.fail("a hold of no outcome");
                break;
            }
            image.payment = outcomes[next].payment;
            image.debtor = outcomes[next].debtor;
            image.creditor = outcomes[next].creditor;
        } else {
            image.payment = in.id<PaymentId>();
            image.debtor = in.id<AccountId>();
            image.creditor = in.id<AccountId>();
        }
        image.tenant = in.varint16();
        image.rail = in.varint16();
        const std::int64_t minor = in.zigzag();
        image.amount = Money(minor, in.currency());
        image.expires_at = in.instant();
        image.hold_expires_at = in.instant();
        image.origin = get_place(in);
        image.accepted_at = in.instant();
        image.number = in.varint();
        const std::uint8_t counted = in.u8();
        if (counted > kHitsMax) in.fail("a hold with too many counts");
        for (std::uint8_t k = 0; k < counted && in.ok(); ++k) image.counted[k] = get_counted(in);
        image.counted_count = in.ok() ? counted : std::uint8_t{0};
    }
}

void put_reversed(RawWriter& raw, std::span<const ReversedImage> images) {
    for (const ReversedImage& image : images) {
        put_id(raw, image.original);
        raw.zigzag(image.reversed_minor);
        put_instant(raw, image.settled_at);
    }
}

void get_reversed(PayloadReader& in, std::size_t count, std::vector<ReversedImage>& into) {
    for (std::size_t i = 0; i < count && in.ok(); ++i) into.push_back({in.id<PaymentId>(), in.zigzag(), in.instant()});
}

// The key of most is the payment's own id, its meaning stands in the command, and they come in the outcomes' order.
void put_known(RawWriter& raw, std::span<const KnownImage> images, std::span<const Outcome> outcomes,
               const FrameFacts& facts) {
    std::uint64_t next = 0;
    for (const KnownImage& image : images) {
        const Outcome* outcome = image.index < outcomes.size() ? &outcomes[image.index] : nullptr;
        const IndexedPayment* payment = outcome == nullptr ? nullptr : facts.payment(outcome->command, outcome->item);
        const bool is_payments = payment != nullptr && image.index >= next && outcome->payment == image.id &&
                                 payment->head.meaning == image.meaning;
        if (is_payments) {
            raw.varint((image.index - next) << 1);
        } else {
            raw.varint(std::uint64_t{image.index} << 1 | 1);
            put_id(raw, image.id);
            raw.u64(image.meaning);
        }
        next = std::uint64_t{image.index} + 1;
    }
}

void get_known(PayloadReader& in, std::size_t count, std::span<const Outcome> outcomes, const FrameFacts& facts,
               std::vector<KnownImage>& into) {
    std::uint64_t next = 0;
    into.reserve(into.size() + count);
    for (std::size_t i = 0; i < count && in.ok(); ++i) {
        KnownImage& image = into.emplace_back();
        const std::uint64_t first = in.varint_at_most(std::uint64_t{UINT32_MAX} << 1 | 1, "an outcome beyond 32 bits");
        if ((first & 1) != 0) {
            image.index = static_cast<std::uint32_t>(first >> 1);
            image.id = in.id<PaymentId>();
            image.meaning = in.u64();
        } else {
            const std::uint64_t index = next + (first >> 1);
            const Outcome* outcome = index < outcomes.size() ? &outcomes[static_cast<std::size_t>(index)] : nullptr;
            const IndexedPayment* payment =
                outcome == nullptr ? nullptr : facts.payment(outcome->command, outcome->item);
            if (payment == nullptr) {
                in.fail("a known id of no payment");
                break;
            }
            image = {outcome->payment, static_cast<std::uint32_t>(index), payment->head.meaning};
        }
        next = std::uint64_t{image.index} + 1;
    }
}

void put_bounds(RawWriter& raw, std::span<const BoundImage> images) {
    for (const BoundImage& image : images) {
        put_id(raw, image.account);
        raw.u32(image.name_key);
        raw.u8(image.removed ? 1 : 0);
        raw.zigzag(image.at_most);
    }
}

void get_bounds(PayloadReader& in, std::size_t count, std::vector<BoundImage>& into) {
    for (std::size_t i = 0; i < count && in.ok(); ++i) {
        BoundImage& image = into.emplace_back();
        image.account = in.id<AccountId>();
        image.name_key = in.u32();
        image.removed = get_bool(in);
        image.at_most = in.zigzag();
    }
}

void put_tenants(RawWriter& raw, std::span<const TenantImage> images) {
    for (const TenantImage& image : images) {
        raw.varint(image.tenant);
        raw.varint(image.last_number);
        raw.varint(image.policy);
    }
}

void get_tenants(PayloadReader& in, std::size_t count, std::vector<TenantImage>& into) {
    for (std::size_t i = 0; i < count && in.ok(); ++i) {
        into.push_back({in.varint16(), in.varint(), in.varint32()});
    }
}

void put_cursors(RawWriter& raw, std::span<const Cursor> cursors) {
    for (const Cursor& cursor : cursors) {
        raw.varint(cursor.source);
        raw.varint(cursor.part);
        raw.varint(cursor.next);
    }
}

void get_cursors(PayloadReader& in, std::size_t count, std::vector<Cursor>& into) {
    for (std::size_t i = 0; i < count && in.ok(); ++i) into.push_back({in.varint32(), in.varint32(), in.varint()});
}

}  // namespace nostro
