#include "tests/sim/commands.hpp"

#include <array>
#include <chrono>
#include <string>

#include "nostro/domain/account.hpp"

namespace nostro::sim {
namespace {

using namespace std::chrono_literals;

// The last one is in another currency, and the two before it are seldom opened.
constexpr std::array<std::string_view, 9> kNames = {"a0", "a1", "a2", "a3", "a4", "a5", "a6", "a7", "usd"};

Currency currency_of(std::string_view name) { return *Currency::parse(name == "usd" ? "USD" : "EUR"); }

}  // namespace

PaymentId Commands::new_id() {
    ++last_id_;
    return {SplitMix64(last_id_).next() >> 8, last_id_};
}

PaymentId Commands::request_id() { return random_.chance(1, 2) ? new_id() : PaymentId{}; }

PaymentId Commands::some_payment() {
    return payments_.empty() || random_.chance(1, 20) ? new_id() : payments_[random_.below(payments_.size())];
}

AccountId Commands::some_account() { return account_id("nostro", kNames[random_.below(kNames.size())]); }

SubmitPayment Commands::submit(Instant now) {
    SubmitPayment submit;
    Payment& payment = submit.payment;
    payment.id = new_id();
    payment.debtor_name = kNames[random_.below(kNames.size())];
    payment.creditor_name = kNames[random_.below(kNames.size())];
    payment.debtor = account_id("nostro", payment.debtor_name);
    payment.creditor = account_id("nostro", payment.creditor_name);
    payment.amount = Money(random_.between(1, 12'000), currency_of(payment.debtor_name));
    payment.type = "TRANSFER";
    payment.reference = "sim";
    if (random_.chance(1, 4)) {
        payment.capture = Capture::manual;
        if (random_.chance(1, 2)) payment.expires_at = now + std::chrono::seconds(random_.between(1, 1'200));
    }
    submit.meaning = SplitMix64(payment.id.low).next();
    payments_.push_back(payment.id);
    return submit;
}

Command Commands::payment(Instant now) {
    Command command;
    const SubmitPayment body = submit(now);
    command.id = body.payment.id;
    command.meaning = body.meaning;
    command.body = body;
    return command;
}

Command Commands::of_source() { return payment(Instant::max() - 24h); }

Command Commands::group(Instant now) {
    auto& payments = groups_.emplace_back();
    for (std::int64_t n = random_.between(2, 5); n > 0; --n) {
        payments.push_back(submit(now));
        if (random_.chance(9, 10)) {  // else it would hardly ever pass
            payments.back().payment.capture = Capture::automatic;
            payments.back().payment.amount = Money(random_.between(1, 50), payments.back().payment.amount.currency());
        }
    }
    Command command;
    command.id = new_id();
    command.meaning = command.id.low;
    command.body = SubmitGroup{payments};
    return command;
}

Command Commands::reversal() {
    const Settled& original = settled_[random_.below(settled_.size())];
    ReversePayment reverse;
    reverse.payment = original.payment;
    reverse.payment.id = new_id();
    std::swap(reverse.payment.debtor, reverse.payment.creditor);
    std::swap(reverse.payment.debtor_name, reverse.payment.creditor_name);
    reverse.whole_rest = random_.chance(1, 3);
    const std::int64_t whole = original.payment.amount.minor();
    reverse.payment.amount = Money(random_.between(1, whole), original.payment.amount.currency());
    reverse.original = original.payment.id;
    reverse.original_at = original.place;
    reverse.original_minor = whole;
    reverse.original_settled_at = original.at;
    reverse.meaning = reverse.payment.id.low;
    payments_.push_back(reverse.payment.id);
    Command command;
    command.id = reverse.payment.id;
    command.meaning = reverse.meaning;
    command.body = reverse;
    return command;
}

Command Commands::on_account() {
    const std::string_view name = kNames[random_.below(kNames.size())];
    Command command;
    command.id = request_id();
    command.meaning = command.id.low;
    if (random_.chance(1, 2)) {
        OpenAccount open;
        open.id = account_id("nostro", name);
        open.name = name;
        open.currency = currency_of(name);
        open.opening_minor = random_.between(0, 100'000);
        open.meaning = static_cast<std::uint64_t>(open.opening_minor);
        command.body = open;
        return command;
    }
    ChangeAccount change;
    change.id = account_id("nostro", name);
    if (random_.chance(1, 3)) change.floor_minor = -random_.between(0, 5'000);
    if (random_.chance(1, 2)) {
        constexpr std::array kStates = {AccountStatus::active,       AccountStatus::active, AccountStatus::active,
                                        AccountStatus::frozen_debit, AccountStatus::frozen, AccountStatus::closed};
        change.status = kStates[random_.below(kStates.size())];
    }
    command.body = change;
    return command;
}

Command Commands::next(Instant now) {
    const std::uint64_t kind = random_.below(100);
    if (kind < 50) return payment(now);
    if (kind < 58) return group(now);
    if (kind < 74) return on_account();
    if (kind < 80 && !settled_.empty()) return reversal();
    Command command;
    command.id = request_id();
    command.meaning = command.id.low;
    if (kind < 88) {
        CapturePayment capture{.payment = some_payment(), .amount_minor = {}};
        if (random_.chance(1, 2)) capture.amount_minor = random_.between(1, 9'000);
        command.body = capture;
    } else if (kind < 92) {
        command.body = VoidPayment{some_payment()};
    } else {
        command.body = DecideReview{some_payment(), random_.chance(2, 3), "rita", "looked at"};
    }
    return command;
}

Command Commands::altered(Command command) {
    ++command.meaning;
    if (auto* submit = std::get_if<SubmitPayment>(&command.body)) {
        submit->meaning = command.meaning;
        submit->payment.amount = Money(submit->payment.amount.minor() + 1, submit->payment.amount.currency());
    } else if (auto* reverse = std::get_if<ReversePayment>(&command.body)) {
        reverse->meaning = command.meaning;
    }
    return command;
}

void Commands::learn(const Payment& payment, Place place, Instant at) { settled_.push_back({payment, place, at}); }

PolicyPtr Commands::policy(PolicyVersion version, Instant now) {
    Terms terms;
    terms.version = version;
    terms.opens = random_.chance(1, 3);
    terms.large_minor = random_.between(4'000, 8'000);
    terms.often = random_.between(5, 60);
    std::string text = "tenant = 'nostro'\nhold_ttl = '10m'\nreview_ttl = '5m'\n";
    text += "unknown_accounts = '" + std::string(terms.opens ? "open" : "refuse") + "'\n";
    text += "[thresholds]\nreview = 50\nreject = 100\n";
    text += "[[rule]]\nname = 'large'\nkind = 'amount_band'\npoints = 60\nabove = {EUR = '" +
            Money(terms.large_minor, currency_of("a0")).decimal() + "'}\n";
    text += "[[rule]]\nname = 'huge'\nkind = 'amount_band'\npoints = 60\nabove = {EUR = '110.00'}\n";
    text += "[[limit]]\nname = 'often'\nside = 'debit'\nmeasure = 'count'\nat_most = " + std::to_string(terms.often) +
            "\nwindow = {rolling = '1h', buckets = 4}\nwhen_exceeded = 'reject'\n";
    text +=
        "[[limit]]\nname = 'much'\nside = 'credit'\nmeasure = 'sum'\ncurrency = 'EUR'\nat_most = '2000.00'\n"
        "window = {days = 1, zone = 'UTC'}\nwhen_exceeded = 'review'\n";
    auto policy = Policy::parse(text, version, now);
    if (!policy) return nullptr;
    terms_.insert_or_assign(text, terms);
    return *policy;
}

const Terms* Commands::terms(std::string_view policy_text) const {
    const auto found = terms_.find(policy_text);
    return found != terms_.end() ? &found->second : nullptr;
}

}  // namespace nostro::sim
