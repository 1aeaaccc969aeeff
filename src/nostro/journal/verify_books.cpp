#include "nostro/journal/verify_books.hpp"

#include <algorithm>
#include <utility>

#include "nostro/base/hex.hpp"

namespace nostro {
namespace {

std::string text(std::int64_t value) { return std::to_string(value); }

template <class Map, class Key>
auto* value_in(const Map& map, const Key& key) {
    const auto found = map.find(key);
    return found == map.end() ? nullptr : &found->second;
}
template <class Key, class Value, class Hash>
const Value* value_in(const FlatMap<Key, Value, Hash>& map, const Key& key) {
    return map.find(key);
}

template <class Map, class Key, class Cell>
void expect_same(const Map& map, const Key& key, const Cell& cell, const char* kind, const VerifyBooks::Fault& fault) {
    const auto* found = value_in(map, key);
    if (found == nullptr) {
        fault(std::string("the image holds a ") + kind + " that the frames do not leave", std::nullopt);
    } else if (!(*found == cell)) {
        fault(std::string("the image holds a ") + kind + " that differs from what the frames leave", std::nullopt);
    }
}

}  // namespace

VerifyBooks::Account* VerifyBooks::find(AccountId id) {
    const std::uint32_t* place = places_.find(id);
    return place != nullptr ? &accounts_[*place] : nullptr;
}

VerifyBooks::Account& VerifyBooks::made(AccountId id) {
    const auto [place, is_new] = places_.get(id);
    if (is_new) {
        place = static_cast<std::uint32_t>(accounts_.size());
        accounts_.emplace_back().id = id;
    }
    return accounts_[place];
}

VerifyBooks::Account& VerifyBooks::touch(Account& account) {
    if (!account.is_touched) {
        account.is_touched = true;
        touched_.push_back(static_cast<std::uint32_t>(&account - accounts_.data()));
    }
    return account;
}
VerifyBooks::Account& VerifyBooks::touch(AccountId id) { return touch(made(id)); }

void VerifyBooks::add_to_sum(Currency currency, Sum amount) {
    for (auto& [of, sum] : sums_) {
        if (of != currency) continue;
        sum += amount;
        return;
    }
    sums_.emplace_back(currency, amount);
}

void VerifyBooks::prefetch(const Outcome& outcome) const {
    places_.prefetch(outcome.debtor);
    places_.prefetch(outcome.creditor);
}

void VerifyBooks::reserve(const HoldImage& hold, int sign) {
    touch(hold.debtor).reserved += sign * Sum{hold.amount.minor()};
}

void VerifyBooks::begin_with(const Changes& cells) {
    const Fault quiet = [](const std::string&, std::optional<PaymentId>) {};
    for (const auto& image : cells.accounts) {
        auto& account = made(image.id);
        account.image = image;
        account.running = image.balance;
        account.is_open = true;
        add_to_sum(image.currency, image.balance);
    }
    for (const auto& hold : cells.holds) {
        holds_[hold.payment] = hold;
        open_[hold.payment] = hold.status;
        ++open_at_begin_;
        made(hold.debtor).reserved += hold.amount.minor();
    }
    take_others(cells);
}

// An account's balance goes from outcome to outcome without a jump.
void VerifyBooks::follow(AccountId id, std::int64_t before, std::int64_t after, std::string_view side,
                         const Outcome& outcome, const Fault& fault) {
    if (id.empty()) return;
    Account* known = find(id);
    if (known == nullptr && before == 0 && after == 0) return;  // refused: it was never opened
    auto& account = known != nullptr ? touch(*known) : touch(id);
    if (account.running != before) {
        fault("the " + std::string(side) + " " + to_hex(id) + " had " + text(account.running) +
                  " before, the outcome says " + text(before),
              outcome.payment);
    }
    account.running = after;
}

void VerifyBooks::check_state(const DecodedFrame& frame, std::size_t index, const Fault& fault) {
    const auto& outcome = frame.changes.outcomes[index];
    const auto was_open = open_.find(outcome.payment);
    if (outcome.event == Event::submitted) {
        ++payments_;
        if (was_open != open_.end()) fault("a payment that is open is submitted once more", outcome.payment);
        if (outcome.status == Status::accepted) fault("a payment was recorded undecided", outcome.payment);
        if (outcome.origin != Place{frame.seq(), static_cast<std::uint32_t>(index)}) {
            fault("a first outcome names another one as the first", outcome.payment);
        }
    } else if (was_open == open_.end()) {
        fault(std::string(name(outcome.event)) + ", but the payment was not open", outcome.payment);
        return;
    }
    if (is_open(outcome.status)) {
        open_[outcome.payment] = outcome.status;
    } else {
        ++ended_[static_cast<std::size_t>(outcome.status)];
        if (was_open != open_.end()) open_.erase(was_open);
    }
    changed_.push_back(outcome.payment);
}

void VerifyBooks::check_outcome(const DecodedFrame& frame, std::size_t index, const Fault& fault) {
    const auto& outcome = frame.changes.outcomes[index];
    ++outcomes_;
    if (is_of_payment(outcome.event)) check_state(frame, index, fault);
    const Sum debtor_moved = Sum{outcome.debtor_after} - outcome.debtor_before;
    const Sum creditor_moved = Sum{outcome.creditor_after} - outcome.creditor_before;
    if (outcome.debtor != outcome.creditor && debtor_moved + creditor_moved != 0) {
        fault("what leaves one side does not arrive at the other", outcome.payment);
    }
    const bool settles = is_of_payment(outcome.event) && outcome.status == Status::settled;
    if (settles && debtor_moved != -Sum{outcome.amount.minor()}) {
        fault("a settled payment moves another amount than its own", outcome.payment);
    }
    if (is_of_payment(outcome.event) && !settles && debtor_moved != 0) {
        fault("a payment that is not settled moves money", outcome.payment);
    }
    follow(outcome.debtor, outcome.debtor_before, outcome.debtor_after, "debtor", outcome, fault);
    follow(outcome.creditor, outcome.creditor_before, outcome.creditor_after, "creditor", outcome, fault);
}

void VerifyBooks::take_accounts(const Changes& changes, const Fault& fault) {
    for (const auto& image : changes.accounts) {
        auto& account = touch(image.id);
        const auto complain = [&](const std::string& what) {
            fault("account " + to_hex(image.id) + ": " + what, std::nullopt);
        };
        if (account.is_open && image.version != account.image.version + 1) {
            complain("version " + std::to_string(image.version) + " follows " + std::to_string(account.image.version));
        }
        if (!account.is_open && image.version != 1) complain("begins with version " + std::to_string(image.version));
        if (account.is_open && image.currency != account.image.currency) complain("its currency changed");
        if (account.running != image.balance) {
            complain("outcomes lead to " + text(account.running) + ", its image says " + text(image.balance));
        }
        add_to_sum(image.currency, Sum{image.balance} - (account.is_open ? account.image.balance : 0));
        account.image = image;
        account.is_open = true;
    }
}

void VerifyBooks::take_holds(const Changes& changes, const Fault& fault) {
    for (const auto& hold : changes.holds) {
        const auto found = holds_.find(hold.payment);
        if (found != holds_.end()) {
            reserve(found->second, -1);
            holds_.erase(found);
        }
        const auto state = open_.find(hold.payment);
        const bool is_open_by_outcomes = state != open_.end();
        if (is_open(hold.status) != is_open_by_outcomes || (is_open_by_outcomes && state->second != hold.status)) {
            fault("its image says " + std::string(name(hold.status)) + ", its outcomes say otherwise", hold.payment);
        }
        if (!is_open(hold.status)) continue;
        holds_[hold.payment] = hold;
        reserve(hold, 1);
    }
    for (const auto& payment : changed_) {
        if (open_.contains(payment) != holds_.contains(payment)) {
            fault("its outcomes and its image do not agree on whether it is open", payment);
        }
    }
    changed_.clear();
}

void VerifyBooks::take_others(const Changes& changes) {
    for (const auto& cell : changes.counters) counters_.get({cell.account, cell.limit, cell.place}).first = cell;
    for (const auto& cell : changes.reversed) {
        if (is_gone(cell)) {
            reversed_.erase(cell.original);
        } else {
            reversed_[cell.original] = cell;
        }
    }
    for (const auto& cell : changes.bounds) {
        if (is_gone(cell)) {
            bounds_.erase({cell.account, cell.name_key});
        } else {
            bounds_[{cell.account, cell.name_key}] = cell;
        }
    }
    for (const auto& cell : changes.tenants) tenants_[cell.tenant] = cell;
    for (const auto& policy : changes.policies) {
        policies_[{std::string(policy->tenant()), policy->version()}] = policy->compiled();
    }
}

void VerifyBooks::end_frame(const Fault& fault) {
    for (const auto place : touched_) {
        auto& account = accounts_[place];
        account.is_touched = false;
        const auto complain = [&](const std::string& what) {
            fault("account " + to_hex(account.id) + ": " + what, std::nullopt);
        };
        if (!account.is_open) {
            complain("money moves on it, but it was never opened");
            continue;
        }
        if (account.running != account.image.balance) {
            complain("outcomes lead to " + text(account.running) + ", but the frame has no image of it");
        }
        if (account.reserved != account.image.held) {
            complain("its open payments reserve " + text(static_cast<std::int64_t>(account.reserved)) +
                     ", its image says " + text(account.image.held));
        }
    }
    touched_.clear();
    for (const auto& [currency, sum] : sums_) {
        if (sum != 0) fault("accounts in " + std::string(currency.code()) + " do not sum to zero", std::nullopt);
    }
}

void VerifyBooks::check(const DecodedFrame& frame, const Fault& fault) {
    constexpr std::size_t kPrefetch = 12;
    const auto& outcomes = frame.changes.outcomes;
    for (std::size_t i = 0; i < outcomes.size(); ++i) {
        if (i + kPrefetch < outcomes.size()) prefetch(outcomes[i + kPrefetch]);
        check_outcome(frame, i, fault);
    }
    take_accounts(frame.changes, fault);
    take_holds(frame.changes, fault);
    take_others(frame.changes);
    end_frame(fault);
}

void VerifyBooks::compare(const Changes& cells, const Fault& fault) {
    for (const auto& cell : cells.accounts) {
        const Account* found = find(cell.id);
        if (found == nullptr || !(found->image == cell)) {
            fault("the image of account " + to_hex(cell.id) + " differs from what the frames leave", std::nullopt);
        }
    }
    for (const auto& cell : cells.counters) {
        expect_same(counters_, CounterKey{cell.account, cell.limit, cell.place}, cell, "counter", fault);
    }
    for (const auto& cell : cells.holds) {
        const auto found = holds_.find(cell.payment);
        if (found == holds_.end() || !(found->second == cell)) {
            fault("the image of the open payment differs from what the frames leave", cell.payment);
        }
    }
    for (const auto& cell : cells.reversed) expect_same(reversed_, cell.original, cell, "reversed payment", fault);
    for (const auto& cell : cells.bounds) {
        expect_same(bounds_, BoundKey{cell.account, cell.name_key}, cell, "bound", fault);
    }
    for (const auto& cell : cells.tenants) expect_same(tenants_, cell.tenant, cell, "tenant", fault);
    for (const auto& policy : cells.policies) {
        expect_same(policies_, std::pair(std::string(policy->tenant()), policy->version()), policy->compiled(),
                    "policy", fault);
    }
}

void VerifyBooks::compare_counts(const CellCounts& counts, const Fault& fault) {
    const CellCounts mine = {accounts_.size(), counters_.size(), holds_.size(),   reversed_.size(),
                             bounds_.size(),   tenants_.size(),  policies_.size()};
    if (counts != mine) fault("the image leaves out cells that the frames leave", std::nullopt);
}

void VerifyBooks::check_begin(const Fault& fault) const {
    for (const Account& account : accounts_) {
        if (account.is_open && account.reserved == account.image.held) continue;
        fault("account " + to_hex(account.id) + ": the image's open payments reserve something else than it says",
              std::nullopt);
    }
    for (const auto& [id, hold] : holds_) {
        if (places_.find(hold.creditor) == nullptr) fault("the image holds money for an account that is not in it", id);
    }
    for (const auto& [currency, sum] : sums_) {
        if (sum != 0)
            fault("accounts of the image in " + std::string(currency.code()) + " do not sum to zero", std::nullopt);
    }
}

std::array<std::uint64_t, 8> VerifyBooks::states() const {
    auto states = ended_;
    for (const auto& [id, status] : open_) ++states[static_cast<std::size_t>(status)];
    return states;
}

void VerifyBooks::end(const Fault& fault) const {
    std::uint64_t ended = 0;
    for (const std::uint64_t count : ended_) ended += count;
    if (open_.size() == holds_.size() && open_at_begin_ + payments_ == ended + open_.size()) return;
    fault(text(static_cast<std::int64_t>(open_at_begin_ + payments_)) + " payments, of which " +
              text(static_cast<std::int64_t>(ended)) + " ended and " + text(static_cast<std::int64_t>(open_.size())) +
              " are open",
          std::nullopt);
}

std::vector<std::string> VerifyBooks::currencies() const {
    std::vector<std::string> names;
    names.reserve(sums_.size());
    for (const auto& [currency, sum] : sums_) names.emplace_back(currency.code());
    std::ranges::sort(names);
    return names;
}

}  // namespace nostro
