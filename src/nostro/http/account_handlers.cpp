// Accounts: opening, reading and changing them, and their balance.
#include <string>
#include <utility>

#include "nostro/http/answers.hpp"
#include "nostro/http/api.hpp"
#include "nostro/wire/request_json.hpp"

namespace nostro {
namespace {

// nullopt: refused already.
std::optional<AccountId> account_of(const Service& service, const Request& request, const Reply& reply) {
    const auto tenant = tenant_of(service, request, reply);
    if (!tenant) return std::nullopt;
    return account_id(service.policies().tenant_name(*tenant), request.parameter("id"));
}

void refuse_unknown_account(const Reply& reply) {
    refuse(reply, 404, "account_not_found", "there is no account with this name");
}

void write_record(const Service& service, Response& response, const AccountRecord& record) {
    JsonWriter json(response.body);
    write_account(json, record, service.policies().current(record.image.tenant).get());
}

// The account as it is now. `record` has the texts of the request, for when the index cannot tell them.
void answer_opened(Service& service, const Reply& reply, const Receipt& receipt, AccountRecord record) {
    const bool again = receipt.answer.kind == Answer::Kind::replayed;
    const AccountId id = record.image.id;
    service.balance(id, [&service, reply, receipt, again, record = std::move(record)](Result<BalanceNow> now) mutable {
        if (!now) return refuse(reply, now.error());
        record.image = now->account;
        reply.on_worker([&service, reply, receipt, again, record = std::move(record)]() mutable {
            if (again) {  // texts may have been changed since
                const auto found = service.history().account(record.image.id);
                if (found && *found) record = **found;
            } else {
                record.opened = receipt.place;
            }
            Response response;
            response.status = again ? 200 : 201;
            std::string location = "/v1/accounts/" + record.name;
            const TenantNo tenant = record.image.tenant;
            if (tenant != 0) location += "?tenant=" + service.policies().tenant_name(tenant);
            response.header("Location", location);
            mark_replayed(response, receipt);
            write_record(service, response, record);
            reply(std::move(response));
        });
    });
}

AccountRecord record_of(const OpenAccount& account, AccountId id) {
    AccountRecord record;
    record.image.id = id;
    record.image.currency = account.currency;
    record.name = account.name;
    record.holder = account.holder;
    record.metadata = account.metadata;
    record.bounds.assign(account.bounds.begin(), account.bounds.end());
    return record;
}

void open_account(Service& service, const Request& request, const Reply& reply) {
    const auto tenant = tenant_of(service, request, reply);
    if (!tenant) return;
    const auto arena = arena_for(request);
    SubmissionBuilder builder = service.build(arena, *tenant);
    if (builder.policy() == nullptr) return refuse(reply, 503, "no_policy", "there is no policy yet");
    FieldErrors errors;
    OpenAccount account;
    if (!read_open_account(json_reader(), json_input(request), *builder.policy(), *arena, account, errors)) {
        return refuse_fields(reply, errors);
    }
    const auto id = builder.open_account(account, request_key(request, *arena));
    if (!id) return refuse_wish(reply, id.error());
    AccountRecord record = record_of(account, *id);
    service.submit(builder.take([&service, reply, record = std::move(record)](Result<std::vector<Receipt>> receipts) {
        if (receipts && !receipts->empty() && is_taken(receipts->front())) {
            return answer_opened(service, reply, receipts->front(), record);
        }
        answer_one(service, reply, {})(std::move(receipts));
    }));
}

void get_account(Service& service, const Request& request, const Reply& reply) {
    const auto id = account_of(service, request, reply);
    if (!id) return;
    const auto found = service.history().account(*id);
    if (!found) return refuse(reply, found.error());
    if (!*found) return refuse_unknown_account(reply);
    Response response;
    write_record(service, response, **found);
    reply(std::move(response));
}

void list_accounts(Service& service, const Request& request, const Reply& reply) {
    const auto tenant = tenant_of(service, request, reply);
    if (!tenant) return;
    const auto page = service.history().accounts(*tenant, limit_of(request), std::string(request.parameter("cursor")));
    if (!page) return refuse_page(reply, page.error());
    Response response;
    JsonWriter json(response.body);
    begin_list(json);
    const PolicyPtr policy = service.policies().current(*tenant);
    for (const AccountRecord& account : page->items) write_account(json, account, policy.get());
    end_list(json, page->next, page->as_of);
    reply(std::move(response));
}

// What a change asks for, kept while the account's currency is asked for.
struct Change {
    std::shared_ptr<Arena> arena;
    ChangeAccountBody body;
    RequestKey key;
    TenantNo tenant = 0;
    AccountId id;
};

void answer_changed(Service& service, const Reply& reply, const Receipt& receipt, AccountId id) {
    service.when_readable(service.accepted(), [&service, reply, receipt, id] {
        reply.on_worker([&service, reply, receipt, id] {
            const auto found = service.history().account(id);
            if (!found || !*found) {
                return refuse(reply, 503, "index_behind", "the change is durable; read the account a little later");
            }
            Response response;
            mark_replayed(response, receipt);
            write_record(service, response, **found);
            reply(std::move(response));
        });
    });
}

void submit_change(Service& service, const Reply& reply, const std::shared_ptr<Change>& change, Currency currency) {
    FieldErrors errors;
    const auto command = change_account(change->body, change->id, currency, errors);
    if (!command) return refuse_fields(reply, errors);
    SubmissionBuilder builder = service.build(change->arena, change->tenant);
    if (const auto added = builder.change_account(*command, change->key); !added)
        return refuse_wish(reply, added.error());
    service.submit(builder.take([&service, reply, change](Result<std::vector<Receipt>> receipts) {
        if (receipts && !receipts->empty() && is_taken(receipts->front())) {
            return answer_changed(service, reply, receipts->front(), change->id);
        }
        answer_one(service, reply, {})(std::move(receipts));
    }));
}

void patch_account(Service& service, const Request& request, const Reply& reply) {
    const auto tenant = tenant_of(service, request, reply);
    if (!tenant) return;
    const auto change = std::make_shared<Change>();
    change->arena = arena_for(request);
    change->tenant = *tenant;
    const PolicyPtr policy = service.policies().current(*tenant);
    if (policy == nullptr) return refuse(reply, 503, "no_policy", "there is no policy yet");
    FieldErrors errors;
    if (!read_change_account(json_reader(), json_input(request), *policy, *change->arena, change->body, errors)) {
        return refuse_fields(reply, errors);
    }
    change->key = request_key(request, *change->arena);
    change->id = account_id(service.policies().tenant_name(*tenant), request.parameter("id"));
    service.balance(change->id, [&service, reply, change](Result<BalanceNow> now) {
        if (!now && now.error().code == ErrorCode::not_found) return refuse_unknown_account(reply);
        if (!now) return refuse(reply, now.error());
        reply.on_worker([&service, reply, change, currency = now->account.currency] {
            submit_change(service, reply, change, currency);
        });
    });
}

// As the request named it.
struct NamedAccount {
    std::string name;
    AccountId id;
};

void balance_as_of(Service& service, const NamedAccount& account, const std::string& as_of, const Reply& reply) {
    const Query& history = service.history();
    const auto seq = history.resolve_as_of(as_of);
    if (!seq && seq.error().code == ErrorCode::invalid) return refuse_parameter(reply, {"as_of", seq.error().what});
    if (!seq) return refuse_history(reply, seq.error());
    const auto image = history.account_at(account.id, *seq);
    if (!image && image.error().code == ErrorCode::not_found) {
        return refuse(reply, 404, "account_not_found", "there was no account with this name then");
    }
    if (!image) return refuse_history(reply, image.error());
    const auto at = history.time_of(*seq);
    if (!at) return refuse_history(reply, at.error());
    Response response;
    JsonWriter json(response.body);
    write_balance(json, account.name, *image, AsOf{*seq, *at});
    reply(std::move(response));
}

void get_balance(Service& service, const Request& request, const Reply& reply) {
    const auto id = account_of(service, request, reply);
    if (!id) return;
    NamedAccount account{std::string(request.parameter("id")), *id};
    if (request.has("as_of")) {
        service.when_readable(service.accepted(), [&service, reply, account = std::move(account),
                                                   as_of = std::string(request.parameter("as_of"))] {
            reply.on_worker([&service, reply, account, as_of] { balance_as_of(service, account, as_of, reply); });
        });
        return;
    }
    service.balance(*id, [reply, account = std::move(account.name)](Result<BalanceNow> now) {
        if (!now && now.error().code == ErrorCode::not_found) return refuse_unknown_account(reply);
        if (!now) return refuse(reply, now.error());
        reply.later([account, now = *now](Response& response) {
            JsonWriter json(response.body);
            write_balance(json, account, now.account, now.as_of);
        });
    });
}

Route account_route(Method method, std::string_view path, std::string_view operation, std::string_view summary) {
    return route_of(method, path, operation, "Accounts", summary);
}

Route open_route(Service& service) {
    Route route = account_route(Method::post, "/v1/accounts", "openAccount", "Opens an account");
    route.description =
        "An opening balance comes out of the currency's equity account, `house:equity:{currency}`. Opened again with "
        "the same "
        "fields: `200`.";
    route.parameters = {key_parameter(false), tenant_parameter()};
    route.takes = {{"application/json", "AccountRequest"}};
    route.answers = {json_answer(201, "Opened and durable.", "Account", {"Location"}),
                     json_answer(200, "It was there already, with the same fields.", "Account",
                                 {"Location", "Idempotent-Replayed"})};
    add_problems(route, {400, 409, 422, 503});
    route.handler = [&service](const Request& request, const Reply& reply) { open_account(service, request, reply); };
    return route;
}

Route change_route(Service& service) {
    Route route = account_route(Method::patch, "/v1/accounts/{id}", "changeAccount", "Changes an account");
    route.description =
        "What is absent stays. `closed` is for ever, and only at balance 0 without holds. A limit given as null is the "
        "policy's "
        "again; a floor given as null is none.";
    route.parameters = {path_account(), key_parameter(false), tenant_parameter()};
    route.takes = {{"application/json", "AccountChange"}};
    route.answers = {json_answer(200, "Changed and durable.", "Account", {"Idempotent-Replayed"})};
    add_problems(route, {400, 404, 409, 422, 503});
    route.handler = [&service](const Request& request, const Reply& reply) { patch_account(service, request, reply); };
    return route;
}

}  // namespace

std::vector<Route> account_routes(const Api& api) {
    Service& service = *api.service;
    std::vector<Route> routes;
    routes.push_back(open_route(service));

    routes.push_back(account_route(Method::get, "/v1/accounts", "listAccounts", "All accounts, by name"));
    routes.back().parameters = {limit_parameter(), cursor_parameter(), tenant_parameter()};
    routes.back().answers = {json_answer(200, "A page.", "AccountList")};
    add_problems(routes.back(), {400, 503});
    routes.back().keeps_request = true;
    routes.back().handler = fresh(service, list_accounts);

    routes.push_back(account_route(Method::get, "/v1/accounts/{id}", "getAccount", "One account"));
    routes.back().parameters = {path_account(), tenant_parameter()};
    routes.back().answers = {json_answer(200, "The account.", "Account")};
    add_problems(routes.back(), {400, 404, 503});
    routes.back().keeps_request = true;
    routes.back().handler = fresh(service, get_account);

    routes.push_back(change_route(service));

    routes.push_back(account_route(Method::get, "/v1/accounts/{id}/balance", "getBalance", "An account's balance"));
    routes.back().description =
        "Now, or after the last frame at or before `as_of`. `available` is `posted` without what is held.";
    routes.back().parameters = {path_account(), as_of_parameter(), tenant_parameter()};
    routes.back().answers = {json_answer(200, "The balance.", "Balance")};
    add_problems(routes.back(), {400, 404, 410, 503});
    routes.back().handler = [&service](const Request& request, const Reply& reply) {
        get_balance(service, request, reply);
    };
    return routes;
}

}  // namespace nostro
