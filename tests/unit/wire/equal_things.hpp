// Whether what was read is what was written. Policies are equal when their compiled forms are.
#pragma once
#include <algorithm>
#include <string>

#include "nostro/domain/command.hpp"
#include "nostro/domain/outcome.hpp"

namespace nostro::test {

inline bool same_policy(const PolicyPtr& a, const PolicyPtr& b) {
    if (a == nullptr || b == nullptr) return a == b;
    return a->compiled() == b->compiled();
}

inline bool same(const Payment& a, const Payment& b) {
    return a.id == b.id && a.tenant == b.tenant && a.rail == b.rail && a.capture == b.capture && a.debtor == b.debtor &&
           a.creditor == b.creditor && a.amount == b.amount && a.expires_at == b.expires_at &&
           a.requested_at == b.requested_at && a.debtor_opening_minor == b.debtor_opening_minor &&
           a.creditor_opening_minor == b.creditor_opening_minor && a.debtor_name == b.debtor_name &&
           a.creditor_name == b.creditor_name && a.key == b.key && a.type == b.type && a.reference == b.reference &&
           a.description == b.description && a.metadata == b.metadata && a.attachment == b.attachment;
}

inline bool same_bounds(std::span<const OwnBound> a, std::span<const OwnBound> b) {
    return std::ranges::equal(a, b, [](const OwnBound& x, const OwnBound& y) {
        return x.name_key == y.name_key && x.at_most == y.at_most && x.removed == y.removed;
    });
}

struct SameBody {
    const CommandBody& other;

    bool operator()(const SubmitPayment& a) const {
        const auto& b = std::get<SubmitPayment>(other);
        return same(a.payment, b.payment) && a.meaning == b.meaning;
    }
    bool operator()(const SubmitGroup& a) const {
        return std::ranges::equal(a.payments, std::get<SubmitGroup>(other).payments,
                                  [](const SubmitPayment& x, const SubmitPayment& y) {
                                      return same(x.payment, y.payment) && x.meaning == y.meaning;
                                  });
    }
    bool operator()(const CapturePayment& a) const {
        const auto& b = std::get<CapturePayment>(other);
        return a.payment == b.payment && a.amount_minor == b.amount_minor;
    }
    bool operator()(const VoidPayment& a) const { return a.payment == std::get<VoidPayment>(other).payment; }
    bool operator()(const ReversePayment& a) const {
        const auto& b = std::get<ReversePayment>(other);
        return same(a.payment, b.payment) && a.meaning == b.meaning && a.whole_rest == b.whole_rest &&
               a.original == b.original && a.original_at == b.original_at && a.original_status == b.original_status &&
               a.original_is_reversal == b.original_is_reversal && a.original_minor == b.original_minor &&
               a.original_settled_at == b.original_settled_at;
    }
    bool operator()(const DecideReview& a) const {
        const auto& b = std::get<DecideReview>(other);
        return a.payment == b.payment && a.approve == b.approve && a.by == b.by && a.note == b.note;
    }
    bool operator()(const OpenAccount& a) const {
        const auto& b = std::get<OpenAccount>(other);
        return a.id == b.id && a.name == b.name && a.currency == b.currency && a.kind == b.kind &&
               a.risk_level == b.risk_level && a.floor_minor == b.floor_minor && a.opening_minor == b.opening_minor &&
               a.holder == b.holder && a.metadata == b.metadata && same_bounds(a.bounds, b.bounds) &&
               a.meaning == b.meaning;
    }
    bool operator()(const ChangeAccount& a) const {
        const auto& b = std::get<ChangeAccount>(other);
        return a.id == b.id && a.status == b.status && a.floor_minor == b.floor_minor && a.risk_level == b.risk_level &&
               a.holder == b.holder && a.metadata == b.metadata && same_bounds(a.bounds, b.bounds);
    }
    bool operator()(const AdjustBalance& a) const {
        const auto& b = std::get<AdjustBalance>(other);
        return a.id == b.id && a.delta_minor == b.delta_minor && a.why == b.why;
    }
    bool operator()(const ChangePolicy& a) const {
        const auto& b = std::get<ChangePolicy>(other);
        return same_policy(a.policy, b.policy) && a.by == b.by;
    }
    bool operator()(const KeepRecord& a) const {
        const auto& b = std::get<KeepRecord>(other);
        return a.id == b.id && a.reason == b.reason && a.document == b.document;
    }
    bool operator()(const KeepDeadLetter& a) const {
        const auto& b = std::get<KeepDeadLetter>(other);
        return a.source == b.source && a.position == b.position && a.format == b.format && a.why == b.why &&
               a.bytes == b.bytes;
    }
    bool operator()(const ResolveDeadLetter& a) const {
        const auto& b = std::get<ResolveDeadLetter>(other);
        return a.letter == b.letter && a.redriven == b.redriven && a.by == b.by && a.note == b.note;
    }
};

inline bool same(const Command& a, const Command& b) {
    return a.tenant == b.tenant && a.id == b.id && a.meaning == b.meaning && a.body.index() == b.body.index() &&
           std::visit(SameBody{b.body}, a.body);
}

inline bool same_images(const Changes& a, const Changes& b) {
    return a.accounts == b.accounts && a.counters == b.counters && a.holds == b.holds && a.reversed == b.reversed &&
           a.known == b.known && a.bounds == b.bounds && a.tenants == b.tenants &&
           std::ranges::equal(a.policies, b.policies, same_policy);
}

inline bool same(const Changes& a, const Changes& b) { return a.outcomes == b.outcomes && same_images(a, b); }

}  // namespace nostro::test
