// What stores, topics and answers of the business payments show of one payment. Pure functions of what was recorded.
//
// Threads: any. Amounts are exact decimals with all places of their currency.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "nostro/base/json_text.hpp"
#include "nostro/base/result.hpp"
#include "nostro/domain/outcome.hpp"
#include "nostro/domain/payment.hpp"
#include "nostro/ports/history.hpp"

namespace nostro::b2b {

// A row of `payments`. Texts as the document gave them, but the status: it is what became of the payment here. What the
// document claims stays in the document.
struct Row {
    std::string payment_id, payment_type, amount, currency, originator_id, originator_name;
    std::optional<std::string> beneficiary_id, beneficiary_name;  // nullopt: the document names none
    std::string created_at;
    Instant at{};             // created_at; without a zone it is UTC
    std::string_view status;  // RECEIVED, PROCESSING, COMPLETED, FAILED, PENDING, VALIDATED
};
// `payment`: as read by the profile, with its document as attachment.
Row row_of(const Payment& payment, Status status);
std::string_view status_name(Status status);

// --- the wide store

// How the keys of its rows are made: text with {timestamp}, {payment_type}, {originator_id}, {payment_id}.
class RowKey {
public:
    // invalid: another name in braces, a brace without its other half, no name at all.
    static Result<RowKey> parse(std::string_view text);

    std::string of(const Row& row) const;
    // Different payments have different keys.
    bool is_unique() const;

private:
    enum class Name : std::uint8_t { timestamp, payment_type, originator_id, payment_id };
    struct Part {
        std::string text;  // then the value
        std::optional<Name> name;
    };
    std::vector<Part> parts_;
};
// The key without which payments are not told apart: every other key is one that somebody chose.
constexpr std::string_view kRowKey = "{timestamp}_{payment_type}_{originator_id}_{payment_id}";
std::string timestamp_of(Instant at);  // 20261121093000

using Columns = std::vector<std::pair<std::string, std::string>>;
Columns wide_columns(const Row& row);  // cf:payment_id, ...

// --- the other stores

// Columns of table `payments`, in their order; nullopt: NULL. The key is payment_id.
std::vector<std::pair<std::string_view, std::optional<std::string>>> sql_columns(const Row& row);
// {"_id": payment_id, the columns, "document": as it came}
std::string store_document(const Row& row, const Payment& payment);

// --- topic and answers

enum class MessageKey : std::uint8_t { none, originator_id, payment_id, payment_type };
Result<MessageKey> parse_message_key(std::string_view text);  // names the four
std::optional<std::string> message_key(MessageKey strategy, const Row& row);

// The object that queries answer with; all values are texts, empty where the document names no beneficiary.
void write_answer(JsonWriter& json, const Row& row);

// --- the query index: two rows a payment; none of what came without a document, as reversals do

// By time: of all payments. By time and id: of one type and originator.
constexpr std::string_view kAllGroup = "time";
std::string party_group(std::string_view payment_type, std::string_view originator_id);
void index_rows(const Payment& payment, std::vector<IndexRow>& into);
// The text of an index row as it counts.
std::string_view cut_row(std::string_view row);

}  // namespace nostro::b2b
