#include "nostro/wire/ledger_proof.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "nostro/base/hex.hpp"
#include "nostro/domain/money.hpp"
#include "nostro/wire/checkpoint_json.hpp"

namespace nostro {
namespace {

using Element = simdjson::dom::element;

// So large sums of so many kinds of accounts stay within 128 bits.
constexpr std::size_t kTotalDigitsMax = 37, kKindsMax = 16;

Error wrong(std::string what) { return {ErrorCode::invalid, std::move(what)}; }

// As Total::decimal() writes it. Sums of many accounts may need more than the 64 bits of an amount.
std::optional<Total> parse_total(std::string_view text, Currency currency) {
    const bool is_negative = text.starts_with('-');
    if (is_negative) text.remove_prefix(1);
    const auto decimals = static_cast<std::size_t>(currency.decimals());
    const std::size_t point = decimals == 0 ? text.size() : text.size() - std::min(text.size(), decimals + 1);
    if (point == 0 || text.size() > kTotalDigitsMax) return std::nullopt;
    Total::Wide minor = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (i == point && text[i] == '.') continue;
        if (i == point || text[i] < '0' || text[i] > '9') return std::nullopt;
        minor = minor * 10 + (text[i] - '0');
    }
    return Total(is_negative ? -minor : minor);
}

Result<> check_currency(Element json, std::vector<std::string>& currencies) {
    const std::string_view code = text_of(json, "currency");
    const auto currency = Currency::parse_historic(code);
    if (!currency) return currency.error();
    if (std::ranges::find(currencies, code) != currencies.end())
        return wrong(fmt::format("the books have {} twice", code));
    simdjson::dom::array kinds;
    if (json["kinds"].get(kinds) != simdjson::SUCCESS || kinds.size() > kKindsMax)
        return wrong(fmt::format("the books in {} do not tell the kinds of accounts", code));
    Total sum;
    for (const Element kind : kinds) {
        const auto posted = parse_total(text_of(kind, "posted"), *currency);
        if (!posted) return wrong(fmt::format("posted is no amount in {}", code));
        sum += *posted;
    }
    bool is_balanced = false;
    if (!sum.is_zero() || text_of(json, "sum") != sum.decimal(*currency) ||
        json["balanced"].get(is_balanced) != simdjson::SUCCESS || !is_balanced) {
        return wrong(fmt::format("the accounts in {} sum to {}, the books say {}", code, sum.decimal(*currency),
                                 text_of(json, "sum")));
    }
    currencies.emplace_back(code);
    return {};
}

Result<> check_books(Element json, CheckedLedger& checked) {
    Seq seq = 0;
    if (json["as_of"]["seq"].get(seq) != simdjson::SUCCESS || seq != checked.checkpoint.seq) {
        return wrong(fmt::format("the books are not those of frame {}, which was signed", checked.checkpoint.seq));
    }
    simdjson::dom::array currencies;
    if (json["currencies"].get(currencies) != simdjson::SUCCESS) return wrong("the books have no currencies");
    for (const Element currency : currencies) {
        if (auto fine = check_currency(currency, checked.currencies); !fine) return fine;
    }
    bool is_balanced = false;
    if (json["balanced"].get(is_balanced) != simdjson::SUCCESS || !is_balanced) {
        return wrong("the books say that they are not balanced");
    }
    return {};
}

Result<> check_verified(Element json, CheckedLedger& checked) {
    if (json.is_null()) return {};
    CheckedLedger::Verified verified{std::string(text_of(json, "at")), 0, 0};
    const auto digest = digest_from_hex(text_of(json, "digest"));
    if (json["first"].get(verified.first) != simdjson::SUCCESS ||
        json["last"].get(verified.last) != simdjson::SUCCESS || verified.first == 0 || verified.first > verified.last ||
        !digest) {
        return wrong("verified is no report of frames and their digest");
    }
    if (verified.last == checked.checkpoint.seq && *digest != checked.checkpoint.digest) {
        return wrong(fmt::format("another journal was verified: its frame {} has another digest", verified.last));
    }
    checked.verified = std::move(verified);
    return {};
}

}  // namespace

bool is_ledger_proof(std::string_view json) {
    simdjson::dom::parser parser;
    Element document;
    if (parser.parse(simdjson::padded_string(json)).get(document) != simdjson::SUCCESS) return false;
    const auto has = [&](const char* member) { return document[member].error() == simdjson::SUCCESS; };
    return has("books") && !has("payment_id") && !has("outcomes");
}

Result<CheckedLedger> check_ledger_proof(std::string_view json) {
    simdjson::dom::parser parser;
    const auto document = read_versioned(parser, simdjson::padded_string(json));
    if (!document) return document.error();
    Element of_checkpoint, books, verified;
    if ((*document)["checkpoint"].get(of_checkpoint) != simdjson::SUCCESS) return wrong("it has no checkpoint");
    if ((*document)["books"].get(books) != simdjson::SUCCESS) return wrong("it has no books");
    if ((*document)["verified"].get(verified) != simdjson::SUCCESS) return wrong("it does not say what was verified");
    const auto checkpoint = read_checkpoint(of_checkpoint);
    if (!checkpoint) return checkpoint.error();
    if (!is_genuine(*checkpoint)) return wrong(fmt::format("the signature of checkpoint {} is wrong", checkpoint->seq));
    CheckedLedger checked{*checkpoint, {}, {}};
    if (auto fine = check_books(books, checked); !fine) return fine.error();
    if (auto fine = check_verified(verified, checked); !fine) return fine.error();
    return checked;
}

}  // namespace nostro
