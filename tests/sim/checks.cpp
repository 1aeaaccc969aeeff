#include "tests/sim/checks.hpp"

#include <algorithm>
#include <string>

namespace nostro::sim {

Result<Seq> Archive::next() { return frames_.size() + 1; }

Result<> Archive::project(std::span<const DecodedPtr> frames) {
    if (stalled_) return Error{ErrorCode::unavailable, "stalled"};
    for (const DecodedPtr& frame : frames) {
        EXPECT_EQ(frame->seq(), frames_.size() + 1) << "a frame is missing, or came twice";
        const auto installed = standby_.install(frame->seq(), frame->time(), frame->changes);
        EXPECT_TRUE(installed) << (installed ? "" : installed.error().what);
        EXPECT_TRUE(standby_.is_balanced());
        const auto decided = digests_.find({frame->frame->header.nonce, frame->seq()});
        EXPECT_NE(decided, digests_.end());
        if (decided != digests_.end()) {
            EXPECT_EQ(standby_.digest(), decided->second) << "the standby differs after frame " << frame->seq();
        }
        check_cursors(*frame);
        frames_.push_back(frame);
    }
    return {};
}

// Sources are read on from where the frame before stood, and never again.
void Archive::check_cursors(const DecodedFrame& frame) const {
    const std::vector<Cursor> before = frames_.empty() ? std::vector<Cursor>() : frames_.back()->last;
    EXPECT_EQ(frame.first, before) << "frame " << frame.seq() << " does not go on where the sources stood";
    for (const Cursor& was : before) {
        const auto is = std::find_if(frame.last.begin(), frame.last.end(), [&](const Cursor& each) {
            return each.source == was.source && each.part == was.part;
        });
        EXPECT_TRUE(is != frame.last.end() && is->next >= was.next) << "a source went back in frame " << frame.seq();
    }
    // What it brought and how far it has been read stand in the same frame.
    const std::uint64_t read_to = frame.last.empty() ? 0 : frame.last.front().next;
    for (const KnownImage& known : frame.changes.known) {
        const auto found = std::find_if(of_source_.begin(), of_source_.end(),
                                        [&](const Command& command) { return command.id == known.id; });
        if (found == of_source_.end()) continue;
        EXPECT_LT(static_cast<std::uint64_t>(found - of_source_.begin()), read_to)
            << "frame " << frame.seq() << " has what a source brought, and not that it was read";
    }
}

Ledger::Ledger(const std::vector<DecodedPtr>& frames, Model& model) : frames_(frames), model_(model) {
    for (const DecodedPtr& frame : frames) {
        if (testing::Test::HasFailure()) return;  // what follows from a mistake is none
        model.take(*frame);
        for (std::uint32_t i = 0; i < frame->changes.outcomes.size(); ++i) take(*frame, i);
    }
}

void Ledger::take(const DecodedFrame& frame, std::uint32_t index) {
    const Outcome& outcome = frame.changes.outcomes[index];
    if (!is_of_payment(outcome.event)) return;
    events_.push_back({frame.seq(), index});
    if (outcome.event == Event::submitted) {
        EXPECT_EQ(++submitted_[outcome.payment], 1) << "a payment was decided twice";
    } else {
        const auto before = last_.find(outcome.payment);
        ASSERT_NE(before, last_.end()) << "a follow-up of nothing";
        EXPECT_TRUE(is_open(before->second.status)) << "a terminal state changed";
    }
    last_[outcome.payment] = outcome;
}

void Ledger::check_receipt(const ToldReceipt& told) const {
    switch (told.receipt.answer.kind) {
        case Answer::Kind::recorded: return check_recorded(told);
        case Answer::Kind::replayed: return check_replayed(told);
        case Answer::Kind::refused: return check_refused(told);
        case Answer::Kind::reused: break;
    }
    const Model::Known* known = model_.known(told.command.id);
    ASSERT_NE(known, nullptr) << "reused, though nobody used it";
    EXPECT_NE(known->meaning, told.command.meaning) << "reused, though it means the same";
}

void Ledger::check_recorded(const ToldReceipt& told) const {
    const Receipt& receipt = told.receipt;
    ASSERT_LE(receipt.place.seq, frames_.size()) << "told, and not in the journal";
    EXPECT_LE(receipt.place.seq, told.told_after) << "told before it was accepted";
    EXPECT_GT(receipt.place.seq, told.asked_after);
    const DecodedPtr& frame = frames_[receipt.place.seq - 1];
    ASSERT_LT(receipt.place.index, frame->changes.outcomes.size()) << "told, and not in the journal";
    const Outcome& outcome = frame->changes.outcomes[receipt.place.index];
    EXPECT_EQ(outcome.payment, receipt.payment);
    EXPECT_EQ(outcome.status, receipt.status);
    EXPECT_EQ(outcome.reason, receipt.reason);
    EXPECT_EQ(outcome.accepted_at, receipt.accepted_at);
    EXPECT_EQ(outcome.item, told.item);
    if (told.command.id.empty()) return;
    const Model::Known* known = model_.known(told.command.id);
    ASSERT_NE(known, nullptr) << "told, and its id is not spent";
    EXPECT_EQ(known->place, (Place{receipt.place.seq, receipt.place.index - told.item}));
    EXPECT_EQ(known->meaning, told.command.meaning);
}

void Ledger::check_replayed(const ToldReceipt& told) const {
    const Place first = told.receipt.answer.first;
    if (const Model::Known* known = model_.known(told.command.id)) {
        EXPECT_EQ(known->meaning, told.command.meaning) << "another request's answer was told";
        EXPECT_EQ(first, (Place{known->place.seq, known->place.index + told.item}));
        EXPECT_LE(first.seq, told.told_after) << "told before it was accepted";
        return;
    }
    // Known by what it says: a review that was decided so before, an account opened alike.
    if (const auto* review = std::get_if<DecideReview>(&told.command.body)) {
        const Place* submitted = model_.submitted(review->payment);
        ASSERT_NE(submitted, nullptr);
        EXPECT_EQ(first, *submitted);
        return;
    }
    const auto* open = std::get_if<OpenAccount>(&told.command.body);
    ASSERT_NE(open, nullptr) << "replayed, though it was never played";
    const Place* opened = model_.opened(open->id);
    ASSERT_NE(opened, nullptr);
    EXPECT_LE(opened->seq, told.told_after);
}

void Ledger::check_refused(const ToldReceipt& told) const {
    const Command& command = told.command;
    const Reason reason = told.receipt.answer.reason;
    const Model::Known* known = model_.known(command.id);
    EXPECT_TRUE(known == nullptr || known->place.seq > told.asked_after)
        << "refused (" << name(reason) << "), though its id was spent";
    PaymentId payment;
    if (const auto* capture = std::get_if<CapturePayment>(&command.body)) payment = capture->payment;
    if (const auto* voided = std::get_if<VoidPayment>(&command.body)) payment = voided->payment;
    if (reason == Reason::not_open && !payment.empty()) {
        EXPECT_FALSE(model_.was_held_throughout(payment, told.asked_after, told.told_after, told.told_at))
            << "not open, though it was";
    }
    if (const auto* review = std::get_if<DecideReview>(&command.body)) payment = review->payment;
    if (reason == Reason::not_found && !payment.empty()) {
        const Place* submitted = model_.submitted(payment);
        EXPECT_TRUE(submitted == nullptr || submitted->seq > told.asked_after) << "not found, though it was there";
    }
    if (const auto* change = std::get_if<ChangeAccount>(&command.body); change && reason == Reason::not_found) {
        const Place* opened = model_.opened(change->id);
        EXPECT_TRUE(opened == nullptr || opened->seq > told.asked_after) << "not found, though it was there";
    }
    const auto* submit = std::get_if<SubmitPayment>(&command.body);
    if (submit != nullptr && reason == Reason::hold_expired) {
        EXPECT_TRUE(submit->payment.expires_at != Instant{} && submit->payment.expires_at <= told.told_at);
    } else if (submit != nullptr) {
        ADD_FAILURE() << "a payment has no outcome: " << name(reason);
    }
}

void Ledger::check_balance(const ToldBalance& told) const {
    ASSERT_LE(told.as_of, frames_.size());
    std::optional<AccountImage> image;
    for (Seq seq = told.as_of; seq > 0 && !image; --seq) {
        for (const AccountImage& each : frames_[seq - 1]->changes.accounts) {
            if (each.id == told.account) image = each;
        }
    }
    EXPECT_EQ(image, told.image) << "a balance that was told is not that of frame " << told.as_of;
}

void Ledger::check_submitted_once(PaymentId id) const {
    const auto found = submitted_.find(id);
    EXPECT_TRUE(found != submitted_.end() && found->second == 1) << "lost or doubled on its way from a source";
}

}  // namespace nostro::sim
