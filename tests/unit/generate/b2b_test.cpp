#include "nostro/generate/b2b.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cstdlib>
#include <map>
#include <set>
#include <string>
#include <unordered_set>

#include "nostro/base/hex.hpp"
#include "nostro/base/sha256.hpp"
#include "nostro/base/time.hpp"
#include "tests/unit/generate/json_shape.hpp"

namespace nostro::generate {
namespace {

const Instant kAt = parse_rfc3339("2026-01-05T09:30:00.25Z").value();  // a Monday

B2bType type_of(std::size_t number) { return static_cast<B2bType>(number); }

std::string file_of(B2bOptions options, std::uint64_t count) {
    options.ordered = count;
    B2bGenerator generator(options);
    std::string text;
    for (std::uint64_t i = 0; i < count; ++i) {
        generator.append(text, kAt + std::chrono::milliseconds(200 * i));
        text += '\n';
    }
    return text;
}

// A released generator never changes for a seed: people compare runs by it.
TEST(B2bGeneratorTest, GivesTheSameBytesForASeedOnEveryMachine) {
    EXPECT_EQ(to_hex(sha256(file_of({.seed = 1}, 1'800))),
              "d7eb9619f87f6c48b690cf939b9710d17c3a41997e79f7b53e1d8d6d0914fb18");
    EXPECT_EQ(to_hex(sha256(file_of({.seed = 1, .realistic = true}, 1'800))),
              "73c8d1e7e0293e25195de855abe36487ddd41fe0560104b98be2b09b0b98828c");
    EXPECT_NE(file_of({.seed = 1}, 1), file_of({.seed = 2}, 1));
}

// What is common to all, with the places that differ by type left open.
struct Shape {
    std::string_view id, type, currency;
    std::string_view references, remittance, specific, checks, reporting, metadata, members;
};

constexpr std::string_view kAml = R"("aml_check":"CLEARED")";
const std::array<Shape, kB2bTypes> kShapes = {{
    {"ACH", "ACH", "USD", R"("end_to_end_id":"~E2E[0-9A-F]{8}","transaction_id":"~TXN[0-9A-F]{8}")",
     R"("type":"STRUCTURED","purpose":"SUPP","description":"~Invoice [0-9]{6}")",
     R"("sec_code":"~CCD|CTX|PPD","batch_data":{},"addenda":[])", kAml, "",
     R"("PAYMENT_SYSTEM","business_unit":"TREASURY")",
     R"("sec_code":"~CCD|CTX|PPD","batch_id":"~BATCH[0-9A-F]{8}",
        "addenda":{"type_code":"05","payment_related_info":"~Invoice [0-9]{6}"})"},
    {"WIRE", "WIRE", "USD", R"("sender_reference":"~REF[0-9A-F]{8}","beneficiary_reference":"~BREF[0-9A-F]{8}")",
     R"("type":"STRUCTURED","purpose":"TRADE")", R"("message_type":"MT103","charges_instruction":"~OUR|BEN|SHA")",
     R"("aml_check":"CLEARED","ofac_check":"CLEARED")", "", R"("WIRE_SYSTEM","business_unit":"TREASURY")",
     R"("wire_type":"~DOMESTIC|INTERNATIONAL","message_type":"MT103","intermediary_bank":null,
        "charges":{"type":"~OUR|BEN|SHA","amount":45.0})"},
    {"CHECK", "CHECK", "USD", R"("check_number":"~[1-9][0-9]{3}","transaction_id":"~TXN[0-9A-F]{8}")",
     R"("type":"STRUCTURED","purpose":"SUPP","description":"~.{4,50}")",
     R"("check_type":"BUSINESS","presentation_type":"~PAPER|IMAGE","capture_type":"REMOTE_DEPOSIT")", kAml, "",
     R"("CHECK_SYSTEM","business_unit":"TREASURY")",
     R"("check_number":"~[1-9][0-9]{3}","check_type":"BUSINESS","presentation_type":"~PAPER|IMAGE","memo":"~.{4,50}",
        "image_data":null)"},
    {"RTP", "RTP", "USD", R"("end_to_end_id":"~E2E[0-9A-F]{8}","transaction_id":"~TXN[0-9A-F]{8}")",
     R"("type":"STRUCTURED","purpose":"~SALA|SUPP|TRAD","description":"~.{4,50}")",
     R"("clearing_system":"TCH_RTP","settlement_method":"INSTANT","processing_mode":"REAL_TIME")", kAml, "",
     R"("RTP_SYSTEM","business_unit":"PAYMENTS")",
     R"("clearing_system":"TCH_RTP","settlement_method":"INSTANT",
        "confirmation":{"confirmation_id":"~CONF[0-9A-F]{8}","confirmation_timestamp":"~2026-01-05T09:30:0[1-5].250000",
                        "settlement_confirmation":"~TCH[0-9A-F]{10}"},
        "timing":{"submission_timestamp":"2026-01-05T09:30:00.250000",
                  "settlement_timestamp":"~2026-01-05T09:30:0[1-5].250000",
                  "expiry_timestamp":"2026-01-05T09:35:00.250000"})"},
    {"SEPA", "SEPA_CREDIT_TRANSFER", "EUR", R"("end_to_end_id":"~E2E[0-9A-F]{8}","instruction_id":"~INST[0-9A-F]{8}")",
     R"("type":"STRUCTURED","purpose":"SUPP","creditor_reference":"~RF[0-9]{8}")",
     R"("scheme":"SCT_INST","service_level":"SEPA","local_instrument":"INST")", kAml,
     R"(,"reporting":{"authority_name":"EUROPEAN_CENTRAL_BANK","details":"STATISTICAL_REPORTING"})",
     R"("SEPA_SYSTEM","business_unit":"EUROPEAN_PAYMENTS")",
     R"("scheme":"SCT_INST","instruction_id":"~INST[0-9A-F]{8}","service_level":"SEPA","local_instrument":"INST",
        "category_purpose":"SUPP")"},
    {"CARD", "CARD_PAYMENT", "USD", R"("transaction_id":"~TXN[0-9A-F]{8}")",
     R"("type":"STRUCTURED","purpose":"RETAIL")",
     R"("card_present":true,"entry_mode":"~CHIP|CONTACTLESS|MANUAL","auth_type":"ONLINE")",
     R"("fraud_check":"CLEARED")", "", R"("CARD_SYSTEM","business_unit":"MERCHANT_SERVICES")",
     R"("card_present":true,"entry_mode":"~CHIP|CONTACTLESS|MANUAL","terminal_id":"~TERM[0-9]{6}",
        "merchant_id":"~MERCH[0-9]{6}","pan_last_4":"~[0-9]{4}","card_type":"~CREDIT|DEBIT",
        "network":"~VISA|MASTERCARD|AMEX","auth_code":"~AUTH[0-9]{6}")"},
    {"DD", "DIRECT_DEBIT", "USD", R"("mandate_id":"~MNDT[0-9A-F]{8}","transaction_id":"~TXN[0-9A-F]{8}")",
     R"("type":"STRUCTURED","purpose":"RECURRING")", R"("scheme_type":"SEPA_DIRECT_DEBIT","recurring_type":"RCUR")",
     R"("mandate_check":"VALID")", "", R"("DD_SYSTEM","business_unit":"COLLECTIONS")",
     R"("scheme_type":"SEPA_DIRECT_DEBIT","mandate_id":"~MNDT[0-9A-F]{8}","date_of_signature":"~202[2-5]-[0-9]{2}-[0-9]{2}",
        "max_amount":5000.0,"frequency":"MONTHLY","sequence_type":"RCUR",
        "collection_date":"~2026-01-(0[6-9]|[12][0-9]|3[01])|2026-02-0[1-4]","creditor_id":"~CRED[0-9A-F]{8}")"},
    {"SO", "STANDING_ORDER", "USD", R"("standing_order_id":"~SO[0-9A-F]{8}","transaction_id":"~TXN[0-9A-F]{8}")",
     R"("type":"STRUCTURED","purpose":"RECURRING")", R"("frequency":"MONTHLY","execution_day":15)", "", "",
     R"("SO_SYSTEM","business_unit":"RECURRING_PAYMENTS")",
     R"("frequency":"MONTHLY","execution_day":15,"start_date":"2026-01-05","end_date":"2027-01-05",
        "next_execution":"2026-02-04","previous_execution":"2025-12-06","last_execution_status":"SUCCESS")"},
    {"P2P", "P2P", "USD", R"("transaction_id":"~TXN[0-9A-F]{8}")", R"("type":"UNSTRUCTURED","description":"~.{4,50}")",
     R"("service_provider":"ZELLE","service_type":"INSTANT")", R"("fraud_check":"CLEARED")", "",
     R"("P2P_SYSTEM","business_unit":"DIGITAL_PAYMENTS")",
     R"("service_provider":"ZELLE","service_type":"INSTANT","purpose":"PAYMENT","message":"~.{4,50}",
        "device_id":"~DEV[0-9A-F]{8}","risk_score":"#0..100")"},
}};

constexpr std::string_view kParty =
    R"({"party_type":"CORPORATE","party_id":"~CUST[0-9A-F]{8}","name":"~[A-Za-z ]{5,60}",
    "account_info":{"account_id":"~ACC[0-9]{10}","account_type":"~CHECKING|SAVINGS","routing_info":)";
constexpr std::string_view kAmerican = R"({"type":"ABA","value":"~[0-9]{9}"}},
    "contact_info":{"address":{"street":"~[0-9]+ [A-Za-z ]+","city":"~[A-Za-z ]+","state":"~[A-Z]{2}",
                               "postal_code":"~[0-9]{5}","country":"US"},)";
constexpr std::string_view kEuropean = R"({"type":"IBAN","value":"~[A-Z]{2}[0-9]{18,20}"}},
    "contact_info":{"address":{"street":"~[0-9]+ [A-Za-z ]+","city":"~[A-Za-z ]+","state":"~[A-Z]{1,2}",
                               "postal_code":"~[0-9]{4,5}","country":"~DE|AT|LU"},)";
constexpr std::string_view kElectronic =
    R"("electronic":{"email":"~[a-z-]+@[a-z-]+\\.example","phone":"~[+][0-9-]+"}}})";

std::string party_shape(bool european) {
    return std::string(kParty).append(european ? kEuropean : kAmerican).append(kElectronic);
}

std::string shape_of(const Shape& of, std::string_view currency, bool european_from, bool european_to) {
    std::string text = R"({"payment_id":"~)" + std::string(of.id) + R"(-[0-9A-F]{8}","payment_type":")";
    text.append(of.type).append(R"(","version":"1.0","created_at":"2026-01-05T09:30:00.250000",
        "updated_at":"2026-01-05T09:30:00.250000","status":"~RECEIVED|PROCESSING|COMPLETED|FAILED|PENDING|VALIDATED",
        "amount":{"value":"$","currency":")");
    text.append(currency).append(R"(","exchange_info":null},"originator":)").append(party_shape(european_from));
    text.append(R"(,"beneficiary":)").append(party_shape(european_to));
    text.append(R"(,"processing":{"priority":"~HIGH|NORMAL|LOW","processing_window":"~SAME_DAY|NEXT_DAY",
        "submission_date":"2026-01-05","effective_date":"~2026-01-0[5-7]","settlement_date":"~2026-01-0[5-8]",
        "status_tracking":{"current_status":"~[A-Z]+","status_history":[]}},"references":{)");
    text.append(of.references).append(R"(},"remittance_info":{)").append(of.remittance);
    text.append(R"(},"type_specific_data":{)").append(of.specific);
    text.append(R"(},"regulatory":{"compliance_checks":{"sanctions_check":"CLEARED")");
    if (!of.checks.empty()) text.append(",").append(of.checks);
    text.append("}").append(of.reporting).append(R"(},"metadata":{"source_system":)").append(of.metadata);
    return text.append("},").append(of.members).append("}");
}

TEST(B2bGeneratorTest, EveryTypeHasItsMembersInTheirOrder) {
    B2bGenerator generator({.seed = 3});
    for (std::size_t type = 0; type < kB2bTypes; ++type) {
        const std::string shape = shape_of(kShapes[type], kShapes[type].currency, false, false);
        for (int i = 0; i < 60; ++i) {
            std::string text;
            generator.append(text, type_of(type), kAt);
            EXPECT_EQ(difference(text, shape), "") << text;
        }
    }
}

TEST(B2bGeneratorTest, RealisticSepaPaymentsFlowInEuroAndWiresGoAbroad) {
    B2bGenerator generator({.seed = 3, .realistic = true});
    for (std::size_t type = 0; type < kB2bTypes; ++type) {
        const bool sepa = type_of(type) == B2bType::sepa || type_of(type) == B2bType::direct_debit;
        const std::string_view currency = sepa ? "EUR" : "USD";
        for (int i = 0; i < 60; ++i) {
            std::string text;
            generator.append(text, type_of(type), kAt);
            const bool abroad = text.find(R"("wire_type":"INTERNATIONAL")") != std::string::npos;
            EXPECT_EQ(difference(text, shape_of(kShapes[type], currency, sepa, sepa || abroad)), "") << text;
        }
    }
}

// Whatever a document says twice.
TEST(B2bGeneratorTest, WhatIsSaidTwiceAgrees) {
    struct Twice {
        B2bType type;
        std::string_view one, other;
    };
    constexpr auto kTwice = std::to_array<Twice>({
        {B2bType::ach, "/sec_code", "/type_specific_data/sec_code"},
        {B2bType::ach, "/addenda/payment_related_info", "/remittance_info/description"},
        {B2bType::wire, "/charges/type", "/type_specific_data/charges_instruction"},
        {B2bType::wire, "/message_type", "/type_specific_data/message_type"},
        {B2bType::check, "/check_number", "/references/check_number"},
        {B2bType::check, "/presentation_type", "/type_specific_data/presentation_type"},
        {B2bType::check, "/memo", "/remittance_info/description"},
        {B2bType::rtp, "/confirmation/confirmation_timestamp", "/timing/settlement_timestamp"},
        {B2bType::rtp, "/timing/submission_timestamp", "/created_at"},
        {B2bType::sepa, "/instruction_id", "/references/instruction_id"},
        {B2bType::card, "/entry_mode", "/type_specific_data/entry_mode"},
        {B2bType::direct_debit, "/mandate_id", "/references/mandate_id"},
        {B2bType::direct_debit, "/scheme_type", "/type_specific_data/scheme_type"},
        {B2bType::p2p, "/message", "/remittance_info/description"},
    });
    for (const bool realistic : {false, true}) {
        B2bGenerator generator({.seed = 6, .realistic = realistic});
        for (const Twice& twice : kTwice) {
            for (int i = 0; i < 20; ++i) {
                std::string text;
                generator.append(text, twice.type, kAt);
                const Document document(text);
                EXPECT_EQ(document.text(twice.one), document.text(twice.other)) << text;
                EXPECT_EQ(document.text("/status"), document.text("/processing/status_tracking/current_status"));
            }
        }
    }
}

TEST(B2bGeneratorTest, AmountsAndStatusesAreUniformAndNoIdComesTwice) {
    constexpr std::array<std::pair<std::int64_t, std::int64_t>, kB2bTypes> kBounds = {{{100'00, 1'000'000'00},
                                                                                       {10'000'00, 10'000'000'00},
                                                                                       {100'00, 50'000'00},
                                                                                       {100'00, 100'000'00},
                                                                                       {100'00, 100'000'00},
                                                                                       {10'00, 5'000'00},
                                                                                       {10'00, 5'000'00},
                                                                                       {100'00, 5'000'00},
                                                                                       {10'00, 1'000'00}}};
    constexpr int kEach = 6'000;
    B2bGenerator generator({.seed = 9});
    std::unordered_set<std::string> ids, transactions;
    std::map<std::string_view, int> statuses;
    std::string text;
    for (std::size_t type = 0; type < kB2bTypes; ++type) {
        const auto [least, most] = kBounds[type];
        Tally tally;
        for (int i = 0; i < kEach; ++i) {
            text.clear();
            const Made made = generator.append(text, type_of(type), kAt);
            EXPECT_NE(text.find("\"amount\":{\"value\":" + made.amount.decimal() + ",\"currency\""), std::string::npos);
            tally.add(made);
            ++statuses[made.status];
            ids.insert(text.substr(text.find('-') + 1, 8));
            const auto at = text.find("\"transaction_id\":\"");
            if (at != std::string::npos) transactions.insert(text.substr(at + 18, 11));
        }
        const auto& amounts = tally.by_type()[0];
        EXPECT_EQ(amounts.type, name(type_of(type)));
        EXPECT_GE(amounts.least_minor, least);
        EXPECT_LE(amounts.most_minor, most);
        EXPECT_LT(amounts.least_minor, least + (most - least) / 200) << "near its lower end";
        EXPECT_GT(amounts.most_minor, most - (most - least) / 200) << "near its upper end";
        EXPECT_LT(std::abs(amounts.mean_minor() - (least + most) / 2), (most - least) / 50) << amounts.type;
    }
    EXPECT_EQ(ids.size(), kB2bTypes * kEach) << "also without the type";
    EXPECT_EQ(transactions.size(), 7u * kEach) << "wires and SEPA payments have none";
    EXPECT_EQ(statuses.size(), 6u);
    for (const auto& [status, count] : statuses) EXPECT_NEAR(count, 1.5 * kEach, 400) << status;
}

// Else a service would take one for a retry of the other.
TEST(B2bGeneratorTest, OtherOptionsGiveOtherIds) {
    const auto options = std::to_array<B2bOptions>({{.seed = 1},
                                                    {.seed = 2},
                                                    {.seed = 1, .customers = 999},
                                                    {.seed = 1, .realistic = true},
                                                    {.seed = 1, .ordered = 400},
                                                    {.seed = 1, .ordered = 401},
                                                    {.seed = 1, .start = kAt}});
    std::unordered_set<std::string> ids;
    for (const B2bOptions& each : options) {
        B2bGenerator generator(each);
        for (int i = 0; i < 400; ++i) {
            std::string text;
            generator.append(text, kAt);
            ids.insert(Document(text).text("/payment_id"));
        }
    }
    EXPECT_EQ(ids.size(), options.size() * 400);
}

TEST(B2bGeneratorTest, EverybodyPaysAndNobodyThemselves) {
    for (const bool realistic : {false, true}) {
        B2bGenerator generator({.seed = 2, .customers = 20, .realistic = realistic});
        std::set<std::string> payers, payees, types;
        for (int i = 0; i < 2'000; ++i) {
            std::string text;
            types.insert(std::string(generator.append(text, kAt).type));
            const Document document(text);
            EXPECT_NE(document.text("/originator/party_id"), document.text("/beneficiary/party_id"));
            payers.insert(document.text("/originator/party_id"));
            payees.insert(document.text("/beneficiary/party_id"));
        }
        EXPECT_EQ(payers.size(), 20u);
        EXPECT_EQ(payees.size(), 20u);
        EXPECT_EQ(types.size(), kB2bTypes);
    }
}

TEST(B2bGeneratorTest, AFileHasAsManyOfEachTypeInTheirOrder) {
    for (const std::uint64_t count : {1u, 8u, 9u, 13u, 90u, 1'000u}) {
        std::map<B2bType, std::uint64_t> counts;
        B2bType last = B2bType::ach;
        for (std::uint64_t at = 0; at < count; ++at) {
            const B2bType type = b2b_type_in_file(at, count);
            EXPECT_GE(type, last);
            last = type;
            ++counts[type];
        }
        for (std::size_t type = 0; type < kB2bTypes; ++type) {
            EXPECT_EQ(counts[type_of(type)], count / kB2bTypes + (type < count % kB2bTypes ? 1 : 0)) << count;
        }
    }
}

// Check digits as the standards explain them to people: by long division of the whole number, digit by digit.
int remainder_of_97(const std::string& text) {
    std::string number;
    for (const char c : text) number += c >= 'A' ? std::to_string(c - 'A' + 10) : std::string(1, c);
    int remainder = 0;
    for (const char digit : number) remainder = (remainder * 10 + (digit - '0')) % 97;
    return remainder;
}

bool checks_out(const std::string& iban_or_reference) {
    return remainder_of_97(iban_or_reference.substr(4) + iban_or_reference.substr(0, 4)) == 1;
}

bool routes(const std::string& aba) {
    const auto digit = [&](std::size_t at) { return aba[at] - '0'; };
    const int sum =
        3 * (digit(0) + digit(3) + digit(6)) + 7 * (digit(1) + digit(4) + digit(7)) + digit(2) + digit(5) + digit(8);
    const int district = digit(0) * 10 + digit(1);
    return sum % 10 == 0 && district >= 1 && district <= 12;
}

TEST(B2bGeneratorTest, TheCodeBelowKnowsPublishedNumbers) {
    for (const char* valid : {"GB82WEST12345698765432", "DE89370400440532013000", "RF18539007547034", "RF6518K5"}) {
        EXPECT_TRUE(checks_out(valid)) << valid;
    }
    for (const char* invalid : {"GB82WEST12345698765433", "RF18539007547035"}) EXPECT_FALSE(checks_out(invalid));
    EXPECT_TRUE(routes("021000021") && routes("026009593"));
    EXPECT_FALSE(routes("021000022") || routes("123456789"));
}

TEST(B2bGeneratorTest, RealisticNumbersHaveValidCheckDigits) {
    B2bGenerator generator({.seed = 5, .realistic = true});
    int references = 0, ibans = 0, routing_numbers = 0;
    for (int i = 0; i < 5'000; ++i) {
        std::string text;
        const Made made = generator.append(text, kAt);
        const Document document(text);
        if (made.type == "SEPA_CREDIT_TRANSFER") {
            EXPECT_TRUE(checks_out(document.text("/remittance_info/creditor_reference"))) << text;
            ++references;
        }
        for (const std::string side : {"/originator", "/beneficiary"}) {
            const std::string number = document.text(side + "/account_info/routing_info/value");
            if (document.text(side + "/account_info/routing_info/type") == "ABA") {
                EXPECT_TRUE(routes(number)) << number;
                ++routing_numbers;
                continue;
            }
            EXPECT_TRUE(checks_out(number)) << number;
            EXPECT_EQ(number.substr(0, 2), document.text(side + "/contact_info/address/country"));
            EXPECT_EQ("ACC" + number.substr(number.size() - 10), document.text(side + "/account_info/account_id"));
            EXPECT_EQ(number.size(), number.starts_with("DE") ? 22u : 20u) << number;
            ++ibans;
        }
    }
    EXPECT_GT(references, 300);
    EXPECT_GT(ibans, 1'000);
    EXPECT_GT(routing_numbers, 1'000);
}

TEST(B2bGeneratorTest, RealisticPaymentsSettleOnBankingDaysAfterTheirWindow) {
    B2bGenerator generator({.seed = 5, .realistic = true});
    for (int i = 0; i < 2'000; ++i) {
        std::string text;
        generator.append(text, kAt + std::chrono::days(i % 14));
        const Document document(text);
        const auto day = [&](std::string_view of) {
            return parse_date(document.text("/processing/" + std::string(of))).value();
        };
        const auto submitted = day("submission_date"), effective = day("effective_date"),
                   settled = day("settlement_date");
        for (const auto at : {effective, settled}) EXPECT_LE(std::chrono::weekday(at).iso_encoding(), 5u) << text;
        EXPECT_LE(effective, settled);
        const bool next_day = document.text("/processing/processing_window") == "NEXT_DAY";
        EXPECT_GE(effective, submitted + std::chrono::days(next_day ? 1 : 0));
        EXPECT_LE(effective, submitted + std::chrono::days(3));
        if (!next_day && std::chrono::weekday(submitted).iso_encoding() <= 5) {
            EXPECT_EQ(effective, submitted);
        }
    }
}

}  // namespace
}  // namespace nostro::generate
