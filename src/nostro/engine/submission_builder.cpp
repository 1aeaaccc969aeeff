#include "nostro/engine/submission_builder.hpp"

#include <fmt/format.h>

#include <bit>
#include <cstring>
#include <deque>
#include <utility>

#include "nostro/base/bytes.hpp"
#include "nostro/base/random.hpp"
#include "nostro/base/sha256.hpp"
#include "nostro/domain/account.hpp"
#include "nostro/wire/command_codec.hpp"

namespace nostro {
namespace {

// 64 bits of SHA-256 over fields that are written with their lengths.
template <class Write>
std::uint64_t meaning_of(Write write) {
    std::vector<std::byte> bytes;
    {
        ByteWriter writer(bytes);
        write(writer);
    }
    const Digest digest = sha256(std::span<const std::byte>(bytes));
    std::uint64_t meaning = 0;
    std::memcpy(&meaning, digest.data(), sizeof meaning);
    return std::byteswap(meaning);
}

void write_id(ByteWriter& writer, const auto& id) {
    writer.u64(id.high);
    writer.u64(id.low);
}

void write_bounds(ByteWriter& writer, std::span<const OwnBound> bounds) {
    writer.varint(bounds.size());
    for (const OwnBound& bound : bounds) {
        writer.u32(bound.name_key);
        writer.zigzag(bound.at_most);
        writer.u8(bound.removed ? 1 : 0);
    }
}

std::uint64_t meaning(const OpenAccount& account) {
    return meaning_of([&](ByteWriter& writer) {
        writer.string("open account");
        writer.string(account.name);
        writer.string(account.currency.code());
        writer.u8(static_cast<std::uint8_t>(account.kind));
        writer.u8(static_cast<std::uint8_t>(account.risk_level));
        writer.zigzag(account.floor_minor);
        writer.zigzag(account.opening_minor);
        writer.string(account.holder);
        writer.string(account.metadata);
        write_bounds(writer, account.bounds);
    });
}

std::uint64_t meaning(const ChangeAccount& change) {
    const auto text = [](ByteWriter& writer, const std::optional<std::string_view>& value) {
        writer.u8(value ? 1 : 0);
        writer.string(value.value_or(std::string_view()));
    };
    return meaning_of([&](ByteWriter& writer) {
        writer.string("change account");
        write_id(writer, change.id);
        writer.u8(change.status ? static_cast<std::uint8_t>(*change.status) : std::uint8_t{255});
        writer.u8(change.risk_level ? static_cast<std::uint8_t>(*change.risk_level) : std::uint8_t{255});
        writer.u8(change.floor_minor ? 1 : 0);
        writer.zigzag(change.floor_minor.value_or(0));
        text(writer, change.holder);
        text(writer, change.metadata);
        write_bounds(writer, change.bounds);
    });
}

PaymentId random_payment_id() {
    return {random_u64() >> 8, random_u64()};  // home slot 0
}

}  // namespace

struct SubmissionBuilder::Held {
    std::shared_ptr<const void> callers;
    std::vector<std::vector<SubmitPayment>> groups;
    std::vector<std::vector<std::shared_ptr<const void>>> originals;
};

SubmissionBuilder::SubmissionBuilder(const Context& context, std::shared_ptr<const void> memory)
    : context_(context),
      tenant_name_(context.policies->tenant_name(context.tenant)),
      policy_(context.policies->current(context.tenant)),
      memory_(std::move(memory)),
      // What the Book forgets after this settlement asks again.
      ids_asked_through_(context_.sealed != nullptr ? context_.forgotten_through : 0) {}

Submission& SubmissionBuilder::open() {
    if (submission_ == nullptr) {
        submission_ = std::make_unique<Submission>();
        submission_->ids_asked_through = ids_asked_through_;
    }
    return *submission_;
}

Result<> SubmissionBuilder::prepare(const PaymentWish& wish, SubmitPayment& into) const {
    into.payment = wish.payment;
    Payment& payment = into.payment;
    if (auto checked = check_account_name(payment.debtor_name); !checked) {
        return Error{checked.error().code, "debtor_account: " + checked.error().what};
    }
    if (auto checked = check_account_name(payment.creditor_name); !checked) {
        return Error{checked.error().code, "creditor_account: " + checked.error().what};
    }
    payment.rail = 0;
    if (!wish.rail.empty() && policy_ != nullptr) {
        const auto rail = policy_->rail(wish.rail);
        if (!rail) return Error{rail.error().code, "rail: " + rail.error().what};
        payment.rail = *rail;
    }
    payment.tenant = context_.tenant;
    payment.id = payment_id(tenant_name_, "key", payment.key);
    payment.debtor = account_id(tenant_name_, payment.debtor_name);
    payment.creditor = account_id(tenant_name_, payment.creditor_name);
    into.meaning = payment_meaning(payment);
    if (policy_ != nullptr) into.assessment = policy_->assess(payment);
    return {};
}

Result<std::optional<SealedIds::Found>> SubmissionBuilder::ask_sealed(PaymentId id) const {
    if (ids_asked_through_ == 0 || id.empty()) return std::optional<SealedIds::Found>();
    return context_.sealed->find(id, ids_asked_through_);
}

Result<> SubmissionBuilder::add(Command command) {
    open().commands.push_back(std::move(command));
    return finish_last();
}

Result<> SubmissionBuilder::finish_last() {
    Submission& to = open();
    Command& command = to.commands.back();
    command.tenant = context_.tenant;
    const auto found = ask_sealed(command.id);
    if (!found) {
        to.commands.pop_back();
        return found.error();
    }
    if (*found) {
        const auto number = static_cast<std::uint32_t>(to.commands.size() - 1);
        to.sealed.push_back({number, (*found)->place, (*found)->meaning});
    }
    encode_command(command, to.encoded);
    to.ends.push_back(static_cast<std::uint32_t>(to.encoded.size()));
    return {};
}

Command SubmissionBuilder::request(const RequestKey& key, std::uint64_t meaning) const {
    Command command;
    if (!key.key.empty()) command.id = request_id(tenant_name_, key.method, key.path, key.key);
    command.meaning = meaning;
    return command;
}

SubmissionBuilder::Held& SubmissionBuilder::held() {
    if (held_ == nullptr) {
        held_ = std::make_shared<Held>();
        held_->callers = memory_;
    }
    return *held_;
}

Result<PaymentId> SubmissionBuilder::payment(const PaymentWish& wish) {
    // Made where it stays: a command is half a kilobyte.
    Command& command = open().commands.emplace_back();
    auto& submit = std::get<SubmitPayment>(command.body);
    if (auto prepared = prepare(wish, submit); !prepared) {
        open().commands.pop_back();
        return prepared.error();
    }
    const PaymentId id = command.id = submit.payment.id;
    command.meaning = submit.meaning;
    if (auto added = finish_last(); !added) return added.error();
    return id;
}

Result<std::vector<PaymentId>> SubmissionBuilder::group(std::string_view key, std::span<const PaymentWish> wishes) {
    if (wishes.empty() || wishes.size() > kGroupMax) {
        return Error{ErrorCode::invalid, "payments: an atomic batch has 1 to " + std::to_string(kGroupMax)};
    }
    std::vector<PaymentId> ids;
    std::vector<SubmitPayment> payments;
    payments.reserve(wishes.size());
    for (std::size_t i = 0; i < wishes.size(); ++i) {
        SubmitPayment& submit = payments.emplace_back();
        if (auto prepared = prepare(wishes[i], submit); !prepared) {
            return Error{prepared.error().code, "payments/" + std::to_string(i) + "/" + prepared.error().what};
        }
        const auto found = ask_sealed(submit.payment.id);
        if (!found) return found.error();
        if (*found) submit.sealed = (*found)->place;
        ids.push_back(submit.payment.id);
    }
    Command command;
    command.id = payment_id(tenant_name_, "key", key);
    command.meaning = meaning_of([&](ByteWriter& writer) {
        for (const SubmitPayment& each : payments) {
            write_id(writer, each.payment.id);
            writer.u64(each.meaning);
        }
    });
    auto& groups = held().groups;
    groups.push_back(std::move(payments));
    command.body = SubmitGroup{groups.back()};
    if (auto added = add(std::move(command)); !added) return added.error();
    return ids;
}

Result<> SubmissionBuilder::capture(PaymentId payment, std::optional<std::int64_t> amount_minor,
                                    const RequestKey& key) {
    Command command = request(key, meaning_of([&](ByteWriter& writer) {
                                  writer.string("capture");
                                  write_id(writer, payment);
                                  writer.zigzag(amount_minor.value_or(0));
                              }));
    command.body = CapturePayment{.payment = payment, .amount_minor = amount_minor};
    return add(std::move(command));
}

Result<> SubmissionBuilder::void_payment(PaymentId payment, const RequestKey& key) {
    Command command = request(key, meaning_of([&](ByteWriter& writer) {
                                  writer.string("void");
                                  write_id(writer, payment);
                              }));
    command.body = VoidPayment{payment};
    return add(std::move(command));
}

Result<PaymentId> SubmissionBuilder::reverse(const Recorded& original, std::optional<std::int64_t> amount_minor,
                                             std::string_view reference, std::string_view description,
                                             const RequestKey& key) {
    const Payment& first = original.payment;
    ReversePayment reverse;
    Payment& payment = reverse.payment;
    payment.id = key.key.empty() ? random_payment_id() : request_id(tenant_name_, key.method, key.path, key.key);
    payment.tenant = first.tenant;
    payment.rail = first.rail;
    payment.debtor = first.creditor;
    payment.creditor = first.debtor;
    payment.debtor_name = first.creditor_name;
    payment.creditor_name = first.debtor_name;
    payment.amount = Money(amount_minor.value_or(0), first.amount.currency());
    payment.key = key.key;
    payment.type = "REVERSAL";
    payment.reference = reference;
    payment.description = description;
    reverse.whole_rest = !amount_minor;
    reverse.original = first.id;
    reverse.original_at = original.places.front();
    reverse.original_status = original.last().status;
    reverse.original_is_reversal = !original.outcomes.front().reverses.empty();
    for (std::size_t i = 0; i < original.outcomes.size(); ++i) {
        if (original.outcomes[i].status != Status::settled) continue;
        reverse.original_minor = original.outcomes[i].amount.minor();
        reverse.original_settled_at = original.times[i];
    }
    reverse.meaning = meaning_of([&](ByteWriter& writer) {
        writer.string("reverse");
        write_id(writer, first.id);
        writer.zigzag(amount_minor.value_or(0));
        writer.string(reference);
        writer.string(description);
    });
    const PaymentId id = payment.id;
    held().originals.push_back(original.memory);  // the names stand there
    Command command;
    command.id = id;
    command.meaning = reverse.meaning;
    command.body = std::move(reverse);
    if (auto added = add(std::move(command)); !added) return added.error();
    return id;
}

Result<> SubmissionBuilder::decide_review(PaymentId payment, bool approve, std::string_view by, std::string_view note,
                                          const RequestKey& key) {
    Command command = request(key, meaning_of([&](ByteWriter& writer) {
                                  writer.string(approve ? "approve" : "reject");
                                  write_id(writer, payment);
                                  writer.string(by);
                                  writer.string(note);
                              }));
    command.body = DecideReview{.payment = payment, .approve = approve, .by = by, .note = note};
    return add(std::move(command));
}

Result<AccountId> SubmissionBuilder::open_account(OpenAccount account, const RequestKey& key) {
    if (auto checked = check_account_name(account.name); !checked) {
        return Error{checked.error().code, "account_id: " + checked.error().what};
    }
    account.id = account_id(tenant_name_, account.name);
    account.meaning = meaning(account);
    Command command = request(key, account.meaning);
    command.body = account;
    if (auto added = add(std::move(command)); !added) return added.error();
    return account.id;
}

Result<> SubmissionBuilder::change_account(const ChangeAccount& change, const RequestKey& key) {
    Command command = request(key, meaning(change));
    command.body = change;
    return add(std::move(command));
}

// Why is no part of the meaning: who says it again may say it in other words.
Result<> SubmissionBuilder::adjust_balance(const AdjustBalance& adjust, const RequestKey& key) {
    Command command = request(key, meaning_of([&](ByteWriter& writer) {
                                  writer.string("adjust balance");
                                  write_id(writer, adjust.id);
                                  writer.zigzag(adjust.delta_minor);
                              }));
    command.body = adjust;
    return add(std::move(command));
}

Result<> SubmissionBuilder::change_policy(PolicyPtr policy, std::string_view by) {
    Command command;
    command.body = ChangePolicy{.policy = std::move(policy), .by = by};
    return add(std::move(command));
}

Result<PaymentId> SubmissionBuilder::keep_record(std::string_view key, Reason reason, std::string_view document) {
    const PaymentId id = payment_id(tenant_name_, "key", key);
    if (auto kept = keep_record(id, reason, document); !kept) return kept.error();
    return id;
}

Result<> SubmissionBuilder::keep_record(PaymentId id, Reason reason, std::string_view document) {
    Command command;
    command.id = id;
    command.meaning = meaning_of([&](ByteWriter& writer) {
        writer.string("record");
        writer.u8(static_cast<std::uint8_t>(reason));
        writer.string(document);
    });
    command.body = KeepRecord{.id = id, .reason = reason, .document = document};
    return add(std::move(command));
}

// The same bytes at the same place are the same letter, in whatever words a later version says why.
Result<> SubmissionBuilder::keep_dead_letter(const KeepDeadLetter& letter, const RequestKey& key) {
    Command command = request(key, meaning_of([&](ByteWriter& writer) {
                                  writer.string("dead letter");
                                  for (const auto text : {letter.source, letter.position, letter.bytes}) {
                                      writer.string(text);
                                  }
                              }));
    command.body = letter;
    return add(std::move(command));
}

Result<> SubmissionBuilder::resolve_dead_letter(Place letter, bool redriven, std::string_view by, std::string_view note,
                                                std::string_view key) {
    Command command;
    command.id = request_id(tenant_name_, "resolve", "dead letter", fmt::format("{}.{}", letter.seq, letter.index));
    command.meaning = redriven ? 1 : 2;
    if (!key.empty()) command.meaning = payment_id(tenant_name_, "redrive", key).low;
    command.body = ResolveDeadLetter{.letter = letter, .redriven = redriven, .by = by, .note = note};
    return add(std::move(command));
}

Result<> SubmissionBuilder::command(const Command& command) { return add(command); }

void SubmissionBuilder::reserve(std::size_t commands) {
    constexpr std::size_t kUsualBytes = 200;
    Submission& to = open();
    to.commands.reserve(to.commands.size() + commands);
    to.ends.reserve(to.ends.size() + commands);
    to.encoded.reserve(to.encoded.size() + commands * kUsualBytes);
}

AccountId SubmissionBuilder::account(std::string_view name) const { return account_id(tenant_name_, name); }

const PolicyPtr& SubmissionBuilder::policy() const { return policy_; }

std::size_t SubmissionBuilder::size() const { return submission_ != nullptr ? submission_->commands.size() : 0; }

std::unique_ptr<Submission> SubmissionBuilder::take(std::function<void(Result<std::vector<Receipt>>)> reply) {
    Submission& submission = open();
    submission.reply = std::move(reply);
    if (held_ != nullptr) {
        submission.memory = std::move(held_);
        held_.reset();
    } else {
        submission.memory = memory_;
    }
    return std::move(submission_);
}

}  // namespace nostro
