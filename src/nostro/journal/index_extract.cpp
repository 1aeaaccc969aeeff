#include "nostro/journal/index_extract.hpp"

#include <optional>
#include <utility>
#include <variant>
#include <vector>

#include "nostro/ports/index_hash.hpp"
#include "nostro/wire/frame_parts.hpp"
#include "nostro/wire/outcome_facts.hpp"
#include "nostro/wire/recorded.hpp"

namespace nostro {
namespace {

// Goes up when the entries of this program are others than those of the one before.
constexpr std::uint16_t kIndexFormat = 6;

// The state that a follow-up ended; it can be told from the event alone.
std::optional<Status> state_before(const Outcome& outcome) {
    switch (outcome.event) {
        case Event::captured:
        case Event::voided: return Status::held;
        case Event::approved:
        case Event::refused: return Status::in_review;
        case Event::expired: return outcome.reason == Reason::hold_expired ? Status::held : Status::in_review;
        default: return std::nullopt;
    }
}

IndexKey status_key(const Outcome& outcome, Status status) {
    IndexKey key(IndexTag::status);
    key.u16(outcome.tenant).u16(outcome.rail).u8(static_cast<std::uint8_t>(status)).place(outcome.origin);
    return key;
}

IndexKey review_key(const Outcome& outcome) {
    IndexKey key(IndexTag::review);
    key.u16(outcome.tenant).place(outcome.origin);
    return key;
}

IndexKey later_key(Place origin, Place place) { return IndexKey(IndexTag::later).place(origin).place(place); }

const ReversePayment* reversal(const DecodedFrame& frame, const Outcome& outcome) {
    const Command* command = outcome.reverses.empty() ? nullptr : command_of(frame, outcome);
    return command == nullptr ? nullptr : std::get_if<ReversePayment>(&command->body);
}

void touch(IndexRunBuilder& run, AccountId account, Place place, int flags) {
    const char value = static_cast<char>(flags);
    run.put(IndexKey(IndexTag::account).id(account).place(place).view(), {&value, 1});
}

void extract_payment(const DecodedFrame& frame, const Outcome& outcome, Place place, IndexRunBuilder& run) {
    run.put(IndexKey(IndexTag::payment).id(outcome.payment).place(place).view());
    if (!outcome.reverses.empty()) run.put(IndexKey(IndexTag::payment).id(outcome.reverses).place(place).view());

    if (outcome.origin != place) run.put(later_key(outcome.origin, place).view());
    if (const auto* reverse = reversal(frame, outcome)) run.put(later_key(reverse->original_at, place).view());

    const bool submitted = outcome.event == Event::submitted;
    const int flags = (submitted ? Touch::kSubmitted : 0) | (moved_money(outcome) ? Touch::kPosting : 0);
    touch(run, outcome.debtor, place, flags | Touch::kDebit);
    if (outcome.creditor != outcome.debtor) touch(run, outcome.creditor, place, flags);

    if (const auto before = state_before(outcome)) run.remove(status_key(outcome, *before).view());
    run.put(status_key(outcome, outcome.status).view());
    if (outcome.status == Status::in_review) {
        run.put(review_key(outcome).view());
    } else if (state_before(outcome) == Status::in_review) {
        run.remove(review_key(outcome).view());
    }
    if (!submitted) return;
    run.count_payment();
    const Payment* payment = payment_of(frame, outcome);
    if (payment != nullptr && !payment->reference.empty()) {
        run.put(
            IndexKey(IndexTag::reference).u16(outcome.tenant).u64(index_hash(payment->reference)).place(place).view());
    }
}

void extract_account(const DecodedFrame& frame, const Outcome& outcome, Place place, IndexRunBuilder& run) {
    switch (outcome.event) {
        case Event::account_opened:
        case Event::account_changed: {
            const bool funded = !outcome.creditor.empty();
            touch(run, outcome.debtor, place, funded ? Touch::kPosting : 0);
            if (funded) touch(run, outcome.creditor, place, Touch::kPosting | Touch::kDebit);
            run.put(IndexKey(IndexTag::change).id(outcome.debtor).place(place).view());
            if (outcome.event == Event::account_changed) return;
            const IndexKey account = IndexKey(IndexTag::name).id(outcome.debtor);
            run.put(IndexKey(IndexTag::name).u16(outcome.tenant).text(opened_name(frame, outcome)).view(),
                    account.view().substr(1));
            return;
        }
        case Event::balance_adjusted: {
            const bool is_taken = outcome.amount.minor() < 0;
            touch(run, outcome.debtor, place, Touch::kPosting | (is_taken ? Touch::kDebit : 0));
            touch(run, outcome.creditor, place, Touch::kPosting | (is_taken ? 0 : Touch::kDebit));
            return;
        }
        case Event::record_kept: run.put(IndexKey(IndexTag::payment).id(outcome.payment).place(place).view()); return;
        case Event::dead_letter_kept:
            run.put(IndexKey(IndexTag::letter).place(place).view(), std::string_view("\0", 1));
            return;
        case Event::dead_letter_resolved: {
            if (outcome.command >= frame.commands.size()) return;
            const auto* resolved = std::get_if<ResolveDeadLetter>(&frame.commands[outcome.command].body);
            if (resolved == nullptr) return;
            run.put(IndexKey(IndexTag::letter).place(resolved->letter).view(), resolved->redriven ? "\1" : "\2");
            return;
        }
        default: return;
    }
}

// What profiles keep of a frame's payments and records.
class RowsOfFrame {
public:
    RowsOfFrame(const DecodedFrame& frame, const IndexRows& rows, IndexRunBuilder& run)
        : frame_(frame), rows_(rows), run_(run) {}
    void put(const Outcome& outcome, Place place) {
        if (!rows_.of) return;
        found_.clear();
        rows_.of(outcome.tenant, asked_for(command_of(frame_, outcome), outcome), found_);
        for (const IndexRow& row : found_) run_.put(row_key(row_prefix(outcome.tenant, row.group), row.row, place));
    }

private:
    const DecodedFrame& frame_;
    const IndexRows& rows_;
    IndexRunBuilder& run_;
    std::vector<IndexRow> found_;
};

void put_parts(const DecodedFrame& frame, IndexRunBuilder& run) {
    std::vector<std::byte> bytes;
    std::uint32_t number = 0;
    frame_parts(frame, [&](const FramePart& part) {
        run.put(IndexKey(IndexTag::part).place({frame.seq(), number++}).view(), encode_part(part, bytes));
    });
}

void note_number(const Outcome& outcome, std::vector<std::pair<TenantNo, std::uint64_t>>& last) {
    for (auto& [tenant, number] : last) {
        if (tenant != outcome.tenant) continue;
        number = outcome.number;
        return;
    }
    last.emplace_back(outcome.tenant, outcome.number);
}

}  // namespace

void extract_outcomes(const DecodedFrame& frame, const IndexRows& rows, IndexRunBuilder& run) {
    const auto& outcomes = frame.changes.outcomes;
    RowsOfFrame rows_of_frame(frame, rows, run);
    std::vector<std::pair<TenantNo, std::uint64_t>> last_numbers;  // tenants of a frame are few
    for (std::uint32_t i = 0; i < outcomes.size(); ++i) {
        const Outcome& outcome = outcomes[i];
        const Place place{frame.seq(), i};
        if (is_of_payment(outcome.event)) {
            extract_payment(frame, outcome, place, run);
        } else {
            extract_account(frame, outcome, place, run);
        }
        if (outcome.event != Event::submitted && outcome.event != Event::record_kept) continue;
        rows_of_frame.put(outcome, place);
        if (outcome.number != 0) note_number(outcome, last_numbers);
    }
    for (const auto& [tenant, number] : last_numbers) {
        run.put(IndexKey(IndexTag::number).u16(tenant).u64(number).u64(frame.seq()).view());
    }
    put_parts(frame, run);
    run.put(IndexKey(IndexTag::time).time(frame.time()).u64(frame.seq()).view());
}

void put_image(AccountId account, const IndexedImage& image, IndexRunBuilder& run) {
    IndexKey value(IndexTag::image);  // written as a key is; its tag is left out
    value.u64(static_cast<std::uint64_t>(image.balance)).u64(static_cast<std::uint64_t>(image.held));
    value.u16(image.tenant).u8(static_cast<std::uint8_t>(image.kind)).text(image.currency.code());
    run.put(IndexKey(IndexTag::image).id(account).view(), value.view().substr(1));
}

void put_next(const IndexNext& next, const IndexRows& rows, IndexRunBuilder& run) {
    IndexKey value(IndexTag::next);  // written as a key is; its tag is left out
    value.u64(next.seq).time(next.time).u16(kIndexFormat).u32(rows.version);
    run.put(IndexKey(IndexTag::next).view(), value.view().substr(1));
}

Result<IndexNext> read_next(std::string_view value, const IndexRows& rows) {
    constexpr std::size_t kBytes = 22, kBytesOfFirst = 16;  // the first format said nothing of itself
    const std::string mend = "; `nostro rebuild index` makes a new one";
    if (value.size() == kBytesOfFirst || (value.size() > kBytes && read_big_endian(value, 16, 2) > kIndexFormat)) {
        return Error{ErrorCode::corrupt, "query index: it is of another version of this program" + mend};
    }
    if (value.size() != kBytes) return Error{ErrorCode::corrupt, "query index: its cursor is damaged" + mend};
    if (read_big_endian(value, 16, 2) != kIndexFormat) {
        return Error{ErrorCode::corrupt, "query index: it is of another version of this program" + mend};
    }
    if (read_big_endian(value, 18, 4) != rows.version) {
        return Error{ErrorCode::corrupt, "query index: its rows are of other profiles" + mend};
    }
    const auto time = static_cast<std::int64_t>(read_big_endian(value, 8, 8));
    return IndexNext{read_big_endian(value, 0, 8), Instant(std::chrono::nanoseconds(time))};
}

// --- running sums

void IndexTotals::begin_with(AccountId account, const IndexedImage& image) {
    images_.get(account).first = image;
    Total& total = totals_[{image.tenant, image.currency, image.kind}];
    ++total.accounts;
    total.posted += image.balance;
    total.held += image.held;
}

IndexTotals::Rows IndexTotals::take(const DecodedFrame& frame) {
    Rows added;
    constexpr std::size_t kPrefetch = 12;
    const auto& images = frame.changes.accounts;
    for (std::size_t i = 0; i < images.size(); ++i) {
        if (i + kPrefetch < images.size()) images_.prefetch(images[i + kPrefetch].id);
        const AccountImage& image = images[i];
        auto [last, is_new] = images_.get(image.id);
        if (is_new) last = {0, 0, image.tenant, image.kind, image.currency, false};
        Total& total = added[{image.tenant, image.currency, image.kind}];
        total.accounts += is_new ? 1 : 0;
        total.posted += Book::KindTotal::Sum{image.balance} - last.balance;
        total.held += Book::KindTotal::Sum{image.held} - last.held;
        last.balance = image.balance;
        last.held = image.held;
        if (last.is_changed) continue;
        last.is_changed = true;
        changed_.push_back(image.id);
    }
    return added;
}

void IndexTotals::put_changed(IndexRunBuilder& run) const {
    for (const AccountId id : changed_) put_image(id, *images_.find(id), run);
}

void IndexTotals::forget_changed() {
    for (const AccountId id : changed_) images_.find(id)->is_changed = false;
    changed_ = {};  // after many accounts were opened it is large
}

void IndexTotals::add(const Rows& added, Seq seq, IndexRunBuilder& run) {
    for (const auto& [row, more] : added) {
        Total& total = totals_[row];
        total.accounts += more.accounts;
        total.posted += more.posted;
        total.held += more.held;
        const auto& [tenant, currency, kind] = row;
        IndexKey key(IndexTag::total);
        key.u16(tenant).text(currency.code()).u8(static_cast<std::uint8_t>(kind)).u64(seq);
        IndexKey value(IndexTag::total);
        value.u64(static_cast<std::uint64_t>(total.accounts));
        for (const auto sum : {total.posted, total.held}) {
            value.u64(static_cast<std::uint64_t>(sum >> 64)).u64(static_cast<std::uint64_t>(sum));
        }
        run.put(key.view(), value.view().substr(1));
    }
}

}  // namespace nostro
