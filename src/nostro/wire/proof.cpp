#include "nostro/wire/proof.hpp"

#include <fmt/format.h>

#include "nostro/base/base64.hpp"
#include "nostro/base/hex.hpp"
#include "nostro/base/sha256.hpp"
#include "nostro/base/time.hpp"
#include "nostro/wire/answer_parts.hpp"
#include "nostro/wire/checkpoint_json.hpp"

namespace nostro {
namespace {

Error wrong(std::string what) { return {ErrorCode::invalid, std::move(what)}; }

// Walks from the frame to the checkpoint: each header must hold the digest of the one before.
Result<> check_path(const EncodedFrame& frame, std::span<const std::byte> headers, const Checkpoint& checkpoint) {
    Digest digest = frame.digest;
    Seq seq = frame.header.seq;
    for (; !headers.empty(); headers = headers.subspan(kFrameHeaderBytes)) {
        const auto bytes = headers.first(kFrameHeaderBytes);
        const auto header = decode_frame_header(bytes);
        if (!header) return wrong(fmt::format("the header behind frame {}: {}", seq, header.error().what));
        if (header->seq != seq + 1 || header->previous != digest) {
            return wrong(fmt::format("the header behind frame {} does not continue it", seq));
        }
        digest = sha256(bytes);
        seq = header->seq;
    }
    if (checkpoint.seq != seq || checkpoint.digest != digest) {
        return wrong(
            fmt::format("the path ends at frame {} and not at the checkpoint's frame {}", seq, checkpoint.seq));
    }
    if (!is_genuine(checkpoint)) return wrong(fmt::format("the signature of checkpoint {} is wrong", checkpoint.seq));
    return {};
}

Result<ProvedOutcome> check_part(simdjson::dom::element json, PaymentId payment) {
    std::uint64_t index = 0;
    if (json["index"].get(index) != simdjson::SUCCESS) return wrong("it has no index");
    const auto bytes = from_base64(text_of(json, "frame"));
    if (!bytes) return wrong("the frame is no base64");
    const auto headers = from_base64(text_of(json, "headers"));
    if (!headers || headers->size() % kFrameHeaderBytes != 0) {
        return wrong(fmt::format("the headers are no base64 of {} bytes each", kFrameHeaderBytes));
    }
    simdjson::dom::element of_checkpoint;
    if (json["checkpoint"].get(of_checkpoint) != simdjson::SUCCESS) return wrong("it has no checkpoint");
    const auto checkpoint = read_checkpoint(of_checkpoint);
    if (!checkpoint) return checkpoint.error();

    // The padding is not part of the proof; zeros take its place.
    std::vector<std::byte> padded = *bytes;
    padded.resize((bytes->size() + kFrameAlign - 1) / kFrameAlign * kFrameAlign);
    const auto frame = decode_frame(padded);
    if (!frame) return wrong("the frame: " + frame.error().what);
    if (auto path = check_path(**frame, *headers, *checkpoint); !path) return path.error();

    auto decoded = std::make_shared<DecodedFrame>();
    if (auto done = decode_body(*frame, Sections::all, *decoded); !done)
        return wrong("the frame: " + done.error().what);
    const auto& outcomes = decoded->changes.outcomes;
    if (index >= outcomes.size() || outcomes[index].payment != payment) {
        return wrong(fmt::format("outcome {} of frame {} is not of this payment", index, decoded->seq()));
    }
    std::uint64_t seq = 0;
    if (json["seq"].get(seq) != simdjson::SUCCESS || seq != decoded->seq() ||
        text_of(json, "at") != to_rfc3339(decoded->time())) {
        return wrong(fmt::format("seq and at are not those of the frame, {} and {}", decoded->seq(),
                                 to_rfc3339(decoded->time())));
    }
    return ProvedOutcome{std::move(decoded), static_cast<std::uint32_t>(index), *checkpoint};
}

Place place_of(const ProvedOutcome& outcome) { return {outcome.frame->seq(), outcome.index}; }

// A record is kept once, and a payment that was quarantined is one: nothing follows on either.
bool can_begin(Event event) { return event == Event::submitted || event == Event::record_kept; }

bool can_follow(Status before, const Outcome& outcome) {
    switch (outcome.event) {
        case Event::captured:
        case Event::voided: return before == Status::held;
        case Event::approved:
        case Event::refused: return before == Status::in_review;
        case Event::expired:
            return before == (outcome.reason == Reason::review_expired ? Status::in_review : Status::held);
        default: return false;
    }
}

// As the journal has them, from the first on, with none left out in between. Of one left out at the end nothing can
// be seen.
Result<> check_order(const std::vector<ProvedOutcome>& outcomes) {
    for (std::size_t i = 1; i < outcomes.size(); ++i) {
        if (place_of(outcomes[i]) > place_of(outcomes[i - 1])) continue;
        return wrong(fmt::format("outcomes {} and {} are not in the order of the journal", i, i + 1));
    }
    if (!can_begin(outcomes.front().outcome().event)) {
        return wrong("outcome 1 is not the first of the payment: an earlier one is left out");
    }
    for (std::size_t i = 1; i < outcomes.size(); ++i) {
        const Outcome& outcome = outcomes[i].outcome();
        const Status before = outcomes[i - 1].outcome().status;
        if (outcome.origin == place_of(outcomes.front()) && can_follow(before, outcome)) continue;
        return wrong(fmt::format("outcome {}, {}, does not follow on {}: one between them is left out", i + 1,
                                 name(outcome.event), name(before)));
    }
    return {};
}

}  // namespace

void write_proof(std::string& to, PaymentId payment, std::span<const ProofPart> parts) {
    JsonWriter json(to);
    json.begin_object().field("version", 1).field("payment_id", to_hex(payment)).key("outcomes").begin_array();
    for (const ProofPart& part : parts) {
        const FrameHeader& header = part.frame->header;
        json.begin_object().field("seq", header.seq).field("index", part.index);
        json.field("at", to_rfc3339(header.time));
        json.field("frame", to_base64(part.frame->bytes().first(kFrameHeaderBytes + header.body_bytes)));
        json.field("headers", to_base64(std::span<const std::byte>(part.headers))).key("checkpoint");
        write_checkpoint(json, part.checkpoint);
        json.end_object();
    }
    json.end_array().end_object();
}

Result<ProvedPayment> check_proof(std::string_view text) {
    simdjson::dom::parser parser;
    const auto document = read_versioned(parser, simdjson::padded_string(text));
    if (!document) return document.error();
    const auto payment = payment_id_from_hex(text_of(*document, "payment_id"));
    if (!payment) return wrong("payment_id is no 32 hex digits");
    simdjson::dom::array parts;
    if ((*document)["outcomes"].get(parts) != simdjson::SUCCESS || parts.size() == 0) {
        return wrong("it has no outcomes");
    }

    ProvedPayment proved{*payment, {}};
    for (const auto part : parts) {
        auto outcome = check_part(part, *payment);
        if (!outcome) return wrong(fmt::format("outcome {}: {}", proved.outcomes.size() + 1, outcome.error().what));
        proved.outcomes.push_back(std::move(*outcome));
    }
    if (auto order = check_order(proved.outcomes); !order) return order.error();
    return proved;
}

}  // namespace nostro
