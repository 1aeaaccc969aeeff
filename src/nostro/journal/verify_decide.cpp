#include "nostro/journal/verify_decide.hpp"

#include <algorithm>
#include <array>
#include <utility>
#include <variant>

#include "nostro/base/hex.hpp"
#include "nostro/domain/book_state.hpp"
#include "nostro/journal/cells.hpp"
#include "nostro/journal/verify_difference.hpp"

namespace nostro {
namespace {

constexpr std::size_t kPrefetch = 12;

std::size_t expiries(const Changes& changes) {
    // They stand in front of all others.
    const auto end = std::ranges::find_if(changes.outcomes, [](const Outcome& o) { return o.event != Event::expired; });
    return static_cast<std::size_t>(end - changes.outcomes.begin());
}

std::size_t forgotten(const Changes& changes) {
    return static_cast<std::size_t>(
        std::ranges::count_if(changes.reversed, [](const ReversedImage& image) { return is_gone(image); }));
}

// What no door lets in, and a Book does not look for.
bool is_possible(const Command& command) {
    const auto is_own = [&](const Payment& payment) { return payment.tenant == command.tenant; };
    if (const auto* submit = std::get_if<SubmitPayment>(&command.body)) return is_own(submit->payment);
    if (const auto* reverse = std::get_if<ReversePayment>(&command.body)) return is_own(reverse->payment);
    if (const auto* change = std::get_if<ChangePolicy>(&command.body)) return change->policy != nullptr;
    const auto* group = std::get_if<SubmitGroup>(&command.body);
    return group == nullptr ||
           std::ranges::all_of(group->payments, [&](const SubmitPayment& item) { return is_own(item.payment); });
}

}  // namespace

// Cells that a frame may take at most.
struct VerifyDecisions::Needs {
    std::size_t accounts = 0, counters = 0, holds = 0, reversed = 0, bounds = 0, known = 0;

    explicit Needs(const Changes& changes)
        : accounts(changes.accounts.size()),
          counters(changes.counters.size()),
          holds(changes.holds.size()),
          reversed(changes.reversed.size()),
          bounds(changes.bounds.size()),
          known(changes.known.size()) {}
    // What a command asks for before it knows that it needs less, and what a group takes until it is taken back.
    void add_passing(const std::vector<Command>& commands) {
        std::size_t items = 1;
        for (const Command& command : commands) {
            if (const auto* group = std::get_if<SubmitGroup>(&command.body)) {
                items = std::max(items, std::min(group->payments.size(), kGroupMax));
            }
            if (const auto* open = std::get_if<OpenAccount>(&command.body)) bounds += open->bounds.size();
            if (const auto* change = std::get_if<ChangeAccount>(&command.body)) bounds += change->bounds.size();
        }
        accounts += items * kOpensMax;
        counters += items * kHitsMax;
        holds += items;
        reversed += 1;
        known += items + 1;
    }
};

VerifyDecisions::VerifyDecisions() {
    size_.accounts_max = 1'024;
    size_.counters_max = 2'048;
    size_.holds_max = 256;
    size_.reversed_max = 256;
    size_.bounds_max = 256;
    size_.known_max = 4'096;  // an id that the Book has forgotten is looked for by the verifier
    book_ = std::make_unique<Book>(size_);
}

// A Book never grows; a larger one takes its cells over.
void VerifyDecisions::make_room(const Needs& needs, Instant now) {
    const auto usage = book_->usage();
    bool is_tight = false;
    const auto grow = [&](std::size_t table, std::size_t more, std::uint32_t& most) {
        if (usage[table].used + more <= usage[table].most) return;
        is_tight = true;
        most = static_cast<std::uint32_t>(4 * (usage[table].used + more));
    };
    grow(0, needs.accounts, size_.accounts_max);
    grow(1, needs.counters, size_.counters_max);
    grow(2, needs.holds, size_.holds_max);
    grow(3, needs.reversed, size_.reversed_max);
    grow(4, needs.bounds, size_.bounds_max);
    // Of ids a Book forgets the oldest as it goes on: room must be made only if a whole generation is too small, or if
    // it does not turn to the next one yet and will run short.
    const auto& known = usage[5];
    const std::uint64_t room = known.most - known.used;
    // Then a Book turns to its next generation.
    const bool turns = room < std::min<std::uint64_t>(kFramePaymentsMax, known.most / 4);
    if (known.most < needs.known || (!turns && room < needs.known)) {
        size_.known_max = std::max<std::uint64_t>(size_.known_max, 16 * needs.known);
        is_tight = true;
    }
    if (!is_tight) return;
    auto larger = std::make_unique<Book>(size_);
    book_->export_cells(65'536, [&](const Changes& cells) { (void)larger->install(0, now, cells).has_value(); });
    book_ = std::move(larger);
}

void VerifyDecisions::begin_with(const Changes& cells) {
    make_room(Needs(cells), Instant{});
    (void)book_->install(0, Instant{}, cells).has_value();  // there is room
}

void VerifyDecisions::check(const DecodedFrame& frame, const Fault& fault) {
    if (has_differed_) return;
    has_differed_ = !decide(frame, fault);
    if (has_differed_) return;
    through_ = frame.seq();
    commands_ += frame.commands.size();
}

// A process lets so many expire in a frame and leaves the rest for the next, but for its first frame, which is empty.
bool VerifyDecisions::check_due(const DecodedFrame& frame, std::size_t expired, const Fault& fault) {
    const FrameHeader& header = frame.frame->header;
    const bool is_take_over = header.epoch != epoch_ || header.nonce != nonce_;
    if (is_take_over) {
        epoch_ = header.epoch;
        nonce_ = header.nonce;
        expired_most_ = 0;
        expiries_max_.reset();
    }
    expired_ += expired;
    const bool are_left = book_->next_due() <= frame.time();
    if (is_take_over && expired == 0) return true;
    expired_most_ = std::max(expired_most_, expired);
    if (are_left && !expiries_max_) expiries_max_ = expired;
    if (!expiries_max_ ||
        (*expiries_max_ > 0 && (!are_left || expired == *expiries_max_) && expired_most_ <= *expiries_max_)) {
        return true;
    }
    fault("payments were due to expire, and the frame leaves them open", std::nullopt);
    return false;
}

bool VerifyDecisions::decide(const DecodedFrame& frame, const Fault& fault) {
    const Changes& recorded = frame.changes;
    Needs needs(recorded);
    needs.add_passing(frame.commands);
    make_room(needs, frame.time());

    const std::size_t expired = expiries(recorded);
    decided_.clear();
    book_->forget_known(frame.seq() - 1);
    // As many as the process took: of holds that were due so many expired, of reversals so many were forgotten.
    book_->begin_frame(frame.seq(), frame.time(), std::max(expired, forgotten(recorded)), decided_);
    bool is_alike = check_due(frame, expired, fault);
    for (std::size_t i = 0; i < frame.commands.size(); ++i) {
        const Command& command = frame.commands[i];
        if (i + kPrefetch < frame.commands.size()) book_->prefetch(frame.commands[i + kPrefetch]);
        if (!is_possible(command)) {
            fault("command " + std::to_string(i) + " is one that nobody can have sent", payment_of(command));
            is_alike = false;
            continue;
        }
        const Answer answer = book_->apply(command, static_cast<std::uint32_t>(i));
        if (answer.kind == Answer::Kind::recorded) continue;
        const std::string why = answer.kind == Answer::Kind::refused ? std::string(name(answer.reason)) : "known";
        fault("decided again: command " + std::to_string(i) + " is not taken (" + why + ")", payment_of(command));
        is_alike = false;
    }
    book_->end_frame();
    return tell_difference(decided_, recorded, fault) && is_alike;
}

}  // namespace nostro
