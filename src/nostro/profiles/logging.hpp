// The transaction log: a sender, a receiver, an amount; a report of all of them.
//
// Money: `party:{sender}:{currency}` -> `party:{receiver}:{currency}`. Historical rows are records and move nothing.
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "nostro/profiles/profile.hpp"

namespace nostro {

Result<std::unique_ptr<Profile>> make_logging(const ProfileSetup& setup);

namespace logging {

// A row of the report and of the table `transactions`.
struct Row {
    std::uint64_t id = 0;  // among all rows, from 1, without gaps
    std::string sender, receiver;
    Money amount;
    std::string_view status;  // Completed, Historical; Rejected: an account is closed or frozen
    // Beyond the original's columns.
    PaymentId payment;
    Instant created_at{};
};
// `payment`: as asked for; of a record, its document is the attachment. nullopt: the outcome is no row.
std::optional<Row> row_of(const Outcome& outcome, const Payment& payment);

// {"id":1,"sender":"C1","receiver":"M1","amount":9839.64,"status":"Completed"}: the members of the report, in order.
void append_report_row(std::string& to, const Row& row);
// The message of the topic.
std::string message_of(const Row& row);

}  // namespace logging
}  // namespace nostro
