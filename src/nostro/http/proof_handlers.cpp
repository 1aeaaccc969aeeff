// Proofs for whoever does not trust this program: of one payment, and of the books as a whole.
#include <string>

#include "nostro/base/hex.hpp"
#include "nostro/engine/checkpoints.hpp"
#include "nostro/http/answers.hpp"
#include "nostro/http/api.hpp"

namespace nostro {
namespace {

void payment_proof(const Api& api, const Request& request, const Reply& reply) {
    Service& service = *api.service;
    const Seq accepted = service.accepted();
    const auto found = service.history().payment(*payment_id_from_hex(request.parameter("id")));
    if (!found) return refuse(reply, found.error());
    if (!*found) return refuse(reply, 404, "payment_not_found", "there is no payment with this id");
    const auto parts = api.checkpoints->prove(**found, accepted);
    if (!parts) return refuse_history(reply, parts.error());
    Response response;
    write_proof(response.body, (*found)->payment.id, *parts);
    reply(std::move(response));
}

void write_ledger_proof(const Api& api, const TotalsNow& now, const Reply& reply) {
    const auto checkpoint = api.checkpoints->newest(now.as_of.seq);
    if (!checkpoint) return refuse_history(reply, checkpoint.error());
    Response response;
    JsonWriter json(response.body);
    json.begin_object().field("version", 1).key("checkpoint");
    write_checkpoint(json, *checkpoint);
    json.key("books");
    write_totals(json, now.totals, now.as_of);
    const std::string verified = api.last_verified ? api.last_verified() : std::string();
    json.key("verified");
    verified.empty() ? json.null() : json.raw(verified);
    json.end_object();
    reply(std::move(response));
}

void ledger_proof(const Api& api, const Reply& reply) {
    api.service->totals([&api, reply](Result<TotalsNow> now) {
        if (!now) return refuse(reply, now.error());
        reply.on_worker([&api, reply, now = std::move(*now)] { write_ledger_proof(api, now, reply); });
    });
}

}  // namespace

std::vector<Route> proof_routes(const Api& api) {
    std::vector<Route> routes;
    if (api.checkpoints == nullptr) return routes;

    Route payment = route_of(Method::get, "/v1/payments/{id}/proof", "getPaymentProof", "Proofs",
                             "What proves that the payment is in the journal, checkable without this program");
    payment.description =
        "For each outcome of the payment: the frame that holds it, the headers of the frames behind it up to the next "
        "checkpoint, and that checkpoint, signed with Ed25519. `nostro verify --proof FILE` checks it. How to do that "
        "without nostro stands in docs/formats/proof.md.";
    payment.parameters = {path_id()};
    payment.answers = {json_answer(200, "The proof.", "PaymentProof")};
    add_problems(payment, {404, 410, 503});
    payment.keeps_request = true;
    payment.handler = fresh(*api.service, [&api](Service&, const Request& request, const Reply& reply) {
        payment_proof(api, request, reply);
    });
    routes.push_back(std::move(payment));

    Route ledger = route_of(Method::get, "/v1/ledger/proof", "getLedgerProof", "Proofs",
                            "The books now, a signed checkpoint of them, and when they were last proved whole");
    ledger.description =
        "Signed is how the journal stands at the frame of the books, and no sum: a copy of the journal that has this "
        "digest there proves them, with `nostro verify --data`. `nostro verify --proof FILE` checks the signature, "
        "that the sums are told for that frame, and that they are zero.";
    ledger.answers = {json_answer(200, "The proof.", "LedgerProof")};
    add_problems(ledger, {503});
    ledger.handler = [&api](const Request&, const Reply& reply) { ledger_proof(api, reply); };
    routes.push_back(std::move(ledger));
    return routes;
}

}  // namespace nostro
