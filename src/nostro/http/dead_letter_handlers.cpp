// Input that nobody could read: kept, looked through, sent again or given up.
//
// A letter is resolved once: its resolution has an id made of the letter's, so the same wish again gets the same answer
// and the other one 409. Sending again notes the letter as redriven first and then takes its payment under a key made
// of the letter's id: whatever happens in between, the same request again ends it, and nothing is paid twice.
//
// A profile's letter goes back to that profile: its read() makes the wish, and its tenant decides. The wish's key is
// the message's own, or else made of the letter's place, as when it was delivered first; the resolution means that key,
// so another message cannot be sent for the same letter.
#include <fmt/format.h>

#include <algorithm>
#include <string>

#include "nostro/base/text.hpp"
#include "nostro/domain/payment_id.hpp"
#include "nostro/engine/tenant_ledger.hpp"
#include "nostro/http/answers.hpp"
#include "nostro/http/api.hpp"
#include "nostro/profiles/profile.hpp"
#include "nostro/wire/dead_letter.hpp"
#include "nostro/wire/payment_json.hpp"
#include "nostro/wire/request_json.hpp"

namespace nostro {
namespace {

std::string letter_key(Place letter) { return fmt::format("dead-letter-{}.{}", letter.seq, letter.index); }

// A letter, and whose it is: 0 of the native routes, else of a profile.
struct Letter {
    DeadLetter kept;
    TenantNo tenant = 0;
};

// The frame that kept it says so. Blocks.
Result<TenantNo> tenant_of_letter(const Service& service, Place letter) {
    const auto frame = service.frame(letter.seq);
    if (!frame) return frame.error();
    const auto& outcomes = (*frame)->changes.outcomes;
    if (letter.index >= outcomes.size()) return Error{ErrorCode::not_found, "there is no dead letter with this id"};
    return outcomes[letter.index].tenant;
}

// What a profile's message became has the message's own key, which only the answer to its redrive knows.
void write_letter(JsonWriter& json, const Service& service, const DeadLetter& letter) {
    PaymentId payment;
    if (letter.state == DeadLetter::State::redriven) {
        const auto tenant = tenant_of_letter(service, letter.place);
        if (tenant && *tenant == 0) {
            payment = payment_id(service.policies().tenant_name(0), "key", letter_key(letter.place));
        }
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

void show_letter(Service& service, const Request& request, const Reply& reply) {
    const auto [seq, index] = split_once(request.parameter("id"), '.');
    const auto found = service.history().dead_letter(Place{*parse_uint64(seq), *parse_uint32(index)});
    if (!found) return refuse(reply, found.error());
    if (!*found) return refuse(reply, 404, "dead_letter_not_found", "there is no dead letter with this id");
    Response response;
    JsonWriter json(response.body);
    write_letter(json, service, **found);
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
            if (receipt.answer.kind == Answer::Kind::replayed) {  // kept before, perhaps for a reason in other words
                const auto frame = service.frame(receipt.place.seq);
                if (frame) letter = dead_letter_at(**frame, receipt.place.index).value_or(std::move(letter));
            }
            response.status = 201;
            mark_replayed(response, receipt);
            JsonWriter json(response.body);
            write_letter(json, service, letter);
        })));
}

// The letter of the request, as long as it may be resolved so; nullopt: answered.
std::optional<Letter> letter_of(Service& service, DeadLetter::State wanted, const Request& request,
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
    const auto tenant = tenant_of_letter(service, letter.place);
    if (!tenant) {
        refuse(reply, tenant.error());
        return std::nullopt;
    }
    return Letter{std::move(letter), *tenant};
}

// `key`: as resolve_dead_letter() has it. What resolves the letter and calls `then` once that is durable, on any
// thread. Empty: refused already.
std::function<void()> resolution(Service& service, const Reply& reply, std::shared_ptr<Arena> arena,
                                 const Letter& letter, const LetterBody& body, std::string_view key,
                                 std::function<void()> then) {
    SubmissionBuilder builder = service.build(std::move(arena), letter.tenant);
    const bool redriven = letter.kept.state == DeadLetter::State::redriven;
    if (const auto added = builder.resolve_dead_letter(letter.kept.place, redriven, body.by, body.note, key); !added) {
        refuse_wish(reply, added.error());
        return {};
    }
    auto answer = [&service, reply, then = std::move(then)](Result<std::vector<Receipt>> receipts) {
        if (!receipts || receipts->empty()) return answer_one(service, reply, {})(std::move(receipts));
        switch (receipts->front().answer.kind) {
            case Answer::Kind::recorded:
            case Answer::Kind::replayed: return then();
            case Answer::Kind::reused:  // somebody else was faster, or sends another message for it
                return refuse(reply, 409, "already_decided",
                              "this dead letter was discarded or redriven as another message");
            case Answer::Kind::refused: return answer_one(service, reply, {})(std::move(receipts));
        }
    };
    const auto submission = std::make_shared<std::unique_ptr<Submission>>(builder.take(std::move(answer)));
    return [&service, submission] { service.submit(std::move(*submission)); };
}

void discard_letter(Service& service, const Request& request, const Reply& reply) {
    const auto arena = arena_for(request);
    FieldErrors errors;
    LetterBody body;
    if (!read_discard(json_reader(), json_input(request), *arena, body, errors)) return refuse_fields(reply, errors);
    const auto letter = letter_of(service, DeadLetter::State::discarded, request, reply);
    if (!letter) return;
    const auto discard = resolution(service, reply, arena, *letter, body, {}, [reply, kept = letter->kept] {
        reply.later([kept](Response& response) {
            JsonWriter json(response.body);
            write_dead_letter(json, kept, {});
        });
    });
    if (discard) discard();
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

void refuse_unreadable(const Reply& reply, std::string_view why) {
    refuse(reply, 422, "still_unreadable",
           fmt::format("the profile cannot read it: {}; send what it lacks first or the message mended as \"payment\", "
                       "or discard it",
                       why));
}

// nullopt: refused already.
std::optional<Wish> native_wish(const Letter& letter, std::string_view text, bool is_mended, Arena& arena,
                                const Reply& reply) {
    PaymentWish wish;
    FieldErrors errors;
    const std::string_view key = arena.copy(letter_key(letter.kept.place));
    if (read_payment(json_reader(), {text, text.size()}, key, arena, wish, errors)) return Wish(wish);
    refuse_unreadable(reply, errors, is_mended);
    return std::nullopt;
}

// As the profile that brought the letter makes it of a message at that place; nullopt: refused already.
std::optional<Wish> profile_wish(const Api& api, const Letter& letter, std::string_view text, Arena& arena,
                                 const Reply& reply) {
    const auto served = std::ranges::find_if(
        api.profiles, [&](const ServedProfile& each) { return each.entry->tenant == letter.tenant; });
    if (served == api.profiles.end()) {
        refuse(reply, 409, "profile_not_served",
               fmt::format("it came to profile {}, which is not served now: start with --profile {} and send this "
                           "again; the letter stays open",
                           api.service->policies().tenant_name(letter.tenant),
                           api.service->policies().tenant_name(letter.tenant)));
        return std::nullopt;
    }
    const MessagePlace place{arena.copy(letter.kept.source), parse_uint64(letter.kept.position).value_or(0)};
    auto wish = served->profile->read(text, place, arena);
    if (wish) return std::move(*wish);
    refuse_unreadable(reply, wish.error().what);
    return std::nullopt;
}

// What the same message has in common, however it is written.
std::string key_of(const Wish& wish) {
    if (const auto* payment = std::get_if<PaymentWish>(&wish)) return fmt::format("key {}", payment->payment.key);
    if (const auto* record = std::get_if<RecordWish>(&wish)) return fmt::format("key {}", record->key);
    if (const auto* account = std::get_if<OpenAccount>(&wish)) return fmt::format("account {}", account->name);
    return {};
}

// Calls `redrive` if the wish would be taken: what is refused must not use its letter up.
void redrive_if_taken(Service& service, const Reply& reply, SubmissionBuilder wish, std::function<void()> redrive) {
    service.simulate(wish.take({}), [&service, reply, redrive = std::move(redrive)](Result<Simulated> simulated) {
        if (!simulated) return refuse(reply, simulated.error());
        const auto kind = simulated->answer.kind;
        if (kind == Answer::Kind::recorded || kind == Answer::Kind::replayed) return redrive();
        Receipt receipt;
        receipt.answer = simulated->answer;
        refuse_receipt(reply, receipt, service);
    });
}

void redrive_letter(const Api& api, const Request& request, const Reply& reply) {
    Service& service = *api.service;
    const auto arena = arena_for(request);
    FieldErrors errors;
    LetterBody body;
    if (!read_redrive(json_reader(), json_input(request), *arena, body, errors)) return refuse_fields(reply, errors);
    const auto letter = letter_of(service, DeadLetter::State::redriven, request, reply);
    if (!letter) return;

    const bool is_native = letter->tenant == 0;
    const bool is_mended = !body.payment.empty();
    const std::string_view text = is_mended ? body.payment : arena->copy(letter->kept.bytes);
    const auto wish = is_native ? native_wish(*letter, text, is_mended, *arena, reply)
                                : profile_wish(api, *letter, text, *arena, reply);
    if (!wish) return;
    SubmissionBuilder builder = service.build(arena, letter->tenant), trial = service.build(arena, letter->tenant);
    for (SubmissionBuilder* each : {&builder, &trial}) {
        const auto added = add_wish(*each, *wish);
        if (added) continue;
        if (added.error().code != ErrorCode::invalid) return refuse(reply, added.error());
        return is_native ? refuse_unreadable(reply, field_errors_of(added.error()), is_mended)
                         : refuse_unreadable(reply, added.error().what);
    }
    const auto payment = std::make_shared<std::unique_ptr<Submission>>(
        builder.take(answer_one(service, reply, [kept = letter->kept](Response& response, const Receipt& receipt) {
            write_accepted(response, receipt);  // for its headers
            response.status = 200;
            response.body.clear();
            JsonWriter json(response.body);
            write_dead_letter(json, kept, receipt.payment);
        })));
    auto redrive = resolution(service, reply, arena, *letter, body, is_native ? std::string() : key_of(*wish),
                              [&service, payment] { service.submit(std::move(*payment)); });
    if (redrive) redrive_if_taken(service, reply, std::move(trial), std::move(redrive));
}

constexpr std::string_view kTag = "Dead letters";

Route keep_route(Service& service) {
    Route route =
        route_of(Method::post, "/v1/dead-letters", "keepDeadLetter", kTag, "Keeps input that could not be read");
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

Route show_route(Service& service) {
    Route route = letter_route("/v1/dead-letters/{id}", "getDeadLetter", {});
    route.method = Method::get;
    route.summary = "One dead letter, with its text";
    route.takes.clear();
    route.answers.clear();
    route.answers = {json_answer(200, "The letter.", "DeadLetter")};
    add_problems(route, {404, 503});
    route.handler = fresh(service, show_letter);
    return route;
}

Route redrive_route(const Api& api) {
    Route route = letter_route("/v1/dead-letters/{id}/redrive", "redriveDeadLetter", "RedriveRequest");
    route.summary = "Sends a dead letter's payment again";
    route.description =
        "The payment is `payment` of the body, which somebody mended, or else the letter's own text, as `POST "
        "/v1/payments` takes it. It is taken once for each letter, whatever is sent again. What is no payment yet is "
        "refused with `still_unreadable`, and the letter stays open. A letter of a profile goes back to it: `payment` "
        "is "
        "then a message in the profile's shape, and what it becomes keeps the message's own key.";
    route.answers.insert(route.answers.begin(),
                         json_answer(200, "Taken and durable.", "DeadLetter", {"Location", "Idempotent-Replayed"}));
    route.handler = fresh(*api.service, [&api](Service&, const Request& request, const Reply& reply) {
        redrive_letter(api, request, reply);
    });
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
    routes.push_back(show_route(service));
    routes.push_back(redrive_route(api));
    routes.push_back(discard_route(service));
    return routes;
}

}  // namespace nostro
