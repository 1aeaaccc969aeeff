// What handlers share: errors and receipts as answers, bodies read, and the documentation of both.
#pragma once
#include <chrono>
#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "nostro/engine/service.hpp"
#include "nostro/http/problem.hpp"
#include "nostro/wire/answer_json.hpp"
#include "nostro/wire/arena.hpp"
#include "nostro/wire/field_errors.hpp"
#include "nostro/wire/http_message.hpp"
#include "nostro/wire/json_input.hpp"

namespace nostro {

// --- documentation ---
RouteAnswer json_answer(std::uint16_t status, std::string_view description, std::string_view schema,
                        std::vector<std::string_view> headers = {});
// Answers that are problems; statuses among 400 404 409 410 422 503. Those of framing and routing (405, 413, ...) are
// added to every route by the OpenAPI document itself.
void add_problems(Route& route, std::initializer_list<std::uint16_t> statuses);

Route route_of(Method method, std::string_view path, std::string_view operation, std::string_view tag,
               std::string_view summary);

Parameter path_id();       // {id} of a payment
Parameter path_account();  // {id} of an account
Parameter key_parameter(bool required);
Parameter limit_parameter();
Parameter cursor_parameter();
Parameter as_of_parameter();
Parameter tenant_parameter();
// A list that is read page by page from the index; `schema`: of a page.
Route page_route(std::string_view path, std::string_view schema);

// --- bodies ---
// The reader of this thread.
JsonReader& json_reader();
JsonInput json_input(const Request& request);
std::shared_ptr<Arena> arena_for(const Request& request);
void write_field_problem(Response& response, const FieldErrors& errors);
void refuse_fields(const Reply& reply, const FieldErrors& errors);

// A blocking read that sees everything that has been answered: it waits for the index first.
Handler fresh(Service& service, std::function<void(Service&, const Request&, const Reply&)> read);

// --- errors ---
// How an error of the engine reads to a client.
struct ErrorWords {
    std::uint16_t status;
    std::string_view code;
};
ErrorWords words_of(const Error& error);
void write_error(Response& response, const Error& error);
void refuse(const Reply& reply, const Error& error);
void refuse(const Reply& reply, std::uint16_t status, std::string_view code, std::string_view detail);
// `invalid` errors of SubmissionBuilder begin with the field: 422 with its pointer.
void refuse_wish(const Reply& reply, const Error& error);
FieldErrors field_errors_of(const Error& error);

// A parameter that is well-formed, but says nothing here.
struct ParameterProblem {
    std::string_view name;
    std::string detail;
};
void refuse_parameter(const Reply& reply, const ParameterProblem& problem);
// Of a page: `invalid` is its cursor.
void refuse_page(const Reply& reply, const Error& error);

// Of a read of the past: what is older than kept history is 410.
void refuse_history(const Reply& reply, const Error& error);

// The filters that lists and the stream share, and how they are read.
std::vector<Parameter> filter_parameters();
std::optional<ParameterProblem> read_filters(const Service& service, const Request& request, Search& search);

// Of a command that was not taken: 404, 409, 422 or 503 by its reason.
struct RefusalWords {
    std::uint16_t status;
    std::string_view code;
    std::string detail;
};
// Of what only the turn can tell about a body's fields; nullopt: it is not about a field. `payment`: its pointer.
std::optional<FieldErrors> field_errors_of(const Answer& answer, const std::string& payment = {});
RefusalWords refusal_of(const Receipt& receipt, const Service& service);
void refuse_receipt(const Reply& reply, const Receipt& receipt, const Service& service);

// --- receipts ---
// Now or before: it is on record.
inline bool is_taken(const Receipt& receipt) {
    return receipt.answer.kind == Answer::Kind::recorded || receipt.answer.kind == Answer::Kind::replayed;
}
// Answers a submission of one command. `taken` writes the answer of a receipt that was recorded or replayed, on the
// connection's thread; a refusal is answered here. Replayed receipts are completed first, on a worker.
using WriteReceipt = std::function<void(Response&, const Receipt&)>;
std::function<void(Result<std::vector<Receipt>>)> answer_one(Service& service, const Reply& reply, WriteReceipt taken);
// 202 with the receipt as body, Location, and Idempotent-Replayed where it applies.
void write_accepted(Response& response, const Receipt& receipt);
void mark_replayed(Response& response, const Receipt& receipt);

// Prefer: wait=N (RFC 7240), at most 30 s; nullopt: not asked for.
std::optional<std::chrono::seconds> preferred_wait(const Request& request);
RequestKey request_key(const Request& request, Arena& arena);

// Whose ledger the parameter `tenant` names; nostro's if it is absent. invalid: there is no such.
Result<TenantNo> read_tenant(const Service& service, const Request& request);
// The same; nullopt: refused already.
std::optional<TenantNo> tenant_of(const Service& service, const Request& request, const Reply& reply);
// The tenant of a payment, which every command about it names. Blocks. Of one that is not found: nostro's.
TenantNo tenant_of_payment(const Service& service, PaymentId payment);

PolicyLookup policy_lookup(const Service& service);
std::uint32_t limit_of(const Request& request);
std::optional<Instant> instant_of(const Request& request, std::string_view parameter);
// The parameters `from` and `to`: [from, to). One that ends before it begins is a mistake, not an empty period.
struct Period {
    std::optional<Instant> from, to;
};
std::optional<ParameterProblem> read_period(const Request& request, Period& period);

}  // namespace nostro
