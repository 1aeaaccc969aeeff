// Writes a journal's frames to a file, one after the other: a Book under a seed, with every kind of command, rule and
// limit, over weeks in which clocks change. For the model in Python, which decides them again.
//
//   random_journal SEED FRAMES FILE
#include <array>
#include <chrono>
#include <deque>
#include <fstream>
#include <iostream>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "nostro/base/random.hpp"
#include "nostro/base/text.hpp"
#include "nostro/domain/book.hpp"
#include "nostro/wire/command_codec.hpp"
#include "nostro/wire/frame.hpp"

namespace nostro {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view kPolicy = R"(
tenant = "nostro"
hold_ttl = "7d"
review_ttl = "36h"
[thresholds]
review = 50
reject = 90
[[rail]]
name = "wire"
number = 3
max_amount = { EUR = "100.00" }
[[rule]]
name = "large"
kind = "amount_band"
at_least = { EUR = "90.00", JPY = "9000" }
below = { EUR = "5000.00" }
points = 30
[[rule]]
name = "new"
kind = "account_age"
party = "either"
younger_than = "3d"
points = 25
[[rule]]
name = "risky"
kind = "party_risk"
party = "creditor"
levels = ["high", "prohibited"]
points = 60
[[limit]]
name = "day_out"
side = "debit"
measure = "sum"
currency = "EUR"
at_most = "150.00"
window = { days = 1, zone = "Europe/Berlin" }
when_exceeded = "review"
[[limit]]
name = "week_in"
side = "credit"
measure = "count"
at_most = 12
window = { days = 7, zone = "America/New_York" }
[[limit]]
name = "hours"
side = "debit"
measure = "count"
at_most = 1
window = { rolling = "6h", buckets = 3 }
rails = ["wire"]
)";

constexpr std::string_view kNames[] = {"a0", "a1", "a2", "a3", "a4", "a5", "house:cash:EUR", "yen", "yen2"};

class Journal {
public:
    explicit Journal(std::uint64_t seed) : random_(seed) {}

    bool write(std::size_t frames, std::ofstream& file) {
        for (std::size_t i = 0; i < frames; ++i) {
            begin();
            if (i % 40 == 0) put_policy(i == 0);
            for (std::uint64_t n = random_.below(8); n > 0; --n) apply(next());
            end(file);
        }
        return file.good();
    }

private:
    PaymentId id() {
        ++last_id_;
        return {SplitMix64(last_id_).next() >> 8, last_id_};
    }
    std::string_view name() { return kNames[random_.below(std::size(kNames))]; }
    Currency currency(std::string_view of) { return *Currency::parse(of.starts_with("yen") ? "JPY" : "EUR"); }

    void begin() {
        now_ += std::chrono::seconds(random_.between(1, 20'000));
        changes_.clear();
        builder_.begin();
        recorded_ = 0;
        ++seq_;
        book_.begin_frame(seq_, now_, 1'024, changes_);
    }
    void end(std::ofstream& file) {
        book_.end_frame();
        learn();
        const FrameHeader header{seq_, 1, 7, now_, previous_, seq_ - 1, 0, {}};
        const FramePtr frame = builder_.finish(header, {}, {}, changes_);
        previous_ = frame->digest;
        file.write(reinterpret_cast<const char*>(frame->bytes().data()),
                   static_cast<std::streamsize>(frame->bytes().size()));
    }
    void apply(const Command& command) {
        if (book_.apply(command, recorded_).kind != Answer::Kind::recorded) return;
        std::vector<std::byte> encoded;
        encode_command(command, encoded);
        builder_.add_command(encoded);
        ++recorded_;
    }
    // What reversals will say of their originals.
    void learn() {
        for (std::uint32_t i = 0; i < changes_.outcomes.size(); ++i) {
            const Outcome& outcome = changes_.outcomes[i];
            if (outcome.event == Event::dead_letter_kept) letters_.push_back({seq_, i});
            if (!is_of_payment(outcome.event)) continue;
            auto& known = known_[outcome.payment];
            if (outcome.event == Event::submitted) {
                known.payment = outcome.payment;
                known.original_at = {seq_, i};
                known.original_is_reversal = !outcome.reverses.empty();
                payments_.push_back(outcome.payment);
            }
            known.payment_of = outcome;
            known.original_status = outcome.status;
            if (outcome.status == Status::settled) {
                known.original_minor = outcome.amount.minor();
                known.original_settled_at = now_;
            }
        }
    }

    void put_policy(bool is_first) {
        std::string text(kPolicy);
        text.insert(text.find("hold_ttl"), is_first || random_.chance(1, 2)
                                               ? "unknown_accounts = \"open\"\nopened_floor = \"none\"\n"
                                               : "reversal_days = 3\n");
        auto policy = Policy::parse(text, ++version_, now_);
        if (!policy) std::cerr << policy.error().what << "\n";
        apply({0, {}, 0, ChangePolicy{*policy, "model"}});
    }

    SubmitPayment submit() {
        SubmitPayment submit;
        Payment& payment = submit.payment;
        payment.id = id();
        payment.debtor_name = name();
        payment.creditor_name = name();
        payment.debtor = account_id("nostro", payment.debtor_name);
        payment.creditor = account_id("nostro", payment.creditor_name);
        payment.amount = Money(random_.between(1, 12'000), currency(payment.debtor_name));
        payment.rail = random_.chance(1, 3) ? RailNo{3} : RailNo{0};
        if (random_.chance(1, 4)) payment.debtor_opening_minor = random_.between(0, 90'000);
        if (random_.chance(1, 6)) payment.creditor_opening_minor = random_.between(0, 90'000);
        if (random_.chance(1, 3)) payment.capture = Capture::manual;
        if (random_.chance(1, 5)) payment.expires_at = now_ + std::chrono::hours(random_.between(1, 90));
        submit.meaning = payment.id.low;
        return submit;
    }
    PaymentId some_payment() {
        if (payments_.empty()) return id();
        const std::size_t recent =
            random_.chance(1, 4) ? payments_.size() : std::min<std::size_t>(payments_.size(), 25);
        return payments_[payments_.size() - 1 - random_.below(recent)];
    }
    Command request(CommandBody body) { return {0, id(), 1, std::move(body)}; }

    Command reversal() {
        const Known& known = known_[some_payment()];
        ReversePayment reverse;
        reverse.payment.id = id();
        reverse.payment.debtor = known.payment_of.creditor;
        reverse.payment.creditor = known.payment_of.debtor;
        reverse.whole_rest = random_.chance(1, 2);
        reverse.payment.amount = Money(random_.between(1, 6'000), known.payment_of.amount.currency());
        reverse.original = known.payment;
        reverse.original_at = known.original_at;
        reverse.original_status = known.original_status;
        reverse.original_is_reversal = known.original_is_reversal;
        reverse.original_minor = known.original_minor;
        reverse.original_settled_at = known.original_settled_at;
        reverse.meaning = reverse.payment.id.low;
        return {0, reverse.payment.id, reverse.meaning, reverse};
    }
    Command on_account() {
        const std::string_view of = name();
        const AccountId account = account_id("nostro", of);
        switch (random_.below(3)) {
            case 0: {
                OpenAccount open;
                open.id = account;
                open.name = of;
                open.currency = currency(of);
                open.kind = random_.chance(1, 2) ? AccountKind::merchant : AccountKind::bank;
                open.opening_minor = random_.between(0, 200'000);
                return request(open);
            }
            case 1: return request(AdjustBalance{account, random_.between(-3'000, 20'000), "model"});
            default: break;
        }
        ChangeAccount change;
        change.id = account;
        constexpr std::array kStates = {AccountStatus::active, AccountStatus::active, AccountStatus::frozen_debit,
                                        AccountStatus::frozen};
        if (random_.chance(1, 2)) change.status = kStates[random_.below(kStates.size())];
        if (random_.chance(1, 2)) change.floor_minor = -random_.between(0, 9'000);
        if (random_.chance(1, 3)) change.risk_level = static_cast<RiskLevel>(random_.below(5));
        return request(change);
    }
    Command next() {
        const std::uint64_t kind = random_.below(100);
        if (kind < 44) {
            const SubmitPayment body = submit();
            return {0, body.payment.id, body.meaning, body};
        }
        if (kind < 52) {
            auto& items = groups_.emplace_back();
            for (std::int64_t n = random_.between(1, 4); n > 0; --n) {
                items.push_back(submit());
                if (random_.chance(4, 5)) items.back().payment.capture = Capture::automatic;
            }
            return request(SubmitGroup{items});
        }
        if (kind < 66) return on_account();
        if (kind < 75) return reversal();
        if (kind < 82)
            return request(CapturePayment{
                some_payment(), random_.chance(1, 2) ? std::optional(random_.between(1, 5'000)) : std::nullopt});
        if (kind < 86) return request(VoidPayment{some_payment()});
        if (kind < 94) return request(DecideReview{some_payment(), random_.chance(2, 3), "rita", ""});
        if (kind < 96) {
            const PaymentId record = id();
            constexpr std::array kWhy = {Reason::none, Reason::unreadable, Reason::broken};
            return {0, record, 0, KeepRecord{record, kWhy[random_.below(kWhy.size())], "{}"}};
        }
        if (kind < 98 || letters_.empty()) return request(KeepDeadLetter{"queue", "1", "json", "unreadable", "{"});
        const Place letter = letters_.back();
        letters_.pop_back();
        return request(ResolveDeadLetter{letter, random_.chance(1, 2), "rita", ""});
    }

    struct Known {
        PaymentId payment;
        Place original_at;
        Status original_status = Status::accepted;
        bool original_is_reversal = false;
        std::int64_t original_minor = 0;
        Instant original_settled_at{};
        Outcome payment_of;
    };
    Xoshiro256 random_;
    Book book_{BookSize{.accounts_max = 1'000,
                        .counters_max = 10'000,
                        .holds_max = 4'000,
                        .reversed_max = 4'000,
                        .bounds_max = 100,
                        .known_max = 400'000}};
    FrameBuilder builder_{1 << 20};
    Changes changes_;
    Instant now_{std::chrono::sys_days(std::chrono::year(2026) / 10 / 20)};  // days before clocks change
    Seq seq_ = 0;
    Digest previous_{};
    std::uint32_t recorded_ = 0;
    std::uint64_t last_id_ = 0;
    PolicyVersion version_ = 0;
    std::vector<PaymentId> payments_;
    std::map<PaymentId, Known> known_;
    std::vector<Place> letters_;
    std::deque<std::vector<SubmitPayment>> groups_;
};

}  // namespace
}  // namespace nostro

int main(int count, char** arguments) {
    const auto number = [&](int at) { return at < count ? nostro::parse_uint64(arguments[at]).value_or(0) : 0; };
    if (count != 4 || number(2) == 0) {
        std::cerr << "usage: random_journal SEED FRAMES FILE\n";
        return 2;
    }
    std::ofstream file(arguments[3], std::ios::binary);
    return nostro::Journal(number(1)).write(number(2), file) ? 0 : 1;
}
