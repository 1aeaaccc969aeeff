#include "nostro/formats/paysim_audit.hpp"

namespace nostro::paysim {
namespace {

struct Expected {
    std::int64_t orig = 0, dest = 0;
};

Expected after(const Row& row) {
    const std::int64_t amount = row.type == Type::cash_in ? -row.amount_minor : row.amount_minor;
    return {row.old_orig_minor - amount, row.old_dest_minor + amount};
}

}  // namespace

std::string_view name(Mismatch mismatch) {
    switch (mismatch) {
        case Mismatch::none: return "reproduced";
        case Mismatch::merchant_untracked: return "merchant_untracked";
        case Mismatch::fraud_annulled: return "fraud_annulled";
        case Mismatch::payer_clipped: return "payer_clipped";
        case Mismatch::payer_unchanged: return "payer_unchanged";
        case Mismatch::payee_unchanged: return "payee_unchanged";
        case Mismatch::payer_continuity: return "payer_continuity";
        case Mismatch::payee_continuity: return "payee_continuity";
    }
    return "reproduced";
}

std::string_view explanation(Mismatch mismatch) {
    switch (mismatch) {
        case Mismatch::none: return "the ledger's balances are the row's";
        case Mismatch::merchant_untracked: return "the file keeps no balance for merchants";
        case Mismatch::fraud_annulled: return "the file does not let the payee of a fraud keep the money";
        case Mismatch::payer_clipped: return "more than the payer had: the file stops at 0, a ledger refuses";
        case Mismatch::payer_unchanged: return "the payer's new balance is not the old one and the amount";
        case Mismatch::payee_unchanged: return "the payee's new balance is not the old one and the amount";
        case Mismatch::payer_continuity: return "the payer's old balance is not what its last row left";
        case Mismatch::payee_continuity: return "the payee's old balance is not what its last row left";
    }
    return "";
}

Mismatch Audit::add(const Row& row) {
    const Mismatch mismatch = judge(row);
    ++counts_[static_cast<std::size_t>(mismatch)];
    ++rows_;
    remember(row);
    return mismatch;
}

Mismatch Audit::judge(const Row& row) const {
    const Expected expected = after(row);
    const bool dest_is_right = row.new_dest_minor == expected.dest;
    if (row.dest.starts_with('M') && !dest_is_right) return Mismatch::merchant_untracked;
    if (row.is_fraud && !dest_is_right) return Mismatch::fraud_annulled;
    if (expected.orig < 0 && row.new_orig_minor == 0) return Mismatch::payer_clipped;
    if (row.new_orig_minor != expected.orig) return Mismatch::payer_unchanged;
    if (!dest_is_right) return Mismatch::payee_unchanged;
    if (const auto orig = last_.find(row.orig); orig != last_.end() && orig->second != row.old_orig_minor) {
        return Mismatch::payer_continuity;
    }
    if (const auto dest = last_.find(row.dest); dest != last_.end() && dest->second != row.old_dest_minor) {
        return Mismatch::payee_continuity;
    }
    return Mismatch::none;
}

void Audit::remember(const Row& row) {
    last_.insert_or_assign(std::string(row.orig), row.new_orig_minor);
    if (!row.dest.starts_with('M')) last_.insert_or_assign(std::string(row.dest), row.new_dest_minor);
}

}  // namespace nostro::paysim
