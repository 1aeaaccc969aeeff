// A seeded stand-in for the PaySim data set: its mix of types, its amounts, its way of booking balances, and
// its fraud pattern, labelled. The same seed and options give the same bytes on every machine.
//
// Fraud comes in pairs within one step: a TRANSFER of a customer's whole balance (at most 10,000,000) to a fresh
// account, then a CASH_OUT of the same amount from it; the payee's balances are annulled, as in the data set.
//
// Threads: one owner. Memory: one balance a customer, fixed at construction.
#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "nostro/base/random.hpp"
#include "nostro/formats/paysim.hpp"

namespace nostro::paysim {

struct GeneratorOptions {
    std::uint64_t seed = 1;
    std::uint64_t count =
        1'000'000;                // rows; decides how rows spread over the 743 hours; 0: endless, 8,564 rows an hour
    std::uint32_t customers = 0;  // 0: count / 20, at least 1,000, at most 1,000,000
    std::uint32_t merchants = 0;  // 0: customers / 10, at least 100
};

class Generator {
public:
    explicit Generator(const GeneratorOptions& options);

    // The next row; its names live until the next call. nullopt: `count` rows are out.
    std::optional<Row> next();

    // Every customer that exists before the first row, with its balance: to open accounts ahead of a replay.
    struct Customer {
        std::string name;
        std::int64_t balance_minor;
    };
    std::vector<Customer> customers() const;  // as they stand now

private:
    std::uint32_t step_of(std::uint64_t row) const;
    std::string customer_name(std::uint64_t number) const;
    std::string merchant_name(std::uint64_t number) const;
    Type draw_type();
    std::int64_t draw_amount(Type type);
    Row ordinary();
    Row fraud_transfer();
    Row fraud_cash_out();

    GeneratorOptions options_;
    Xoshiro256 random_;
    std::uint64_t name_key_;  // scatters numbers over names
    std::uint64_t row_ = 0;
    std::uint64_t mules_ = 0;
    std::vector<std::int64_t> balances_;
    std::string orig_, dest_;
    // The second half of a fraud pair, due as the very next row.
    std::string mule_;
    std::int64_t stolen_minor_ = 0;
    std::uint32_t mule_step_ = 0;
};

}  // namespace nostro::paysim
