// Seeded business payments of nine types, as the JSON documents of the b2b profile. docs/generators.md shows one; what
// a type has beyond the members common to all is in b2b_types.cpp.
//
// Parties are drawn uniformly and differ, statuses and amounts are uniform, amounts in minor units of the type's
// currency. What a document says in two places is drawn once, so the two agree.
//
// Realistic: routing numbers, IBANs, creditor references and card numbers have valid check digits; SEPA payments flow
// between IBANs in EUR, SEPA direct debits too; an international wire ends in the euro area; settlement dates follow
// from the processing window and are banking days (Monday to Friday).
//
// The same seed, options and times give the same bytes on every machine. Threads: one owner. Memory: about 0.6 KiB a
// customer.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "nostro/base/ids.hpp"
#include "nostro/base/random.hpp"
#include "nostro/domain/money.hpp"
#include "nostro/generate/b2b_parties.hpp"
#include "nostro/generate/tally.hpp"

namespace nostro::generate {

// In the order in which a file has them.
enum class B2bType : std::uint8_t { ach, wire, check, rtp, sepa, card, direct_debit, standing_order, p2p };
inline constexpr std::size_t kB2bTypes = 9;
std::string_view name(B2bType type);  // "SEPA_CREDIT_TRANSFER"

// The type of document `at` of `count` when they are ordered by type: as many of each as can be, the first types have
// one more.
B2bType b2b_type_in_file(std::uint64_t at, std::uint64_t count);

struct B2bOptions {
    std::uint64_t seed = 1;
    std::uint32_t customers = 1'000;  // at least 2; realistic: 4
    bool realistic = false;
    // So many documents, ordered by type; 0: without end, types drawn uniformly.
    std::uint64_t ordered = 0;
    Instant start = {};  // of the times that will be given: other times, other ids
};

class B2bGenerator {
public:
    explicit B2bGenerator(const B2bOptions& options);

    // Appends one document, without a line end. `at`: when it is made. No payment_id comes twice within 2^32 documents.
    Made append(std::string& to, Instant at);
    Made append(std::string& to, B2bType type, Instant at);  // of this type, whatever comes next

private:
    B2bParties::Pair draw_parties(B2bType type, bool international);

    Xoshiro256 random_;
    bool realistic_;
    std::uint64_t ordered_;
    B2bParties parties_;
    std::uint32_t id_key_;
    std::uint32_t made_ = 0;
    Currency dollar_, euro_;
};

}  // namespace nostro::generate
