// Random commands under a seed: what clients may ask of a bank, sensible or not.
#pragma once
#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "nostro/base/random.hpp"
#include "nostro/domain/command.hpp"

namespace nostro::sim {

// What a policy of the simulation says, for whoever does not read TOML.
struct Terms {
    PolicyVersion version = 0;
    bool opens = false;            // accounts that nobody knows
    std::int64_t large_minor = 0;  // EUR above it are looked at
    std::int64_t often = 0;        // payments that an account may make in an hour
};

class Commands {
public:
    explicit Commands(Xoshiro256& random) : random_(random) {}

    Command next(Instant now);
    // Nothing but a payment, from a source of its own.
    Command of_source();
    // The same id with another amount.
    Command altered(Command command);
    PolicyPtr policy(PolicyVersion version, Instant now);
    const Terms* terms(std::string_view policy_text) const;  // nullptr: not of this simulation
    AccountId some_account();
    // A settled payment was told of: it may be reversed.
    void learn(const Payment& payment, Place place, Instant at);

private:
    SubmitPayment submit(Instant now);
    Command payment(Instant now);
    Command group(Instant now);
    Command reversal();
    Command on_account();
    PaymentId some_payment();
    PaymentId request_id();
    PaymentId new_id();

    struct Settled {
        Payment payment;
        Place place;
        Instant at{};
    };

    Xoshiro256& random_;
    std::uint64_t last_id_ = 0;
    std::vector<PaymentId> payments_;
    std::vector<Settled> settled_;
    std::deque<std::vector<SubmitPayment>> groups_;  // what spans point to
    std::map<std::string, Terms, std::less<>> terms_;
};

}  // namespace nostro::sim
