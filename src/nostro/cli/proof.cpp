#include "nostro/cli/proof.hpp"

#include <fmt/format.h>

#include <fstream>
#include <iterator>

#include "nostro/base/hex.hpp"
#include "nostro/base/json_text.hpp"
#include "nostro/base/time.hpp"
#include "nostro/cli/terminal.hpp"
#include "nostro/wire/answer_json.hpp"
#include "nostro/wire/ledger_proof.hpp"
#include "nostro/wire/proof.hpp"

namespace nostro::cli {
namespace {

void print_no_key() {
    fmt::print("No --key was given: this proves something only if the key above is one that you trust.\n");
}

void print_json(const ProvedPayment& proved) {
    std::string text;
    JsonWriter json(text);
    json.begin_object().field("proved", true).field("payment_id", to_hex(proved.payment));
    json.field("as_of", proved.as_of()).field("ended", proved.has_ended());
    json.key("outcomes").begin_array();
    for (const ProvedOutcome& each : proved.outcomes) {
        json.begin_object().field("status", name(each.outcome().status)).field("seq", each.frame->seq());
        json.field("at", to_rfc3339(each.frame->time())).field("amount", each.outcome().amount.decimal());
        json.field("currency", each.outcome().amount.currency().code()).key("checkpoint");
        write_checkpoint(json, each.checkpoint);
        json.end_object();
    }
    json.end_array().end_object();
    fmt::print("{}\n", text);
}

void print_text(const ProvedPayment& proved, bool key_given) {
    fmt::print("{}\n", coloured(Colour::green, fmt::format("payment {} is proved", to_hex(proved.payment))));
    for (const ProvedOutcome& each : proved.outcomes) {
        const Outcome& outcome = each.outcome();
        fmt::print("  {:<12} {} {}{} at {}, frame {}\n", name(outcome.status), outcome.amount.decimal(),
                   outcome.amount.currency().code(),
                   outcome.reason == Reason::none ? "" : fmt::format(", {}", name(outcome.reason)),
                   to_rfc3339(each.frame->time()), each.frame->seq());
        fmt::print("  {:<12} frame {}, signed {} by {}\n", "checkpoint", each.checkpoint.seq,
                   to_rfc3339(each.checkpoint.time), to_hex(each.checkpoint.key));
    }
    fmt::print("As of frame {}: {}\n", proved.as_of(),
               proved.has_ended() ? "the payment has ended, and nothing follows on that."
                                  : "the payment was open. What came later is not in this proof.");
    if (!key_given) print_no_key();
}

void print_json(const CheckedLedger& checked) {
    std::string text;
    JsonWriter json(text);
    json.begin_object().field("genuine", true).field("balanced", true).field("sums_proved", false).key("currencies");
    json.begin_array();
    for (const std::string& currency : checked.currencies) json.value(currency);
    json.end_array().field("as_of", checked.checkpoint.seq).key("checkpoint");
    write_checkpoint(json, checked.checkpoint);
    json.key("verified");
    if (checked.verified) {
        json.begin_object().field("at", checked.verified->at).field("first", checked.verified->first);
        json.field("last", checked.verified->last).end_object();
    } else {
        json.null();
    }
    json.end_object();
    fmt::print("{}\n", text);
}

void print_text(const CheckedLedger& checked, bool key_given) {
    const Checkpoint& checkpoint = checked.checkpoint;
    fmt::print("{}\n", coloured(Colour::green, fmt::format("the checkpoint of frame {} is genuine", checkpoint.seq)));
    fmt::print("  {:<12} {} by {}\n", "signed", to_rfc3339(checkpoint.time), to_hex(checkpoint.key));
    fmt::print(
        "  {:<12} {}\n", "sums",
        checked.currencies.empty() ? "no account" : fmt::format("zero in {}", fmt::join(checked.currencies, ", ")));
    fmt::print("  {:<12} {}\n", "verified",
               checked.verified ? fmt::format("frames {} to {} at {}, says the service", checked.verified->first,
                                              checked.verified->last, checked.verified->at)
                                : "never, says the service");
    fmt::print(
        "Not proved: that the sums are those of the journal. Signed is the journal up to frame {}, by its digest\n"
        "{}; `nostro verify --data` proves the books of a copy that has it.\n",
        checkpoint.seq, to_hex(checkpoint.digest));
    if (!key_given) print_no_key();
}

// What was wrong; empty: nothing.
std::string distrust(const Checkpoint& checkpoint, const std::optional<Digest>& trusted) {
    if (!trusted || checkpoint.key == *trusted) return {};
    return fmt::format("checkpoint {} was signed by {}, not by the key you trust", checkpoint.seq,
                       to_hex(checkpoint.key));
}

Exit refuse(const std::string& file, const std::string& what) {
    return fail(Exit::no, fmt::format("{}: no proof: {}", file, what));
}

template <class Checked>
Exit print(const Context& context, const Checked& checked, bool key_given) {
    if (context.json) {
        print_json(checked);
    } else {
        print_text(checked, key_given);
    }
    return Exit::done;
}

}  // namespace

Exit verify_proof(const Context& context, const std::string& file, const std::string& key) {
    const auto trusted = digest_from_hex(key);
    if (!key.empty() && !trusted) return fail(Exit::usage, "--key: send 64 hex digits, as `nostro keys show` prints");
    std::ifstream stream(file, std::ios::binary);
    if (!stream) return fail(Exit::usage, fmt::format("{}: cannot be read", file));
    const std::string text(std::istreambuf_iterator<char>(stream), {});
    if (is_ledger_proof(text)) {
        const auto checked = check_ledger_proof(text);
        if (!checked) return refuse(file, checked.error().what);
        if (const auto why = distrust(checked->checkpoint, trusted); !why.empty()) return refuse(file, why);
        return print(context, *checked, trusted.has_value());
    }
    const auto proved = check_proof(text);
    if (!proved) return refuse(file, proved.error().what);
    for (const ProvedOutcome& each : proved->outcomes) {
        if (const auto why = distrust(each.checkpoint, trusted); !why.empty()) return refuse(file, why);
    }
    return print(context, *proved, trusted.has_value());
}

}  // namespace nostro::cli
