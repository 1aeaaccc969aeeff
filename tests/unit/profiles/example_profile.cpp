#include "tests/unit/profiles/example_profile.hpp"

#include <fmt/format.h>

#include <array>

#include "nostro/base/hex.hpp"
#include "nostro/base/json_text.hpp"
#include "nostro/base/random.hpp"
#include "nostro/profiles/account_names.hpp"
#include "nostro/profiles/profile_answers.hpp"
#include "nostro/wire/framework_json.hpp"

namespace nostro::test {
namespace {

enum Field : std::size_t { kGuest, kAmount, kFields };
constexpr std::array<FrameworkField, kFields> kBody{{
    {.name = "guest", .max = 40},
    {.name = "amount", .kind = FrameworkKind::money},
}};

constexpr std::string_view kSchemas = R"({
  "TillTipRequest": {
    "type": "object",
    "required": ["guest", "amount"],
    "properties": {"guest": {"type": "string"}, "amount": {"type": "number"}}
  },
  "TillTip": {
    "type": "object",
    "required": ["id", "guest", "amount", "currency", "status"],
    "properties": {
      "id": {"type": "integer"},
      "guest": {"type": "string"},
      "amount": {"type": "number"},
      "currency": {"type": "string"},
      "status": {"type": "string"}
    }
  },
  "TillWelcome": {"type": "object", "required": ["message"], "properties": {"message": {"type": "string"}}}
})";

struct Tip {
    std::string_view guest;
    Money amount;
};

class Till final : public Profile {
public:
    explicit Till(Currency currency) : currency_(currency) {}

    Result<Wish> read(std::string_view message, const MessagePlace& place, Arena& arena) const override {
        Request request;
        request.body = message;
        FrameworkErrors errors;
        const auto tip = read_tip(request, arena, errors);
        if (!tip) return Error{ErrorCode::invalid, errors.text()};
        return Wish(wish_of(*tip, arena.copy(fmt::format("{} {}", place.source, place.position)), arena));
    }

    std::vector<Route> routes(Ledger& ledger) const override {
        std::vector<Route> routes(2);
        Route& post = routes[0];
        post.method = Method::post;
        post.path = "/tips";
        post.operation = "giveTip";
        post.tag = "Tips";
        post.summary = "Gives the kitchen a tip";
        post.takes = {{"application/json", "TillTipRequest"}};
        post.answers = {{200, "Given.", {{"application/json", "TillTip"}}},
                        {422, "What is wrong with it.", {{"application/json", "FrameworkErrors"}}}};
        post.profile = "till";
        post.handler = [this, &ledger](const Request& request, const Reply& reply) { give(ledger, request, reply); };
        Route& welcome = routes[1];
        welcome.path = "/";
        welcome.operation = "welcome";
        welcome.tag = "Tips";
        welcome.summary = "Says what this is";
        welcome.answers = {{200, "It does.", {{"application/json", "TillWelcome"}}}};
        welcome.profile = "till";
        welcome.handler = [](const Request&, const Reply& reply) {
            reply.later([](Response& response) { response.body = R"({"message":"Tips are welcome"})"; });
        };
        return routes;
    }
    std::string_view schemas() const override { return kSchemas; }
    bool counts_requests() const override { return true; }

private:
    std::optional<Tip> read_tip(const Request& request, Arena& arena, FrameworkErrors& errors) const {
        std::array<FrameworkValue, kFields> values;
        if (!read_framework_body(request, kBody, arena, values, errors)) return std::nullopt;
        const auto amount = framework_money(kBody, kAmount, values[kAmount], currency_, errors);
        if (!amount) return std::nullopt;
        return Tip{values[kGuest].text, *amount};
    }

    // `key` lives in the arena.
    static PaymentWish wish_of(const Tip& tip, std::string_view key, Arena& arena) {
        PaymentWish wish;
        wish.payment.debtor_name = account_name_of("guest:", tip.guest, "", arena);
        wish.payment.creditor_name = "kitchen";
        wish.payment.amount = tip.amount;
        wish.payment.key = key;
        return wish;
    }

    void give(Ledger& ledger, const Request& request, const Reply& reply) const {
        const auto arena = std::make_shared<Arena>(512);
        FrameworkErrors errors;
        const auto tip = read_tip(request, *arena, errors);
        if (!tip) {
            Response response;
            errors.write(response);
            return reply(std::move(response));
        }
        const std::string_view key = arena->copy(fmt::format("post {:016x}{:016x}", random_u64(), random_u64()));
        const Tip kept{arena->copy(tip->guest), tip->amount};
        submit_one(ledger, reply, arena, wish_of(kept, key, *arena),
                   [arena, kept](Response& response, const Receipt& receipt) {
                       std::string amount;
                       append_amount_number(amount, kept.amount);
                       JsonWriter json(response.body);
                       json.begin_object().field("id", receipt.number).field("guest", kept.guest);
                       json.key("amount").raw(amount).field("currency", kept.amount.currency().code());
                       json.field("status", receipt.status == Status::settled ? "given" : "refused").end_object();
                   });
    }

    const Currency currency_;
};

Result<std::unique_ptr<Profile>> make_till(const ProfileSetup& setup) {
    const auto currency = Currency::parse(setup.setting("currency", "EUR"));
    if (!currency) return Error{ErrorCode::invalid, "profile.currency: " + currency.error().what};
    return std::unique_ptr<Profile>(std::make_unique<Till>(*currency));
}

}  // namespace

const ProfileEntry kTillEntry{.tenant = 100, .name = "till", .title = "Till", .version = "2.0.0", .make = make_till};

const std::string_view kTillFile = R"(# Guests owe what they tip; the kitchen is there from the start.
tenant = "till"
unknown_accounts = "open"
opened_floor = "none"

[profile]
currency = "EUR"

[[profile.account]]
name = "kitchen"
currency = "EUR"
)";

}  // namespace nostro::test
