#include "nostro/profiles/profile_answers.hpp"

#include <algorithm>
#include <span>
#include <utility>

#include "nostro/wire/reasons.hpp"

namespace nostro {
namespace {

using Taken = std::function<void(Response&, const Receipt&)>;

std::uint16_t status_of(ErrorCode code) {
    switch (code) {
        case ErrorCode::invalid: return 422;
        case ErrorCode::conflict: return 409;
        case ErrorCode::not_found: return 404;
        case ErrorCode::unavailable:
        case ErrorCode::unknown:
        case ErrorCode::fenced: return 503;
        case ErrorCode::corrupt: break;
    }
    return 500;
}

// What a table has no room for, or a policy that is not there, is no fault of the request.
std::uint16_t status_of(Reason reason) {
    return reason == Reason::book_full || reason == Reason::no_policy ? 503 : 422;
}

void answer_receipt(Ledger& ledger, const Reply& reply, std::vector<Receipt> receipts, Taken taken) {
    const Answer& answer = receipts.front().answer;
    switch (answer.kind) {
        case Answer::Kind::recorded:
            reply.later([receipt = receipts.front(), taken = std::move(taken)](Response& response) {
                taken(response, receipt);
            });
            return;
        case Answer::Kind::replayed:
            reply.on_worker([&ledger, reply, list = std::move(receipts), taken = std::move(taken)]() mutable {
                if (const auto completed = ledger.complete(list); !completed) {
                    return refuse_framework(reply, completed.error());
                }
                reply.later([receipt = list.front(), taken = std::move(taken)](Response& response) {
                    taken(response, receipt);
                });
            });
            return;
        case Answer::Kind::reused:
            return refuse_framework(reply, 422, "this key was used for another request; take a new one");
        case Answer::Kind::refused:
            return refuse_framework(reply, status_of(answer.reason), reason_text(answer.reason));
    }
}

}  // namespace

void submit_one(Ledger& ledger, const Reply& reply, std::shared_ptr<const void> memory, const Wish& wish, Taken taken) {
    ledger.submit(std::move(memory), std::span(&wish, 1),
                  [&ledger, reply, taken = std::move(taken)](Result<std::vector<Receipt>> receipts) mutable {
                      if (!receipts) return refuse_framework(reply, receipts.error());
                      if (receipts->empty()) return refuse_framework(reply, 503, "not taken; send it again");
                      answer_receipt(ledger, reply, std::move(*receipts), std::move(taken));
                  });
}

void refuse_framework(const Reply& reply, std::uint16_t status, std::string_view detail) {
    Response response;
    write_framework_refusal(response, status, detail);
    reply(std::move(response));
}

void refuse_framework(const Reply& reply, const Error& error) {
    refuse_framework(reply, status_of(error.code), error.what);
}

void refuse_framework(const Reply& reply, const FrameworkErrors& errors) {
    Response response;
    errors.write(response);
    reply(std::move(response));
}

Parameter optional_key() {
    return {.name = "Idempotency-Key",
            .in = ParameterIn::header,
            .kind = ParameterKind::key,
            .description = "Names this request for ever.",
            .example = "order-17-attempt-1"};
}

RouteAnswer json_answer_of(std::uint16_t status, std::string_view description, std::string_view schema,
                           std::vector<std::string_view> headers) {
    return {status, description, {{"application/json", schema}}, std::move(headers)};
}

PolicyPtr deciding_policy(const Recorded& recorded, const Ledger& ledger) {
    const PolicyPtr decided = ledger.policy(recorded.outcomes.front().why.version);
    return decided != nullptr ? decided : ledger.policy();
}

void append_amount_number(std::string& to, Money amount) {
    const std::size_t begin = to.size();
    append_decimal(to, amount.minor(), amount.currency());
    const std::size_t point = to.find('.', begin);
    if (point == std::string::npos) {
        to.append(".0");
        return;
    }
    to.resize(std::max(to.find_last_not_of('0') + 1, point + 2));
}

}  // namespace nostro
