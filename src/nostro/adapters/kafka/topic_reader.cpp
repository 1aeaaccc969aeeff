#include "nostro/adapters/kafka/topic_reader.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "nostro/base/log.hpp"
#include "nostro/base/text.hpp"

namespace nostro {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds kLookPatience{1'000}, kLastCommitPatience{500}, kLeavePatience{3'000};

int as_int(milliseconds time) { return static_cast<int>(time.count()); }

// The id that was met last; empty: none yet.
Result<std::string> remembered_id(Disk& disk, const std::string& name) {
    const auto file = disk.open(name);
    if (!file) return file.error().code == ErrorCode::not_found ? Result<std::string>("") : file.error();
    std::string text(64, '\0');
    const auto read = disk.read(*file, 0, std::as_writable_bytes(std::span(text)));
    if (auto closed = disk.close(*file); !closed) return closed.error();
    if (!read) return read.error();
    return std::string(trim(std::string_view(text).substr(0, *read)));
}

bool is_gone(rd_kafka_resp_err_t code) {
    return code == RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET || code == RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE;
}

}  // namespace

Result<std::unique_ptr<KafkaTopicReader>> KafkaTopicReader::open(const KafkaSettings& settings,
                                                                 const KafkaReaderOptions& options) {
    KafkaOptions of_client{{"group.id", options.group},
                           {"enable.auto.commit", "false"},
                           {"enable.auto.offset.store", "false"},
                           {"auto.offset.reset", "error"},
                           {"check.crcs", "true"},
                           {"queued.min.messages", "100000"},
                           {"queued.max.messages.kbytes", "65536"},
                           {"fetch.message.max.bytes", "4194304"}};
    if (options.shared) {
        // A member that was killed is missed after that long, and the others get its partitions.
        of_client.emplace_back("session.timeout.ms", "6000");
        of_client.emplace_back("heartbeat.interval.ms", "1000");
        of_client.emplace_back("partition.assignment.strategy", "cooperative-sticky");
    }
    std::unique_ptr<KafkaTopicReader> reader(new KafkaTopicReader(options));
    KafkaClient::Rebalanced rebalanced;
    if (options.shared) {
        rebalanced = [self = reader.get()](auto code, auto* parts) { self->rebalanced(code, *parts); };
    }
    auto client = KafkaClient::open(KafkaClient::Kind::consumer, settings, of_client, {}, std::move(rebalanced));
    if (!client) return client.error();
    reader->client_ = std::move(*client);
    reader->queue_.reset(rd_kafka_queue_get_consumer(reader->client_->get()));
    return reader;
}

KafkaTopicReader::KafkaTopicReader(KafkaReaderOptions options) : options_(std::move(options)) {}

KafkaTopicReader::~KafkaTopicReader() {
    if (client_ == nullptr) return;
    commit_now(kLastCommitPatience);
    held_.clear();
    if (options_.shared) leave_group(*client_, kLeavePatience);
}

Result<> KafkaTopicReader::seek(std::span<const Cursor> cursors) {
    if (auto reached = client_->reach(options_.patience); !reached) return reached;
    const auto topic = topic_identity(*client_, options_.topic, options_.patience);
    if (!topic) return topic.error();
    if (const auto state = topic_state(*client_, options_.topic, options_.patience); !state) {
        // Whoever may read it need not be allowed to see its settings.
        log_warn("kafka_topic_not_checked", {{"topic", options_.topic}, {"why", state.error().what}});
    } else if (const auto policy = state->settings.find("cleanup.policy");
               policy != state->settings.end() && policy->second.find("compact") != std::string::npos) {
        return Error{ErrorCode::invalid,
                     fmt::format("kafka: topic {} has cleanup.policy={}: messages vanish from it before they are read; "
                                 "set it to delete",
                                 options_.topic, policy->second)};
    }
    id_ = topic->id;
    looked_ = steady_clock::now();
    if (options_.shared) return join();
    next_.clear();
    for (std::uint32_t part = 0; part < topic->partitions; ++part) next_[part];
    for (const Cursor& cursor : cursors) {
        if (!next_.contains(cursor.part)) {
            return Error{ErrorCode::corrupt,
                         fmt::format("kafka: topic {}, partition {}: message {} is to be read next, but the topic has "
                                     "{} partitions: it was made anew",
                                     options_.topic, cursor.part, cursor.next, topic->partitions)};
        }
        next_[cursor.part] = cursor.next;
    }
    gone_.reset();
    if (auto same = identify(topic->id, cursors); !same) return same;
    return gone_ ? Result<>() : assign();
}

// Whether it is the topic that the cursors are of, which the disk remembers.
Result<> KafkaTopicReader::identify(const std::string& id, std::span<const Cursor> cursors) {
    if (options_.disk == nullptr || id.empty()) return {};
    const std::string file = fmt::format("topics/{}.id", options_.topic);
    const auto known = remembered_id(*options_.disk, file);
    if (!known) return known.error();
    if (*known == id) return {};
    if (!known->empty() && !cursors.empty()) {
        Error error = made_anew(cursors.front().part, cursors.front().next);
        if (!options_.skip_gaps) {
            gone_ = std::move(error);
            return {};
        }
        log_error("kafka_gap_skipped", {{"what", error.what}});
        for (auto& [part, next] : next_) next.reset();
    }
    return options_.disk->replace(file, std::as_bytes(std::span(id)));
}

Result<> KafkaTopicReader::join() {
    const KafkaPartitions topics(rd_kafka_topic_partition_list_new(1));
    rd_kafka_topic_partition_list_add(topics.get(), options_.topic.c_str(), RD_KAFKA_PARTITION_UA);
    const auto code = rd_kafka_subscribe(client_->get(), topics.get());
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR) return {};
    return kafka_error(code, fmt::format("kafka: topic {}: joining the group {}", options_.topic, options_.group));
}

// All partitions from where each stands. What librdkafka had fetched beyond that is dropped and fetched again.
Result<> KafkaTopicReader::assign() {
    const KafkaPartitions list(rd_kafka_topic_partition_list_new(static_cast<int>(next_.size())));
    for (const auto& [part, next] : next_) {
        auto* added =
            rd_kafka_topic_partition_list_add(list.get(), options_.topic.c_str(), static_cast<std::int32_t>(part));
        added->offset = next ? static_cast<std::int64_t>(*next) : RD_KAFKA_OFFSET_BEGINNING;
    }
    if (const auto code = rd_kafka_assign(client_->get(), list.get()); code != RD_KAFKA_RESP_ERR_NO_ERROR) {
        return kafka_error(code, fmt::format("kafka: topic {}: taking its partitions", options_.topic));
    }
    return {};
}

// Whoever adds a partition expects that it is read, from its first message on. The same question tells whether it is
// still the same topic, and whether anybody answers.
Result<> KafkaTopicReader::look() {
    if (steady_clock::now() - looked_ < options_.look_every) return {};
    const auto topic = topic_identity(*client_, options_.topic, kLookPatience);
    looked_ = steady_clock::now();
    trouble_.reset();
    if (!topic) {
        trouble_ = Error{ErrorCode::unavailable, topic.error().what};
        return {};
    }
    const bool is_another = !id_.empty() && !topic->id.empty() && topic->id != id_;
    if (is_another || (!options_.shared && topic->partitions < next_.size())) {
        const auto asked = std::ranges::find_if(next_, [](const auto& part) { return part.second.has_value(); });
        return asked == next_.end() ? made_anew(0, std::nullopt) : made_anew(asked->first, asked->second);
    }
    if (options_.shared || topic->partitions == next_.size()) return {};
    log_info("kafka_partitions_added", {{"topic", options_.topic}, {"from", next_.size()}, {"to", topic->partitions}});
    for (auto part = static_cast<std::uint32_t>(next_.size()); part < topic->partitions; ++part) next_[part];
    return assign();
}

Result<> KafkaTopicReader::read(std::size_t count_max, milliseconds wait, std::vector<TopicMessage>& messages) {
    held_.clear();
    headers_.clear();
    client_->poll(milliseconds(0));
    if (gone_) return *gone_;
    if (auto looked = look(); !looked) return looked;
    if (steady_clock::now() - committed_at_ >= options_.commit_every) commit_now(milliseconds(0));
    // A batch waits until it is full, so the first is waited for alone.
    rd_kafka_message_t* first = rd_kafka_consume_queue(queue_.get(), as_int(wait));
    if (first == nullptr) {
        if (auto fatal = client_->fatal()) return *fatal;
        if (trouble_) return *trouble_;
        return {};
    }
    held_.emplace_back(first);
    batch_.resize(count_max);
    const auto more = rd_kafka_consume_batch_queue(queue_.get(), 0, batch_.data(), count_max - 1);
    for (ssize_t i = 0; i < more; ++i) held_.emplace_back(batch_[static_cast<std::size_t>(i)]);
    Result<> read;
    for (const KafkaMessage& message : held_) {
        auto taken = take(*message, messages);
        if (taken) continue;
        if (taken.error().code != ErrorCode::unavailable) return taken;
        read = std::move(taken);  // what stands behind it is taken, too: librdkafka gives nothing twice
    }
    return read;
}

Result<> KafkaTopicReader::take(rd_kafka_message_t& message, std::vector<TopicMessage>& messages) {
    const auto part = static_cast<std::uint32_t>(message.partition);
    if (message.err == RD_KAFKA_RESP_ERR__PARTITION_EOF) return {};
    if (is_gone(message.err)) return gap(part, message.offset);
    if (message.err != RD_KAFKA_RESP_ERR_NO_ERROR) {
        auto error = kafka_error(message.err, fmt::format("kafka: topic {}, partition {}: {}", options_.topic, part,
                                                          rd_kafka_message_errstr(&message)));
        if (error.code != ErrorCode::unavailable) error.code = ErrorCode::corrupt;
        return error;
    }
    trouble_.reset();
    const auto position = static_cast<std::uint64_t>(message.offset);
    next_[part] = position + 1;
    TopicMessage& taken = messages.emplace_back();
    taken.part = part;
    taken.position = position;
    if (message.key != nullptr) taken.key.emplace(static_cast<const char*>(message.key), message.key_len);
    if (message.payload != nullptr) taken.value = {static_cast<const char*>(message.payload), message.len};
    rd_kafka_headers_t* headers = nullptr;
    if (rd_kafka_message_headers(&message, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR) return {};
    auto views = std::make_unique<HeaderViews>();
    const char* name = nullptr;
    const void* value = nullptr;
    std::size_t bytes = 0;
    for (std::size_t i = 0; rd_kafka_header_get_all(headers, i, &name, &value, &bytes) == RD_KAFKA_RESP_ERR_NO_ERROR;
         ++i) {
        views->emplace_back(
            name, value == nullptr ? std::string_view() : std::string_view(static_cast<const char*>(value), bytes));
    }
    taken.headers = *views;
    headers_.push_back(std::move(views));
    return {};
}

void KafkaTopicReader::rebalanced(rd_kafka_resp_err_t code, rd_kafka_topic_partition_list_t& parts) {
    const bool gets = code == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS;
    if (gets) place(parts);
    log_info("kafka_partitions",
             {{"group", options_.group}, {"topic", options_.topic}, {gets ? "got" : "lost", parts.cnt}});
    rd_kafka_error_t* failed = gets ? rd_kafka_incremental_assign(client_->get(), &parts)
                                    : rd_kafka_incremental_unassign(client_->get(), &parts);
    if (failed == nullptr) return;
    log_warn("kafka_partitions_not_taken", {{"why", std::string(rd_kafka_error_string(failed))}});
    rd_kafka_error_destroy(failed);
}

// Of which the group has read nothing yet, the first message. The others are where they are: what is gone there is told
// as a gap.
void KafkaTopicReader::place(rd_kafka_topic_partition_list_t& parts) {
    const KafkaPartitions asked(rd_kafka_topic_partition_list_copy(&parts));
    const auto code = rd_kafka_committed(client_->get(), asked.get(), as_int(options_.patience));
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
        log_warn("kafka_group_not_asked", {{"group", options_.group}, {"why", std::string(rd_kafka_err2str(code))}});
        return;
    }
    for (int i = 0; i < parts.cnt; ++i) {
        const bool is_known = asked->elems[i].err == RD_KAFKA_RESP_ERR_NO_ERROR && asked->elems[i].offset >= 0;
        parts.elems[i].offset = is_known ? asked->elems[i].offset : RD_KAFKA_OFFSET_BEGINNING;
    }
}

// Where that is known, its first message is told in `first`.
std::string KafkaTopicReader::what_it_holds(std::uint32_t part, std::int64_t* first) {
    std::int64_t low = 0, high = 0;
    const auto code =
        rd_kafka_query_watermark_offsets(client_->get(), options_.topic.c_str(), static_cast<std::int32_t>(part), &low,
                                         &high, as_int(options_.patience));
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
        return fmt::format("what it holds could not be asked ({})", rd_kafka_err2name(code));
    }
    if (first != nullptr) *first = low;
    return fmt::format("its first is {} and its end {}", low, high);
}

Error KafkaTopicReader::made_anew(std::uint32_t part, std::optional<std::uint64_t> asked) {
    const std::string wanted =
        asked ? fmt::format("message {} is to be read next", *asked) : std::string("nothing was read yet");
    return {ErrorCode::corrupt,
            fmt::format("kafka: topic {}, partition {}: {}, but the topic was made anew under its name: {}. Messages "
                        "of the old one that were not read are lost. To go on with what is there, from its beginning, "
                        "start with --set kafka.skip_gaps=true",
                        options_.topic, part, wanted, what_it_holds(part))};
}

// librdkafka tells it once, and then nothing more of that partition.
Result<> KafkaTopicReader::gap(std::uint32_t part, std::int64_t asked) {
    std::int64_t low = -1;
    const std::string holds = what_it_holds(part, &low);
    const std::string what = fmt::format("kafka: topic {}, partition {}: message {} is to be read next, but {}",
                                         options_.topic, part, asked, holds);
    if (!options_.skip_gaps || options_.shared || low < 0) {
        return Error{ErrorCode::corrupt,
                     what +
                         ": retention or somebody's hand removed messages, or the topic was made anew. To go on with "
                         "what is there, start with --set kafka.skip_gaps=true"};
    }
    log_error("kafka_gap_skipped", {{"what", what}});
    next_[part] = static_cast<std::uint64_t>(low);
    return assign();
}

std::vector<TopicPart> KafkaTopicReader::parts() const {
    std::vector<TopicPart> parts;
    parts.reserve(next_.size());
    for (const auto& [part, next] : next_) {
        std::int64_t low = 0, high = 0;
        const auto code = rd_kafka_get_watermark_offsets(client_->get(), options_.topic.c_str(),
                                                         static_cast<std::int32_t>(part), &low, &high);
        const bool is_known = code == RD_KAFKA_RESP_ERR_NO_ERROR && high >= 0;
        parts.push_back({part, is_known ? static_cast<std::uint64_t>(high) : next.value_or(0)});
    }
    return parts;
}

void KafkaTopicReader::commit(std::span<const Cursor> cursors) {
    const std::lock_guard lock(mutex_);
    for (const Cursor& cursor : cursors) {
        const auto found = std::ranges::find(to_commit_, cursor.part, &Cursor::part);
        found == to_commit_.end() ? to_commit_.push_back(cursor) : void(*found = cursor);
    }
}

// As a member of the group, and of its own partitions alone: what another has now must not be set back.
void KafkaTopicReader::commit_shared(const std::vector<Cursor>& cursors, milliseconds wait) {
    rd_kafka_topic_partition_list_t* assigned = nullptr;
    if (rd_kafka_assignment(client_->get(), &assigned) != RD_KAFKA_RESP_ERR_NO_ERROR) return;
    const KafkaPartitions mine(assigned);
    const KafkaPartitions list(rd_kafka_topic_partition_list_new(static_cast<int>(cursors.size())));
    for (const Cursor& cursor : cursors) {
        const auto part = static_cast<std::int32_t>(cursor.part);
        if (rd_kafka_topic_partition_list_find(mine.get(), options_.topic.c_str(), part) == nullptr) continue;
        auto* added = rd_kafka_topic_partition_list_add(list.get(), options_.topic.c_str(), part);
        added->offset = static_cast<std::int64_t>(cursor.next);
    }
    if (list->cnt == 0) return;
    if (wait.count() == 0) {
        rd_kafka_commit(client_->get(), list.get(), 1);
        return;
    }
    const KafkaQueue answers(rd_kafka_queue_new(client_->get()));
    if (rd_kafka_commit_queue(client_->get(), list.get(), answers.get(), nullptr, nullptr) !=
        RD_KAFKA_RESP_ERR_NO_ERROR) {
        return;
    }
    const KafkaEvent answer(rd_kafka_queue_poll(answers.get(), as_int(wait)));
}

void KafkaTopicReader::commit_now(milliseconds wait) {
    committed_at_ = steady_clock::now();
    std::vector<Cursor> cursors;
    {
        const std::lock_guard lock(mutex_);
        cursors.swap(to_commit_);
    }
    if (cursors.empty()) return;
    if (options_.shared) return commit_shared(cursors, wait);
    const KafkaPartitions list(rd_kafka_topic_partition_list_new(static_cast<int>(cursors.size())));
    for (const Cursor& cursor : cursors) {
        auto* added = rd_kafka_topic_partition_list_add(list.get(), options_.topic.c_str(),
                                                        static_cast<std::int32_t>(cursor.part));
        added->offset = static_cast<std::int64_t>(cursor.next);
    }
    // Not as a consumer commits: a commit on its way would hold up the end of the client while no broker answers. For
    // display alone, so whatever becomes of it, the next one says more.
    using Offsets =
        std::unique_ptr<rd_kafka_AlterConsumerGroupOffsets_t, KafkaFree<rd_kafka_AlterConsumerGroupOffsets_destroy>>;
    using Options = std::unique_ptr<rd_kafka_AdminOptions_t, KafkaFree<rd_kafka_AdminOptions_destroy>>;
    const Offsets offsets(rd_kafka_AlterConsumerGroupOffsets_new(options_.group.c_str(), list.get()));
    const Options options(rd_kafka_AdminOptions_new(client_->get(), RD_KAFKA_ADMIN_OP_ALTERCONSUMERGROUPOFFSETS));
    const KafkaQueue answers(rd_kafka_queue_new(client_->get()));
    rd_kafka_AlterConsumerGroupOffsets_t* asked[] = {offsets.get()};
    rd_kafka_AlterConsumerGroupOffsets(client_->get(), asked, 1, options.get(), answers.get());
    if (wait.count() == 0) return;
    const KafkaEvent answer(rd_kafka_queue_poll(answers.get(), as_int(wait)));
}

}  // namespace nostro
