#include "nostro/engine/tenant_ledger.hpp"

#include <utility>

namespace nostro {
namespace {

struct Add {
    SubmissionBuilder& builder;

    Result<> operator()(const PaymentWish& wish) const {
        if (auto added = builder.payment(wish); !added) return added.error();
        return {};
    }
    Result<> operator()(const RecordWish& wish) const {
        if (auto added = builder.keep_record(wish.key, wish.reason, wish.document); !added) return added.error();
        return {};
    }
    // Delivered again it is the same letter.
    Result<> operator()(const KeepDeadLetter& letter) const {
        return builder.keep_dead_letter(letter, {.method = "message", .path = letter.source, .key = letter.position});
    }
    Result<> operator()(const OpenAccount& account) const {
        if (auto added = builder.open_account(account, {}); !added) return added.error();
        return {};
    }
};

}  // namespace

Result<> add_wish(SubmissionBuilder& builder, const Wish& wish) { return std::visit(Add{builder}, wish); }

void TenantLedger::submit(std::shared_ptr<const void> memory, std::span<const Wish> wishes, Receipts reply) {
    SubmissionBuilder builder = service_.build(std::move(memory), tenant_);
    builder.reserve(wishes.size());
    for (const Wish& wish : wishes) {
        if (auto added = add_wish(builder, wish); !added) return reply(added.error());
    }
    service_.submit(builder.take(std::move(reply)));
}

}  // namespace nostro
