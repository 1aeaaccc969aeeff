#include "nostro/wire/receipts.hpp"

#include <variant>

namespace nostro {

void add_receipts(const Command& command, const Answer& answer, Seq seq, std::span<const Outcome> outcomes,
                  std::vector<Receipt>& receipts) {
    Receipt receipt;
    receipt.answer = answer;
    const auto* group = std::get_if<SubmitGroup>(&command.body);
    const std::size_t items = group != nullptr ? group->payments.size() : 1;
    // Of a group that was quarantined one record stands for all.
    const bool one_record =
        answer.kind == Answer::Kind::recorded ? answer.count < items : answer.state == Status::quarantined;
    for (std::size_t item = 0; item < items; ++item) {
        const auto behind_first = static_cast<std::uint32_t>(one_record ? 0 : item);
        receipt.payment = group != nullptr ? group->payments[item].payment.id : payment_of(command);
        receipt.reason = answer.reason;
        if (answer.kind == Answer::Kind::recorded) {
            const auto index = answer.index + behind_first;
            const Outcome& outcome = outcomes[index];
            receipt.status = outcome.status;
            receipt.reason = outcome.reason;
            receipt.accepted_at = outcome.accepted_at;
            receipt.place = {seq, index};
            receipt.number = outcome.number;
        } else if (answer.kind == Answer::Kind::replayed) {
            receipt.answer.first.index = answer.first.index + behind_first;
            receipt.item = behind_first;
        }
        receipts.push_back(receipt);
    }
}

}  // namespace nostro
