#include "nostro/engine/freshness.hpp"

#include <algorithm>
#include <utility>

namespace nostro {

void Freshness::when(Seq seq, SteadyTime deadline, std::function<void()> then) {
    {
        const std::lock_guard lock(mutex_);
        if (seq > reached_ && !ended_ && waiting_.size() < kWaitingMax) {
            waiting_.emplace(seq, Waiter{deadline, std::move(then)});
            return;
        }
    }
    then();
}

void Freshness::reached(Seq seq) {
    std::vector<std::function<void()>> ready;
    {
        const std::lock_guard lock(mutex_);
        reached_ = std::max(reached_, seq);
        const auto end = waiting_.upper_bound(reached_);
        for (auto each = waiting_.begin(); each != end; ++each) ready.push_back(std::move(each->second.then));
        waiting_.erase(waiting_.begin(), end);
    }
    for (auto& then : ready) then();
}

void Freshness::expire(SteadyTime now) {
    std::vector<std::function<void()>> ready;
    {
        const std::lock_guard lock(mutex_);
        for (auto each = waiting_.begin(); each != waiting_.end();) {
            if (each->second.deadline > now) {
                ++each;
                continue;
            }
            ready.push_back(std::move(each->second.then));
            each = waiting_.erase(each);
        }
    }
    for (auto& then : ready) then();
}

void Freshness::expire_all() {
    {
        const std::lock_guard lock(mutex_);
        ended_ = true;
    }
    expire(SteadyTime::max());
}

std::size_t Freshness::waiting() const {
    const std::lock_guard lock(mutex_);
    return waiting_.size();
}

}  // namespace nostro
