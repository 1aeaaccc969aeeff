// What is served beside the native routes, and messages in a profile's own shape: from files, generators, and whoever
// has no broker.
//
// A message that nobody can read becomes a dead letter, and the others go on; delivered again, nothing happens twice.
#include <fmt/format.h>

#include <array>
#include <string>

#include "nostro/base/hex.hpp"
#include "nostro/base/sha256.hpp"
#include "nostro/base/text.hpp"
#include "nostro/http/answers.hpp"
#include "nostro/http/api.hpp"
#include "nostro/profiles/profile.hpp"

namespace nostro {
namespace {

constexpr std::string_view kNdjson = "application/x-ndjson";
constexpr std::string_view kTag = "Profiles";
constexpr std::size_t kMessagesMax = 10'000, kMessageMax = 1u << 20, kBytesMax = 16u << 20;
constexpr std::size_t kStatuses = static_cast<std::size_t>(Status::quarantined) + 1;

const ServedProfile* find_served(const Api& api, std::string_view name) {
    for (const ServedProfile& served : api.profiles) {
        if (served.entry->name == name) return &served;
    }
    return nullptr;
}

// What the policy would not take, said before the whole request would be refused for it.
std::optional<std::string> fault_of(const Wish& wish, const Policy* policy) {
    if (const auto* account = std::get_if<OpenAccount>(&wish)) {
        if (auto checked = check_account_name(account->name); !checked) return checked.error().what;
    }
    const auto* payment = std::get_if<PaymentWish>(&wish);
    if (payment == nullptr) return std::nullopt;
    for (const std::string_view name : {payment->payment.debtor_name, payment->payment.creditor_name}) {
        if (auto checked = check_account_name(name); !checked) return checked.error().what;
    }
    if (policy == nullptr || payment->rail.empty()) return std::nullopt;
    if (auto rail = policy->rail(payment->rail); !rail) return rail.error().what;
    return std::nullopt;
}

// The messages of one request, while the engine decides.
struct Messages {
    std::shared_ptr<Arena> arena;
    std::vector<Wish> wishes;
    std::vector<std::uint64_t> lines;  // where each stood
};

class MessageReader {
public:
    MessageReader(const ServedProfile& served, const Request& request, Messages& into)
        : served_(served), format_(into.arena->copy(fmt::format("{} message", served.entry->name))), into_(into) {
        policy_ = served.ledger->policy();
        source_ = request.has("source") ? into.arena->copy(request.parameter("source"))
                                        : into.arena->copy("body:" + to_hex(sha256(request.body)).substr(0, 32));
        position_ = parse_uint64(request.parameter("first")).value_or(1);
    }

    void read(std::string_view message, std::uint64_t line) {
        const MessagePlace place{source_, position_++};
        auto wish = message.size() > kMessageMax
                        ? Result<Wish>(Error{ErrorCode::invalid, fmt::format("a message of {} bytes; at most {}",
                                                                             message.size(), kMessageMax)})
                        : served_.profile->read(message, place, *into_.arena);
        std::string why;
        if (!wish) {
            why = wish.error().what;
        } else if (auto fault = fault_of(*wish, policy_.get())) {
            why = std::move(*fault);
        }
        into_.lines.push_back(line);
        if (!why.empty() && first_unreadable.empty()) first_unreadable = fmt::format("line {}: {}", line, why);
        if (why.empty()) return into_.wishes.push_back(*wish);
        into_.wishes.emplace_back(KeepDeadLetter{.source = source_,
                                                 .position = into_.arena->copy(std::to_string(place.position)),
                                                 .format = format_,
                                                 .why = into_.arena->copy(why),
                                                 .bytes = into_.arena->copy(message.substr(0, kMessageMax))});
    }

    std::string first_unreadable;  // empty: all can be read

private:
    const ServedProfile& served_;
    PolicyPtr policy_;
    std::string_view source_, format_;
    std::uint64_t position_ = 1;
    Messages& into_;
};

// How often each thing came out of a request.
struct Counts {
    std::size_t taken = 0, replayed = 0, records = 0, accounts = 0, dead_letters = 0, refused = 0;
    std::array<std::size_t, kStatuses> payments{};

    void add(const Wish& wish, const Receipt& receipt) {
        const auto kind = receipt.answer.kind;
        if (kind != Answer::Kind::recorded && kind != Answer::Kind::replayed) {
            ++refused;
            return;
        }
        ++taken;
        if (kind == Answer::Kind::replayed) ++replayed;
        if (std::holds_alternative<PaymentWish>(wish)) ++payments[static_cast<std::size_t>(receipt.status)];
        if (std::holds_alternative<RecordWish>(wish)) ++records;
        if (std::holds_alternative<OpenAccount>(wish)) ++accounts;
        if (std::holds_alternative<KeepDeadLetter>(wish)) ++dead_letters;
    }
};

void write_not_taken(JsonWriter& json, const Messages& messages, const std::vector<Receipt>& receipts,
                     std::size_t index, const Service& service) {
    RefusalWords words{503, "overloaded", "not taken; send it again"};
    if (index < receipts.size()) {
        const auto kind = receipts[index].answer.kind;
        if (kind == Answer::Kind::recorded || kind == Answer::Kind::replayed) return;
        words = refusal_of(receipts[index], service);
    }
    json.begin_object().field("line", messages.lines[index]).field("status", words.status);
    json.field("code", words.code).field("detail", words.detail).end_object();
}

// Nothing was taken, and the same request may be later: not the messages' fault.
std::optional<RefusalWords> all_turned_away(const std::vector<Receipt>& receipts, std::size_t messages,
                                            const Service& service) {
    if (messages == 0) return std::nullopt;
    if (receipts.empty()) return RefusalWords{503, "overloaded", "not taken; send it again"};
    for (const Receipt& receipt : receipts) {
        if (receipt.answer.kind != Answer::Kind::refused || refusal_of(receipt, service).status != 503) {
            return std::nullopt;
        }
    }
    return refusal_of(receipts.front(), service);
}

void write_counts(Response& response, std::string_view profile, const Messages& messages,
                  const std::vector<Receipt>& receipts, const Service& service) {
    Counts counts;
    for (std::size_t i = 0; i < receipts.size(); ++i) counts.add(messages.wishes[i], receipts[i]);
    response.status = 202;
    JsonWriter json(response.body);
    json.begin_object().field("profile", profile).field("messages", messages.wishes.size());
    json.field("taken", counts.taken).field("replayed", counts.replayed).field("records", counts.records);
    json.field("accounts", counts.accounts).field("dead_letters", counts.dead_letters);
    json.field("refused", counts.refused + messages.wishes.size() - receipts.size());
    json.key("payments").begin_object();
    for (std::size_t i = 0; i < kStatuses; ++i) {
        if (counts.payments[i] != 0) json.field(name(static_cast<Status>(i)), counts.payments[i]);
    }
    json.end_object().key("not_taken").begin_array();
    for (std::size_t i = 0; i < messages.wishes.size(); ++i) {
        write_not_taken(json, messages, receipts, i, service);
    }
    json.end_array().end_object();
}

void submit_messages(const Api& api, const ServedProfile& served, std::shared_ptr<Messages> messages,
                     const Reply& reply) {
    Service& service = *api.service;
    const std::string_view profile = served.entry->name;
    auto arena = messages->arena;
    served.ledger->submit(
        std::move(arena), messages->wishes,
        [&service, reply, messages, profile](Result<std::vector<Receipt>> receipts) {
            if (!receipts) return refuse(reply, receipts.error());
            reply.on_worker([&service, reply, messages, profile, list = std::move(*receipts)]() mutable {
                if (const auto completed = service.complete_replayed(list); !completed) {
                    return refuse(reply, completed.error());
                }
                if (const auto full = all_turned_away(list, messages->wishes.size(), service)) {
                    return refuse(reply, full->status, full->code, full->detail);
                }
                reply.later([&service, messages, profile, list = std::move(list)](Response& response) {
                    write_counts(response, profile, *messages, list, service);
                });
            });
        });
}

void post_messages(const Api& api, const Request& request, const Reply& reply) {
    const ServedProfile* served = find_served(api, request.parameter("name"));
    if (served == nullptr) {
        return refuse(reply, 404, "profile_not_served",
                      "no profile of this name is served; GET /v1/profiles lists those that are");
    }
    auto messages = std::make_shared<Messages>();
    messages->arena = std::make_shared<Arena>(256u << 10);
    MessageReader reader(*served, request, *messages);
    if (request.content_type != kNdjson) {
        reader.read(request.body, 1);
    } else {
        std::uint64_t line = 0;
        for (std::string_view rest = request.body; !rest.empty();) {
            const auto end = std::min(rest.find('\n'), rest.size());
            const std::string_view message = trim(rest.substr(0, end));
            rest.remove_prefix(std::min(rest.size(), end + 1));
            ++line;
            if (message.empty()) continue;
            if (messages->wishes.size() == kMessagesMax) {
                return refuse(reply, 422, "too_many_messages",
                              fmt::format("at most {} messages fit into a request; nothing was taken", kMessagesMax));
            }
            reader.read(message, line);
        }
    }
    if (request.parameter("unreadable") == "refuse" && !reader.first_unreadable.empty()) {
        return refuse(reply, 422, "unreadable_message", reader.first_unreadable + "; nothing was taken");
    }
    submit_messages(api, *served, std::move(messages), reply);
}

void list_profiles(const Api& api, const Reply& reply) {
    Response response;
    JsonWriter json(response.body);
    json.begin_object().key("data").begin_array();
    for (const ServedProfile& served : api.profiles) {
        json.begin_object().field("name", served.entry->name).field("title", served.entry->title);
        json.field("version", served.entry->version).field("tenant", served.entry->tenant);
        const PolicyPtr policy = served.ledger->policy();
        json.field("policy", policy == nullptr ? PolicyVersion{0} : policy->version()).end_object();
    }
    json.end_array().end_object();
    reply(std::move(response));
}

Route messages_route(const Api& api) {
    Route route;
    route.method = Method::post;
    route.path = "/v1/profiles/{name}/messages";
    route.operation = "postMessages";
    route.tag = kTag;
    route.summary = "Takes messages in the shape of the system that the profile stands in for";
    route.description =
        "One JSON message, or one a line. Each becomes a payment, a record or, if nobody can read it, a dead letter "
        "with its reason; `202` means that all of that is durable. Messages that bring no id of their own are known "
        "by `source` and their position, so the same request again changes nothing.";
    route.parameters = {{.name = "name",
                         .in = ParameterIn::path,
                         .required = true,
                         .min = 1,
                         .max = 64,
                         .description = "The profile.",
                         .example = "upi"},
                        {.name = "source",
                         .min = 1,
                         .max = 64,
                         .description = "Where the messages come from; if absent, the digest of the body.",
                         .example = "file:9f86d081884c7d65"},
                        {.name = "first",
                         .kind = ParameterKind::integer,
                         .min = 0,
                         .max = 1'000'000'000'000'000,
                         .description = "Position of the first message in its source; 1 if absent.",
                         .example = "1"},
                        {.name = "unreadable",
                         .kind = ParameterKind::choice,
                         .choices = {"keep", "refuse"},
                         .description = "keep, if absent: as dead letters, and the others are taken. refuse: then "
                                        "nothing is taken.",
                         .example = "keep"}};
    route.takes = {{kNdjson, "ProfileMessages"}, {"application/json", "ProfileMessage"}};
    route.body_bytes_max = kBytesMax;
    route.answers = {json_answer(202, "Durable; how many of what.", "ProfileMessagesTaken")};
    add_problems(route, {400, 404, 422, 503});
    route.keeps_request = true;
    route.handler = [&api](const Request& request, const Reply& reply) { post_messages(api, request, reply); };
    return route;
}

}  // namespace

std::vector<Route> profile_routes(const Api& api) {
    std::vector<Route> routes;
    Route list;
    list.path = "/v1/profiles";
    list.operation = "listProfiles";
    list.tag = kTag;
    list.summary = "The profiles that are served";
    list.answers = {json_answer(200, "All of them.", "ProfileList")};
    list.handler = [&api](const Request&, const Reply& reply) { list_profiles(api, reply); };
    routes.push_back(std::move(list));
    routes.push_back(messages_route(api));
    return routes;
}

}  // namespace nostro
