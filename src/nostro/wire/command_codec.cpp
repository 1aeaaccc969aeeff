#include "nostro/wire/command_codec.hpp"

#include <string>
#include <utility>

#include "nostro/base/assert.hpp"
#include "nostro/wire/command_index.hpp"
#include "nostro/wire/payload_parts.hpp"

namespace nostro {
namespace {

// --- writing ---------------------------------------------------------------------------------------------

constexpr std::size_t kPaymentFixedMax = 2 + 56 + kVarintMax + 3 + 3 + 3 + 16 + 2 * kVarintMax;
constexpr std::size_t kHeadMax = 2 + 3 + 16 + 8;

std::size_t payment_bound(const Payment& payment) {
    return kPaymentFixedMax + 8 * kVarintMax + payment.debtor_name.size() + payment.creditor_name.size() +
           payment.key.size() + payment.type.size() + payment.reference.size() + payment.description.size() +
           payment.metadata.size() + payment.attachment.size();
}

std::uint16_t payment_bits(const Payment& payment, TenantNo tenant) {
    unsigned bits = 0;
    const auto set = [&](std::uint16_t bit, bool when) { bits |= when ? bit : 0u; };
    set(PaymentBits::kManual, payment.capture == Capture::manual);
    set(PaymentBits::kRail, payment.rail != 0);
    set(PaymentBits::kTenant, payment.tenant != tenant);
    set(PaymentBits::kExpires, payment.expires_at != Instant{});
    set(PaymentBits::kRequested, payment.requested_at != Instant{});
    set(PaymentBits::kDebtorOpening, payment.debtor_opening_minor != 0);
    set(PaymentBits::kCreditorOpening, payment.creditor_opening_minor != 0);
    set(PaymentBits::kKey, !payment.key.empty());
    set(PaymentBits::kType, !payment.type.empty());
    set(PaymentBits::kReference, !payment.reference.empty());
    set(PaymentBits::kDescription, !payment.description.empty());
    set(PaymentBits::kMetadata, !payment.metadata.empty());
    set(PaymentBits::kAttachment, !payment.attachment.empty());
    return static_cast<std::uint16_t>(bits);
}

void put_payment(RawWriter& raw, const Payment& payment, std::uint64_t meaning, TenantNo tenant) {
    const std::uint16_t bits = payment_bits(payment, tenant);
    raw.u16(bits);
    put_id(raw, payment.id);
    raw.u64(meaning);
    put_id(raw, payment.debtor);
    put_id(raw, payment.creditor);
    raw.zigzag(payment.amount.minor());
    put_currency(raw, payment.amount.currency());
    if ((bits & PaymentBits::kRail) != 0) raw.varint(payment.rail);
    if ((bits & PaymentBits::kTenant) != 0) raw.varint(payment.tenant);
    if ((bits & PaymentBits::kExpires) != 0) put_instant(raw, payment.expires_at);
    if ((bits & PaymentBits::kRequested) != 0) put_instant(raw, payment.requested_at);
    if ((bits & PaymentBits::kDebtorOpening) != 0) raw.zigzag(payment.debtor_opening_minor);
    if ((bits & PaymentBits::kCreditorOpening) != 0) raw.zigzag(payment.creditor_opening_minor);
    raw.string(payment.debtor_name);
    raw.string(payment.creditor_name);
    const std::pair<std::uint16_t, std::string_view> texts[] = {{PaymentBits::kKey, payment.key},
                                                                {PaymentBits::kType, payment.type},
                                                                {PaymentBits::kReference, payment.reference},
                                                                {PaymentBits::kDescription, payment.description},
                                                                {PaymentBits::kMetadata, payment.metadata},
                                                                {PaymentBits::kAttachment, payment.attachment}};
    for (const auto& [bit, text] : texts) {
        if ((bits & bit) != 0) raw.string(text);
    }
}

struct BodyOf {  // what the body says of the command's id and meaning
    PaymentId id;
    std::uint64_t meaning = 0;
};

void put_head(RawWriter& raw, CommandKind kind, const Command& command, const BodyOf& body) {
    CommandFlags flags;
    flags.tenant = command.tenant != 0;
    if (command.id != body.id) flags.id = command.id.empty() ? CommandFlags::zero : CommandFlags::written;
    if (command.meaning != body.meaning) {
        flags.meaning = command.meaning == 0 ? CommandFlags::zero : CommandFlags::written;
    }
    raw.u8(static_cast<std::uint8_t>(kind));
    raw.u8(flags.byte());
    if (flags.tenant) raw.varint(command.tenant);
    if (flags.id == CommandFlags::written) put_id(raw, command.id);
    if (flags.meaning == CommandFlags::written) raw.u64(command.meaning);
}

class CommandWriter {
public:
    CommandWriter(const Command& command, auto& into) : command_(command), out_(into) {}

    void operator()(const SubmitPayment& body) {
        auto raw = out_.claim(kHeadMax + payment_bound(body.payment));
        put_head(raw, CommandKind::submit_payment, command_, {body.payment.id, body.meaning});
        put_payment(raw, body.payment, body.meaning, command_.tenant);
        out_.commit(raw);
    }
    void operator()(const SubmitGroup& body) {
        auto head = out_.claim(kHeadMax + kVarintMax);
        put_head(head, CommandKind::submit_group, command_, {});
        head.varint(body.payments.size());
        out_.commit(head);
        for (const auto& item : body.payments) {
            // The length stands in front, so that a reader can step over items: written twice as long as needed at
            // most.
            scratch_.clear();
            ByteWriter one(scratch_);
            auto raw = one.claim(payment_bound(item.payment));
            put_payment(raw, item.payment, item.meaning, command_.tenant);
            one.commit(raw);
            out_.varint(one.size());
            out_.bytes(one.view());
        }
    }
    void operator()(const CapturePayment& body) {
        small(CommandKind::capture_payment, {}, 0, [&](RawWriter& raw) {
            put_id(raw, body.payment);
            raw.u8(body.amount_minor.has_value() ? 1 : 0);
            if (body.amount_minor) raw.zigzag(*body.amount_minor);
        });
    }
    void operator()(const VoidPayment& body) {
        small(CommandKind::void_payment, {}, 0, [&](RawWriter& raw) { put_id(raw, body.payment); });
    }
    void operator()(const ReversePayment& body) {
        auto raw = out_.claim(kHeadMax + payment_bound(body.payment) + 64);
        put_head(raw, CommandKind::reverse_payment, command_, {body.payment.id, body.meaning});
        put_payment(raw, body.payment, body.meaning, command_.tenant);
        raw.u8(static_cast<std::uint8_t>((body.whole_rest ? 1 : 0) | (body.original_is_reversal ? 2 : 0)));
        raw.u8(static_cast<std::uint8_t>(body.original_status));
        put_id(raw, body.original);
        put_place(raw, body.original_at);
        raw.zigzag(body.original_minor);
        put_instant(raw, body.original_settled_at);
        out_.commit(raw);
    }
    void operator()(const DecideReview& body) {
        small(CommandKind::decide_review, {}, body.by.size() + body.note.size(), [&](RawWriter& raw) {
            put_id(raw, body.payment);
            raw.u8(body.approve ? 1 : 0);
            raw.string(body.by);
            raw.string(body.note);
        });
    }
    void operator()(const OpenAccount& body) {
        const std::size_t texts = body.name.size() + body.holder.size() + body.metadata.size();
        small(CommandKind::open_account, {}, texts + bounds_bound(body.bounds), [&](RawWriter& raw) {
            put_id(raw, body.id);
            raw.string(body.name);
            put_currency(raw, body.currency);
            raw.u8(static_cast<std::uint8_t>(body.kind));
            raw.u8(static_cast<std::uint8_t>(body.risk_level));
            raw.zigzag(body.floor_minor);
            raw.zigzag(body.opening_minor);
            raw.string(body.holder);
            raw.string(body.metadata);
            put_bounds(raw, body.bounds);
            raw.u64(body.meaning);
        });
    }
    void operator()(const ChangeAccount& body) {
        const std::size_t texts = body.holder.value_or("").size() + body.metadata.value_or("").size();
        small(CommandKind::change_account, {}, texts + bounds_bound(body.bounds), [&](RawWriter& raw) {
            put_id(raw, body.id);
            raw.u8(static_cast<std::uint8_t>((body.status ? 1 : 0) | (body.floor_minor ? 2 : 0) |
                                             (body.risk_level ? 4 : 0) | (body.holder ? 8 : 0) |
                                             (body.metadata ? 16 : 0)));
            if (body.status) raw.u8(static_cast<std::uint8_t>(*body.status));
            if (body.floor_minor) raw.zigzag(*body.floor_minor);
            if (body.risk_level) raw.u8(static_cast<std::uint8_t>(*body.risk_level));
            if (body.holder) raw.string(*body.holder);
            if (body.metadata) raw.string(*body.metadata);
            put_bounds(raw, body.bounds);
        });
    }
    void operator()(const AdjustBalance& body) {
        small(CommandKind::adjust_balance, {}, body.why.size(), [&](RawWriter& raw) {
            put_id(raw, body.id);
            raw.zigzag(body.delta_minor);
            raw.string(body.why);
        });
    }
    void operator()(const ChangePolicy& body) {
        const std::string compiled = body.policy == nullptr ? std::string() : body.policy->compiled();
        small(CommandKind::change_policy, {}, compiled.size() + body.by.size(), [&](RawWriter& raw) {
            raw.string(compiled);
            raw.string(body.by);
        });
    }
    void operator()(const KeepRecord& body) {
        small(CommandKind::keep_record, {body.id, 0}, body.document.size(), [&](RawWriter& raw) {
            put_id(raw, body.id);
            raw.u8(static_cast<std::uint8_t>(body.reason));
            raw.string(body.document);
        });
    }
    void operator()(const KeepDeadLetter& body) {
        const std::size_t texts = body.source.size() + body.position.size() + body.format.size() + body.why.size();
        small(CommandKind::keep_dead_letter, {}, texts + body.bytes.size(), [&](RawWriter& raw) {
            for (const auto text : {body.source, body.position, body.format, body.why, body.bytes}) raw.string(text);
        });
    }
    void operator()(const ResolveDeadLetter& body) {
        small(CommandKind::resolve_dead_letter, {}, body.by.size() + body.note.size(), [&](RawWriter& raw) {
            put_place(raw, body.letter);
            raw.u8(body.redriven ? 1 : 0);
            raw.string(body.by);
            raw.string(body.note);
        });
    }

private:
    static constexpr std::size_t kSmallFixedMax = kHeadMax + 160;  // of any kind below, texts and bounds apart
    static std::size_t bounds_bound(std::span<const OwnBound> bounds) { return bounds.size() * (5 + kVarintMax); }
    static void put_bounds(RawWriter& raw, std::span<const OwnBound> bounds) {
        raw.varint(bounds.size());
        for (const auto& bound : bounds) {
            raw.u32(bound.name_key);
            raw.u8(bound.removed ? 1 : 0);
            raw.zigzag(bound.at_most);
        }
    }
    template <class Put>
    void small(CommandKind kind, const BodyOf& of_body, std::size_t texts, Put put) {
        auto raw = out_.claim(kSmallFixedMax + texts);
        put_head(raw, kind, command_, of_body);
        put(raw);
        out_.commit(raw);
    }

    const Command& command_;
    ByteWriter out_;
    ByteBuffer scratch_;
};

// --- reading ---------------------------------------------------------------------------------------------

Payment get_payment(PayloadReader& in, std::uint64_t& meaning, TenantNo tenant) {
    PaymentHead head;
    read_payment_head(in, head);
    meaning = head.meaning;
    Payment payment;
    payment.id = head.id;
    payment.tenant = tenant;
    payment.rail = head.rail;
    payment.capture = (head.bits & PaymentBits::kManual) != 0 ? Capture::manual : Capture::automatic;
    payment.debtor = head.debtor;
    payment.creditor = head.creditor;
    payment.amount = head.amount;
    if ((head.bits & PaymentBits::kTenant) != 0) payment.tenant = in.varint16();
    if ((head.bits & PaymentBits::kExpires) != 0) payment.expires_at = in.instant();
    if ((head.bits & PaymentBits::kRequested) != 0) payment.requested_at = in.instant();
    if ((head.bits & PaymentBits::kDebtorOpening) != 0) payment.debtor_opening_minor = in.zigzag();
    if ((head.bits & PaymentBits::kCreditorOpening) != 0) payment.creditor_opening_minor = in.zigzag();
    payment.debtor_name = in.string();
    payment.creditor_name = in.string();
    const auto text = [&](std::uint16_t bit) { return (head.bits & bit) != 0 ? in.string() : std::string_view(); };
    payment.key = text(PaymentBits::kKey);
    payment.type = text(PaymentBits::kType);
    payment.reference = text(PaymentBits::kReference);
    payment.description = text(PaymentBits::kDescription);
    payment.metadata = text(PaymentBits::kMetadata);
    payment.attachment = text(PaymentBits::kAttachment);
    return payment;
}

SubmitGroup get_group(PayloadReader& in, TenantNo tenant, CommandMemory& memory) {
    constexpr std::size_t kItemMin = 64;
    const auto count = in.varint_at_most(in.remaining() / kItemMin, "more items than bytes");
    auto& items = memory.groups.emplace_back();
    items.reserve(static_cast<std::size_t>(count));
    for (std::uint64_t i = 0; i < count && in.ok(); ++i) {
        const auto size = in.varint_at_most(in.remaining(), "an item beyond the end");
        const std::size_t end = in.at() + static_cast<std::size_t>(size);
        auto& item = items.emplace_back();
        item.payment = get_payment(in, item.meaning, tenant);
        if (in.ok() && in.at() != end) in.fail("an item of another length");
    }
    return {items};
}

std::span<const OwnBound> get_bounds(PayloadReader& in, CommandMemory& memory) {
    const auto count = in.varint_at_most(in.remaining() / 6, "more bounds than bytes");
    if (count == 0) return {};
    auto& bounds = memory.bounds.emplace_back(static_cast<std::size_t>(count));
    for (auto& bound : bounds) {
        bound.name_key = in.u32();
        bound.removed = get_bool(in);
        bound.at_most = in.zigzag();
    }
    return bounds;
}

ReversePayment get_reverse(PayloadReader& in, TenantNo tenant) {
    ReversePayment body;
    body.payment = get_payment(in, body.meaning, tenant);
    const std::uint8_t flags = in.u8();
    if (flags > 3) in.fail("a reversal with unknown flags");
    body.whole_rest = (flags & 1) != 0;
    body.original_is_reversal = (flags & 2) != 0;
    body.original_status = in.enumerator(in.u8(), Status::quarantined, "no status");
    body.original = in.id<PaymentId>();
    body.original_at = get_place(in);
    body.original_minor = in.zigzag();
    body.original_settled_at = in.instant();
    return body;
}

OpenAccount get_open_account(PayloadReader& in, CommandMemory& memory) {
    OpenAccount body;
    body.id = in.id<AccountId>();
    body.name = in.string();
    body.currency = in.currency();
    body.kind = in.enumerator(in.u8(), AccountKind::house, "no kind of account");
    body.risk_level = in.enumerator(in.u8(), RiskLevel::prohibited, "no risk level");
    body.floor_minor = in.zigzag();
    body.opening_minor = in.zigzag();
    body.holder = in.string();
    body.metadata = in.string();
    body.bounds = get_bounds(in, memory);
    body.meaning = in.u64();
    return body;
}

ChangeAccount get_change_account(PayloadReader& in, CommandMemory& memory) {
    ChangeAccount body;
    body.id = in.id<AccountId>();
    const std::uint8_t present = in.u8();
    if (present > 31) in.fail("a change with unknown flags");
    if ((present & 1) != 0) body.status = in.enumerator(in.u8(), AccountStatus::closed, "no account status");
    if ((present & 2) != 0) body.floor_minor = in.zigzag();
    if ((present & 4) != 0) body.risk_level = in.enumerator(in.u8(), RiskLevel::prohibited, "no risk level");
    if ((present & 8) != 0) body.holder = in.string();
    if ((present & 16) != 0) body.metadata = in.string();
    body.bounds = get_bounds(in, memory);
    return body;
}

ChangePolicy get_change_policy(PayloadReader& in, PolicyLoad load) {
    ChangePolicy body;
    body.policy = get_policy(in, in.string(), load);
    body.by = in.string();
    return body;
}

CommandBody get_body(PayloadReader& in, const CommandHead& head, CommandMemory& memory, PolicyLoad load) {
    switch (head.kind) {
        case CommandKind::submit_payment: {
            SubmitPayment body;
            body.payment = get_payment(in, body.meaning, head.tenant);
            return body;
        }
        case CommandKind::submit_group: return get_group(in, head.tenant, memory);
        case CommandKind::capture_payment: {
            CapturePayment body{in.id<PaymentId>(), {}};
            if (get_bool(in)) body.amount_minor = in.zigzag();
            return body;
        }
        case CommandKind::void_payment: return VoidPayment{in.id<PaymentId>()};
        case CommandKind::reverse_payment: return get_reverse(in, head.tenant);
        case CommandKind::decide_review: {
            DecideReview body{in.id<PaymentId>(), get_bool(in), in.string(), {}};
            body.note = in.string();
            return body;
        }
        case CommandKind::open_account: return get_open_account(in, memory);
        case CommandKind::change_account: return get_change_account(in, memory);
        case CommandKind::adjust_balance: return AdjustBalance{in.id<AccountId>(), in.zigzag(), in.string()};
        case CommandKind::change_policy: return get_change_policy(in, load);
        case CommandKind::keep_record: {
            KeepRecord body;
            body.id = in.id<PaymentId>();
            body.reason = in.enumerator(in.u8(), kReasonLast, "no reason");
            body.document = in.string();
            return body;
        }
        case CommandKind::keep_dead_letter:
            return KeepDeadLetter{in.string(), in.string(), in.string(), in.string(), in.string()};
        case CommandKind::resolve_dead_letter: {
            ResolveDeadLetter body{get_place(in), get_bool(in), in.string(), {}};
            body.note = in.string();
            return body;
        }
    }
    return VoidPayment{};
}

BodyOf of_body(const Command& command) {
    if (const auto* submit = std::get_if<SubmitPayment>(&command.body)) return {submit->payment.id, submit->meaning};
    if (const auto* reverse = std::get_if<ReversePayment>(&command.body))
        return {reverse->payment.id, reverse->meaning};
    if (const auto* keep = std::get_if<KeepRecord>(&command.body)) return {keep->id, 0};
    return {};
}

}  // namespace

void encode_command(const Command& command, ByteBuffer& into) {
    std::visit(CommandWriter(command, into), command.body);
}

void encode_command(const Command& command, std::vector<std::byte>& into) {
    std::visit(CommandWriter(command, into), command.body);
}

void get_command(PayloadReader& in, Command& into, CommandMemory& memory, PolicyLoad load) {
    const CommandHead head = read_command_head(in);
    if (!in.ok()) return;
    into.tenant = head.tenant;
    into.body = get_body(in, head, memory, load);
    const BodyOf of = of_body(into);
    into.id = head.flags.id == CommandFlags::of_body ? of.id : head.id;
    into.meaning = head.flags.meaning == CommandFlags::of_body ? of.meaning : head.meaning;
    if (in.ok() && !in.at_end()) in.fail("bytes behind its end");
}

Result<> decode_command(std::span<const std::byte> bytes, Command& into, CommandMemory& memory) {
    PayloadReader in(bytes);
    get_command(in, into, memory, PolicyLoad::yes);
    if (!in.ok()) return in.error("command");
    return {};
}

}  // namespace nostro
