#include "nostro/wire/recorded.hpp"

#include <variant>

namespace nostro {
namespace {

const Command* command_of(const DecodedFrame& frame, const Outcome& outcome) {
    return outcome.command < frame.commands.size() ? &frame.commands[outcome.command] : nullptr;
}

// Of the command that an outcome answers: who asked for it twice in the same words is told by it.
void add_submitted(Recorded& to, const DecodedFrame& frame, const Outcome& outcome) {
    const Command* command = command_of(frame, outcome);
    if (const Payment* payment = payment_of(frame, outcome)) {
        to.payment = *payment;
    } else {
        to.payment.id = outcome.payment;  // a kept record: its document is all there is
        to.payment.tenant = outcome.tenant;
        to.payment.amount = outcome.amount;
    }
    if (command == nullptr) return;
    to.meaning = command->meaning;
    if (const auto* submit = std::get_if<SubmitPayment>(&command->body)) to.meaning = submit->meaning;
    if (const auto* reverse = std::get_if<ReversePayment>(&command->body)) to.meaning = reverse->meaning;
    if (const auto* group = std::get_if<SubmitGroup>(&command->body); group && outcome.item < group->payments.size()) {
        to.meaning = group->payments[outcome.item].meaning;
    }
    if (const auto* record = std::get_if<KeepRecord>(&command->body)) to.payment.attachment = record->document;
}

}  // namespace

const Payment* payment_of(const DecodedFrame& frame, const Outcome& outcome) {
    if (outcome.event != Event::submitted) return nullptr;
    const Command* command = command_of(frame, outcome);
    if (command == nullptr) return nullptr;
    if (const auto* submit = std::get_if<SubmitPayment>(&command->body)) return &submit->payment;
    if (const auto* reverse = std::get_if<ReversePayment>(&command->body)) return &reverse->payment;
    const auto* group = std::get_if<SubmitGroup>(&command->body);
    if (group == nullptr || outcome.item >= group->payments.size()) return nullptr;
    return &group->payments[outcome.item].payment;
}

void add_outcome(Recorded& to, const std::shared_ptr<const DecodedFrame>& frame, std::uint32_t index) {
    const Outcome& outcome = frame->changes.outcomes[index];
    const Place place{frame->seq(), index};
    const bool of_itself = to.outcomes.empty() || outcome.payment == to.payment.id;
    if (!of_itself) {
        if (outcome.reverses != to.payment.id || outcome.status != Status::settled) return;
        for (const PaymentId known : to.reversals) {
            if (known == outcome.payment) return;
        }
        to.reversals.push_back(outcome.payment);
        to.reversed_minor += outcome.amount.minor();
        return;
    }
    if (!to.places.empty() && place <= to.places.back()) return;
    if (to.outcomes.empty()) add_submitted(to, *frame, outcome);
    to.outcomes.push_back(outcome);
    to.places.push_back(place);
    to.times.push_back(frame->time());
    to.frames.push_back(frame);
    const Command* command = command_of(*frame, outcome);
    if (command == nullptr) return;
    if (const auto* review = std::get_if<DecideReview>(&command->body)) {
        to.reviewed_by = review->by;
        to.review_note = review->note;
    }
}

}  // namespace nostro
