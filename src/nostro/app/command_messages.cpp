#include "nostro/app/command_messages.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <variant>

#include "nostro/engine/tenant_ledger.hpp"
#include "nostro/wire/command_codec.hpp"
#include "nostro/wire/command_message.hpp"

namespace nostro {
namespace {

struct Posted {
    std::string_view profile, operation;
};
// What says no more than that it is on record, or has another number for it; and a greeting.
constexpr std::array kPosted = {Posted{"logging", "createTransaction"}, Posted{"logging", "getRoot"},
                                Posted{"tps", "submitTransaction"}};

}  // namespace

std::string profile_commands_topic(std::string_view commands_topic, std::string_view profile) {
    return fmt::format("{}-{}", commands_topic, profile);
}

bool is_posted_without_book(std::string_view profile, std::string_view operation) {
    return std::ranges::any_of(
        kPosted, [&](const Posted& each) { return each.profile == profile && each.operation == operation; });
}

namespace {

Error foreign() { return {ErrorCode::invalid, "it is no command of the routes whose commands stand here"}; }

struct Add {
    SubmissionBuilder& builder;
    TenantNo tenant;

    Result<> operator()(const SubmitPayment& submit) const {
        PaymentWish wish{submit.payment, {}};
        if (const PolicyPtr& policy = builder.policy(); policy != nullptr && submit.payment.rail != 0) {
            wish.rail = policy->rail_name(submit.payment.rail);
            if (wish.rail.empty()) {
                return Error{ErrorCode::invalid,
                             fmt::format("rail: the policy in force has none of number {}", submit.payment.rail)};
            }
        }
        if (auto added = builder.payment(wish); !added) return added.error();
        return {};
    }
    // The key from which the id was made is not there any more. Who sends another id names another record.
    Result<> operator()(const KeepRecord& record) const {
        return is_of_profile() ? builder.keep_record(record.id, record.reason, record.document) : foreign();
    }
    Result<> operator()(const KeepDeadLetter& letter) const {
        return is_of_profile() ? add_wish(builder, letter) : foreign();
    }
    Result<> operator()(const OpenAccount& account) const {
        // No message brings bounds, and theirs would not outlive this call.
        return is_of_profile() && account.bounds.empty() ? add_wish(builder, account) : foreign();
    }
    template <class Other>
    Result<> operator()(const Other&) const {
        return foreign();
    }

private:
    bool is_of_profile() const { return tenant != 0; }
};

}  // namespace

Result<> add_command_message(TenantNo tenant, const TopicMessage& message, SubmissionBuilder& builder, Arena& arena) {
    const std::string_view value = arena.copy(message.value);  // the command's texts stand there
    if (value.empty() || static_cast<std::byte>(value.front()) != kCommandForm) {
        return Error{ErrorCode::invalid, "it is no command in the form that this program knows"};
    }
    Command command;
    CommandMemory memory;
    const auto decoded = decode_command(std::as_bytes(std::span(value.substr(1))), command, memory);
    if (!decoded) return decoded.error();
    if (command.tenant != tenant) return foreign();
    return std::visit(Add{builder, tenant}, command.body);
}

}  // namespace nostro
