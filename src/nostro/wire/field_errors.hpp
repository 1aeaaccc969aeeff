// What is wrong with a body, field by field: the errors[] of a problem document (RFC 9457).
#pragma once
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace nostro {

struct FieldError {
    std::string pointer;  // JSON Pointer (RFC 6901): "/amount", "/metadata/order", "": the body itself
    std::string code;     // stable word
    std::string detail;   // what is wrong and what to send
};

// All of them, not the first alone; those after kMax are counted only. Cleared, it keeps its memory.
//
// Codes: json_invalid (no JSON, or not UTF-8; nothing after it is looked at), not_an_object, body_empty,
//        missing, unknown_field, duplicate_field, wrong_type, empty, too_long, control_character, invalid_text,
//        unknown_value, invalid_account, currency_unknown, amount_syntax, amount_not_positive,
//        amount_too_many_decimals, amount_overflow, invalid_rail, invalid_time, only_manual_capture, in_the_past,
//        too_many_entries, idempotency_key_missing, idempotency_key_malformed, out_of_range, unknown_limit,
//        too_many_items, no_items, no_change.
class FieldErrors {
public:
    static constexpr std::size_t kMax = 32;

    void add(std::string pointer, std::string_view code, std::string detail) {
        ++count_;
        if (list_.size() < kMax) list_.push_back({std::move(pointer), std::string(code), std::move(detail)});
    }
    bool empty() const { return count_ == 0; }
    std::size_t count() const { return count_; }
    const std::vector<FieldError>& list() const { return list_; }
    // The text is no JSON at all: 400, not 422.
    bool is_syntax() const {
        return !list_.empty() && (list_[0].code == "json_invalid" || list_[0].code == "body_empty");
    }
    void clear() {
        list_.clear();
        count_ = 0;
    }

private:
    std::vector<FieldError> list_;
    std::size_t count_ = 0;
};

// One step of a JSON Pointer: '~' and '/' escaped.
std::string pointer_to(std::string_view parent, std::string_view name);

}  // namespace nostro
