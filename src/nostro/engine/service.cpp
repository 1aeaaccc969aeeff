#include "nostro/engine/service.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "nostro/engine/service_running.hpp"

namespace nostro {
namespace {

// What a frame needs beside the bytes of one command and its outcomes.
constexpr std::size_t kFrameOverhead = 16u << 10;
constexpr std::size_t kPaymentOverhead = 2048;

bool is_quarantined(const Outcome& outcome) {
    return outcome.event == Event::record_kept && outcome.status == Status::quarantined;
}

}  // namespace

std::string_view name(Role role) { return role == Role::owner ? "owner" : "standby"; }

std::string_view refusal_word(const Error& error) {
    constexpr std::array<std::string_view, 8> kWords = {"overloaded", "no_space",    "journal_unavailable",
                                                        "stopping",   "no_index",    "index_behind",
                                                        "standby",    "handing_over"};
    for (const std::string_view word : kWords) {
        if (error.what.size() > word.size() && error.what.starts_with(word) && error.what[word.size()] == ':') {
            return word;
        }
    }
    return "unavailable";
}

Service::Service(ServiceParts parts, ServiceOptions options)
    : running_(std::make_unique<Running>(std::move(parts), std::move(options))) {}

Service::~Service() { stop(); }

Result<> Service::start() { return running_->begin(); }

Result<> Service::follow() { return running_->begin_behind(); }

Result<> Service::take_over() { return running_->take_over(); }

Result<> Service::add_source(Source& source) {
    running_->wake_by(source);
    const auto cursors = [&] {
        const std::lock_guard turn(running_->turn_mutex);
        return running_->settlement.cursors();
    }();
    // It may have to ask a server. Nobody else moves its cursor meanwhile.
    if (auto sought = source.seek(cursors); !sought) return sought;
    const std::lock_guard turn(running_->turn_mutex);
    running_->settlement.add_source(source);
    return {};
}

void Service::add_projection(const ServiceParts::NamedProjection& projection) {
    running_->add_feed(projection).runner.start();
}

Result<Seq> Service::hand_over(std::chrono::milliseconds patience) { return running_->hand_over(patience); }

void Service::resume() { running_->rest(false); }

Role Service::role() const { return running_->role; }

StandbyLag Service::lag() const { return running_->lag(); }

void Service::stop(std::chrono::milliseconds patience) { running_->end(patience); }

SubmissionBuilder Service::build(std::shared_ptr<const void> memory, TenantNo tenant) const {
    return SubmissionBuilder({.policies = &running_->policies,
                              .sealed = running_->parts.sealed,
                              .forgotten_through = running_->settlement.forgotten_through(),
                              .tenant = tenant},
                             std::move(memory));
}

void Service::submit(std::unique_ptr<Submission> submission) {
    if (submission->commands.empty()) return submission->reply(std::vector<Receipt>());
    const std::size_t most = running_->parts.journal->frame_bytes_max();
    std::size_t begin = 0;
    for (std::size_t i = 0; i < submission->commands.size(); ++i) {
        const std::size_t bytes = submission->ends[i] - begin;
        begin = submission->ends[i];
        if (bytes + payments_of(submission->commands[i]) * kPaymentOverhead + kFrameOverhead <= most) continue;
        return submission->reply(Error{ErrorCode::invalid, "too_large: item " + std::to_string(i) + " has " +
                                                               std::to_string(bytes) +
                                                               " bytes, which with its outcome do not fit into a frame "
                                                               "of " +
                                                               std::to_string(most)});
    }
    if (running_->role == Role::standby && running_->parts.writes != nullptr) {
        return running_->parts.writes->submit(std::move(submission));
    }
    running_->inbox.submit(std::move(submission));
}

void Service::round_begins() { running_->begin_round(); }

void Service::round_ends(const std::shared_ptr<Waker>& reader) { running_->end_round(reader); }

Result<> Service::complete_replayed(std::vector<Receipt>& receipts) const {
    for (Receipt& receipt : receipts) {
        if (receipt.answer.kind != Answer::Kind::replayed || receipt.answer.first.seq == 0) continue;
        // Of a group that was quarantined one record stands for all, and who found its id sealed could not know.
        Place place = receipt.answer.first;
        place.index -= receipt.item;
        auto first = running_->query.outcome_at(place);
        if (!first) return first.error();
        const bool is_record = is_quarantined(*first->outcome);
        if (receipt.item != 0 && !is_record) {
            place = receipt.answer.first;
            first = running_->query.outcome_at(place);
            if (!first) return first.error();
        }
        receipt.answer.first = place;
        receipt.status = first->outcome->status;
        receipt.reason = first->outcome->reason;
        receipt.accepted_at = first->outcome->accepted_at;
        receipt.place = place;
        receipt.number = first->outcome->number;
        // The record's own id is the group's; each payment keeps its own.
        if (!is_record && !first->outcome->payment.empty()) receipt.payment = first->outcome->payment;
    }
    return {};
}

void Service::on_replies(std::function<void()> round_done) { running_->replies_done = std::move(round_done); }

void Service::balance(AccountId account, std::function<void(Result<BalanceNow>)> reply) {
    auto found = std::make_shared<std::optional<AccountImage>>();
    auto read = std::make_unique<Inbox::Read>();
    read->ask = [account, found](Book& book, Instant) {
        if (const AccountImage* image = book.account(account)) *found = *image;
    };
    read->answer = [found, reply = std::move(reply)](Result<AsOf> as_of) {
        if (!as_of) return reply(as_of.error());
        if (!*found) return reply(Error{ErrorCode::not_found, "no such account"});
        reply(BalanceNow{**found, *as_of});
    };
    running_->inbox.read(std::move(read));
}

void Service::totals(std::function<void(Result<TotalsNow>)> reply) {
    auto totals = std::make_shared<std::vector<Book::KindTotal>>();
    auto read = std::make_unique<Inbox::Read>();
    read->ask = [totals](Book& book, Instant) { *totals = book.totals(); };
    read->answer = [totals, reply = std::move(reply)](Result<AsOf> as_of) {
        if (!as_of) return reply(as_of.error());
        reply(TotalsNow{std::move(*totals), *as_of});
    };
    running_->inbox.read(std::move(read));
}

void Service::simulate(std::unique_ptr<Submission> submission, std::function<void(Result<Simulated>)> reply) {
    if (submission->commands.size() != 1) {
        return reply(Error{ErrorCode::invalid, "simulate: one command at a time"});
    }
    auto simulated = std::make_shared<Simulated>();
    auto read = std::make_unique<Inbox::Read>();
    read->ask = [simulated, submission = std::shared_ptr<Submission>(std::move(submission))](Book& book, Instant now) {
        const Command& command = submission->commands.front();
        if (submission->sealed.empty()) {
            Changes changes;
            simulated->answer = book.simulate(command, now, changes);
            simulated->outcomes = std::move(changes.outcomes);
        } else {
            // The Book has forgotten this id and would decide it anew.
            const auto& found = submission->sealed.front();
            const bool same = found.meaning == command.meaning;
            simulated->answer.kind = same ? Answer::Kind::replayed : Answer::Kind::reused;
            simulated->answer.first = found.first;
        }
        simulated->policy = book.policy(command.tenant);
    };
    read->answer = [simulated, reply = std::move(reply)](Result<AsOf> as_of) {
        if (!as_of) return reply(as_of.error());
        simulated->as_of = *as_of;
        reply(std::move(*simulated));
    };
    running_->inbox.read(std::move(read));
}

Seq Service::accepted() const { return running_->frames.accepted(); }

Result<DecodedPtr> Service::frame(Seq seq) const { return running_->frames.frame(seq); }

Result<DecodedPtr> Service::frame_once(Seq seq) const { return running_->frames.frame_once(seq); }

void Service::when_readable(Seq seq, std::function<void()> then) const {
    FeedStage* const index = running_->index_feed;
    if (index == nullptr || index->feed.next() > seq) return then();
    running_->freshness.when(seq, steady_now() + running_->options.fresh_wait, std::move(then));
    index->runner.signal().notify();
}

const Query& Service::history() const { return running_->query; }

const Policies& Service::policies() const { return running_->policies; }

Live& Service::live() { return running_->live; }

std::vector<PartState> Service::parts() const {
    std::vector<PartState> states;
    states.push_back(running_->journal_state());
    states.push_back(running_->settlement_state());
    std::unique_lock lock(running_->feeds_mutex);
    for (const auto& stage : running_->feeds) {
        const std::string trouble = stage->feed.trouble();
        states.push_back({.name = "feed " + stage->feed.name(),
                          .ready = trouble.empty(),
                          .needed = false,
                          .reason = trouble.empty()
                                        ? trouble
                                        : trouble + " (" + std::to_string(stage->feed.lag()) + " frames behind)"});
    }
    lock.unlock();
    if (running_->parts.beside) running_->parts.beside(states);
    return states;
}

bool Service::ready() const {
    const auto states = parts();
    return std::all_of(states.begin(), states.end(), [](const PartState& each) { return each.ready || !each.needed; });
}

std::string Service::full_table() const {
    const std::string_view full = running_->settlement.full_table();
    return full.empty() ? std::string() : "[book] " + std::string(full) + ": " + running_->mend_of(full);
}

void Service::let_go() const { running_->frames.let_go(); }

void Service::refresh_gauges() {
    EngineGauges& gauges = running_->gauges;
    gauges.inbox_commands.set(running_->inbox.commands());
    gauges.inbox_bytes.set(running_->inbox.bytes());
    gauges.accepted_seq.set(running_->frames.accepted());
    gauges.subscribers.set(running_->live.subscribers());
    const std::uint64_t overloaded = running_->inbox.overloaded_total();
    gauges.overloaded.add(overloaded - std::min(overloaded, gauges.overloaded.value()));
    const StandbyLag behind = lag();
    gauges.owner.set(role() == Role::owner ? 1 : 0);
    gauges.standby_lag_frames.set(behind.frames);
    gauges.standby_lag_seconds.set(std::chrono::duration<double>(behind.time).count());
    const std::lock_guard lock(running_->feeds_mutex);
    for (const auto& stage : running_->feeds) stage->lag.set(stage->feed.lag());
}

}  // namespace nostro
