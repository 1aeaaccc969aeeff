#include "nostro/wire/recorded.hpp"

#include <variant>

namespace nostro {
namespace {

// Of the command that an outcome answers: who asked for it twice in the same words is told by it.
void add_submitted(Recorded& to, const RecordedPart& part) {
    const auto& [outcome, command, place, at, memory] = part;
    to.payment = asked_for(command, outcome);
    if (command == nullptr) return;
    to.meaning = command->meaning;
    if (const auto* submit = std::get_if<SubmitPayment>(&command->body)) to.meaning = submit->meaning;
    if (const auto* reverse = std::get_if<ReversePayment>(&command->body)) to.meaning = reverse->meaning;
    if (const auto* group = std::get_if<SubmitGroup>(&command->body); group && outcome.item < group->payments.size()) {
        to.meaning = group->payments[outcome.item].meaning;
    }
}

}  // namespace

const Command* command_of(const DecodedFrame& frame, const Outcome& outcome) {
    return outcome.command < frame.commands.size() ? &frame.commands[outcome.command] : nullptr;
}

const Payment* payment_of(const Command* command, const Outcome& outcome) {
    if (outcome.event != Event::submitted || command == nullptr) return nullptr;
    if (const auto* submit = std::get_if<SubmitPayment>(&command->body)) return &submit->payment;
    if (const auto* reverse = std::get_if<ReversePayment>(&command->body)) return &reverse->payment;
    const auto* group = std::get_if<SubmitGroup>(&command->body);
    if (group == nullptr || outcome.item >= group->payments.size()) return nullptr;
    return &group->payments[outcome.item].payment;
}

const Payment* payment_of(const DecodedFrame& frame, const Outcome& outcome) {
    return payment_of(command_of(frame, outcome), outcome);
}

Payment asked_for(const Command* command, const Outcome& outcome) {
    if (const Payment* asked = payment_of(command, outcome)) {
        Payment payment = *asked;
        // Of a reversal of all that is left nobody named the amount.
        if (!outcome.reverses.empty()) payment.amount = outcome.amount;
        return payment;
    }
    Payment payment;
    payment.id = outcome.payment;
    payment.tenant = outcome.tenant;
    payment.amount = outcome.amount;
    const auto* record = command == nullptr ? nullptr : std::get_if<KeepRecord>(&command->body);
    if (record != nullptr) payment.attachment = record->document;
    return payment;
}

void add_outcome(Recorded& to, const RecordedPart& part) {
    const Outcome& outcome = part.outcome;
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
    if (!to.places.empty() && part.place <= to.places.back()) return;
    if (to.outcomes.empty()) add_submitted(to, part);
    to.outcomes.push_back(outcome);
    to.places.push_back(part.place);
    to.times.push_back(part.at);
    to.memory.push_back(part.memory);
    if (part.command == nullptr) return;
    if (const auto* review = std::get_if<DecideReview>(&part.command->body)) {
        to.reviewed_by = review->by;
        to.review_note = review->note;
    }
}

void add_outcome(Recorded& to, const std::shared_ptr<const DecodedFrame>& frame, std::uint32_t index) {
    const Outcome& outcome = frame->changes.outcomes[index];
    add_outcome(to, {outcome, command_of(*frame, outcome), {frame->seq(), index}, frame->time(), frame});
}

}  // namespace nostro
