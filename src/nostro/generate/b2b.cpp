#include "nostro/generate/b2b.hpp"

#include <array>
#include <chrono>

#include "nostro/base/json_text.hpp"
#include "nostro/generate/b2b_types.hpp"
#include "nostro/generate/draw.hpp"

namespace nostro::generate {
namespace {

using std::chrono::days;

constexpr std::array<std::string_view, 6> kStatuses = {"RECEIVED", "PROCESSING", "COMPLETED",
                                                       "FAILED",   "PENDING",    "VALIDATED"};
constexpr std::array<std::string_view, 3> kPriorities = {"HIGH", "NORMAL", "LOW"};
constexpr std::array<std::string_view, 2> kWindows = {"SAME_DAY", "NEXT_DAY"};

Instant banking_day_from(Instant at) {
    const std::chrono::weekday weekday(std::chrono::floor<days>(at));
    if (weekday == std::chrono::Saturday) return at + days(2);
    if (weekday == std::chrono::Sunday) return at + days(1);
    return at;
}

void append_processing(const B2bDraft& draft, std::string_view status) {
    const std::string_view priority = pick(draft.random, kPriorities), window = pick(draft.random, kWindows);
    Instant effective = draft.at + days(draft.random.below(3));
    if (draft.realistic) effective = banking_day_from(draft.at + days(window == "NEXT_DAY" ? 1 : 0));
    Instant settlement = effective + days(draft.random.below(2));
    if (draft.realistic) settlement = banking_day_from(settlement);
    draft.json.key("processing").begin_object().field("priority", priority).field("processing_window", window);
    draft.json.field("submission_date", date(draft.at).view()).field("effective_date", date(effective).view());
    draft.json.field("settlement_date", date(settlement).view()).key("status_tracking").begin_object();
    draft.json.field("current_status", status).key("status_history").begin_array().end_array();
    draft.json.end_object().end_object();
}

void append_amount(JsonWriter& json, const Money& amount) {
    std::array<char, kDecimalMax> text{};
    const std::size_t size = write_decimal(text.data(), amount.minor(), amount.currency());
    json.key("amount").begin_object().key("value").raw({text.data(), size});
    json.field("currency", amount.currency().code()).field("exchange_info", nullptr).end_object();
}

}  // namespace

std::string_view name(B2bType type) { return facts(type).name; }

B2bType b2b_type_in_file(std::uint64_t at, std::uint64_t count) {
    const std::uint64_t of_each = count / kB2bTypes, longer = count % kB2bTypes;
    const std::uint64_t in_longer = longer * (of_each + 1);
    const std::uint64_t type = at < in_longer ? at / (of_each + 1) : longer + (at - in_longer) / of_each;
    return static_cast<B2bType>(type);
}

B2bGenerator::B2bGenerator(const B2bOptions& options)
    : random_(seed_of({options.seed, options.customers, options.realistic, options.ordered,
                       static_cast<std::uint64_t>(options.start.time_since_epoch().count())})),
      realistic_(options.realistic),
      ordered_(options.ordered),
      parties_(random_, options.customers, options.realistic),
      id_key_(static_cast<std::uint32_t>(random_.next())),
      dollar_(Currency::parse("USD").value()),
      euro_(Currency::parse("EUR").value()) {}

B2bParties::Pair B2bGenerator::draw_parties(B2bType type, bool international) {
    if (realistic_ && international) return parties_.international(random_);
    if (realistic_ && facts(type).in_euro_if_realistic) return parties_.european(random_);
    return parties_.american(random_);
}

Made B2bGenerator::append(std::string& to, Instant at) {
    if (made_ < ordered_) return append(to, b2b_type_in_file(made_, ordered_), at);
    return append(to, static_cast<B2bType>(random_.below(kB2bTypes)), at);
}

Made B2bGenerator::append(std::string& to, B2bType type, Instant at) {
    const B2bFacts& of = facts(type);
    const std::uint32_t unique = scattered(made_++ ^ id_key_);
    JsonWriter json(to);
    B2bDraft draft{.json = json,
                   .random = random_,
                   .at = at,
                   .transaction_id = ShortText("TXN").add_hex(scattered(unique + 1), 8),
                   .end_to_end_id = ShortText("E2E").add_hex(scattered(unique + 2), 8),
                   .international = false,
                   .realistic = realistic_};
    draft.international = type == B2bType::wire && random_.chance(1, 2);

    const std::string_view status = pick(random_, kStatuses);
    const bool in_euro = of.in_euro || (realistic_ && of.in_euro_if_realistic);
    const Money amount(random_.between(of.least_minor, of.most_minor), in_euro ? euro_ : dollar_);
    const B2bParties::Pair parties = draw_parties(type, draft.international);
    const ShortText now = naive_time(at);
    json.begin_object().field("payment_id", ShortText(of.id_prefix).add_hex(unique, 8).view());
    json.field("payment_type", of.name).field("version", "1.0");
    json.field("created_at", now.view()).field("updated_at", now.view()).field("status", status);
    append_amount(json, amount);
    json.key("originator").raw(parties.originator).key("beneficiary").raw(parties.beneficiary);
    append_processing(draft, status);
    of.append(draft);
    json.end_object();
    return {.type = of.name, .status = status, .amount = amount};
}

}  // namespace nostro::generate
