// What stands in golden/version_1.bin: every kind of command and of section, and every way in which a field may be left
// out. The file was written once by the first program of version 1; it is never written again.
#pragma once
#include <array>
#include <vector>

#include "nostro/domain/command.hpp"
#include "nostro/domain/cursor.hpp"
#include "nostro/wire/frame.hpp"

namespace nostro::test {

struct GoldenFrame {
    // `policy`: what the frame's policy change brings.
    explicit GoldenFrame(const PolicyPtr& policy) {
        fill_header();
        fill_payments();
        fill_others(policy);
        fill_outcomes();
        fill_images(policy);
    }
    GoldenFrame(const GoldenFrame&) = delete;
    GoldenFrame& operator=(const GoldenFrame&) = delete;

    FramePtr build() const {
        FrameBuilder builder(1 << 16);
        builder.begin();
        std::vector<std::byte> bytes;
        for (const Command& command : commands) {
            bytes.clear();
            encode_command(command, bytes);
            builder.add_command(bytes);
        }
        return builder.finish(header, first, last, changes);
    }

    FrameHeader header;
    std::vector<Command> commands;
    Changes changes;
    std::vector<Cursor> first{{1, 0, 41}, {2, 7, 0}}, last{{1, 0, 43}, {2, 7, 0}};

private:
    static constexpr AccountId kAda{0x0a0a0a0a0a0a0a0a, 1}, kBob{0x0b0b0b0b0b0b0b0b, 2}, kEquity{0x0e0e0e0e0e0e0e0e, 3};
    static constexpr PaymentId kFirst{0x0011223344556677, 0x8899aabbccddeeff}, kSecond{2, 2}, kThird{3, 3},
        kFourth{4, 4}, kOpen{5, 5}, kOld{6, 6};
    static constexpr Instant at(std::int64_t second) { return Instant{std::chrono::seconds{second}}; }
    static Currency usd() { return Currency::parse("USD").value(); }
    static Currency jpy() { return Currency::parse("JPY").value(); }

    void fill_header() {
        header.seq = 1042;
        header.epoch = 3;
        header.nonce = 0x0123456789abcdef;
        header.time = Instant{std::chrono::nanoseconds{1'795'253'400'123'456'789}};
        for (std::size_t i = 0; i < header.previous.size(); ++i) header.previous[i] = static_cast<std::uint8_t>(i);
        header.accepted = 1040;
    }

    static SubmitPayment submit(PaymentId id, std::uint64_t meaning, std::int64_t minor) {
        SubmitPayment submit;
        submit.payment.id = id;
        submit.payment.debtor = kAda;
        submit.payment.creditor = kBob;
        submit.payment.debtor_name = "ada";
        submit.payment.creditor_name = "bob";
        submit.payment.amount = Money(minor, usd());
        submit.meaning = meaning;
        return submit;
    }

    void fill_payments() {
        SubmitPayment whole = submit(kFirst, 0xfeedfacecafebeef, 123'456);
        whole.payment.rail = 2;
        whole.payment.capture = Capture::manual;
        whole.payment.expires_at = at(1'795'300'000);
        whole.payment.requested_at = at(1'795'200'000);
        whole.payment.debtor_opening_minor = 500'000;
        whole.payment.creditor_opening_minor = -7;
        whole.payment.key = "order-17-a";
        whole.payment.type = "TRANSFER";
        whole.payment.reference = "INV-7";
        whole.payment.description =
            "Gr\xc3\xbc\xc3\x9f"
            "e";
        whole.payment.metadata = R"({"order":"17"})";
        whole.payment.attachment = "<doc/>";
        commands.push_back({0, kFirst, whole.meaning, whole});         // 0
        commands.push_back({0, kSecond, 22, submit(kSecond, 22, 1)});  // 1
        group_ = {submit(kThird, 33, 5), submit(kFourth, 44, 6)};
        commands.push_back({0, {9, 9}, 99, SubmitGroup{group_}});  // 2
        ReversePayment reverse;
        reverse.payment = submit({7, 7}, 0, 30).payment;
        reverse.meaning = 77;
        reverse.original = kOld;
        reverse.original_at = {1000, 3};
        reverse.original_minor = 50;
        reverse.original_settled_at = at(1'795'000'000);
        commands.push_back({0, {7, 7}, 77, reverse});  // 3
    }

    void fill_others(const PolicyPtr& policy) {
        bounds_ = {OwnBound{0xabcd, 1'000, false}, OwnBound{0xabce, 0, true}};
        commands.push_back({0, {10, 1}, 1, CapturePayment{kOpen, 400}});                       // 4
        commands.push_back({0, {}, 0, CapturePayment{kOpen, {}}});                             // 5
        commands.push_back({0, {}, 0, VoidPayment{kOpen}});                                    // 6
        commands.push_back({0, {}, 0, DecideReview{kOpen, true, "grace", "known customer"}});  // 7
        commands.push_back({1,
                            {10, 2},
                            2,
                            OpenAccount{kBob, "bob", jpy(), AccountKind::merchant, RiskLevel::high, kNoFloor, 700,
                                        "Bob", R"({"a":1})", bounds_, 0x1234}});  // 8
        ChangeAccount change;
        change.id = kBob;
        change.status = AccountStatus::frozen_debit;
        change.floor_minor = -5;
        change.risk_level = RiskLevel::low;
        change.holder = "Robert";
        change.metadata = "";
        commands.push_back({0, {}, 0, change});                                                    // 9
        commands.push_back({0, {}, 0, AdjustBalance{kAda, -9, "found"}});                          // 10
        commands.push_back({0, {}, 0, ChangePolicy{policy, "grace"}});                             // 11
        commands.push_back({0, {8, 8}, 0, KeepRecord{{8, 8}, Reason::unreadable, "row 8"}});       // 12
        commands.push_back({0, {}, 0, KeepDeadLetter{"orders", "0:17", "json", "no JSON", "{"}});  // 13
        commands.push_back({0, {}, 0, ResolveDeadLetter{{900, 1}, true, "grace", "mended"}});      // 14
    }

    Outcome& outcome(Event event, Status status, std::uint32_t command, std::uint32_t item = 0) {
        Outcome& outcome = changes.outcomes.emplace_back();
        outcome.event = event;
        outcome.status = status;
        outcome.command = command;
        outcome.item = item;
        return outcome;
    }

    Outcome& submitted(Status status, std::uint32_t command, std::uint32_t item, const Payment& payment,
                       std::uint64_t number) {
        const auto index = static_cast<std::uint32_t>(changes.outcomes.size());
        Outcome& o = outcome(Event::submitted, status, command, item);
        o.rail = payment.rail;
        o.payment = payment.id;
        o.debtor = payment.debtor;
        o.creditor = payment.creditor;
        o.amount = payment.amount;
        o.number = number;
        o.origin = {header.seq, index};
        o.accepted_at = header.time;
        return o;
    }

    void fill_outcomes() {
        Outcome& expired = outcome(Event::expired, Status::expired, kNoCommand);
        expired.reason = Reason::hold_expired;
        expired.payment = kOld;
        expired.debtor = kBob;
        expired.creditor = kEquity;
        expired.amount = Money(50, usd());
        expired.origin = {1000, 3};
        expired.accepted_at = at(1'795'000'000);

        Outcome& held = submitted(Status::held, 0, 0, std::get<SubmitPayment>(commands[0].body).payment, 501);
        held.expires_at = at(1'795'300'000);
        held.debtor_before = held.debtor_after = 500'000;
        held.why.version = 4;
        held.why.advice = Advice::clear_with_conditions;
        held.why.score = 30;
        held.why.add({2, 30, 123'456, 0, 0});
        held.why.add({5, 0, 0, 5'000'000, 20'778});

        Outcome& settled = submitted(Status::settled, 1, 0, std::get<SubmitPayment>(commands[1].body).payment, 502);
        settled.debtor_before = 500'000;
        settled.debtor_after = 499'999;
        settled.creditor_before = -1;
        settled.why.version = 4;
        settled.why.add({5, 0, 123'456, 5'000'000, 20'778});

        Outcome& in_group = submitted(Status::rejected, 2, 0, group_[0].payment, 503);
        in_group.reason = Reason::group_refused;
        Outcome& culprit = submitted(Status::rejected, 2, 1, group_[1].payment, 504);
        culprit.reason = Reason::insufficient_funds;
        culprit.debtor_before = 5;
        culprit.debtor_after = 4;
        culprit.creditor_before = 3;
        culprit.creditor_after = 2;

        Outcome& reversal = submitted(Status::settled, 3, 0, std::get<ReversePayment>(commands[3].body).payment, 505);
        reversal.reverses = kOld;
        reversal.amount = Money(20, usd());

        Outcome& opened = outcome(Event::account_opened, Status::settled, 8);
        opened.tenant = 1;
        opened.debtor = kBob;
        Outcome& kept = outcome(Event::record_kept, Status::rejected, 12);
        kept.reason = Reason::unreadable;
        kept.payment = {8, 8};
        kept.number = 506;
    }

    void fill_images(const PolicyPtr& policy) {
        changes.accounts.push_back(account(kBob, 7, 2));  // the next party, then the next but one, then none
        changes.accounts.push_back(account(kAda, 499'999, 3));
        AccountImage& equity = changes.accounts.emplace_back(account(kEquity, -500'000, 9));
        equity.kind = AccountKind::house;
        equity.floor = kNoFloor;
        equity.opened_meaning = 0;
        changes.counters.push_back({kBob, 0x11111111, 20'778, 0, 1});
        changes.counters.push_back({kAda, 0x22222222, 20'778, 1, 123'457});
        changes.counters.push_back({kAda, 0x11111111, 20'778, 0, 2});
        changes.counters.push_back({{1, 1}, 0x22222222, 20'778, 1, -3});
        HoldImage hold;
        hold.payment = kFirst;
        hold.debtor = kAda;
        hold.creditor = kBob;
        hold.rail = 2;
        hold.capture = Capture::manual;
        hold.approved = true;
        hold.amount = Money(123'456, usd());
        hold.expires_at = at(1'795'300'000);
        hold.origin = {1042, 1};
        hold.accepted_at = header.time;
        hold.number = 501;
        hold.counted_count = 1;
        hold.counted[0] = {0x22222222, false, true, 2, 20'778};
        changes.holds.push_back(hold);
        HoldImage gone;
        gone.payment = kOpen;
        gone.status = Status::voided;
        changes.holds.push_back(gone);
        changes.reversed.push_back({kOld, 20, at(1'795'000'000)});
        changes.known = {
            {kFirst, 1, 0xfeedfacecafebeef}, {kSecond, 2, 22}, {kThird, 3, 33}, {{9, 9}, 3, 99}, {kFourth, 4, 44}};
        changes.bounds = {{kBob, 0xabcd, 1'000, false}, {kBob, 0xabce, 0, true}};
        changes.tenants = {{0, 506, 5}, {1, 0, 1}};
        changes.policies = {policy};
    }

    static AccountImage account(AccountId id, std::int64_t balance, std::uint64_t version) {
        AccountImage image;
        image.id = id;
        image.currency = usd();
        image.balance = balance;
        image.version = version;
        image.opened_at = at(1'790'000'000);
        image.opened_meaning = 0x1234;
        image.held = id == kAda ? 123'456 : 0;
        return image;
    }

    std::array<OwnBound, 2> bounds_;
    std::vector<SubmitPayment> group_;
};

}  // namespace nostro::test
