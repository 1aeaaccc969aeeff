// One payment's JSON, and the small bodies, from any bytes: read or refused with a reason; what was read is within its
// bounds, is the same when read again with room behind it, its texts are text, and a strict parser takes it for JSON.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "nostro/base/text.hpp"
#include "nostro/domain/payment_id.hpp"
#include "nostro/wire/payment_json.hpp"
#include "nostro/wire/request_json.hpp"
#include "tests/fuzz/strict_json.hpp"

namespace {

using namespace nostro;

void require(bool promise) {
    if (!promise) std::abort();
}

void check_refused(const FieldErrors& errors) {
    require(!errors.empty());
    for (const auto& error : errors.list()) require(!error.code.empty() && !error.detail.empty());
}

void check(const PaymentWish& wish) {
    const Payment& payment = wish.payment;
    require(payment.amount.minor() > 0 && payment.amount.currency() != Currency{});
    require(!payment.debtor_name.empty() && payment.debtor_name.size() <= 64);
    require(!payment.creditor_name.empty() && payment.creditor_name.size() <= 64);
    for (const auto text : {payment.type, payment.reference, payment.description, payment.metadata, wish.rail}) {
        require(is_valid_utf8(text) && text.find('\0') == std::string_view::npos);
    }
    require(utf8_length(payment.reference) <= kReferenceMax && utf8_length(payment.type) <= kTypeMax);
    require(utf8_length(payment.description) <= kDescriptionMax);
    require(payment.capture == Capture::manual || payment.expires_at == Instant{});
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static JsonReader reader;
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    Arena arena;
    FieldErrors errors;
    PaymentWish wish;
    const bool good = read_payment(reader, {text, text.size()}, "key-00000001", arena, wish, errors);
    good ? check(wish) : check_refused(errors);
    require(!good || is_strict_json(text));

    std::string roomy(text);
    roomy.append(kJsonPadding, '}');
    PaymentWish again;
    FieldErrors errors_again;
    const JsonInput in_place{std::string_view(roomy).substr(0, size), roomy.size()};
    require(read_payment(reader, in_place, "key-00000001", arena, again, errors_again) == good);
    require(!good || payment_meaning(again.payment) == payment_meaning(wish.payment));

    CaptureBody capture;
    ReverseBody reverse;
    ReviewBody review;
    PolicyBody policy;
    LetterBody letter;
    const auto read = [&](auto reads, auto& body) {
        errors.clear();
        reads(reader, in_place, arena, body, errors) ? require(trim(text).empty() || is_strict_json(text))
                                                     : check_refused(errors);
    };
    read(read_capture, capture);
    read(read_reverse, reverse);
    read(read_review, review);
    read(read_policy, policy);
    // The payment in it is read when the letter is: what is in its braces is not looked at yet.
    errors.clear();
    if (!read_redrive(reader, in_place, arena, letter, errors)) check_refused(errors);
    return 0;
}
