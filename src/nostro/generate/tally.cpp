#include "nostro/generate/tally.hpp"

#include <algorithm>

namespace nostro::generate {

void Tally::Amounts::add(std::int64_t minor) {
    least_minor = count == 0 ? minor : std::min(least_minor, minor);
    most_minor = count == 0 ? minor : std::max(most_minor, minor);
    sum.add(minor);
    ++count;
}

void Tally::Amounts::add(const Amounts& other) {
    least_minor = count == 0 ? other.least_minor : std::min(least_minor, other.least_minor);
    most_minor = count == 0 ? other.most_minor : std::max(most_minor, other.most_minor);
    sum += other.sum;
    count += other.count;
}

std::int64_t Tally::Amounts::mean_minor() const {
    if (count == 0) return 0;
    const auto of = static_cast<Total::Wide>(count);
    return static_cast<std::int64_t>((2 * sum.wide() + of) / (2 * of));
}

void Tally::add(const Made& made) {
    ++count_;
    // A handful of each: looking through them is quicker than any table.
    auto amounts = std::ranges::find_if(by_type_, [&](const Amounts& each) {
        return each.type == made.type && each.currency == made.amount.currency();
    });
    if (amounts == by_type_.end()) {
        Amounts fresh;
        fresh.type = made.type;
        fresh.currency = made.amount.currency();
        amounts = by_type_.insert(amounts, fresh);
    }
    amounts->add(made.amount.minor());
    if (made.status.empty()) return;
    auto status = std::ranges::find(by_status_, made.status, &Status::status);
    if (status == by_status_.end()) status = by_status_.insert(status, Status{.status = made.status});
    ++status->count;
}

std::vector<Tally::Amounts> Tally::totals() const {
    std::vector<Amounts> totals;
    for (const Amounts& each : by_type_) {
        auto total = std::ranges::find(totals, each.currency, &Amounts::currency);
        if (total == totals.end()) {
            Amounts fresh;
            fresh.currency = each.currency;
            total = totals.insert(total, fresh);
        }
        total->add(each);
    }
    return totals;
}

}  // namespace nostro::generate
