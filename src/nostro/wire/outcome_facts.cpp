#include "nostro/wire/outcome_facts.hpp"

#include <variant>

#include "nostro/domain/account.hpp"

namespace nostro {

bool moved_money(const Outcome& outcome) {
    if (outcome.status != Status::settled) return false;
    return outcome.event == Event::submitted || outcome.event == Event::captured || outcome.event == Event::approved;
}

std::string opened_name(const DecodedFrame& frame, const Outcome& outcome) {
    if (outcome.command < frame.commands.size()) {
        const CommandBody& body = frame.commands[outcome.command].body;
        if (const auto* open = std::get_if<OpenAccount>(&body); open && open->id == outcome.debtor) {
            return std::string(open->name);
        }
        const auto named_by = [&](const Payment& payment) -> std::string_view {
            if (payment.debtor == outcome.debtor) return payment.debtor_name;
            if (payment.creditor == outcome.debtor) return payment.creditor_name;
            return {};
        };
        if (const auto* submit = std::get_if<SubmitPayment>(&body)) {
            if (const auto name = named_by(submit->payment); !name.empty()) return std::string(name);
        }
        if (const auto* group = std::get_if<SubmitGroup>(&body)) {
            for (const SubmitPayment& item : group->payments) {
                if (const auto name = named_by(item.payment); !name.empty()) return std::string(name);
            }
        }
    }
    return house_name(House::equity, outcome.amount.currency());
}

}  // namespace nostro
