#include "nostro/generate/b2b_types.hpp"

#include <array>
#include <chrono>
#include <initializer_list>

#include "nostro/base/time.hpp"
#include "nostro/formats/check_digits.hpp"

namespace nostro::generate {
namespace {

using std::chrono::days;

ShortText drawn_hex(Xoshiro256& random, std::string_view prefix, std::size_t digits) {
    return ShortText(prefix).add_hex(random.next(), digits);
}

ShortText drawn_digits(Xoshiro256& random, std::string_view prefix, std::size_t digits) {
    return ShortText(prefix).add_digits(random.next(), digits);
}

struct Reference {
    std::string_view name;
    const ShortText& text;
};

void append_references(JsonWriter& json, std::initializer_list<Reference> references) {
    json.key("references").begin_object();
    for (const Reference& each : references) json.field(each.name, each.text.view());
    json.end_object();
}

// Empty texts are left out.
struct Remittance {
    std::string_view type = "STRUCTURED", purpose = {}, description = {}, creditor_reference = {};
};

void append_remittance(JsonWriter& json, const Remittance& remittance) {
    json.key("remittance_info").begin_object().field("type", remittance.type);
    if (!remittance.purpose.empty()) json.field("purpose", remittance.purpose);
    if (!remittance.description.empty()) json.field("description", remittance.description);
    if (!remittance.creditor_reference.empty()) json.field("creditor_reference", remittance.creditor_reference);
    json.end_object();
}

struct Check {
    std::string_view name, result = "CLEARED";
};

// The checks beyond sanctions; the object `regulatory` stays open.
void begin_regulatory(JsonWriter& json, std::initializer_list<Check> checks) {
    json.key("regulatory").begin_object().key("compliance_checks").begin_object().field("sanctions_check", "CLEARED");
    for (const Check& each : checks) json.field(each.name, each.result);
    json.end_object();
}

void append_metadata(JsonWriter& json, std::string_view source_system, std::string_view business_unit) {
    json.key("metadata").begin_object().field("source_system", source_system).field("business_unit", business_unit);
    json.end_object();
}

constexpr std::array<std::string_view, 6> kDescriptions = {"Goods as ordered",    "Services of last month",
                                                           "Office supplies",     "Freight and handling",
                                                           "Maintenance on site", "Licences for a year"};

void append_ach(const B2bDraft& draft) {
    static constexpr std::array<std::string_view, 3> kSecCodes = {"CCD", "CTX", "PPD"};
    JsonWriter& json = draft.json;
    const std::string_view sec_code = pick(draft.random, kSecCodes);
    const ShortText invoice = drawn_digits(draft.random, "Invoice ", 6);
    append_references(json, {{"end_to_end_id", draft.end_to_end_id}, {"transaction_id", draft.transaction_id}});
    append_remittance(json, {.purpose = "SUPP", .description = invoice.view()});
    json.key("type_specific_data").begin_object().field("sec_code", sec_code);
    json.key("batch_data").begin_object().end_object().key("addenda").begin_array().end_array().end_object();
    begin_regulatory(json, {{"aml_check"}});
    json.end_object();
    append_metadata(json, "PAYMENT_SYSTEM", "TREASURY");
    json.field("sec_code", sec_code).field("batch_id", drawn_hex(draft.random, "BATCH", 8).view());
    json.key("addenda").begin_object().field("type_code", "05").field("payment_related_info", invoice.view());
    json.end_object();
}

void append_wire(const B2bDraft& draft) {
    static constexpr std::array<std::string_view, 3> kCharges = {"OUR", "BEN", "SHA"};
    JsonWriter& json = draft.json;
    const std::string_view charges = pick(draft.random, kCharges);
    append_references(json, {{"sender_reference", drawn_hex(draft.random, "REF", 8)},
                             {"beneficiary_reference", drawn_hex(draft.random, "BREF", 8)}});
    append_remittance(json, {.purpose = "TRADE"});
    json.key("type_specific_data").begin_object().field("message_type", "MT103");
    json.field("charges_instruction", charges).end_object();
    begin_regulatory(json, {{"aml_check"}, {"ofac_check"}});
    json.end_object();
    append_metadata(json, "WIRE_SYSTEM", "TREASURY");
    json.field("wire_type", draft.international ? "INTERNATIONAL" : "DOMESTIC").field("message_type", "MT103");
    json.field("intermediary_bank", nullptr).key("charges").begin_object();
    json.field("type", charges).key("amount").raw("45.0").end_object();
}

void append_check(const B2bDraft& draft) {
    static constexpr std::array<std::string_view, 2> kPresentations = {"PAPER", "IMAGE"};
    JsonWriter& json = draft.json;
    const std::string_view presentation = pick(draft.random, kPresentations);
    const std::string_view description = pick(draft.random, kDescriptions);
    ShortText number;
    number.add_digits(static_cast<std::uint64_t>(draft.random.between(1000, 9999)), 4);
    append_references(json, {{"check_number", number}, {"transaction_id", draft.transaction_id}});
    append_remittance(json, {.purpose = "SUPP", .description = description});
    json.key("type_specific_data").begin_object().field("check_type", "BUSINESS");
    json.field("presentation_type", presentation).field("capture_type", "REMOTE_DEPOSIT").end_object();
    begin_regulatory(json, {{"aml_check"}});
    json.end_object();
    append_metadata(json, "CHECK_SYSTEM", "TREASURY");
    json.field("check_number", number.view()).field("check_type", "BUSINESS").field("presentation_type", presentation);
    json.field("memo", description).field("image_data", nullptr);
}

void append_rtp(const B2bDraft& draft) {
    static constexpr std::array<std::string_view, 3> kPurposes = {"SALA", "SUPP", "TRAD"};
    JsonWriter& json = draft.json;
    const ShortText settled = naive_time(draft.at + std::chrono::seconds(draft.random.between(1, 5)));
    append_references(json, {{"end_to_end_id", draft.end_to_end_id}, {"transaction_id", draft.transaction_id}});
    append_remittance(json,
                      {.purpose = pick(draft.random, kPurposes), .description = pick(draft.random, kDescriptions)});
    json.key("type_specific_data").begin_object().field("clearing_system", "TCH_RTP");
    json.field("settlement_method", "INSTANT").field("processing_mode", "REAL_TIME").end_object();
    begin_regulatory(json, {{"aml_check"}});
    json.end_object();
    append_metadata(json, "RTP_SYSTEM", "PAYMENTS");
    json.field("clearing_system", "TCH_RTP").field("settlement_method", "INSTANT");
    json.key("confirmation").begin_object();
    json.field("confirmation_id", drawn_hex(draft.random, "CONF", 8).view());
    json.field("confirmation_timestamp", settled.view());
    json.field("settlement_confirmation", drawn_hex(draft.random, "TCH", 10).view()).end_object();
    json.key("timing").begin_object().field("submission_timestamp", naive_time(draft.at).view());
    json.field("settlement_timestamp", settled.view());
    json.field("expiry_timestamp", naive_time(draft.at + std::chrono::minutes(5)).view()).end_object();
}

// RF and eight digits, of which the first two check the others.
ShortText creditor_reference(const B2bDraft& draft) {
    if (!draft.realistic) return drawn_digits(draft.random, "RF", 8);
    const ShortText payload = drawn_digits(draft.random, "", 6);
    const auto check = mod_97_digits("RF", payload.view());
    return ShortText("RF").add({check.data(), check.size()}).add(payload.view());
}

void append_sepa(const B2bDraft& draft) {
    JsonWriter& json = draft.json;
    const ShortText instruction = drawn_hex(draft.random, "INST", 8);
    append_references(json, {{"end_to_end_id", draft.end_to_end_id}, {"instruction_id", instruction}});
    append_remittance(json, {.purpose = "SUPP", .creditor_reference = creditor_reference(draft).view()});
    json.key("type_specific_data").begin_object().field("scheme", "SCT_INST").field("service_level", "SEPA");
    json.field("local_instrument", "INST").end_object();
    begin_regulatory(json, {{"aml_check"}});
    json.key("reporting").begin_object().field("authority_name", "EUROPEAN_CENTRAL_BANK");
    json.field("details", "STATISTICAL_REPORTING").end_object().end_object();
    append_metadata(json, "SEPA_SYSTEM", "EUROPEAN_PAYMENTS");
    json.field("scheme", "SCT_INST").field("instruction_id", instruction.view()).field("service_level", "SEPA");
    json.field("local_instrument", "INST").field("category_purpose", "SUPP");
}

struct Network {
    std::string_view name, number_prefix;
    std::size_t drawn_digits;  // between the prefix and the check digit
};
constexpr std::array<Network, 3> kNetworks = {{{"VISA", "4", 14}, {"MASTERCARD", "55", 13}, {"AMEX", "37", 12}}};

ShortText last_four(const B2bDraft& draft, const Network& network) {
    if (!draft.realistic) return drawn_digits(draft.random, "", 4);
    ShortText card = drawn_digits(draft.random, network.number_prefix, network.drawn_digits);
    const char check = luhn_digit(card.view());
    card.add({&check, 1});
    return ShortText(card.view().substr(card.view().size() - 4));
}

void append_card(const B2bDraft& draft) {
    static constexpr std::array<std::string_view, 3> kEntryModes = {"CHIP", "CONTACTLESS", "MANUAL"};
    static constexpr std::array<std::string_view, 2> kCardTypes = {"CREDIT", "DEBIT"};
    JsonWriter& json = draft.json;
    const std::string_view entry_mode = pick(draft.random, kEntryModes);
    const Network& network = pick(draft.random, kNetworks);
    append_references(json, {{"transaction_id", draft.transaction_id}});
    append_remittance(json, {.purpose = "RETAIL"});
    json.key("type_specific_data").begin_object().field("card_present", true).field("entry_mode", entry_mode);
    json.field("auth_type", "ONLINE").end_object();
    begin_regulatory(json, {{"fraud_check"}});
    json.end_object();
    append_metadata(json, "CARD_SYSTEM", "MERCHANT_SERVICES");
    json.field("card_present", true).field("entry_mode", entry_mode);
    json.field("terminal_id", drawn_digits(draft.random, "TERM", 6).view());
    json.field("merchant_id", drawn_digits(draft.random, "MERCH", 6).view());
    json.field("pan_last_4", last_four(draft, network).view()).field("card_type", pick(draft.random, kCardTypes));
    json.field("network", network.name).field("auth_code", drawn_digits(draft.random, "AUTH", 6).view());
}

void append_direct_debit(const B2bDraft& draft) {
    JsonWriter& json = draft.json;
    const ShortText mandate = drawn_hex(draft.random, "MNDT", 8);
    append_references(json, {{"mandate_id", mandate}, {"transaction_id", draft.transaction_id}});
    append_remittance(json, {.purpose = "RECURRING"});
    json.key("type_specific_data").begin_object().field("scheme_type", "SEPA_DIRECT_DEBIT");
    json.field("recurring_type", "RCUR").end_object();
    begin_regulatory(json, {{"mandate_check", "VALID"}});
    json.end_object();
    append_metadata(json, "DD_SYSTEM", "COLLECTIONS");
    const Instant signed_at = draft.at - days(draft.random.between(30, 1'000));
    json.field("scheme_type", "SEPA_DIRECT_DEBIT").field("mandate_id", mandate.view());
    json.field("date_of_signature", date(signed_at).view()).key("max_amount").raw("5000.0");
    json.field("frequency", "MONTHLY").field("sequence_type", "RCUR");
    json.field("collection_date", date(draft.at + days(draft.random.between(1, 30))).view());
    json.field("creditor_id", drawn_hex(draft.random, "CRED", 8).view());
}

void append_standing_order(const B2bDraft& draft) {
    JsonWriter& json = draft.json;
    append_references(
        json, {{"standing_order_id", drawn_hex(draft.random, "SO", 8)}, {"transaction_id", draft.transaction_id}});
    append_remittance(json, {.purpose = "RECURRING"});
    json.key("type_specific_data").begin_object().field("frequency", "MONTHLY").field("execution_day", 15).end_object();
    begin_regulatory(json, {});
    json.end_object();
    append_metadata(json, "SO_SYSTEM", "RECURRING_PAYMENTS");
    json.field("frequency", "MONTHLY").field("execution_day", 15);
    json.field("start_date", date(draft.at).view()).field("end_date", date(draft.at + days(365)).view());
    json.field("next_execution", date(draft.at + days(30)).view());
    json.field("previous_execution", date(draft.at - days(30)).view()).field("last_execution_status", "SUCCESS");
}

void append_p2p(const B2bDraft& draft) {
    static constexpr std::array<std::string_view, 5> kMessages = {"Thanks for lunch", "My share of the rent",
                                                                  "Tickets for Friday", "Happy birthday",
                                                                  "As we agreed on the phone"};
    JsonWriter& json = draft.json;
    const std::string_view message = pick(draft.random, kMessages);
    append_references(json, {{"transaction_id", draft.transaction_id}});
    append_remittance(json, {.type = "UNSTRUCTURED", .description = message});
    json.key("type_specific_data").begin_object().field("service_provider", "ZELLE");
    json.field("service_type", "INSTANT").end_object();
    begin_regulatory(json, {{"fraud_check"}});
    json.end_object();
    append_metadata(json, "P2P_SYSTEM", "DIGITAL_PAYMENTS");
    json.field("service_provider", "ZELLE").field("service_type", "INSTANT").field("purpose", "PAYMENT");
    json.field("message", message).field("device_id", drawn_hex(draft.random, "DEV", 8).view());
    json.field("risk_score", draft.random.between(0, 100));
}

constexpr std::array<B2bFacts, kB2bTypes> kFacts = {{
    {"ACH", "ACH-", 100'00, 1'000'000'00, false, false, append_ach},
    {"WIRE", "WIRE-", 10'000'00, 10'000'000'00, false, false, append_wire},
    {"CHECK", "CHECK-", 100'00, 50'000'00, false, false, append_check},
    {"RTP", "RTP-", 100'00, 100'000'00, false, false, append_rtp},
    {"SEPA_CREDIT_TRANSFER", "SEPA-", 100'00, 100'000'00, true, true, append_sepa},
    {"CARD_PAYMENT", "CARD-", 10'00, 5'000'00, false, false, append_card},
    {"DIRECT_DEBIT", "DD-", 10'00, 5'000'00, false, true, append_direct_debit},
    {"STANDING_ORDER", "SO-", 100'00, 5'000'00, false, false, append_standing_order},
    {"P2P", "P2P-", 10'00, 1'000'00, false, false, append_p2p},
}};

}  // namespace

const B2bFacts& facts(B2bType type) { return kFacts[static_cast<std::size_t>(type)]; }

ShortText naive_time(Instant at) {
    std::array<char, kRfc3339Size> text{};
    write_rfc3339(at, text.data());
    return ShortText({text.data(), text.size() - 1});  // without the Z
}

ShortText date(Instant at) { return ShortText(to_date(at)); }

}  // namespace nostro::generate
