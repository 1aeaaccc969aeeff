// One function a kind of command. Private to book*.cpp.
#pragma once
#include <optional>

#include "nostro/domain/book_state.hpp"
#include "nostro/domain/command.hpp"

namespace nostro {

// What a known id answers to a command that means `meaning`; nothing: it is not known.
std::optional<Answer> known_answer(const BookState& state, PaymentId id, std::uint64_t meaning);

Answer submit(BookState& state, const Command& command, const SubmitPayment& body);
Answer submit_group(BookState& state, const Command& command, const SubmitGroup& body);
Answer reverse(BookState& state, const Command& command, const ReversePayment& body);

Answer capture(BookState& state, const Command& command, const CapturePayment& body);
Answer void_payment(BookState& state, const Command& command, const VoidPayment& body);
Answer decide_review(BookState& state, const Command& command, const DecideReview& body);
void expire_due(BookState& state, std::size_t expiries_max);
void forget_reversed(BookState& state, std::size_t count_max);

Answer open_account(BookState& state, const Command& command, const OpenAccount& body);
Answer change_account(BookState& state, const Command& command, const ChangeAccount& body);
Answer adjust_balance(BookState& state, const Command& command, const AdjustBalance& body);

Answer change_policy(BookState& state, const Command& command, const ChangePolicy& body);
Answer keep_record(BookState& state, const Command& command, const KeepRecord& body);
Answer keep_dead_letter(BookState& state, const Command& command, const KeepDeadLetter& body);
Answer resolve_dead_letter(BookState& state, const Command& command, const ResolveDeadLetter& body);

}  // namespace nostro
