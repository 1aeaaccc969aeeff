#include "nostro/profiles/logging.hpp"

#include <fmt/format.h>

#include <array>

#include "nostro/base/json_text.hpp"
#include "nostro/base/log_allowance.hpp"
#include "nostro/profiles/account_names.hpp"
#include "nostro/profiles/logging_routes.hpp"
#include "nostro/wire/framework_json.hpp"
#include "nostro/wire/message_json.hpp"

namespace nostro {
namespace logging {
namespace {

constexpr std::string_view kParty = "party:";
constexpr std::size_t kNameMax = 140, kKeyMax = 128;
constexpr std::string_view kHistorical = "Historical";
constexpr unsigned kSinglesLogged = 1'000, kBulkLogged = 10;  // a second

enum Field : std::size_t { kSender, kReceiver, kAmount, kCurrency, kStatus, kId, kFields };
constexpr std::array<std::string_view, kFields> kPaths = {"sender", "receiver", "amount", "currency", "status", "id"};

struct Message {
    std::string_view sender, receiver, id;
    Money amount;
    bool is_historical = false;
};

Error wrong(std::string_view field, std::string_view what) {
    return {ErrorCode::invalid, fmt::format("{}: {}", field, what)};
}

Result<Message> read_fields(std::string_view text, Arena& arena) {
    static thread_local JsonReader reader;
    std::array<MessageValue, kFields> values;
    if (auto read = read_message(reader, text, kPaths, arena, values); !read) return read.error();
    Message message;
    const auto sender = message_text("sender", values[kSender], kNameMax);
    if (!sender) return sender.error();
    message.sender = *sender;
    const auto receiver = message_text("receiver", values[kReceiver], kNameMax);
    if (!receiver) return receiver.error();
    message.receiver = *receiver;
    std::string_view code = "USD";
    if (values[kCurrency].kind != MessageValue::Kind::absent) {
        const auto given = message_text("currency", values[kCurrency], 3);
        if (!given) return given.error();
        code = *given;
    }
    const auto currency = Currency::parse(code);
    if (!currency) return wrong("currency", currency.error().what);
    const auto amount = message_amount("amount", values[kAmount], *currency);
    if (!amount) return amount.error();
    if (amount->minor() <= 0) return wrong("amount", "is not above zero");
    if (!fits_numeric_20_4(*amount)) return wrong("amount", "has more than 16 digits before the point");
    message.amount = *amount;
    message.is_historical = values[kStatus].kind == MessageValue::Kind::text && values[kStatus].text == kHistorical;
    if (values[kId].kind == MessageValue::Kind::text) {
        const auto id = message_text("id", values[kId], kKeyMax);
        if (!id) return id.error();
        message.id = *id;
    }
    return message;
}

std::string_view status_of(Status status) {
    if (status == Status::settled) return "Completed";
    return is_open(status) || status == Status::accepted ? "Queued" : "Rejected";
}

// A record's document, which is the message that brought it.
std::optional<Row> historical_row(const Payment& record) {
    Arena arena;
    const auto message = read_fields(record.attachment, arena);
    if (!message) return std::nullopt;
    Row row;
    row.sender = message->sender;
    row.receiver = message->receiver;
    row.amount = message->amount;
    row.status = kHistorical;
    return row;
}

std::string party_of(std::string_view account_name, std::string_view suffix, const Payment& payment,
                     std::string_view member) {
    if (auto id = id_of_account(account_name, kParty, suffix)) return *id;
    // The account's name was cut: the payment's metadata has the whole.
    const std::string whole = message_member(payment.metadata, member);
    return whole.empty() ? std::string(account_name) : whole;
}

}  // namespace

std::optional<Row> row_of(const Outcome& outcome, const Payment& payment) {
    std::optional<Row> row;
    if (outcome.event == Event::record_kept) {
        row = historical_row(payment);
    } else if (outcome.event == Event::submitted) {
        const std::string suffix = fmt::format(":{}", payment.amount.currency().code());
        row.emplace();
        row->sender = party_of(payment.debtor_name, suffix, payment, "sender");
        row->receiver = party_of(payment.creditor_name, suffix, payment, "receiver");
        row->amount = payment.amount;
        row->status = status_of(outcome.status);
    }
    if (!row) return row;
    row->id = outcome.number;
    row->payment = outcome.payment;
    row->created_at = outcome.accepted_at;
    return row;
}

void append_report_row(std::string& to, const Row& row) {
    JsonWriter(to)
        .begin_object()
        .field("id", row.id)
        .field("sender", row.sender)
        .field("receiver", row.receiver)
        .key("amount")
        .raw(row.amount.decimal())
        .field("status", row.status)
        .end_object();
}

std::string message_of(const Row& row) {
    std::string text;
    JsonWriter(text)
        .begin_object()
        .field("sender", row.sender)
        .field("receiver", row.receiver)
        .key("amount")
        .raw(row.amount.decimal())
        .field("currency", row.amount.currency().code())
        .end_object();
    return text;
}

Wish wish_of(std::string_view sender, std::string_view receiver, Money amount, std::string_view key, Arena& arena) {
    PaymentWish wish;
    Payment& payment = wish.payment;
    const std::string suffix = fmt::format(":{}", amount.currency().code());
    payment.debtor_name = account_name_of(kParty, sender, suffix, arena);
    payment.creditor_name = account_name_of(kParty, receiver, suffix, arena);
    payment.amount = amount;
    payment.key = key;
    payment.type = "TRANSFER";
    if (is_cut(payment.debtor_name) || is_cut(payment.creditor_name)) {
        std::string names;
        JsonWriter(names).begin_object().field("receiver", receiver).field("sender", sender).end_object();
        payment.metadata = arena.copy(names);
    }
    return wish;
}

namespace {

class Logging final : public Profile {
public:
    Result<Wish> read(std::string_view text, const MessagePlace& place, Arena& arena) const override {
        const auto message = read_fields(text, arena);
        if (!message) return message.error();
        // Known by its id, or else by where it stands. No key of a client has a space, so none is meant by accident.
        const std::string own = message->id.empty() ? fmt::format("{} {}", place.source, place.position)
                                                    : fmt::format("id {}", message->id);
        const std::string_view key = arena.copy(message->is_historical ? fmt::format("historical {}", own) : own);
        if (message->is_historical) {
            Row row;
            row.sender = message->sender;
            row.receiver = message->receiver;
            row.amount = message->amount;
            return Wish(
                RecordWish{arena.copy(fmt::format("historical:{}", key)), Reason::none, arena.copy(message_of(row))});
        }
        if (message->sender == message->receiver) return wrong("receiver", "is the sender; they must be two");
        return wish_of(message->sender, message->receiver, message->amount, key, arena);
    }

    std::vector<Route> routes(Ledger& ledger) const override { return logging_routes(ledger); }

    std::string_view schemas() const override { return kSchemas; }

    Result<> documents(const Recorded& recorded, const Ledger&, JsonWriter& into) const override {
        const Outcome& first = recorded.outcomes.front();
        auto row = row_of(first, recorded.payment);
        if (!row) return {};
        if (first.event == Event::submitted) row->status = status_of(recorded.last().status);
        std::string columns;
        append_report_row(columns, *row);
        into.key("row").raw(columns);
        // What is history already never was a message of the topic.
        if (first.event == Event::submitted) into.key("message").raw(message_of(*row));
        return {};
    }

    // What became of a message is known when it is durable; so both lines come then.
    void count(const Outcome& outcome, const Payment* payment) override {
        if (payment == nullptr) return;
        // Whoever posts one looks for its lines; of a flood they are a sample. Keys of files and topics have a space.
        const bool is_single = payment->key.find(' ') == std::string_view::npos;
        const unsigned most = is_single ? kSinglesLogged : kBulkLogged;
        const auto tell = [&](std::string_view event, std::string_view what) {
            log_event_up_to(most, LogLevel::info, event, {{"what", what}, {"id", outcome.number}});
        };
        tell("message_received", "Message Received");
        tell("row_committed", "DB Committed");
    }
};

}  // namespace
}  // namespace logging

Result<std::unique_ptr<Profile>> make_logging(const ProfileSetup&) {
    return std::unique_ptr<Profile>(std::make_unique<logging::Logging>());
}

}  // namespace nostro
