// What was generated: counts by type and status, and mean, least and most of the amounts, exactly.
//
// Threads: one owner.
#pragma once
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "nostro/domain/money.hpp"

namespace nostro::generate {

// One document. `type` and `status` are names from a closed set that live as long as the program; a document that
// claims no status has "".
struct Made {
    std::string_view type, status;
    Money amount;
};

class Tally {
public:
    struct Amounts {
        std::string_view type;  // "" in totals()
        Currency currency;
        std::uint64_t count = 0;
        Total sum;
        std::int64_t least_minor = 0, most_minor = 0;

        void add(std::int64_t minor);
        void add(const Amounts& other);
        std::int64_t mean_minor() const;  // rounded to the nearest minor unit, halves up
    };
    struct Status {
        std::string_view status;
        std::uint64_t count = 0;
    };

    void add(const Made& made);

    std::uint64_t count() const { return count_; }
    std::span<const Amounts> by_type() const { return by_type_; }     // a type in two currencies is there twice
    std::span<const Status> by_status() const { return by_status_; }  // both as they first came
    std::vector<Amounts> totals() const;                              // by currency: amounts of two do not add up

private:
    std::uint64_t count_ = 0;
    std::vector<Amounts> by_type_;
    std::vector<Status> by_status_;
};

}  // namespace nostro::generate
