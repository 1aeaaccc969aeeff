#include "nostro/domain/policy.hpp"

#include <algorithm>

#include "nostro/base/text.hpp"
#include "nostro/base/time.hpp"
#include "nostro/domain/policy_rules.hpp"

namespace nostro {
namespace {

std::string date_text(std::uint64_t day) {
    using namespace std::chrono;
    // Dates beyond what an instant can hold are no days of any payment.
    constexpr std::uint64_t kMost = 106'000;
    return to_date(Instant(sys_days(days(static_cast<std::int64_t>(std::min(day, kMost))))));
}

std::string member_text(RuleKind kind, std::int64_t member) {
    if (kind == RuleKind::party_risk) return std::string(name(static_cast<RiskLevel>(member)));
    return std::string(name(static_cast<AccountKind>(member)));
}

std::string matched_text(const PolicyRules& rules, const Rule& rule, std::int64_t place, Currency currency) {
    const auto index = static_cast<std::size_t>(place);
    if (rule.types != kAll) return index < rules.types.size() ? rules.types[index] : "";
    if (rule.rails != kAll) return index < rules.rails.size() ? rules.rails[index].name : "";
    return std::string(currency.code());
}

}  // namespace

std::string_view name(Advice advice) {
    switch (advice) {
        case Advice::clear: return "clear";
        case Advice::clear_with_conditions: return "clear_with_conditions";
        case Advice::review: return "review";
        case Advice::reject: return "reject";
    }
    return "unknown";
}

std::string_view name(Check check) {
    switch (check) {
        case Check::accounts: return "accounts";
        case Check::status: return "status";
        case Check::same_account: return "same_account";
        case Check::amount: return "amount";
        case Check::risk: return "risk";
        case Check::limits: return "limits";
        case Check::funds: return "funds";
    }
    return "unknown";
}

Policy::Policy(std::unique_ptr<const PolicyRules> rules) : rules_(std::move(rules)) {}
Policy::~Policy() = default;

PolicyVersion Policy::version() const { return rules_->version; }
std::string_view Policy::tenant() const { return rules_->tenant; }
std::string_view Policy::text() const { return rules_->text; }

Result<> Policy::may_follow(const Policy& before) const {
    const auto refused = [](std::string what) { return Error{ErrorCode::invalid, "policy: " + std::move(what)}; };
    if (tenant() != before.tenant()) {
        return refused("tenant is " + quoted(tenant()) + ", but the policy in force is of " + quoted(before.tenant()));
    }
    for (const Rail& rail : before.rules_->rails) {
        const std::string was = "rail '" + rail.name + "' (number " + std::to_string(rail.number) + ") of version " +
                                std::to_string(before.version());
        const Rail* now = rules_->find_rail(rail.number);
        if (now == nullptr) {
            return refused(was +
                           " is missing; a rail stays for life, because payments name it. Refuse new payments "
                           "on it with a rule of kind match");
        }
        if (now->name != rail.name) return refused(was + " is now named '" + now->name + "'; a number stays for life");
    }
    return {};
}

std::span<const Limit> Policy::limits() const { return rules_->limits; }

std::span<const Limit> Policy::limits(RailNo rail) const {
    const Rail* found = rules_->find_rail(rail);
    return found == nullptr ? rules_->limits_anywhere : found->limits;
}

const Limit* Policy::limit(RuleNo rule) const { return rules_->find_limit(rule); }

const Limit* Policy::limit(std::string_view limit_name) const {
    for (const Limit& limit : rules_->limits) {
        if (name(limit.rule) == limit_name) return &limit;
    }
    return nullptr;
}

std::uint64_t Policy::bucket(const Limit& limit, Instant now) const {
    if (const auto* calendar = std::get_if<Calendar>(&limit.window)) return rules_->zones[calendar->zone].day_at(now);
    const std::int64_t now_s = std::chrono::floor<std::chrono::seconds>(now).time_since_epoch().count();
    return static_cast<std::uint64_t>(std::max<std::int64_t>(now_s, 0)) / std::get<Rolling>(limit.window).bucket_s;
}

std::string Policy::window_name(const Limit& limit, std::uint64_t bucket) const {
    const auto* calendar = std::get_if<Calendar>(&limit.window);
    if (calendar == nullptr) return rules_->windows[limit.rule - 1u - rules_->rules.size()];
    std::string today = date_text(bucket);
    if (calendar->days == 1) return today;
    const std::uint64_t back = calendar->days - 1u;
    return date_text(bucket >= back ? bucket - back : 0) + "/" + today;
}

std::string_view Policy::name(RuleNo rule) const {
    return rule >= 1 && rule <= rules_->names.size() ? std::string_view(rules_->names[rule - 1u]) : "";
}

std::string Policy::input_text(const Hit& hit, Currency currency) const {
    if (const Limit* limit = rules_->find_limit(hit.rule)) {
        if (limit->measure == Limit::Measure::count) return std::to_string(hit.input);
        return Money(hit.input, limit->currency).decimal();
    }
    const Rule* rule = rules_->find_rule(hit.rule);
    if (rule == nullptr) return Money(hit.input, currency).decimal();  // the bound of a rail
    switch (rule->kind) {
        case RuleKind::amount_band: return Money(hit.input, currency).decimal();
        case RuleKind::match: return matched_text(*rules_, *rule, hit.input, currency);
        case RuleKind::allow:
        case RuleKind::deny: return hit.input == static_cast<std::int64_t>(Party::debtor) ? "debtor" : "creditor";
        case RuleKind::party_risk:
        case RuleKind::account_kind: return member_text(rule->kind, hit.input);
        case RuleKind::account_age: return format_duration(std::chrono::seconds(hit.input));
    }
    return "";
}

std::optional<Advice> Policy::advice(RuleNo rule) const {
    const Rule* found = rules_->find_rule(rule);
    if (found == nullptr || found->advice == Advice::clear) return std::nullopt;
    return found->advice;
}

std::span<const Check> Policy::order() const { return rules_->order; }

Result<RailNo> Policy::rail(std::string_view rail_name) const {
    std::string known;
    for (const Rail& rail : rules_->rails) {
        if (rail.name == rail_name) return rail.number;
        if (!known.empty()) known += ", ";
        known += rail.name;
    }
    return Error{ErrorCode::invalid, "rail: " + quoted(rail_name) + " is none of " + known};
}

std::string_view Policy::rail_name(RailNo rail) const {
    const Rail* found = rules_->find_rail(rail);
    return found == nullptr ? std::string_view() : found->name;
}

UnknownAccounts Policy::unknown_accounts() const { return rules_->unknown_accounts; }

std::int64_t Policy::opened_floor_minor(Currency currency) const {
    if (rules_->opened_without_floor) return kNoFloor;
    for (const Money& floor : rules_->opened_floors) {
        if (floor.currency() == currency) return floor.minor();
    }
    return 0;
}

std::chrono::seconds Policy::hold_ttl() const { return rules_->hold_ttl; }
std::chrono::seconds Policy::review_ttl() const { return rules_->review_ttl; }
int Policy::reversal_days() const { return rules_->reversal_days; }

}  // namespace nostro
