#include "nostro/http/profile_messages.hpp"

#include <fmt/format.h>

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "nostro/base/hex.hpp"
#include "nostro/base/sha256.hpp"
#include "nostro/base/text.hpp"
#include "nostro/engine/submission_builder.hpp"
#include "nostro/engine/tenant_ledger.hpp"
#include "nostro/http/answers.hpp"
#include "nostro/profiles/profile.hpp"

namespace nostro {
namespace {

constexpr std::string_view kNdjson = "application/x-ndjson";
constexpr std::string_view kTag = "Profiles";
constexpr std::size_t kMessagesMax = 10'000, kBytesMax = 16u << 20;
constexpr std::size_t kStatuses = static_cast<std::size_t>(Status::quarantined) + 1;

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
    struct Unreadable {
        std::uint64_t line;
        std::string why;
    };
    static constexpr std::size_t kShownMax = 10;

    std::shared_ptr<Arena> arena;
    std::vector<Wish> wishes;
    std::vector<std::uint64_t> lines;    // where each stood
    std::vector<Unreadable> unreadable;  // the first
    std::size_t unreadable_count = 0;
};

class MessageReader {
public:
    MessageReader(const ServedProfile& served, const MessageDoor& door, const Request& request, Messages& into)
        : served_(served),
          door_(door),
          bytes_max_(door.message_bytes_max),
          format_(into.arena->copy(fmt::format("{} message", served.entry->name))),
          into_(into) {
        policy_ = served.ledger->policy();
        source_ = request.has("source") ? into.arena->copy(request.parameter("source"))
                                        : into.arena->copy("body:" + to_hex(sha256(request.body)).substr(0, 32));
        position_ = parse_uint64(request.parameter("first")).value_or(1);
    }

    void read(std::string_view message, std::uint64_t line) {
        const MessagePlace place{source_, position_++};
        auto wish = message.size() > bytes_max_
                        ? Result<Wish>(Error{ErrorCode::invalid, fmt::format("a message of {} bytes; at most {}",
                                                                             message.size(), bytes_max_)})
                        : served_.profile->read(message, place, *into_.arena);
        std::string why;
        if (!wish) {
            why = wish.error().what;
        } else if (auto fault = fault_of(*wish, policy_.get())) {
            why = std::move(*fault);
        } else if (auto excess = excess_of(*wish, message.size())) {
            why = std::move(*excess);
        }
        into_.lines.push_back(line);
        if (why.empty()) return into_.wishes.push_back(*wish);
        ++into_.unreadable_count;
        if (into_.unreadable.size() < Messages::kShownMax) into_.unreadable.push_back({line, why});
        into_.wishes.emplace_back(KeepDeadLetter{.source = source_,
                                                 .position = into_.arena->copy(std::to_string(place.position)),
                                                 .format = format_,
                                                 .why = into_.arena->copy(why),
                                                 .bytes = into_.arena->copy(message.substr(0, bytes_max_))});
    }

private:
    // Texts that are escaped anew may grow to six times what they were; whatever is far below is not looked at.
    std::optional<std::string> excess_of(const Wish& wish, std::size_t message_bytes) const {
        constexpr std::size_t kGrowthMax = 8;
        if (door_.command_bytes_max == 0 || message_bytes <= door_.command_bytes_max / kGrowthMax) return std::nullopt;
        SubmissionBuilder builder({.policies = door_.policies, .sealed = nullptr, .tenant = served_.entry->tenant},
                                  into_.arena);
        if (auto added = add_wish(builder, wish); !added) return added.error().what;
        const std::size_t bytes = builder.take({})->encoded.size();
        if (bytes <= door_.command_bytes_max) return std::nullopt;
        return fmt::format("a message that becomes {} bytes; at most {}", bytes, door_.command_bytes_max);
    }

    const ServedProfile& served_;
    const MessageDoor& door_;
    const std::size_t bytes_max_;
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
        if (!is_taken(receipt)) {
            ++refused;
            return;
        }
        ++taken;
        if (receipt.answer.kind == Answer::Kind::replayed) ++replayed;
        if (std::holds_alternative<PaymentWish>(wish)) ++payments[static_cast<std::size_t>(receipt.status)];
        if (std::holds_alternative<RecordWish>(wish)) ++records;
        if (std::holds_alternative<OpenAccount>(wish)) ++accounts;
        if (std::holds_alternative<KeepDeadLetter>(wish)) ++dead_letters;
    }
};

RefusalWords not_taken() { return {503, "overloaded", "not taken; send it again"}; }

RefusalWords refusal_words(const Receipt& receipt, const Service* service) {
    return service != nullptr ? refusal_of(receipt, *service) : not_taken();
}

void write_not_taken(JsonWriter& json, const Messages& messages, const std::vector<Receipt>& receipts,
                     std::size_t index, const Service* service) {
    RefusalWords words = not_taken();
    if (index < receipts.size()) {
        if (is_taken(receipts[index])) return;
        words = refusal_words(receipts[index], service);
    }
    json.begin_object().field("line", messages.lines[index]).field("status", words.status);
    json.field("code", words.code).field("detail", words.detail).end_object();
}

// Nothing was taken, and the same request may be later: not the messages' fault.
std::optional<RefusalWords> all_turned_away(const std::vector<Receipt>& receipts, std::size_t messages,
                                            const Service* service) {
    if (messages == 0) return std::nullopt;
    if (receipts.empty()) return not_taken();
    for (const Receipt& receipt : receipts) {
        if (receipt.answer.kind != Answer::Kind::refused || refusal_words(receipt, service).status != 503) {
            return std::nullopt;
        }
    }
    return refusal_words(receipts.front(), service);
}

void write_counts(Response& response, std::string_view profile, const Messages& messages,
                  const std::vector<Receipt>& receipts, const Service* service) {
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
    json.end_object().key("unreadable").begin_array();
    for (const auto& [line, why] : messages.unreadable) {
        json.begin_object().field("line", line).field("detail", why).end_object();
    }
    json.end_array().key("not_taken").begin_array();
    for (std::size_t i = 0; i < messages.wishes.size(); ++i) {
        write_not_taken(json, messages, receipts, i, service);
    }
    json.end_array().end_object();
}

void submit_messages(const ServedProfile& served, const Service* service, std::shared_ptr<Messages> messages,
                     const Reply& reply) {
    auto arena = messages->arena;
    served.ledger->submit(
        std::move(arena), messages->wishes, [&served, service, reply, messages](Result<std::vector<Receipt>> receipts) {
            if (!receipts) return refuse(reply, receipts.error());
            reply.on_worker([&served, service, reply, messages, list = std::move(*receipts)]() mutable {
                if (const auto completed = served.ledger->complete(list); !completed) {
                    return refuse(reply, completed.error());
                }
                if (const auto full = all_turned_away(list, messages->wishes.size(), service)) {
                    return refuse(reply, full->status, full->code, full->detail);
                }
                reply.later([&served, service, messages, list = std::move(list)](Response& response) {
                    write_counts(response, served.entry->name, *messages, list, service);
                });
            });
        });
}

bool must_refuse(const Messages& messages, std::string_view unreadable) {
    if (messages.unreadable_count == 0) return false;
    return unreadable == "refuse" ||
           (unreadable == "refuse_all" && messages.unreadable_count == messages.wishes.size());
}

}  // namespace

const ServedProfile* find_served(std::span<const ServedProfile> profiles, std::string_view name) {
    for (const ServedProfile& served : profiles) {
        if (served.entry->name == name) return &served;
    }
    return nullptr;
}

void refuse_profile(const Reply& reply) {
    refuse(reply, 404, "profile_not_served",
           "no profile of this name is served; GET /v1/profiles lists those that are");
}

Parameter profile_parameter() {
    return {.name = "name",
            .in = ParameterIn::path,
            .required = true,
            .min = 1,
            .max = 64,
            .description = "The profile.",
            .example = "upi"};
}

void list_profiles(std::span<const ServedProfile> profiles, const Reply& reply) {
    Response response;
    JsonWriter json(response.body);
    json.begin_object().key("data").begin_array();
    for (const ServedProfile& served : profiles) {
        json.begin_object().field("name", served.entry->name).field("title", served.entry->title);
        json.field("version", served.entry->version).field("tenant", served.entry->tenant);
        const PolicyPtr policy = served.ledger->policy();
        json.field("policy", policy == nullptr ? PolicyVersion{0} : policy->version()).end_object();
    }
    json.end_array().end_object();
    reply(std::move(response));
}

void post_messages(const MessageDoor& door, const Request& request, const Reply& reply) {
    const ServedProfile* served = find_served(door.profiles, request.parameter("name"));
    if (served == nullptr) return refuse_profile(reply);
    auto messages = std::make_shared<Messages>();
    messages->arena = std::make_shared<Arena>(256u << 10);
    MessageReader reader(*served, door, request, *messages);
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
    if (must_refuse(*messages, request.parameter("unreadable"))) {
        const auto& [line, why] = messages->unreadable.front();
        const std::size_t more = messages->unreadable_count - 1;
        return refuse(reply, 422, "unreadable_message",
                      fmt::format("line {}: {}{}; nothing was taken", line, why,
                                  more == 0 ? "" : fmt::format(" (and {} more that nobody can read)", more)));
    }
    submit_messages(*served, door.service, std::move(messages), reply);
}

Route messages_route() {
    Route route = route_of(Method::post, "/v1/profiles/{name}/messages", "postMessages", kTag,
                           "Takes messages in the shape of the system that the profile stands in for");
    route.description =
        "One JSON message, or one a line. Each becomes a payment, a record or, if nobody can read it, a dead letter "
        "with its reason; `202` means that all of that is durable. Messages that bring no id of their own are known "
        "by `source` and their position, so the same request again changes nothing.";
    route.parameters = {profile_parameter(),
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
                         .choices = {"keep", "refuse", "refuse_all"},
                         .description = "keep, if absent: as dead letters, and the others are taken. refuse: then "
                                        "nothing is taken. refuse_all: nothing is taken if none can be read.",
                         .example = "keep"}};
    route.takes = {{kNdjson, "ProfileMessages"}, {"application/json", "ProfileMessage"}};
    route.body_bytes_max = kBytesMax;
    route.answers = {json_answer(202, "Durable; how many of what.", "ProfileMessagesTaken")};
    add_problems(route, {400, 404, 422, 503});
    route.keeps_request = true;
    return route;
}

}  // namespace nostro
