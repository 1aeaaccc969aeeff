// Reads a PaySim file as a ledger would and tells which rows double entry cannot reproduce, and why.
//
// The file does not conserve money: merchants keep no balance, fraud rows are annulled, payers are clipped at
// zero. So the question is not whether rows differ but which, and for what reason.
//
// Threads: one owner. Memory: one balance a name.
#pragma once
#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>

#include "nostro/formats/paysim.hpp"

namespace nostro::paysim {

enum class Mismatch : std::uint8_t {
    none,                // the ledger's balances are the row's
    merchant_untracked,  // the payee is a merchant; the file says 0 before and after
    fraud_annulled,      // a fraud row: the payee's balance does not take the money in
    payer_clipped,       // more than the payer had; the file stops at 0, a ledger refuses
    payer_unchanged,     // the payer's new balance is not old - amount (a stopped transfer, for one)
    payee_unchanged,     // the payee's new balance is not old + amount
    payer_continuity,    // the payer's old balance is not what its last row left
    payee_continuity,    // the payee's old balance is not what its last row left
};
inline constexpr std::size_t kMismatches = 8;
std::string_view name(Mismatch mismatch);
std::string_view explanation(Mismatch mismatch);

class Audit {
public:
    // The first reason, in the order above, why double entry cannot give this row's balances.
    Mismatch add(const Row& row);

    std::uint64_t count(Mismatch mismatch) const { return counts_[static_cast<std::size_t>(mismatch)]; }
    std::uint64_t rows() const { return rows_; }

private:
    Mismatch judge(const Row& row) const;
    void remember(const Row& row);

    struct Hash {
        using is_transparent = void;
        std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
    };
    std::unordered_map<std::string, std::int64_t, Hash, std::equal_to<>> last_;  // as the file says
    std::array<std::uint64_t, kMismatches> counts_{};
    std::uint64_t rows_ = 0;
};

}  // namespace nostro::paysim
