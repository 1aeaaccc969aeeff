#include "nostro/domain/command.hpp"

namespace nostro {
namespace {

struct PaymentOf {
    PaymentId operator()(const SubmitPayment& body) const { return body.payment.id; }
    PaymentId operator()(const ReversePayment& body) const { return body.payment.id; }
    PaymentId operator()(const CapturePayment& body) const { return body.payment; }
    PaymentId operator()(const VoidPayment& body) const { return body.payment; }
    PaymentId operator()(const DecideReview& body) const { return body.payment; }
    PaymentId operator()(const KeepRecord& body) const { return body.id; }
    PaymentId operator()(const auto&) const { return {}; }
};

}  // namespace

PaymentId payment_of(const Command& command) { return std::visit(PaymentOf{}, command.body); }

std::size_t payments_of(const Command& command) {
    const auto* group = std::get_if<SubmitGroup>(&command.body);
    return group != nullptr ? group->payments.size() : 1;
}

}  // namespace nostro
