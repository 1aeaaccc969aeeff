#include "nostro/journal/verify_difference.hpp"

#include <algorithm>
#include <string_view>

#include "nostro/base/hex.hpp"
#include "nostro/base/time.hpp"

namespace nostro {
namespace {

using Fault = std::function<void(std::string what, std::optional<PaymentId> payment)>;

// "decided again: status rejected, recorded: settled", of all fields that differ.
class Fields {
public:
    void add(std::string_view field, const std::string& decided, const std::string& recorded) {
        if (decided == recorded) return;
        text_ += text_.empty() ? "decided again: " : "; ";
        text_ += std::string(field) + " " + decided + ", recorded: " + recorded;
    }
    void add(std::string_view field, std::int64_t decided, std::int64_t recorded) {
        add(field, std::to_string(decided), std::to_string(recorded));
    }
    std::string take() { return text_.empty() ? "decided again: another detail than recorded" : std::move(text_); }

private:
    std::string text_;
};

std::string money(const Money& amount) { return amount.decimal() + " " + std::string(amount.currency().code()); }
std::string place(const Place& at) { return std::to_string(at.seq) + "." + std::to_string(at.index); }

std::string why(const Assessment& made) {
    std::string text = std::string(name(made.advice)) + " by policy " + std::to_string(made.version) + ", score " +
                       std::to_string(made.score);
    for (const Hit& hit : made.fired()) {
        text += ", rule " + std::to_string(hit.rule) + " (" + std::to_string(hit.points) + " points, " +
                std::to_string(hit.input) + " of " + std::to_string(hit.at_most) + ", bucket " +
                std::to_string(hit.bucket) + ")";
    }
    return text;
}

std::string difference(const Outcome& decided, const Outcome& recorded) {
    Fields fields;
    fields.add("event", std::string(name(decided.event)), std::string(name(recorded.event)));
    fields.add("status", std::string(name(decided.status)), std::string(name(recorded.status)));
    fields.add("reason", std::string(name(decided.reason)), std::string(name(recorded.reason)));
    fields.add("amount", money(decided.amount), money(recorded.amount));
    fields.add("debtor", to_hex(decided.debtor), to_hex(recorded.debtor));
    fields.add("creditor", to_hex(decided.creditor), to_hex(recorded.creditor));
    fields.add("debtor's balance before", decided.debtor_before, recorded.debtor_before);
    fields.add("debtor's balance after", decided.debtor_after, recorded.debtor_after);
    fields.add("creditor's balance before", decided.creditor_before, recorded.creditor_before);
    fields.add("creditor's balance after", decided.creditor_after, recorded.creditor_after);
    fields.add("number", std::to_string(decided.number), std::to_string(recorded.number));
    fields.add("first outcome", place(decided.origin), place(recorded.origin));
    fields.add("accepted at", to_rfc3339(decided.accepted_at), to_rfc3339(recorded.accepted_at));
    fields.add("expires at", to_rfc3339(decided.expires_at), to_rfc3339(recorded.expires_at));
    fields.add("reverses", to_hex(decided.reverses), to_hex(recorded.reverses));
    fields.add("assessment", why(decided.why), why(recorded.why));
    return fields.take();
}

std::string difference(const AccountImage& decided, const AccountImage& recorded) {
    Fields fields;
    fields.add("balance", decided.balance, recorded.balance);
    fields.add("held", decided.held, recorded.held);
    fields.add("version", std::to_string(decided.version), std::to_string(recorded.version));
    return fields.take();
}

std::string difference(const CounterImage& decided, const CounterImage& recorded) {
    Fields fields;
    fields.add("limit", decided.limit, recorded.limit);
    fields.add("bucket", std::to_string(decided.bucket), std::to_string(recorded.bucket));
    fields.add("counted", decided.value, recorded.value);
    return fields.take();
}

// The first place where two lists part: their length if neither differs before the shorter one ends.
template <class Item, class Same>
std::size_t parts_at(const std::vector<Item>& decided, const std::vector<Item>& recorded, Same same) {
    const auto [at, other] = std::ranges::mismatch(decided, recorded, same);
    return static_cast<std::size_t>(at - decided.begin());
}

constexpr auto kEqual = [](const auto& a, const auto& b) { return a == b; };

template <class Image, class Tell>
bool same(std::string_view kind, const std::vector<Image>& decided, const std::vector<Image>& recorded,
          const Fault& fault, Tell tell) {
    const std::size_t at = parts_at(decided, recorded, kEqual);
    if (at == decided.size() && at == recorded.size()) return true;
    if (at < decided.size() && at < recorded.size()) {
        tell(decided[at], recorded[at]);
    } else {
        fault("decided again: " + std::to_string(decided.size()) + " " + std::string(kind) +
                  ", recorded: " + std::to_string(recorded.size()),
              std::nullopt);
    }
    return false;
}

bool same_outcomes(const Changes& decided, const Changes& recorded, const Fault& fault) {
    const std::size_t at = parts_at(decided.outcomes, recorded.outcomes, kEqual);
    if (at < decided.outcomes.size() && at < recorded.outcomes.size()) {
        const Outcome& is = recorded.outcomes[at];
        fault(difference(decided.outcomes[at], is), is.payment);
        return false;
    }
    if (at < decided.outcomes.size() || at < recorded.outcomes.size()) {
        const bool is_missing = at < decided.outcomes.size();
        const Outcome& other = is_missing ? decided.outcomes[at] : recorded.outcomes[at];
        fault(std::string("decided again: ") + (is_missing ? "an outcome more than recorded: " : "no outcome for ") +
                  std::string(name(other.event)) + ", " + std::string(name(other.status)),
              other.payment);
        return false;
    }
    return true;
}

bool same_policies(const Changes& decided, const Changes& recorded, const Fault& fault) {
    const auto equal = [](const PolicyPtr& a, const PolicyPtr& b) {
        return a == b || (a->version() == b->version() && a->compiled() == b->compiled());
    };
    const std::size_t at = parts_at(decided.policies, recorded.policies, equal);
    if (at == decided.policies.size() && at == recorded.policies.size()) return true;
    fault("the policy that came into force is not the one that was sent", std::nullopt);
    return false;
}

}  // namespace

bool tell_difference(const Changes& decided, const Changes& recorded, const Fault& fault) {
    bool alike = same_outcomes(decided, recorded, fault);
    alike &= same("account images", decided.accounts, recorded.accounts, fault, [&](const auto& a, const auto& b) {
        fault("account " + to_hex(b.id) + ": " + difference(a, b), std::nullopt);
    });
    alike &= same("limit counters", decided.counters, recorded.counters, fault, [&](const auto& a, const auto& b) {
        fault("limit counter of account " + to_hex(b.account) + ": " + difference(a, b), std::nullopt);
    });
    alike &= same("open payments", decided.holds, recorded.holds, fault, [&](const auto&, const auto& b) {
        fault("decided again: another reservation than recorded", b.payment);
    });
    alike &= same("reversed payments", decided.reversed, recorded.reversed, fault, [&](const auto& a, const auto& b) {
        fault("decided again: " + std::to_string(a.reversed_minor) +
                  " of it are reversed, recorded: " + std::to_string(b.reversed_minor),
              b.original);
    });
    alike &= same("spent ids", decided.known, recorded.known, fault,
                  [&](const auto&, const auto& b) { fault("decided again: another id is spent than recorded", b.id); });
    alike &= same("own bounds", decided.bounds, recorded.bounds, fault, [&](const auto&, const auto& b) {
        fault("account " + to_hex(b.account) + ": decided again: another bound of its own than recorded", std::nullopt);
    });
    alike &= same("tenants", decided.tenants, recorded.tenants, fault, [&](const auto&, const auto& b) {
        fault(
            "tenant " + std::to_string(b.tenant) + ": decided again: another count of payments or policy than recorded",
            std::nullopt);
    });
    return same_policies(decided, recorded, fault) && alike;
}

}  // namespace nostro
