// The companies between which business payments flow, each written once as the JSON member it is in every document.
//
// Threads: one owner while made, then any.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "nostro/base/random.hpp"

namespace nostro::generate {

class B2bParties {
public:
    // `count` of at least 2. Without `realistic` all are American, with random routing numbers. Realistic: routing
    // numbers have valid check digits, and a fifth, at least two, are in the euro area and have IBANs.
    B2bParties(Xoshiro256& random, std::uint32_t count, bool realistic);

    struct Pair {
        const std::string &originator, &beneficiary;  // JSON objects
    };
    // Uniform and never the same. Between two in the euro area only if there are any.
    Pair american(Xoshiro256& random) const;
    Pair european(Xoshiro256& random) const;
    // Abroad if anybody lives there.
    Pair international(Xoshiro256& random) const;

private:
    static Pair two_of(Xoshiro256& random, const std::vector<std::string>& parties);

    std::vector<std::string> american_, european_;
};

}  // namespace nostro::generate
