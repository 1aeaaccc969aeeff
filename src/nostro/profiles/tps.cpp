#include "nostro/profiles/tps.hpp"

#include <fmt/format.h>

#include <array>
#include <optional>

#include "nostro/base/hex.hpp"
#include "nostro/base/json_text.hpp"
#include "nostro/base/random.hpp"
#include "nostro/profiles/account_names.hpp"
#include "nostro/profiles/bearer.hpp"
#include "nostro/profiles/profile_answers.hpp"
#include "nostro/wire/framework_json.hpp"
#include "nostro/wire/message_json.hpp"

namespace nostro {
namespace tps {
namespace {

constexpr std::string_view kUser = "user:", kClearing = "tps:clearing:", kUserId = "user_id", kTxnId = "txn_id";
constexpr std::int64_t kCached_s = 3600;

enum Field : std::size_t { kFieldUser, kFieldAmount, kFieldCurrency, kFields };
constexpr std::array<FrameworkField, kFields> kBody{{
    {.name = kUserId, .max = 255},
    {.name = "amount", .kind = FrameworkKind::money},
    {.name = "currency", .kind = FrameworkKind::currency},
}};

constexpr std::string_view kSchemas = R"({
  "TpsTransactionCreate": {
    "type": "object",
    "required": ["user_id", "amount", "currency"],
    "properties": {
      "user_id": {"type": "string", "minLength": 1, "maxLength": 255},
      "amount": {
        "type": "number",
        "exclusiveMinimum": 0,
        "description": "With no more decimals than the currency has; a text of the same digits is taken too."
      },
      "currency": {"type": "string", "description": "ISO 4217."}
    },
    "example": {"user_id": "user_11", "amount": 12.75, "currency": "USD"}
  },
  "TpsTransaction": {
    "type": "object",
    "required": ["user_id", "amount", "currency", "id", "status", "created_at"],
    "properties": {
      "user_id": {"type": "string"},
      "amount": {"type": "number"},
      "currency": {"type": "string"},
      "id": {"type": "integer", "minimum": 1},
      "status": {"type": "string", "examples": ["pending", "completed", "failed"]},
      "created_at": {"type": "string", "description": "UTC, without a zone."}
    }
  }
})";

// --- texts ---

// 2025-03-18T00:14:36.000005, and without decimals where they are zero.
std::string iso_time(Instant at, char between) {
    constexpr std::size_t kPoint = 19, kBetween = 10;
    std::string text = to_rfc3339(at);
    text[kBetween] = between;
    text.pop_back();  // no zone
    if (std::string_view(text).substr(kPoint) == ".000000") text.resize(kPoint);
    return text;
}

// amount as numeric(20,4) shows it.
std::string numeric_text(Money amount) {
    constexpr std::size_t kScale = 4;
    std::string text = amount.decimal();
    const std::size_t point = text.find('.');
    if (point == std::string::npos) return text + ".0000";
    return text.append(kScale - (text.size() - point - 1), '0');
}

void write_body(std::string& to, std::string_view user_id, Money amount, std::uint64_t id, std::string_view status,
                Instant created_at) {
    std::string number;
    append_amount_number(number, amount);
    JsonWriter json(to);
    json.begin_object().field("user_id", user_id).key("amount").raw(number);
    json.field("currency", amount.currency().code()).field("id", id).field("status", status);
    json.field("created_at", iso_time(created_at, 'T')).end_object();
}

}  // namespace

// --- documents ---

std::string body_of(const Transaction& transaction) {
    std::string body;
    write_body(body, transaction.user_id, transaction.amount, transaction.id, transaction.status,
               transaction.created_at);
    return body;
}

std::vector<std::string> row_of(const Transaction& transaction) {
    return {std::to_string(transaction.id),
            transaction.user_id,
            numeric_text(transaction.amount),
            std::string(transaction.amount.currency().code()),
            transaction.status,
            iso_time(transaction.created_at, ' ')};
}

CacheEntry cache_of(const Transaction& transaction) {
    std::string number;
    append_amount_number(number, transaction.amount);
    CacheEntry entry{fmt::format("txn:{}", transaction.id), {}, kCached_s};
    JsonWriter json(entry.value);
    json.begin_object().field("id", transaction.id).field("user_id", transaction.user_id);
    json.key("amount").raw(number).field("currency", transaction.amount.currency().code());
    json.field("status", transaction.status).field("created_at", iso_time(transaction.created_at, 'T')).end_object();
    return entry;
}

namespace {

// Of an account's name; where that was cut, the metadata says it.
std::string user_of(const Payment& payment) {
    const std::string suffix = fmt::format(":{}", payment.amount.currency().code());
    if (auto id = id_of_account(payment.debtor_name, kUser, suffix)) return std::move(*id);
    static thread_local JsonReader reader;
    Arena arena(256);
    MessageValue value;
    if (read_message(reader, payment.metadata, {&kUserId, 1}, arena, {&value, 1})) return std::string(value.text);
    return {};
}

}  // namespace

std::optional<Transaction> transaction_of(const Outcome& outcome, const Payment& payment, const Words& words) {
    if (!outcome.reverses.empty()) return std::nullopt;
    const std::string& status = outcome.status == Status::settled                               ? words.completed
                                : outcome.status == Status::accepted || is_open(outcome.status) ? words.pending
                                                                                                : words.failed;
    return Transaction{outcome.number, user_of(payment), payment.amount, status, outcome.accepted_at};
}

namespace {

struct Wanted {
    std::string_view user_id;
    Money amount;
};

// nullopt: `errors` says why.
std::optional<Wanted> read_body(const Request& request, Arena& arena, FrameworkErrors& errors) {
    std::array<FrameworkValue, kFields> values;
    read_framework_body(request, kBody, arena, values, errors);
    const FrameworkValue& amount = values[kFieldAmount];
    const auto currency = Currency::parse(values[kFieldCurrency].text);
    if (amount.raw.empty() || errors.has(kFieldAmount) || !currency) return std::nullopt;
    const auto money = framework_money(kBody, kFieldAmount, amount, *currency, errors);
    if (!errors.empty()) return std::nullopt;
    return Wanted{values[kFieldUser].text, *money};
}

// `key`: of the client or our own; it lives in the arena.
PaymentWish wish_of(const Wanted& wanted, std::string_view key, Arena& arena) {
    const Currency currency = wanted.amount.currency();
    PaymentWish wish;
    Payment& payment = wish.payment;
    const std::string suffix = fmt::format(":{}", currency.code());
    payment.debtor_name = account_name_of(kUser, wanted.user_id, suffix, arena);
    payment.creditor_name = account_name_of(kClearing, currency.code(), "", arena);
    payment.amount = wanted.amount;
    payment.key = key;
    payment.type = "TRANSACTION";
    if (!id_of_account(payment.debtor_name, kUser, suffix)) {
        std::string json;
        JsonWriter(json).begin_object().field(kUserId, wanted.user_id).end_object();
        payment.metadata = arena.copy(json);
    }
    return wish;
}

// What the transaction of this number has come to; nullopt: there is none.
Result<std::optional<Transaction>> transaction(const Ledger& ledger, std::uint64_t number, const Words& words) {
    const auto seq = ledger.history().frame_of_number(ledger.tenant(), number);
    if (!seq) return seq.error();
    if (!*seq) return std::optional<Transaction>();
    const auto frame = ledger.frame(**seq);
    if (!frame) return frame.error();
    for (const Outcome& outcome : (*frame)->changes.outcomes) {
        if (outcome.tenant != ledger.tenant() || outcome.number != number) continue;
        const Payment* payment = payment_of(**frame, outcome);
        if (payment == nullptr) continue;
        if (!is_open(outcome.status)) return transaction_of(outcome, *payment, words);
        const auto now = ledger.history().payment(outcome.payment);
        if (!now) return now.error();
        return transaction_of(*now ? (*now)->last() : outcome, *payment, words);
    }
    return std::optional<Transaction>();
}

class Tps final : public Profile {
public:
    Tps(Words words, std::optional<BearerTokens> tokens) : words_(std::move(words)), tokens_(std::move(tokens)) {}

    Result<Wish> read(std::string_view message, const MessagePlace& place, Arena& arena) const override {
        Request request;
        request.body = message;
        FrameworkErrors errors;
        const auto wanted = read_body(request, arena, errors);
        if (!wanted) return Error{ErrorCode::invalid, errors.text()};
        // No client's key has a space in it.
        return Wish(wish_of(*wanted, arena.copy(fmt::format("{} {}", place.source, place.position)), arena));
    }

    std::string_view schemas() const override { return kSchemas; }
    bool counts_requests() const override { return true; }

    std::vector<Route> routes(Ledger& ledger) const override { return {post_route(ledger), get_route(ledger)}; }

private:
    Route post_route(Ledger& ledger) const;
    Route get_route(Ledger& ledger) const;
    void post(Ledger& ledger, const Request& request, const Reply& reply) const;
    void get(const Ledger& ledger, const Request& request, const Reply& reply) const;
    void look_up(const Ledger& ledger, std::uint64_t number, const Reply& reply, bool again) const;
    bool may_call(const Ledger& ledger, const Request& request, const Reply& reply) const;

    const Words words_;
    const std::optional<BearerTokens> tokens_;
};

// False: refused.
bool Tps::may_call(const Ledger& ledger, const Request& request, const Reply& reply) const {
    if (!tokens_) return true;
    const auto fault = tokens_->fault(request.header("Authorization"), ledger.clock().now());
    if (!fault) return true;
    Response response;
    write_framework_refusal(response, 401, *fault);
    response.header("WWW-Authenticate", "Bearer");
    reply(std::move(response));
    return false;
}

void Tps::post(Ledger& ledger, const Request& request, const Reply& reply) const {
    if (!may_call(ledger, request, reply)) return;
    const auto arena = std::make_shared<Arena>(512);
    FrameworkErrors errors;
    const auto wanted = read_body(request, *arena, errors);
    if (!wanted) {
        Response response;
        errors.write(response);
        return reply(std::move(response));
    }
    // Without a key every request is a transaction of its own. No client's key has a space in it.
    const std::string_view key = request.has("Idempotency-Key")
                                     ? arena->copy(request.parameter("Idempotency-Key"))
                                     : arena->copy(fmt::format("post {:016x}{:016x}", random_u64(), random_u64()));
    const std::string_view user_id = arena->copy(wanted->user_id);
    submit_one(ledger, reply, arena, wish_of(*wanted, key, *arena),
               [this, arena, user_id, amount = wanted->amount](Response& response, const Receipt& receipt) {
                   if (receipt.answer.kind == Answer::Kind::replayed) response.header("Idempotent-Replayed", "true");
                   write_body(response.body, user_id, amount, receipt.number, words_.pending, receipt.accepted_at);
               });
}

void Tps::get(const Ledger& ledger, const Request& request, const Reply& reply) const {
    if (!may_call(ledger, request, reply)) return;
    const std::string_view text = request.parameter(kTxnId);
    const auto number = framework_integer(text);
    if (!number) {
        FrameworkErrors errors;
        std::string input;
        append_json_string(input, text);
        errors.add(FrameworkFault::int_parsing, {.in = "path", .field = kTxnId}, input);
        Response response;
        errors.write(response);
        return reply(std::move(response));
    }
    if (*number <= 0) return refuse_framework(reply, 404, "Transaction not found");
    look_up(ledger, static_cast<std::uint64_t>(*number), reply, false);
}

// Blocks. Where the index is far behind, it is asked again when it is not.
void Tps::look_up(const Ledger& ledger, std::uint64_t number, const Reply& reply, bool again) const {
    const auto found = transaction(ledger, number, words_);
    if (!found) {
        if (again || found.error().code != ErrorCode::unavailable) return refuse_framework(reply, found.error());
        return ledger.when_readable([this, &ledger, number, reply] {
            reply.on_worker([this, &ledger, number, reply] { look_up(ledger, number, reply, true); });
        });
    }
    if (!*found) return refuse_framework(reply, 404, "Transaction not found");
    Response response;
    response.body = body_of(**found);
    reply(std::move(response));
}

RouteAnswer answer(std::uint16_t status, std::string_view description, std::string_view schema) {
    return {status, description, {{"application/json", schema}}};
}

Route Tps::post_route(Ledger& ledger) const {
    Route route;
    route.method = Method::post;
    route.path = "/transactions";
    route.operation = "submitTransaction";
    route.tag = "Transactions";
    route.summary = "Takes one transaction";
    route.description =
        "The answer says `pending` and means durable; GET says what it has come to. With an `Idempotency-Key` the same "
        "request again gets the first answer again.";
    route.parameters = {{.name = "Idempotency-Key",
                         .in = ParameterIn::header,
                         .kind = ParameterKind::key,
                         .description = "Names this request for ever.",
                         .example = "order-17-attempt-1"}};
    route.takes = {{"application/json", "TpsTransactionCreate"}};
    route.answers = {answer(200, "Taken and durable.", "TpsTransaction"),
                     answer(422, "What is wrong with the request.", "FrameworkErrors"),
                     answer(503, "Not now; the same again later.", "FrameworkRefusal")};
    if (tokens_) route.answers.push_back(answer(401, "Without a good token.", "FrameworkRefusal"));
    route.handler = [this, &ledger](const Request& request, const Reply& reply) { post(ledger, request, reply); };
    return route;
}

Route Tps::get_route(Ledger& ledger) const {
    Route route;
    route.path = "/transactions/{txn_id}";
    route.operation = "readTransaction";
    route.tag = "Transactions";
    route.summary = "One transaction as it is now";
    route.parameters = {{.name = kTxnId,
                         .in = ParameterIn::path,
                         .required = true,
                         .max = 100,
                         .description = "Its number.",
                         .example = "1"}};
    route.answers = {answer(200, "The transaction.", "TpsTransaction"),
                     answer(404, "There is none of this number.", "FrameworkRefusal"),
                     answer(422, "This is no number.", "FrameworkErrors"),
                     answer(503, "Not now; the same again later.", "FrameworkRefusal")};
    if (tokens_) route.answers.push_back(answer(401, "Without a good token.", "FrameworkRefusal"));
    route.blocks = true;
    route.handler = [this, &ledger](const Request& request, const Reply& reply) { get(ledger, request, reply); };
    return route;
}

}  // namespace
}  // namespace tps

Result<std::unique_ptr<Profile>> make_tps(const ProfileSetup& setup) {
    const tps::Words standard;
    tps::Words words{setup.setting("status_pending", standard.pending),
                     setup.setting("status_completed", standard.completed),
                     setup.setting("status_failed", standard.failed)};
    std::optional<BearerTokens> tokens;
    if (const std::string path = setup.setting("jwt_secret_file", ""); !path.empty()) {
        auto read = BearerTokens::from_file(path);
        if (!read) return Error{ErrorCode::invalid, "profile.jwt_secret_file: " + read.error().what};
        tokens = std::move(*read);
    }
    return std::unique_ptr<Profile>(std::make_unique<tps::Tps>(std::move(words), std::move(tokens)));
}

}  // namespace nostro
