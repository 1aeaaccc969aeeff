// Input that nobody could read: kept, looked through, sent again or given up.
//
// A letter is resolved once: its resolution has an id made of the letter's, so the same wish again gets the same answer
// and the other one 409. Sending again notes the letter as redriven first and then takes its payment under a key made
// of the letter's id: whatever happens in between, the same request again ends it, and nothing is paid twice.
#include <fmt/format.h>

#include <string>

#include "nostro/base/text.hpp"
#include "nostro/domain/payment_id.hpp"
#include "nostro/http/answers.hpp"
#include "nostro/http/api.hpp"
#include "nostro/wire/payment_json.hpp"
#include "nostro/wire/request_json.hpp"

namespace nostro {
namespace {

std::string letter_key(Place letter) { return fmt::format("dead-letter-{}.{}", letter.seq, letter.index); }

void write_letter(JsonWriter& json, const Service& service, const DeadLetter& letter) {
    PaymentId payment;
    if (letter.state == DeadLetter::State::redriven) {
        payment = payment_id(service.policies().tenant_name(0), "key", letter_key(letter.place));
    }
    write_dead_letter(json, letter, payment);
}

void list_letters(Service& service, const Request& request, const Reply& reply) {
    const auto page = service.history().dead_letters(limit_of(request), std::string(request.parameter("cursor")));
    if (!page) return refuse_page(reply, page.error());
    Response response;
    JsonWriter json(response.body);
    begin_list(json);
    for (const DeadLetter& letter : page->items) write_letter(json, service, letter);
    end_list(json, page->next, page->as_of);
    reply(std::move(response));
}

void keep_letter(Service& service, const Request& request, const Reply& reply) {
    const auto arena = arena_for(request);
    FieldErrors errors;
    KeepDeadLetter body;
    if (!read_dead_letter(json_reader(), json_input(request), *arena, body, errors)) {
        return refuse_fields(reply, errors);
    }
    SubmissionBuilder builder = service.build(arena);
    if (const auto added = builder.keep_dead_letter(body, request_key(request, *arena)); !added) {
        return refuse_wish(reply, added.error());
    }
    service.submit(
        builder.take(answer_one(service, reply, [arena, body, &service](Response& response, const Receipt& receipt) {
            DeadLetter letter{receipt.place,
                              receipt.accepted_at,
                              std::string(body.source),
                              std::string(body.position),
                              std::string(body.format),
                              std::string(body.why),
                              std::string(body.bytes)};
            response.status = 201;
            mark_replayed(response, receipt);
            JsonWriter json(response.body);
            write_letter(json, service, letter);
        })));
}

// The letter of the request, as long as it may be resolved so; nullopt: answered.
std::optional<DeadLetter> letter_of(Service& service, DeadLetter::State wanted, const Request& request,
                                    const Reply& reply) {
    const auto [seq, index] = split_once(request.parameter("id"), '.');
    auto found = service.history().dead_letter(Place{*parse_uint64(seq), *parse_uint32(index)});
    if (!found) {
        refuse(reply, found.error());
        return std::nullopt;
    }
    if (!*found) {
        refuse(reply, 404, "dead_letter_not_found", "there is no dead letter with this id");
        return std::nullopt;
    }
    DeadLetter letter = std::move(**found);
    if (letter.state != DeadLetter::State::open && letter.state != wanted) {
        refuse(reply, 409, "already_decided",
               letter.state == DeadLetter::State::discarded ? "this dead letter was discarded before"
                                                            : "this dead letter was redriven before");
        return std::nullopt;
    }
    letter.state = wanted;
    return letter;
}

// Calls `then` once the letter is durably in its state, on any thread.
void resolve(Service& service, const Reply& reply, std::shared_ptr<Arena> arena, const DeadLetter& letter,
             const LetterBody& body, std::function<void()> then) {
    SubmissionBuilder builder = service.build(std::move(arena));
    const bool redriven = letter.state == DeadLetter::State::redriven;
    if (const auto added = builder.resolve_dead_letter(letter.place, redriven, body.by, body.note); !added) {
        return refuse_wish(reply, added.error());
    }
    service.submit(builder.take([&service, reply, then = std::move(then)](Result<std::vector<Receipt>> receipts) {
        if (!receipts || receipts->empty()) return answer_one(service, reply, {})(std::move(receipts));
        switch (receipts->front().answer.kind) {
            case Answer::Kind::recorded:
            case Answer::Kind::replayed: return then();
            case Answer::Kind::reused:  // somebody else was faster
                return refuse(reply, 409, "already_decided", "this dead letter was just resolved the other way");
            case Answer::Kind::refused: return answer_one(service, reply, {})(std::move(receipts));
        }
    }));
}

void discard_letter(Service& service, const Request& request, const Reply& reply) {
    const auto arena = arena_for(request);
    FieldErrors errors;
    LetterBody body;
    if (!read_discard(json_reader(), json_input(request), *arena, body, errors)) return refuse_fields(reply, errors);
    const auto letter = letter_of(service, DeadLetter::State::discarded, request, reply);
    if (!letter) return;
    resolve(service, reply, arena, *letter, body, [&service, reply, letter = *letter] {
        reply.later([&service, letter](Response& response) {
            JsonWriter json(response.body);
            write_letter(json, service, letter);
        });
    });
}

// Its text is not a payment yet: what is wrong, with pointers into the payment that would mend it.
void refuse_unreadable(const Reply& reply, const FieldErrors& errors, bool is_mended) {
    FieldErrors in_payment;
    for (const FieldError& error : errors.list()) {
        in_payment.add("/payment" + error.pointer, error.code, error.detail);
    }
    if (is_mended) return refuse_fields(reply, in_payment);
    reply(problem(422, "still_unreadable",
                  "its text is no payment as POST /v1/payments takes one; send it mended as \"payment\", or discard it",
                  &in_payment));
}

void redrive_letter(Service& service, const Request& request, const Reply& reply) {
    const auto arena = arena_for(request);
    FieldErrors errors;
    LetterBody body;
    if (!read_redrive(json_reader(), json_input(request), *arena, body, errors)) return refuse_fields(reply, errors);
    const auto letter = letter_of(service, DeadLetter::State::redriven, request, reply);
    if (!letter) return;

    const bool is_mended = !body.payment.empty();
    const std::string_view text = is_mended ? body.payment : std::string_view(letter->bytes);
    PaymentWish wish;
    if (!read_payment(json_reader(), {text, text.size()}, letter_key(letter->place), *arena, wish, errors)) {
        return refuse_unreadable(reply, errors, is_mended);
    }
    SubmissionBuilder builder = service.build(arena);
    if (const auto added = builder.payment(wish); !added) {
        if (added.error().code != ErrorCode::invalid) return refuse(reply, added.error());
        return refuse_unreadable(reply, field_errors_of(added.error()), is_mended);
    }
    const auto payment = std::make_shared<std::unique_ptr<Submission>>(builder.take(
        answer_one(service, reply, [&service, letter = *letter](Response& response, const Receipt& receipt) {
            write_accepted(response, receipt);  // for its headers
            response.status = 200;
            response.body.clear();
            JsonWriter json(response.body);
            write_letter(json, service, letter);
        })));
    resolve(service, reply, arena, *letter, body, [&service, payment] { service.submit(std::move(*payment)); });
}

constexpr std::string_view kTag = "Dead letters";

Route keep_route(Service& service) {
    Route route;
    route.method = Method::post;
    route.path = "/v1/dead-letters";
    route.operation = "keepDeadLetter";
    route.tag = kTag;
    route.summary = "Keeps input that could not be read";
    route.description =
        "For whoever brings payments from elsewhere: what cannot be made a payment is kept in the journal with its "
        "reason, instead of being lost. With an `Idempotency-Key`, sending it again keeps it once.";
    route.parameters = {key_parameter(false)};
    route.takes = {{"application/json", "DeadLetterRequest"}};
    route.answers = {json_answer(201, "Kept and durable.", "DeadLetter", {"Idempotent-Replayed"})};
    add_problems(route, {400, 422, 503});
    route.handler = [&service](const Request& request, const Reply& reply) { keep_letter(service, request, reply); };
    return route;
}

Route letter_route(std::string_view path, std::string_view operation, std::string_view takes) {
    Route route;
    route.method = Method::post;
    route.path = path;
    route.operation = operation;
    route.tag = kTag;
    route.parameters = {{.name = "id",
                         .in = ParameterIn::path,
                         .kind = ParameterKind::place,
                         .required = true,
                         .description = "The dead letter's id.",
                         .example = "17.4"}};
    route.takes = {{"application/json", takes}};
    route.body_required = false;
    add_problems(route, {400, 404, 409, 422, 503});
    route.keeps_request = true;
    return route;
}

Route redrive_route(Service& service) {
    Route route = letter_route("/v1/dead-letters/{id}/redrive", "redriveDeadLetter", "RedriveRequest");
    route.summary = "Sends a dead letter's payment again";
    route.description =
        "The payment is `payment` of the body, which somebody mended, or else the letter's own text, as `POST "
        "/v1/payments` takes it. It is taken once for each letter, whatever is sent again. What is no payment yet is "
        "refused with `still_unreadable`, and the letter stays open.";
    route.answers.insert(route.answers.begin(),
                         json_answer(200, "Taken and durable.", "DeadLetter", {"Location", "Idempotent-Replayed"}));
    route.handler = fresh(service, redrive_letter);
    return route;
}

Route discard_route(Service& service) {
    Route route = letter_route("/v1/dead-letters/{id}/discard", "discardDeadLetter", "DiscardRequest");
    route.summary = "Notes that a dead letter counts no more";
    route.answers.insert(route.answers.begin(), json_answer(200, "Noted and durable.", "DeadLetter"));
    route.handler = fresh(service, discard_letter);
    return route;
}

}  // namespace

std::vector<Route> dead_letter_routes(const Api& api) {
    Service& service = *api.service;
    Route list = page_route("/v1/dead-letters", "DeadLetterList");
    list.operation = "listDeadLetters";
    list.tag = kTag;
    list.summary = "What could not be read, newest first";
    list.handler = fresh(service, list_letters);

    std::vector<Route> routes;
    routes.push_back(std::move(list));
    routes.push_back(keep_route(service));
    routes.push_back(redrive_route(service));
    routes.push_back(discard_route(service));
    return routes;
}

}  // namespace nostro
