#include "nostro/profiles/tps.hpp"

#include <fmt/format.h>

#include <array>
#include <optional>

#include "nostro/base/hex.hpp"
#include "nostro/base/json_text.hpp"
#include "nostro/base/random.hpp"
#include "nostro/base/text.hpp"
#include "nostro/profiles/account_names.hpp"
#include "nostro/profiles/bearer.hpp"
#include "nostro/profiles/column_values.hpp"
#include "nostro/profiles/profile_answers.hpp"
#include "nostro/wire/framework_json.hpp"
#include "nostro/wire/message_json.hpp"

namespace nostro {
namespace tps {
namespace {

constexpr std::string_view kUser = "user:", kClearing = "tps:clearing:", kUserId = "user_id", kTxnId = "txn_id";
constexpr std::string_view kType = "TRANSACTION", kTickets = "ticket";
constexpr std::uint64_t kFirstTicket = 1ull << 52;
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

Words words_of(const ProfileSetup& setup) {
    const Words standard;
    return {setup.setting("status_pending", standard.pending), setup.setting("status_completed", standard.completed),
            setup.setting("status_failed", standard.failed)};
}

std::uint64_t ticket_of(PaymentId payment) { return kFirstTicket | (payment.low & (kFirstTicket - 1)); }

bool is_ticket(std::uint64_t number) { return (number & ~(kFirstTicket - 1)) == kFirstTicket; }

void index_rows(const Payment& payment, std::vector<IndexRow>& into) {
    if (payment.type != kType) return;  // a reversal
    into.push_back({std::string(kTickets), std::to_string(ticket_of(payment.id))});
}

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

std::string cache_key(std::uint64_t id) { return fmt::format("txn:{}", id); }

CacheEntry cache_of(const Transaction& transaction) {
    std::string number;
    append_amount_number(number, transaction.amount);
    CacheEntry entry{cache_key(transaction.id), {}, kCached_s};
    JsonWriter json(entry.value);
    json.begin_object().field("id", transaction.id).field("user_id", transaction.user_id);
    json.key("amount").raw(number).field("currency", transaction.amount.currency().code());
    json.field("status", transaction.status).field("created_at", iso_time(transaction.created_at, 'T')).end_object();
    return entry;
}

std::optional<Transaction> transaction_of(std::string_view cached, const Words& words) {
    enum Member : std::size_t { kId, kUser_id, kAmount, kCurrency, kStatus, kCreated, kMembers };
    constexpr std::array<std::string_view, kMembers> kNames = {"id",       "user_id", "amount",
                                                               "currency", "status",  "created_at"};
    static thread_local JsonReader reader;
    Arena arena(512);
    std::array<MessageValue, kMembers> values;
    if (!read_message(reader, cached, kNames, arena, values)) return std::nullopt;
    const std::string_view status = values[kStatus].text;
    if (status != words.completed && status != words.failed) return std::nullopt;
    const auto id = parse_uint64(values[kId].text);
    const auto currency = Currency::parse(values[kCurrency].text);
    const auto created_at = parse_column_time(values[kCreated].text);
    if (!id || !currency || !created_at || values[kUser_id].text.empty()) return std::nullopt;
    const auto amount = message_amount(kNames[kAmount], values[kAmount], *currency);
    if (!amount) return std::nullopt;
    return Transaction{*id, std::string(values[kUser_id].text), *amount, std::string(status), *created_at};
}

namespace {

// Of an account's name; where that was cut, the metadata says it.
std::string user_of(const Payment& payment) {
    const std::string suffix = fmt::format(":{}", payment.amount.currency().code());
    if (auto id = id_of_account(payment.debtor_name, kUser, suffix)) return std::move(*id);
    return message_member(payment.metadata, kUserId);
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
    payment.type = kType;
    if (is_cut(payment.debtor_name)) {
        std::string json;
        JsonWriter(json).begin_object().field(kUserId, wanted.user_id).end_object();
        payment.metadata = arena.copy(json);
    }
    return wish;
}

struct Found {
    Transaction transaction;
    Place version;  // of the last that became of it
    bool is_final = false;
};
std::optional<Found> found_of(const Outcome& outcome, const Payment& payment, Place place, const Words& words) {
    auto transaction = transaction_of(outcome, payment, words);
    if (!transaction) return std::nullopt;
    return Found{std::move(*transaction), place, outcome.status != Status::accepted && !is_open(outcome.status)};
}

// What the transaction of this number has come to; nullopt: there is none.
Result<std::optional<Found>> find(const Ledger& ledger, std::uint64_t number, const Words& words) {
    const auto seq = ledger.history().frame_of_number(ledger.tenant(), number);
    if (!seq) return seq.error();
    if (!*seq) return std::optional<Found>();
    const auto frame = ledger.frame(**seq);
    if (!frame) return frame.error();
    const auto& outcomes = (*frame)->changes.outcomes;
    for (std::uint32_t i = 0; i < outcomes.size(); ++i) {
        const Outcome& outcome = outcomes[i];
        if (outcome.tenant != ledger.tenant() || outcome.number != number) continue;
        const Payment* payment = payment_of(**frame, outcome);
        if (payment == nullptr) continue;
        if (!is_open(outcome.status)) return found_of(outcome, *payment, {**seq, i}, words);
        const auto now = ledger.history().payment(outcome.payment);
        if (!now) return now.error();
        if (!*now) return found_of(outcome, *payment, {**seq, i}, words);
        return found_of((*now)->last(), *payment, (*now)->places.back(), words);
    }
    return std::optional<Found>();
}

// The same by its ticket, under which it is shown. Of some ten million transactions two may have the same.
Result<std::optional<Found>> find_by_ticket(const Ledger& ledger, std::uint64_t ticket, const Words& words) {
    const std::string row = std::to_string(ticket);
    const auto page = ledger.history().rows({.tenant = ledger.tenant(),
                                             .group = std::string(kTickets),
                                             .from = row,
                                             .to = row + "~",
                                             .count_max = 2,
                                             .cursor = {}});
    if (!page) return page.error();
    if (page->items.size() > 1) {
        return Error{ErrorCode::conflict,
                     "several transactions were given this id; ask for GET /v1/payments/{id}, as Location named it"};
    }
    if (page->items.empty()) return std::optional<Found>();
    const Recorded& recorded = page->items.front();
    auto found = found_of(recorded.last(), recorded.payment, recorded.places.back(), words);
    if (found) found->transaction.id = ticket;
    return found;
}

void write_documents(JsonWriter& json, const Transaction& transaction) {
    constexpr std::array<std::string_view, 6> kColumns = {"id",       "user_id", "amount",
                                                          "currency", "status",  "created_at"};
    json.key("row").begin_object();
    const std::vector<std::string> row = row_of(transaction);
    for (std::size_t i = 0; i < kColumns.size(); ++i) json.field(kColumns[i], row[i]);
    const CacheEntry entry = cache_of(transaction);
    json.end_object().key("body").raw(body_of(transaction)).key("cache").begin_array().begin_object();
    json.field("key", entry.key).field("value", entry.value).field("expires_s", entry.expires_s);
    json.end_object().end_array();
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
    Result<> documents(const Recorded& recorded, const Ledger&, JsonWriter& into) const override {
        if (const auto told = transaction_of(recorded.last(), recorded.payment, words_)) write_documents(into, *told);
        return {};
    }

    std::vector<Route> routes(Ledger& ledger) const override { return {post_route(ledger), get_route(ledger)}; }

private:
    Route post_route(Ledger& ledger) const;
    Route get_route(Ledger& ledger) const;
    void post(Ledger& ledger, const Request& request, const Reply& reply) const;
    void get(const Ledger& ledger, const Request& request, const Reply& reply) const;
    void look_up(const Ledger& ledger, std::uint64_t number, const Reply& reply, bool again) const;
    std::optional<std::string> body_of_cached(std::string_view text, std::uint64_t number) const;
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
        return refuse_framework(reply, errors);
    }
    // Without a key every request is a transaction of its own. No client's key has a space in it.
    const std::string_view key = request.has("Idempotency-Key")
                                     ? arena->copy(request.parameter("Idempotency-Key"))
                                     : arena->copy(fmt::format("post {:016x}{:016x}", random_u64(), random_u64()));
    const std::string_view user_id = arena->copy(wanted->user_id);
    submit_one(ledger, reply, arena, wish_of(*wanted, key, *arena),
               [this, arena, user_id, amount = wanted->amount](Response& response, const Receipt& receipt) {
                   if (receipt.answer.kind == Answer::Kind::replayed) response.header("Idempotent-Replayed", "true");
                   std::uint64_t id = receipt.number;
                   if (id == 0) {  // it is decided elsewhere
                       id = ticket_of(receipt.payment);
                       response.header("Location", "/v1/payments/" + to_hex(receipt.payment));
                   }
                   write_body(response.body, user_id, amount, id, words_.pending, receipt.accepted_at);
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
        return refuse_framework(reply, errors);
    }
    if (*number <= 0) return refuse_framework(reply, 404, "Transaction not found");
    const auto id = static_cast<std::uint64_t>(*number);
    if (is_ticket(id)) {
        return ledger.when_readable([this, &ledger, id, reply] {
            reply.on_worker([this, &ledger, id, reply] { look_up(ledger, id, reply, true); });
        });
    }
    const auto found = [this, &ledger, id, reply](const std::optional<std::string>& cached) {
        if (auto body = cached ? body_of_cached(*cached, id) : std::nullopt) {
            Response response;
            response.body = std::move(*body);
            return reply(std::move(response));
        }
        reply.on_worker([this, &ledger, id, reply] { look_up(ledger, id, reply, false); });
    };
    if (ledger.cache() == nullptr) return found(std::nullopt);
    ledger.cache()->find(cache_key(id), found);
}

// nullopt: it tells of something else.
std::optional<std::string> Tps::body_of_cached(std::string_view text, std::uint64_t number) const {
    const auto transaction = transaction_of(text, words_);
    if (!transaction || transaction->id != number) return std::nullopt;
    return body_of(*transaction);
}

// Blocks. Where the index is far behind, it is asked again when it is not.
void Tps::look_up(const Ledger& ledger, std::uint64_t number, const Reply& reply, bool again) const {
    const auto found = is_ticket(number) ? find_by_ticket(ledger, number, words_) : find(ledger, number, words_);
    if (!found) {
        if (again || found.error().code != ErrorCode::unavailable) return refuse_framework(reply, found.error());
        return ledger.when_readable([this, &ledger, number, reply] {
            reply.on_worker([this, &ledger, number, reply] { look_up(ledger, number, reply, true); });
        });
    }
    if (!*found) return refuse_framework(reply, 404, "Transaction not found");
    Response response;
    response.body = body_of((*found)->transaction);
    reply(std::move(response));
    if (ledger.cache() == nullptr || !(*found)->is_final || is_ticket(number)) return;
    const CacheEntry entry = cache_of((*found)->transaction);
    ledger.cache()->put(entry.key, entry.value, (*found)->version, std::chrono::seconds(entry.expires_s));
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
    route.parameters = {optional_key()};
    route.takes = {{"application/json", "TpsTransactionCreate"}};
    route.answers = {json_answer_of(200, "Taken and durable.", "TpsTransaction"),
                     json_answer_of(422, "What is wrong with the request.", "FrameworkErrors"),
                     json_answer_of(503, "Not now; the same again later.", "FrameworkRefusal")};
    if (tokens_) route.answers.push_back(json_answer_of(401, "Without a good token.", "FrameworkRefusal"));
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
                         .description = "Its number; or, of one that was taken where the Book is not, the id that "
                                        "was answered there.",
                         .example = "1"}};
    route.answers = {
        json_answer_of(200, "The transaction.", "TpsTransaction"),
        json_answer_of(404, "There is none of this number.", "FrameworkRefusal"),
        json_answer_of(409, "Two transactions have this id; the refusal says how to ask for one.", "FrameworkRefusal"),
        json_answer_of(422, "This is no number.", "FrameworkErrors"),
        json_answer_of(503, "Not now; the same again later.", "FrameworkRefusal")};
    if (tokens_) route.answers.push_back(json_answer_of(401, "Without a good token.", "FrameworkRefusal"));
    route.handler = [this, &ledger](const Request& request, const Reply& reply) { get(ledger, request, reply); };
    return route;
}

}  // namespace
}  // namespace tps

Result<std::unique_ptr<Profile>> make_tps(const ProfileSetup& setup) {
    std::optional<BearerTokens> tokens;
    if (const std::string path = setup.setting("jwt_secret_file", ""); !path.empty()) {
        auto read = BearerTokens::from_file(path);
        if (!read) return Error{ErrorCode::invalid, "profile.jwt_secret_file: " + read.error().what};
        tokens = std::move(*read);
    }
    return std::unique_ptr<Profile>(std::make_unique<tps::Tps>(tps::words_of(setup), std::move(tokens)));
}

}  // namespace nostro
