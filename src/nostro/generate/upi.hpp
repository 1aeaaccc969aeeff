// Seeded UPI payments between a few users, as the JSON messages of the upi profile:
//
//     {"tx_id":"<uuid>","payer_id":"user_3","payee_id":"user_1","amount":71500,"currency":"INR","created_at":null}
//
// Payer and payee are drawn uniformly and differ; amounts are whole rupees, uniform from 1 to 200,000, so a quarter
// exceeds the profile's 150,000.
//
// Realistic: users are VPAs, most amounts are small, created_at is set, and two members more tell how the payment ended
// where it was made: `rrn`, its reference, and `response_code`, 00 or, for a tenth, the code of a decline. Four
// declines in five are business declines. One code shows in the amounts: what has Z8 exceeds the profile's limit,
// nothing else does.
//
// The same seed, options and times give the same bytes on every machine. Threads: one owner.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "nostro/base/ids.hpp"
#include "nostro/base/random.hpp"
#include "nostro/domain/money.hpp"
#include "nostro/generate/draw.hpp"
#include "nostro/generate/tally.hpp"

namespace nostro::generate {

struct UpiOptions {
    std::uint64_t seed = 1;
    std::uint32_t users = 0;  // at least 2; 0: 5, realistic 1,000
    bool realistic = false;
    Instant start = {};  // of the times that will be given: other times, other ids
};

class UpiGenerator {
public:
    explicit UpiGenerator(const UpiOptions& options);

    // Appends one message, without a line end. `at`: when it is made.
    Made append(std::string& to, Instant at);

private:
    std::int64_t realistic_rupees(bool above_limit);

    Xoshiro256 random_;
    bool realistic_;
    Currency rupee_;
    std::vector<std::string> users_;
    std::uint64_t made_ = 0;
};

// The reference that banks show for a UPI payment: last digit of the year, day of the year, hour (UTC) and `sequence`,
// 12 digits in all. Not unique over ten years.
ShortText rrn(Instant at, std::uint64_t sequence);

}  // namespace nostro::generate
