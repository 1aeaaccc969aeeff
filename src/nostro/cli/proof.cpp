#include "nostro/cli/proof.hpp"

#include <fmt/format.h>

#include <fstream>
#include <iterator>

#include "nostro/base/hex.hpp"
#include "nostro/base/json_text.hpp"
#include "nostro/base/time.hpp"
#include "nostro/cli/terminal.hpp"
#include "nostro/wire/answer_json.hpp"
#include "nostro/wire/proof.hpp"

namespace nostro::cli {
namespace {

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
    if (!key_given) {
        fmt::print("No --key was given: this proves something only if the key above is one that you trust.\n");
    }
}

}  // namespace

Exit verify_proof(const Context& context, const std::string& file, const std::string& key) {
    const auto trusted = digest_from_hex(key);
    if (!key.empty() && !trusted) return fail(Exit::usage, "--key: send 64 hex digits, as `nostro keys show` prints");
    std::ifstream stream(file, std::ios::binary);
    if (!stream) return fail(Exit::usage, fmt::format("{}: cannot be read", file));
    const std::string text(std::istreambuf_iterator<char>(stream), {});
    const auto proved = check_proof(text);
    if (!proved) return fail(Exit::no, fmt::format("{}: no proof: {}", file, proved.error().what));
    for (const ProvedOutcome& each : proved->outcomes) {
        if (trusted && each.checkpoint.key != *trusted) {
            return fail(Exit::no, fmt::format("{}: no proof: checkpoint {} was signed by {}, not by the key you trust",
                                              file, each.checkpoint.seq, to_hex(each.checkpoint.key)));
        }
    }
    if (context.json) {
        print_json(*proved);
    } else {
        print_text(*proved, trusted.has_value());
    }
    return Exit::done;
}

}  // namespace nostro::cli
