// Commands, changes and frames with any content, from a seed: every field takes its extremes sooner or later.
#pragma once
#include <cstdint>
#include <deque>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "nostro/base/random.hpp"
#include "nostro/domain/command.hpp"
#include "nostro/domain/cursor.hpp"
#include "nostro/domain/outcome.hpp"
#include "nostro/wire/payload_parts.hpp"

namespace nostro::test {

class RandomThings {
public:
    explicit RandomThings(std::uint64_t seed) : random_(seed) {}

    bool coin() { return random_.chance(1, 2); }
    std::uint64_t below(std::uint64_t n) { return random_.below(n); }
    std::uint64_t u64() {
        switch (random_.below(4)) {
            case 0: return 0;
            case 1: return random_.below(300);
            case 2: return random_.next();
            default: return UINT64_MAX;
        }
    }
    std::uint32_t u32() { return static_cast<std::uint32_t>(u64()); }
    std::uint16_t u16() { return static_cast<std::uint16_t>(u64()); }
    std::uint8_t u8() { return static_cast<std::uint8_t>(u64()); }
    std::int64_t i64() {
        switch (random_.below(5)) {
            case 0: return 0;
            case 1: return random_.between(-1000, 1000);
            case 2: return std::numeric_limits<std::int64_t>::min();
            case 3: return std::numeric_limits<std::int64_t>::max();
            default: return static_cast<std::int64_t>(random_.next());
        }
    }
    Instant instant() { return Instant{std::chrono::nanoseconds{i64()}}; }
    // Few different ones, so that things meet.
    template <class IdType>
    IdType id() {
        const auto pick = random_.below(8);
        if (pick == 0) return {};
        if (pick < 6) return {pick, 7};
        return {random_.next(), random_.next()};
    }
    AccountId account() { return id<AccountId>(); }
    PaymentId payment_id() { return id<PaymentId>(); }
    Place place() { return {u64(), u32()}; }
    Currency currency() {
        const char* codes[] = {"USD", "EUR", "JPY", "KWD", "CLF", "HRK"};
        const auto pick = random_.below(7);
        return pick == 6 ? Currency{} : Currency::parse_historic(codes[pick]).value();
    }
    Money money() {
        const std::int64_t minor = i64();
        return Money(minor, currency());
    }
    template <class Enum>
    Enum any(Enum last) {
        return static_cast<Enum>(random_.below(static_cast<std::uint64_t>(last) + 1));
    }
    std::string_view text(std::size_t size_max = 40) {
        std::string& kept = texts_.emplace_back(random_.below(3) == 0 ? 0 : random_.below(size_max), '\0');
        for (char& c : kept) c = static_cast<char>(random_.below(256));
        return kept;
    }

    Payment payment() {
        Payment p;
        p.id = payment_id();
        p.tenant = u16();
        p.rail = u16();
        p.capture = coin() ? Capture::manual : Capture::automatic;
        p.debtor = account();
        p.creditor = account();
        p.amount = money();
        p.expires_at = instant();
        p.requested_at = instant();
        p.debtor_opening_minor = i64();
        p.creditor_opening_minor = i64();
        for (auto* field :
             {&p.debtor_name, &p.creditor_name, &p.key, &p.type, &p.reference, &p.description, &p.metadata}) {
            *field = text();
        }
        p.attachment = text(2000);
        return p;
    }
    SubmitPayment submit() { return {payment(), u64(), {}, {}}; }
    std::span<const OwnBound> own_bounds() {
        auto& kept = bounds_.emplace_back(below(4));
        for (auto& bound : kept) bound = {u32(), i64(), coin()};
        return kept;
    }
    static constexpr std::size_t kKinds = std::variant_size_v<CommandBody>;
    // `policy`: may be nullptr.
    CommandBody body(std::size_t kind, const PolicyPtr& policy) {
        switch (kind) {
            case 0: return submit();
            case 1: {
                auto& items = groups_.emplace_back(below(4));
                for (auto& item : items) item = submit();
                return SubmitGroup{items};
            }
            case 2: return coin() ? CapturePayment{payment_id(), i64()} : CapturePayment{payment_id(), {}};
            case 3: return VoidPayment{payment_id()};
            case 4: {
                const SubmitPayment of = submit();
                return ReversePayment{of.payment,       of.meaning, coin(), payment_id(), place(),
                                      any(kStatusLast), coin(),     i64(),  instant(),    {}};
            }
            case 5: return DecideReview{payment_id(), coin(), text(), text()};
            case 6: {
                OpenAccount open{account(),
                                 text(),
                                 currency(),
                                 any(AccountKind::house),
                                 any(RiskLevel::prohibited),
                                 i64(),
                                 i64(),
                                 text(),
                                 text(),
                                 own_bounds(),
                                 u64()};
                return open;
            }
            case 7: {
                ChangeAccount change;
                change.id = account();
                if (coin()) change.status = any(AccountStatus::closed);
                if (coin()) change.floor_minor = i64();
                if (coin()) change.risk_level = any(RiskLevel::prohibited);
                if (coin()) change.holder = text();
                if (coin()) change.metadata = text();
                change.bounds = own_bounds();
                return change;
            }
            case 8: return AdjustBalance{account(), i64(), text()};
            case 9: return ChangePolicy{policy, text()};
            case 10: return KeepRecord{payment_id(), any(kReasonLast), text(3000)};
            case 11: return KeepDeadLetter{text(), text(), text(), text(), text(3000)};
            default: return ResolveDeadLetter{place(), coin(), text(), text()};
        }
    }
    Command command(std::size_t kind, const PolicyPtr& policy = nullptr) {
        Command command;
        command.tenant = u16();
        command.body = body(kind, policy);
        command.id = payment_id();
        command.meaning = u64();
        // As intake makes them.
        if (const auto* of = std::get_if<SubmitPayment>(&command.body); of != nullptr && coin()) {
            command.id = of->payment.id;
            command.meaning = coin() ? of->meaning : 0;
        }
        return command;
    }

    Assessment why() {
        Assessment why;
        if (coin()) return why;
        why.version = u32();
        why.advice = any(Advice::reject);
        why.score = static_cast<std::int32_t>(i64());
        const auto hits = below(kHitsMax + 1);
        for (std::uint64_t i = 0; i < hits; ++i) {
            why.add({static_cast<RuleNo>(below(3)), static_cast<std::int32_t>(coin() ? 0 : i64()), i64(),
                     coin() ? 100 : i64(), coin() ? 5 : u64()});
        }
        return why;
    }
    Outcome outcome() {
        Outcome o;
        o.event = any(kEventLast);
        o.status = any(kStatusLast);
        o.reason = coin() ? Reason::none : any(kReasonLast);
        o.tenant = u16();
        o.rail = u16();
        o.command = u32();
        o.item = u32();
        o.payment = payment_id();
        o.debtor = account();
        o.creditor = account();
        o.amount = money();
        o.number = u64();
        o.origin = place();
        o.accepted_at = instant();
        o.expires_at = instant();
        o.reverses = payment_id();
        o.debtor_before = i64();
        o.debtor_after = coin() ? o.debtor_before : i64();
        o.creditor_before = i64();
        o.creditor_after = coin() ? o.creditor_before : i64();
        o.why = why();
        return o;
    }
    // An outcome of the payment that command `number` brought: what a Book would say.
    Outcome outcome_of(const SubmitPayment& submit, std::uint32_t number, std::uint32_t item, Place own, Instant at) {
        Outcome o;
        o.status = coin() ? Status::settled : Status::rejected;
        o.command = number;
        o.item = item;
        o.payment = submit.payment.id;
        o.debtor = submit.payment.debtor;
        o.creditor = submit.payment.creditor;
        o.amount = submit.payment.amount;
        o.rail = submit.payment.rail;
        o.number = u64();
        o.origin = own;
        o.accepted_at = at;
        o.why = why();
        return o;
    }
    AccountImage account_image() {
        AccountImage image;
        image.id = account();
        image.tenant = u16();
        image.kind = any(AccountKind::house);
        image.status = any(AccountStatus::closed);
        image.risk_level = any(RiskLevel::prohibited);
        image.has_bounds = coin();
        image.currency = currency();
        image.opened_meaning = u32();
        image.balance = i64();
        image.held = i64();
        image.floor = coin() ? kNoFloor : i64();
        image.version = u64();
        image.opened_at = instant();
        return image;
    }
    HoldImage hold() {
        HoldImage hold;
        hold.payment = payment_id();
        hold.tenant = u16();
        hold.rail = u16();
        hold.status = any(kStatusLast);
        hold.capture = coin() ? Capture::manual : Capture::automatic;
        hold.approved = coin();
        hold.debtor = account();
        hold.creditor = account();
        hold.amount = money();
        hold.expires_at = instant();
        hold.hold_expires_at = instant();
        hold.origin = place();
        hold.accepted_at = instant();
        hold.number = u64();
        hold.counted_count = static_cast<std::uint8_t>(below(kHitsMax + 1));
        for (std::size_t i = 0; i < hold.counted_count; ++i) hold.counted[i] = {u32(), coin(), coin(), u8(), u64()};
        return hold;
    }
    // Images with any content, and some of the accounts and payments that `changes.outcomes` names.
    void add_images(Changes& changes) {
        for (const auto& o : changes.outcomes) {
            if (coin()) {
                auto& image = changes.accounts.emplace_back(account_image());
                image.id = coin() ? o.debtor : o.creditor;
                if (coin()) changes.counters.push_back({image.id, u32(), below(3), 1, i64()});
            }
            if (coin()) {
                auto& hold_image = changes.holds.emplace_back(hold());
                hold_image.payment = o.payment;
                hold_image.debtor = o.debtor;
                hold_image.creditor = o.creditor;
            }
            if (coin()) {
                changes.known.push_back({o.payment, static_cast<std::uint32_t>(&o - changes.outcomes.data()), u64()});
            }
        }
        for (auto n = below(6); n > 0; --n) changes.accounts.push_back(account_image());
        for (auto n = below(100); n > 0; --n) {
            changes.counters.push_back({account(), static_cast<std::uint32_t>(below(90)), below(3), u8(), i64()});
        }
        for (auto n = below(6); n > 0; --n) changes.holds.push_back(hold());
        for (auto n = below(6); n > 0; --n) changes.reversed.push_back({payment_id(), i64(), instant()});
        for (auto n = below(6); n > 0; --n) changes.known.push_back({payment_id(), u32(), u64()});
        for (auto n = below(6); n > 0; --n) changes.bounds.push_back({account(), u32(), i64(), coin()});
        for (auto n = below(3); n > 0; --n) changes.tenants.push_back({u16(), u64(), u32()});
    }
    std::vector<Cursor> cursors() {
        std::vector<Cursor> cursors(below(4));
        for (auto& cursor : cursors) cursor = {u32(), u32(), u64()};
        return cursors;
    }

private:
    Xoshiro256 random_;
    std::deque<std::string> texts_;
    std::deque<std::vector<OwnBound>> bounds_;
    std::deque<std::vector<SubmitPayment>> groups_;
};

}  // namespace nostro::test
