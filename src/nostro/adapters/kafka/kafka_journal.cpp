#include "nostro/adapters/kafka/kafka_journal.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "nostro/base/log.hpp"
#include "nostro/base/random.hpp"
#include "nostro/wire/frame_record.hpp"

namespace nostro {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds kServeWait{100};
constexpr milliseconds kEndsPatience{1000};
constexpr milliseconds kIdentifyEvery{1000};
constexpr int kUnansweredMax = 2;  // one is what a new leader costs
constexpr Seq kClaimReport = 0;    // frames begin with 1
constexpr int kClaimsMax = 100;

// docs/operations/kafka.md gives each its reason.
const KafkaOptions kWriting = {
    {"enable.idempotence", "true"},
    {"acks", "all"},
    {"max.in.flight.requests.per.connection", "5"},
    {"linger.ms", "0"},
    // One frame a batch: of several, a broker that knows the batch again tells the offset of none.
    {"batch.num.messages", "1"},
    {"message.timeout.ms", "0"},
    {"request.timeout.ms", "1000"},
    {"socket.timeout.ms", "1100"},
    {"retry.backoff.ms", "10"},
    {"retry.backoff.max.ms", "200"},
};

}  // namespace

KafkaJournal::KafkaJournal(KafkaJournalOptions options)
    : options_(std::move(options)), nonce_(random_u64() | 1), tail_(options_.tail_bytes) {}

KafkaJournal::~KafkaJournal() {
    watching_.request_stop();
    watch_woken_.notify_all();
    serving_.request_stop();
    if (watching_.joinable()) watching_.join();
    if (serving_.joinable()) serving_.join();
    topic_.reset();
    producer_.reset();
}

Result<std::unique_ptr<KafkaJournal>> KafkaJournal::open(KafkaJournalOptions options) {
    if (options.in_flight_max < 1 || options.in_flight_max > 5) {
        return Error{ErrorCode::invalid, "journal.in_flight: 1 to 5 frames may be on their way to Kafka at once"};
    }
    std::unique_ptr<KafkaJournal> journal(new KafkaJournal(std::move(options)));
    if (auto done = journal->connect(); !done) return done.error();
    return journal;
}

Result<> KafkaJournal::connect() {
    KafkaOptions options = kWriting;
    options.emplace_back("message.max.bytes", std::to_string(options_.frame_bytes_max + kFrameAlign));
    auto producer = KafkaClient::open(KafkaClient::Kind::producer, options_.cluster, options,
                                      [this](const rd_kafka_message_t& message) { delivered(message); });
    if (!producer) return producer.error();
    producer_ = std::move(*producer);
    if (auto reached = producer_->reach(options_.reach_patience); !reached) return reached;
    if (options_.look_at_topic) {
        if (auto fit = check_topic(); !fit) return fit;
    }
    if (options_.look_at_topic) {
        const auto identity = topic_identity(*producer_, options_.topic, options_.reach_patience);
        if (!identity) return identity.error();
        topic_id_ = identity->id;
    }
    topic_.reset(rd_kafka_topic_new(producer_->get(), options_.topic.c_str(), nullptr));
    if (!topic_) return kafka_error(rd_kafka_last_error(), fmt::format("kafka: topic {}", options_.topic));
    auto log = PartitionReader::open(options_.cluster, options_.topic, options_.partition);
    if (!log) return log.error();
    log_ = std::move(*log);
    auto watcher = PartitionReader::open(options_.cluster, options_.topic, options_.partition);
    if (!watcher) return watcher.error();
    watcher_ = std::move(*watcher);
    serving_ = std::jthread([this](const std::stop_token& stop) { serve(stop); });
    return {};
}

void KafkaJournal::delivered(const rd_kafka_message_t& message) {
    Report report;
    report.seq = static_cast<Seq>(reinterpret_cast<std::uintptr_t>(message._private));
    report.error = message.err;
    report.offset = message.offset;
    const std::lock_guard lock(reports_mutex_);
    reports_.push_back(report);
    reports_changed_.notify_all();
    if (report.seq != kClaimReport) frame_reported_ = true;
}

void KafkaJournal::serve(const std::stop_token& stop) {
    while (!stop.stop_requested()) {
        producer_->poll(kServeWait);
        if (!frame_reported_.exchange(false) && !producer_->fatal()) continue;
        if (wake_) wake_();
    }
}

Result<> KafkaJournal::produce(std::span<const std::byte> record, Seq seq) {
    // librdkafka hands the number back with the report and never follows it.
    void* const number = reinterpret_cast<void*>(seq);  // NOLINT(performance-no-int-to-ptr)
    // The record is not copied: it lives until its report has come, or the producer is gone.
    const int done = rd_kafka_produce(topic_.get(), options_.partition, 0, const_cast<std::byte*>(record.data()),
                                      record.size(), nullptr, 0, number);
    if (done == 0) return {};
    return kafka_error(rd_kafka_last_error(),
                       fmt::format("kafka: writing to {}/{}", options_.topic, options_.partition));
}

// Everything up to the end as it is now.
Result<> KafkaJournal::read_log(milliseconds patience) {
    auto done = log_->read(chain_.next_offset(), patience, [&](std::int64_t offset, std::span<const std::byte> record) {
        FramePtr frame;
        const auto verdict = chain_.look(offset, record, frame);
        looked(verdict, frame);
        return true;
    });
    if (options_.void_records != nullptr) options_.void_records->set(chain_.void_records());
    return done;
}

void KafkaJournal::looked(PartitionChain::Verdict verdict, const FramePtr& frame) {
    // What a newer owner writes is for its own readers; we only learn from it that we are fenced.
    if (verdict != PartitionChain::Verdict::frame || (epoch_ != 0 && frame->header.epoch != epoch_)) return;
    const auto ours = std::ranges::find_if(
        in_flight_, [&](const InFlight& write) { return write.frame->header.seq == frame->header.seq; });
    if (ours == in_flight_.end()) return keep(frame);
    if (ours->frame->digest == frame->digest) ours->met = true;
}

// A frame may be read once it is in here.
void KafkaJournal::keep(const FramePtr& frame) {
    tail_.add(frame);
    accepted_.store(frame->header.seq, std::memory_order_release);
}

void KafkaJournal::expect(Seq seq, std::string says_who) {
    if (seq <= expected_) return;
    expected_ = seq;
    expected_by_ = std::move(says_who);
}

void KafkaJournal::expect_origin(std::uint64_t origin, std::string says_who) {
    expected_origin_ = origin;
    origin_expected_by_ = std::move(says_who);
}

std::uint64_t KafkaJournal::origin() const {
    const std::lock_guard lock(mutex_);
    return chain_.origin();
}

Result<Head> KafkaJournal::take_over() {
    follower_.reset();
    const std::lock_guard lock(mutex_);
    if (epoch_ != 0) return Error{ErrorCode::invalid, "journal: take_over twice"};
    // Nothing is written into a log that is not ours.
    if (auto read = read_log(options_.take_over_patience); !read) return read.error();
    if (auto fits = check_expected(); !fits) return fits.error();
    if (auto claimed = claim(); !claimed) return claimed.error();
    const ChainPoint& end = chain_.point();
    epoch_ = chain_.epoch();
    written_ = end;
    log_info("journal_taken_over", {{"topic", options_.topic},
                                    {"partition", options_.partition},
                                    {"epoch", epoch_},
                                    {"seq", end.seq},
                                    {"void_records", chain_.void_records()}});
    watching_ = std::jthread([this](const std::stop_token& stop) { watch(stop); });
    return Head{end.seq, end.digest, epoch_, end.time, end.cursors};
}

Result<> KafkaJournal::check_expected() const {
    const std::string place = fmt::format("{}/{}", options_.topic, options_.partition);
    if (expected_origin_ != 0 && chain_.origin() != expected_origin_) {
        return Error{
            ErrorCode::corrupt,
            fmt::format("{} belongs to another journal than the one in {}: name the topic it was made from, or "
                        "another folder",
                        origin_expected_by_, place)};
    }
    if (chain_.point().seq >= expected_) return {};
    return Error{ErrorCode::corrupt, fmt::format("the journal in {} ends at frame {}, but {} has seen frame {}: "
                                                 "acknowledged frames are missing, or this is another journal",
                                                 place, chain_.point().seq, expected_by_, expected_)};
}

// Reads to the end, claims the next epoch, and reads on to its own claim. Two that claim the same epoch see in the log
// which one was first; the other claims the one after that, so the last who wants the journal has it.
Result<> KafkaJournal::claim() {
    const auto deadline = steady_clock::now() + options_.take_over_patience;
    for (int round = 0; round < kClaimsMax; ++round) {
        if (auto read = read_log(options_.take_over_patience); !read) return read;
        claim_ = encode_claim({.epoch = chain_.epoch() + 1, .nonce = nonce_, .seen = chain_.point().seq});
        if (auto sent = produce(claim_, kClaimReport); !sent) return sent;
        const auto report = claim_report(deadline);
        if (!report) return report.error();
        if (!*report) {
            return Error{ErrorCode::unavailable,
                         fmt::format("kafka: {}/{} takes no record: its leader is away, or fewer replicas are in sync "
                                     "than min.insync.replicas asks for",
                                     options_.topic, options_.partition)};
        }
        if ((*report)->error != RD_KAFKA_RESP_ERR_NO_ERROR) {
            return kafka_error((*report)->error,
                               fmt::format("kafka: claiming {}/{}", options_.topic, options_.partition));
        }
        // What the report says of the place is not needed: the claim is read like everything before it.
        do {
            if (auto read = read_log(options_.take_over_patience); !read) return read;
        } while (chain_.next_offset() <= (*report)->offset && steady_clock::now() < deadline);
        if (chain_.owner() == nonce_) return {};
        std::this_thread::sleep_for(milliseconds(random_u64() % 50));
    }
    return Error{ErrorCode::unavailable,
                 fmt::format("kafka: {}/{} was claimed by others {} times in a row; let one owner run at a time",
                             options_.topic, options_.partition, kClaimsMax)};
}

Result<std::optional<KafkaJournal::Report>> KafkaJournal::claim_report(steady_clock::time_point deadline) {
    std::unique_lock lock(reports_mutex_);
    const auto came = [this] { return !reports_.empty(); };
    while (!reports_changed_.wait_for(lock, kServeWait, came)) {
        if (const auto fatal = producer_->fatal()) return *fatal;
        if (steady_clock::now() > deadline) return std::optional<Report>();
    }
    const std::optional<Report> report = reports_.front();
    reports_.clear();
    return report;
}

steady_clock::time_point KafkaJournal::oldest_in_flight() const {
    return in_flight_.empty() ? steady_clock::time_point::max() : in_flight_.front().began;
}

Result<> KafkaJournal::ready(Need) {
    const std::lock_guard lock(mutex_);
    if (failure_) return *failure_;
    const bool waits = oldest_in_flight() < steady_clock::now() - options_.stalled_after;
    if (!waits && !unreachable_) return {};
    return Error{ErrorCode::unavailable,
                 fmt::format("journal_unavailable: no broker confirms what is written to {}/{} of Kafka",
                             options_.topic, options_.partition)};
}

Result<> KafkaJournal::append(FramePtr frame) {
    const std::lock_guard lock(mutex_);
    if (failure_) return *failure_;
    if (epoch_ == 0) return Error{ErrorCode::invalid, "journal: append before take_over"};
    if (in_flight_.size() >= options_.in_flight_max) {
        return Error{ErrorCode::invalid, "journal: too many frames in flight"};
    }
    if (frame->bytes().size() > options_.frame_bytes_max) {
        return Error{ErrorCode::invalid, "journal: the frame is too big"};
    }
    if (frame->header.epoch != epoch_) return Error{ErrorCode::invalid, "journal: the frame is of another epoch"};
    if (frame->header.accepted > accepted_) {
        return Error{ErrorCode::invalid, "journal: the frame says more is durable than is"};
    }
    if (auto continues = advance(written_, *frame); !continues) return continues;
    const auto record = record_of(*frame);
    const Seq seq = frame->header.seq;
    in_flight_.push_back({.frame = std::move(frame), .began = steady_clock::now(), .report = {}});
    under_way_ = in_flight_.size();
    if (auto sent = produce(record, seq); !sent) return lost(sent.error());
    return {};
}

// What was written may be in the log or not: nothing more is told, and the next owner finds it there.
Error KafkaJournal::lost(Error error) {
    if (!failure_) failure_ = std::move(error);
    return *failure_;
}

void KafkaJournal::take_reports() {
    const std::lock_guard lock(reports_mutex_);
    for (const Report& report : reports_) {
        const auto write = std::ranges::find_if(
            in_flight_, [&](const InFlight& each) { return each.frame->header.seq == report.seq; });
        if (write == in_flight_.end()) continue;
        write->report = report;
        write->reported = true;
    }
    reports_.clear();
}

Result<Seq> KafkaJournal::accepted() {
    const std::lock_guard lock(mutex_);
    if (failure_) return *failure_;
    take_reports();
    const Seq before = accepted_;
    while (!in_flight_.empty() && in_flight_.front().reported) {
        if (auto settled = settle(in_flight_.front()); !settled) {
            static_cast<void>(lost(settled.error()));
            break;
        }
        const FramePtr frame = std::move(in_flight_.front().frame);
        in_flight_.pop_front();
        keep(frame);
    }
    under_way_ = in_flight_.size();
    if (const auto fatal = producer_->fatal(); fatal && !failure_) failure_ = *fatal;
    // What was accepted before the failure is told first; the next question brings the failure.
    if (failure_ && accepted_ == before) return *failure_;
    if (failure_ && wake_) wake_();
    return accepted_.load();
}

Result<> KafkaJournal::settle(InFlight& front) {
    const Report& report = front.report;
    if (report.error != RD_KAFKA_RESP_ERR_NO_ERROR) {
        return kafka_error(report.error, fmt::format("kafka: frame {} may be in the log or not", report.seq));
    }
    unreachable_ = false;
    if (front.met) return {};
    if (report.offset == chain_.next_offset()) return chain_.accept(*front.frame);
    return look_up(front);
}

Result<> KafkaJournal::look_up(InFlight& front) {
    const auto looked_up = looked_up_.fetch_add(1, std::memory_order_relaxed) + 1;
    if (options_.looked_up != nullptr) options_.looked_up->set(looked_up);
    const std::uint64_t void_before = chain_.void_records();
    const std::int64_t from = chain_.next_offset();
    const auto deadline = steady_clock::now() + options_.look_up_patience;
    // A frame that stands in another topic of this name is in no journal, so this question must have an answer.
    auto is_another = is_another_topic();
    while (!is_another && is_another.error().code == ErrorCode::unavailable && steady_clock::now() <= deadline) {
        is_another = is_another_topic();
    }
    if (!is_another) return is_another.error();
    if (*is_another) return made_anew();
    while (!front.met) {
        const auto read = read_log(options_.look_up_patience);
        if (!read) return read;
        if (front.met) break;
        if (chain_.epoch() != epoch_) return fenced();
        if (steady_clock::now() > deadline) {
            return Error{ErrorCode::unknown,
                         fmt::format("kafka: frame {} is said to be in {}/{} but was not found from {} to {}",
                                     front.report.seq, options_.topic, options_.partition, from, chain_.next_offset())};
        }
    }
    log_info("journal_looked_up", {{"seq", front.report.seq},
                                   {"reported_offset", front.report.offset},
                                   {"read_from", from},
                                   {"read_to", chain_.next_offset()},
                                   {"void_records", chain_.void_records() - void_before}});
    return {};
}

// Nobody tells an idle owner that it was overtaken, so it looks by itself.
void KafkaJournal::watch(const std::stop_token& stop) {
    for (;;) {
        {
            std::unique_lock lock(watch_mutex_);
            watch_woken_.wait_for(lock, stop, options_.watch_every, [] { return false; });
        }
        if (stop.stop_requested()) return;
        const auto looked = watch_once();
        if (looked || looked.error().code == ErrorCode::unavailable) continue;  // brokers that are away come back
        {
            const std::lock_guard lock(mutex_);
            static_cast<void>(lost(looked.error()));
        }
        // Of a Book that was handed over that is the end it should have; else whoever ends the process says so.
        const bool is_overtaken = looked.error().code == ErrorCode::fenced;
        if (is_overtaken) log_info("journal_overtaken", {{"what", looked.error().what}});
        if (!is_overtaken) log_error("journal_lost", {{"what", looked.error().what}});
        if (wake_) wake_();
        if (options_.on_lost) options_.on_lost(looked.error());
        return;
    }
}

Result<bool> KafkaJournal::is_another_topic() const {
    if (topic_id_.empty()) return false;
    const auto now = topic_identity(*producer_, options_.topic, kEndsPatience);
    if (!now) return now.error();
    return !now->id.empty() && now->id != topic_id_;
}

Error KafkaJournal::made_anew() const {
    const auto ends = log_->ends(kEndsPatience);
    return {ErrorCode::corrupt,
            fmt::format("kafka: {}/{} was made anew under its name and {}, but frame {} was accepted as record {} of "
                        "the one before; name the topic that has the journal",
                        options_.topic, options_.partition,
                        ends ? fmt::format("holds records {} to {}", ends->first, ends->next) : "does not answer",
                        chain_.point().seq, chain_.next_offset() - 1)};
}

Result<> KafkaJournal::watch_once() {
    if (steady_clock::now() - identified_ >= kIdentifyEvery) {
        const auto is_another = is_another_topic();  // whoever does not answer is asked again
        identified_ = steady_clock::now();
        const std::lock_guard lock(mutex_);
        if (is_another && *is_another) return made_anew();
    }
    if (under_way_ != 0) return {};
    const std::int64_t accepted_before = [&] {
        const std::lock_guard lock(mutex_);
        return chain_.next_offset();
    }();
    const auto ends = watcher_->ends(kEndsPatience);
    const bool gone = !ends && ends.error().code == ErrorCode::not_found;
    if (!ends && !gone) {
        unreachable_ = ++unanswered_ >= kUnansweredMax;
        return {};
    }
    unanswered_ = 0;
    const std::lock_guard lock(mutex_);
    unreachable_ = gone;
    if (!in_flight_.empty() || failure_) return {};
    if (ends && ends->next > chain_.next_offset()) {
        if (auto read = read_log(options_.look_up_patience); !read) return read;
    }
    if (chain_.epoch() != epoch_) return fenced();
    // A new leader may be a moment behind; a log that stays shorter was cut. What was accepted while the brokers
    // answered is not in their answer.
    const auto now = steady_clock::now();
    if (ends && ends->next >= accepted_before) {
        shrunk_since_ = {};
    } else if (shrunk_since_ == steady_clock::time_point{}) {
        shrunk_since_ = now;
    } else if (now - shrunk_since_ >= options_.look_up_patience) {
        return Error{
            ErrorCode::corrupt,
            fmt::format("kafka: {}/{} {}, but frame {} was accepted as record {}: the topic was cut, deleted or "
                        "made anew",
                        options_.topic, options_.partition,
                        ends ? fmt::format("ends at record {}", ends->next) : "is gone", chain_.point().seq,
                        chain_.next_offset() - 1)};
    }
    return {};
}

Error KafkaJournal::fenced() const {
    return {ErrorCode::fenced, fmt::format("journal: another owner took over {}/{} with epoch {}; ours was {}",
                                           options_.topic, options_.partition, chain_.epoch(), epoch_)};
}

Result<Seq> KafkaJournal::image(const std::function<void(const Changes&)>&) const { return Seq{0}; }

std::uint64_t KafkaJournal::owner() const {
    const std::lock_guard lock(mutex_);
    return chain_.owner();
}

std::uint64_t KafkaJournal::void_records() const {
    const std::lock_guard lock(mutex_);
    return chain_.void_records();
}

std::uint32_t KafkaJournal::epoch() const {
    const std::lock_guard lock(mutex_);
    return chain_.epoch();
}

}  // namespace nostro
