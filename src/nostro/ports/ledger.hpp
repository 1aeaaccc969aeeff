// One tenant's side of the service, as the routes and sources of a profile see it: what they wish goes in, what became
// of it comes out.
//
// Threads: any. Callbacks run on one of the engine's threads or on the caller's, and must not block.
#pragma once
#include <functional>
#include <memory>
#include <span>
#include <string_view>
#include <variant>
#include <vector>

#include "nostro/base/result.hpp"
#include "nostro/base/time.hpp"
#include "nostro/domain/command.hpp"
#include "nostro/ports/cache.hpp"
#include "nostro/ports/history.hpp"
#include "nostro/wire/payment_json.hpp"
#include "nostro/wire/recorded.hpp"

namespace nostro {

// A document that is kept under its key, with an outcome but no posting: input that is refused and has an id, rows
// that are history already. `none`: it counts as done.
struct RecordWish {
    std::string_view key;
    Reason reason = Reason::none;
    std::string_view document;
};

// What one request, message or row of a profile asks for. An account's id and meaning are filled in later; one that is
// there already, the same, is no error.
using Wish = std::variant<PaymentWish, RecordWish, KeepDeadLetter, OpenAccount>;

class Ledger {
public:
    using Receipts = std::function<void(Result<std::vector<Receipt>>)>;

    virtual ~Ledger() = default;
    virtual TenantNo tenant() const = 0;
    virtual const Clock& clock() const = 0;

    // One receipt for each wish, in order, once all are durable. A wish that the policy cannot take (an unknown rail)
    // is an `invalid` error whose text begins with the field, and nothing is taken. `unavailable`: nothing happened.
    // `unknown`: it may have. `memory` keeps alive what the wishes' views point into. May ask the disk for ids met long
    // ago.
    virtual void submit(std::shared_ptr<const void> memory, std::span<const Wish> wishes, Receipts reply) = 0;
    // Receipts of wishes that were met before get status, place and number of what was answered first. Blocks on disk.
    virtual Result<> complete(std::vector<Receipt>& receipts) const = 0;

    // Runs `then` when reads see what has been answered so far, or after a while.
    virtual void when_readable(std::function<void()> then) const = 0;
    // Blocks on disk. Its searches name the tenant.
    virtual const History& history() const = 0;
    // Commands and outcomes, for whoever walks through frames. not_found: not accepted yet, or older than kept history.
    virtual Result<DecodedPtr> frame(Seq seq) const = 0;

    // Where documents of its profile may be found quicker; nullptr: nowhere.
    virtual Cache* cache() const { return nullptr; }

    virtual PolicyPtr policy() const = 0;                       // in force
    virtual PolicyPtr policy(PolicyVersion version) const = 0;  // that decided; nullptr: not kept
};

}  // namespace nostro
