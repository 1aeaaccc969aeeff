#include "nostro/app/profile_topics.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <mutex>
#include <utility>

#include "nostro/app/command_messages.hpp"
#include "nostro/app/kafka.hpp"
#include "nostro/base/crc32c.hpp"
#include "nostro/base/log.hpp"
#include "nostro/engine/message_source.hpp"
#include "nostro/engine/stage_runner.hpp"
#include "nostro/engine/topic_projection.hpp"

namespace nostro {
namespace {

// A feed asks again for ever; shorter, so that a program can end while no broker is there.
constexpr std::chrono::seconds kPublishFor{5};
constexpr std::size_t kLetterBytesMax = 900'000;

// One number for each topic, for life: journals hold it with the topic's cursors.
std::uint32_t source_number(const std::string& name) {
    constexpr std::uint32_t kNamed = 0x8000'0000;  // never one that somebody gave by hand
    return crc32c(std::as_bytes(std::span(name))) | kNamed;
}

// How far what is durable goes, told to the topic's own tools and to whoever asks for the lag.
class Settled final : public Projection {
public:
    Settled(std::uint32_t source, TopicReader& reader, std::function<Seq()> accepted)
        : source_(source), reader_(reader), accepted_(std::move(accepted)) {}

    Result<Seq> next() override { return next_ == 0 ? next_ = accepted_() + 1 : next_; }
    Result<> project(std::span<const DecodedPtr> frames) override {
        std::vector<Cursor> own;
        std::ranges::copy_if(frames.back()->last, std::back_inserter(own),
                             [&](const Cursor& cursor) { return cursor.source == source_; });
        next_ = frames.back()->seq() + 1;
        const std::lock_guard lock(mutex_);
        if (own == settled_) return {};
        reader_.commit(own);
        settled_ = std::move(own);
        return {};
    }
    // First position of the part that is not durable; nullopt: nothing was taken since the start.
    std::optional<std::uint64_t> settled(std::uint32_t part) const {
        const std::lock_guard lock(mutex_);
        const auto found = std::ranges::find(settled_, part, &Cursor::part);
        return found == settled_.end() ? std::nullopt : std::optional(found->next);
    }

private:
    const std::uint32_t source_;
    TopicReader& reader_;
    const std::function<Seq()> accepted_;
    Seq next_ = 0;
    mutable std::mutex mutex_;
    std::vector<Cursor> settled_;
};

// A letter of this topic as its dead-letter topic shows it.
std::optional<Message> letter_message(const DecodedFrame& frame, const Outcome& outcome, std::string_view source) {
    const Command* command = command_of(frame, outcome);
    const auto* letter = command != nullptr ? std::get_if<KeepDeadLetter>(&command->body) : nullptr;
    if (letter == nullptr || !letter->source.starts_with(source)) return std::nullopt;
    const std::string_view topic = source.substr(0, source.rfind(':'));
    Message message;
    // A topic takes about a megabyte; the journal has the whole.
    message.value = letter->bytes.substr(0, kLetterBytesMax);
    message.headers = {{"nostro-reason", std::string(letter->why)},
                       {"nostro-topic", std::string(topic.substr(topic.find(':') + 1))},
                       {"nostro-partition", std::string(letter->source.substr(source.size()))},
                       {"nostro-offset", std::string(letter->position)}};
    if (letter->bytes.size() > kLetterBytesMax) {
        message.headers.emplace_back("nostro-kept-bytes", std::to_string(letter->bytes.size()));
    }
    return message;
}

}  // namespace

// The topics of one profile.
class ProfileTopics::One {
public:
    One(const ServedProfiles::Topics& topics, MetricsRegistry& metrics)
        : topics_(topics), name_("kafka:" + topics.input), metrics_(metrics) {}

    Result<> open(const Config& config, const Progress& progress);
    void add_to(ServiceParts& parts, const std::function<Seq()>& accepted);
    void begin(Service& service, Ledger* ledger);
    void stop();
    PartState state() const;
    const ProfileEntry* entry() const { return topics_.entry; }  // nullptr: commands of the native routes

private:
    TenantNo tenant() const { return topics_.entry != nullptr ? topics_.entry->tenant : 0; }
    std::string_view owner() const { return topics_.entry != nullptr ? topics_.entry->name : "nostro"; }
    bool has_commands() const { return topics_.profile == nullptr; }  // of routes, not messages
    std::unique_ptr<MessageSource> make_source();
    std::function<std::string()> told_of(const Progress& progress) const;
    Result<> publish_outcome(const DecodedPtr& frame, std::uint32_t index, std::vector<Message>& messages);
    Result<std::size_t> step();
    void show_lag();
    std::uint64_t lag(const MessageSource::Part& part) const;

    const ServedProfiles::Topics topics_;
    const std::string name_;
    MetricsRegistry& metrics_;
    std::atomic<const Ledger*> ledger_{nullptr};
    std::unique_ptr<TopicReader> reader_;
    std::unique_ptr<Topic> letters_topic_, outcomes_topic_;
    std::unique_ptr<MessageSource> source_;
    std::unique_ptr<Settled> settled_;
    std::unique_ptr<TopicProjection> letters_, outcomes_;
    std::map<std::uint32_t, Gauge*> lags_;
    std::unique_ptr<StageRunner> runner_;
};

Result<> ProfileTopics::One::open(const Config& config, const Progress& progress) {
    const std::string letters = topics_.input + ".dead-letters";
    for (const std::string& topic : {topics_.input, letters, topics_.outcomes}) {
        if (topic.empty()) continue;
        if (auto provided = provide_topic(config, topic); !provided) return provided;
    }
    auto reader = open_topic_reader(config, topics_.input, topics_.group, progress.disk);
    if (!reader) return reader.error();
    reader_ = std::move(*reader);
    source_ = make_source();
    auto letters_topic = open_topic(config, letters, kPublishFor);
    if (!letters_topic) return letters_topic.error();
    letters_topic_ = std::move(*letters_topic);
    letters_ = std::make_unique<TopicProjection>(
        "topics/" + letters, progress.disk, *letters_topic_,
        [source = name_ + ":"](const DecodedPtr& frame, std::uint32_t index,
                               std::vector<Message>& messages) -> Result<> {
            const Outcome& outcome = frame->changes.outcomes[index];
            if (outcome.event != Event::dead_letter_kept) return {};
            if (auto message = letter_message(*frame, outcome, source)) messages.push_back(std::move(*message));
            return {};
        },
        told_of(progress));
    if (topics_.outcomes.empty()) return {};
    auto outcomes_topic = open_topic(config, topics_.outcomes, kPublishFor);
    if (!outcomes_topic) return outcomes_topic.error();
    outcomes_topic_ = std::move(*outcomes_topic);
    outcomes_ = std::make_unique<TopicProjection>(
        "topics/" + topics_.outcomes, progress.disk, *outcomes_topic_,
        [this](const DecodedPtr& frame, std::uint32_t index, std::vector<Message>& messages) {
            return publish_outcome(frame, index, messages);
        },
        told_of(progress));
    return {};
}

// Profiles may share a topic for their outcomes.
std::function<std::string()> ProfileTopics::One::told_of(const Progress& progress) const {
    if (!progress.journal) return {};
    return [journal = progress.journal, tenant = tenant()] { return fmt::format("{:016x}.{}", journal(), tenant); };
}

std::unique_ptr<MessageSource> ProfileTopics::One::make_source() {
    MessageSource::Options options;
    options.number = source_number(name_);
    options.tenant = tenant();
    options.name = name_;
    options.format = fmt::format("{} {}", owner(), has_commands() ? "command" : "message");
    if (has_commands()) {
        return std::make_unique<MessageSource>(
            options, *reader_,
            [tenant = tenant()](const TopicMessage& message, SubmissionBuilder& builder, Arena& arena) {
                return add_command_message(tenant, message, builder, arena);
            });
    }
    return std::make_unique<MessageSource>(
        options, *reader_,
        [profile = topics_.profile](std::string_view message, std::string_view source, std::uint64_t position,
                                    Arena& arena, std::vector<Wish>& wishes) -> Result<> {
            auto wish = profile->read(message, {source, position}, arena);
            if (!wish) return wish.error();
            wishes.push_back(*wish);
            return {};
        });
}

Result<> ProfileTopics::One::publish_outcome(const DecodedPtr& frame, std::uint32_t index,
                                             std::vector<Message>& messages) {
    const Outcome& outcome = frame->changes.outcomes[index];
    if (outcome.tenant != tenant() || outcome.event == Event::policy_changed) return {};
    const Ledger* ledger = ledger_.load(std::memory_order_acquire);
    if (ledger != nullptr) return topics_.profile->publish(*ledger, frame, index, messages);
    if (!is_of_payment(outcome.event)) return {};  // sample accounts, which open before it begins
    return Error{ErrorCode::unavailable, "starting"};
}

void ProfileTopics::One::add_to(ServiceParts& parts, const std::function<Seq()>& accepted) {
    settled_ = std::make_unique<Settled>(source_number(name_), *reader_, accepted);
    parts.sources.push_back(source_.get());
    parts.projections.push_back({"progress " + topics_.input, settled_.get()});
    parts.projections.push_back({"topic " + topics_.input + ".dead-letters", letters_.get()});
    if (outcomes_) parts.projections.push_back({"topic " + topics_.outcomes, outcomes_.get()});
}

void ProfileTopics::One::begin(Service& service, Ledger* ledger) {
    ledger_.store(ledger, std::memory_order_release);
    source_->begin(service.policies());
    // What the last program had no time to tell.
    std::vector<Cursor> read;
    for (const MessageSource::Part& part : source_->parts()) {
        if (part.begin > 0) read.push_back({source_number(name_), part.part, part.begin});
    }
    reader_->commit(read);
    runner_ = std::make_unique<StageRunner>(
        StageRunner::Options{.name = "topic " + std::string(owner())}, [this] { return step(); },
        [this](const Error& error) { log_error("topic_stopped", {{"topic", topics_.input}, {"what", error.what}}); });
    source_->on_room([this] { runner_->signal().notify(); });
    runner_->start();
}

Result<std::size_t> ProfileTopics::One::step() {
    const auto done = source_->step();
    show_lag();
    return done;
}

std::uint64_t ProfileTopics::One::lag(const MessageSource::Part& part) const {
    const std::uint64_t settled = settled_->settled(part.part).value_or(part.begin);
    return part.end > settled ? part.end - settled : 0;
}

void ProfileTopics::One::show_lag() {
    for (const MessageSource::Part& part : source_->parts()) {
        Gauge*& gauge = lags_[part.part];
        if (gauge == nullptr) {
            gauge = &metrics_.gauge("nostro_topic_lag_messages", "Messages of a topic that are not settled yet.",
                                    {{"topic", topics_.input}, {"partition", std::to_string(part.part)}});
        }
        gauge->set(lag(part));
    }
}

void ProfileTopics::One::stop() {
    if (runner_) runner_->stop();
    source_->close();
}

PartState ProfileTopics::One::state() const {
    PartState state{.name = "topic " + topics_.input, .ready = true, .needed = false, .reason = source_->trouble()};
    state.ready = state.reason.empty();
    std::uint64_t behind = 0;
    for (const MessageSource::Part& part : source_->parts()) behind += lag(part);
    if (state.ready && behind > 0) state.reason = fmt::format("{} messages are not settled yet", behind);
    return state;
}

ProfileTopics::ProfileTopics() = default;
ProfileTopics::~ProfileTopics() { stop(); }

Result<std::unique_ptr<ProfileTopics>> ProfileTopics::open(const Config& config, const ServedProfiles& profiles,
                                                           MetricsRegistry& metrics, const Progress& progress) {
    std::unique_ptr<ProfileTopics> all(new ProfileTopics);
    auto topics = profiles.topics(config.behind_clearance);
    if (!config.kafka.commands_topic.empty()) {
        topics.push_back({nullptr, nullptr, config.kafka.commands_topic, "nostro-settlement", ""});
        for (const ServedProfile& served : profiles.list()) {
            topics.push_back({served.entry, nullptr,
                              profile_commands_topic(config.kafka.commands_topic, served.entry->name),
                              "nostro-settlement", ""});
        }
    }
    if (config.kafka.bootstrap_servers.empty() || topics.empty()) return all;
    if (auto reached = reach_kafka(config); !reached) return reached.error();
    for (const ServedProfiles::Topics& each : topics) {
        auto one = std::make_unique<One>(each, metrics);
        if (auto opened = one->open(config, progress); !opened) return opened.error();
        all->all_.push_back(std::move(one));
        log_info("topic_served", {{"profile", each.entry != nullptr ? each.entry->name : "nostro"},
                                  {"topic", each.input},
                                  {"group", each.group}});
    }
    return all;
}

void ProfileTopics::add_to(ServiceParts& parts, const std::function<Seq()>& accepted) {
    for (const auto& one : all_) one->add_to(parts, accepted);
}

void ProfileTopics::begin(Service& service, const ServedProfiles& profiles) {
    const auto served = profiles.list();
    for (const auto& one : all_) {
        const auto found = std::ranges::find(served, one->entry(), &ServedProfile::entry);
        one->begin(service, found != served.end() ? found->ledger : nullptr);
    }
}

void ProfileTopics::stop() {
    for (const auto& one : all_) one->stop();
}

void ProfileTopics::states(std::vector<PartState>& into) const {
    for (const auto& one : all_) into.push_back(one->state());
}

}  // namespace nostro
