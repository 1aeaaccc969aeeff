#include "nostro/cli/generate_run.hpp"

#include <algorithm>
#include <chrono>

#include "nostro/base/json_text.hpp"
#include "nostro/base/text.hpp"
#include "nostro/cli/terminal.hpp"

namespace nostro::cli {
namespace {

using generate::Tally;

constexpr std::size_t kWriteBytes = 1 << 20;
constexpr std::uint64_t kBatchesPerSecond = 50;

// When `done` documents are due.
SteadyTime due_of(SteadyTime start, std::uint64_t done, std::uint64_t rate) {
    const std::chrono::seconds whole(done / rate);
    const std::chrono::nanoseconds rest(
        static_cast<std::int64_t>(static_cast<unsigned __int128>(done % rate) * 1'000'000'000 / rate));
    return start + whole + rest;
}

class Run {
public:
    Run(const GenerateStream& stream, const GeneratePace& pace, const GenerateSink& sink, const StopRequest& stop,
        bool show_progress)
        : stream_(stream), sink_(sink), stop_(stop), rate_(pace.rate), text_(stream.begin) {
        batch_ = std::max<std::uint64_t>(1, pace.batch != 0 ? pace.batch : rate_ / kBatchesPerSecond);
        if (show_progress) progress_.emplace("generate", stream.unit, stream.count);
    }

    Result<Tally> run() {
        while (!stop_.asked() && make_one()) {
            const bool pause = rate_ != 0 && tally_.count() % batch_ == 0;
            const bool full = sink_.documents_max == 0 ? text_.size() >= kWriteBytes : waiting_ == sink_.documents_max;
            if (!pause && !full) continue;
            if (auto done = hand_out(); !done) return done.error();
            if (pause) {
                if (sink_.flush) {
                    if (auto done = sink_.flush(); !done) return done.error();
                }
                stop_.wait_until(due_of(start_, tally_.count(), rate_));
            }
        }
        text_ += stream_.end;
        if (auto done = hand_out(); !done) return done.error();
        if (progress_) progress_->finish(tally_.count());
        return std::move(tally_);
    }

private:
    // False: all are made.
    bool make_one() {
        if (stream_.count != 0 && tally_.count() == stream_.count) return false;
        const std::size_t before = text_.size();
        if (tally_.count() != 0) text_ += stream_.between;
        const auto made = stream_.next(text_);
        if (!made) {
            text_.resize(before);
            return false;
        }
        text_ += stream_.after;
        tally_.add(*made);
        ++waiting_;
        return true;
    }

    Result<> hand_out() {
        if (text_.empty()) return {};
        if (auto done = sink_.write(text_); !done) return done;
        text_.clear();
        waiting_ = 0;
        if (progress_) progress_->update(tally_.count());
        return {};
    }

    const GenerateStream& stream_;
    const GenerateSink& sink_;
    const StopRequest& stop_;
    const std::uint64_t rate_;
    std::uint64_t batch_;
    const SteadyTime start_ = steady_now();
    std::optional<Progress> progress_;
    std::string text_;
    std::uint64_t waiting_ = 0;  // documents in text_
    Tally tally_;
};

// The most frequent first; those that are as frequent, by name.
std::vector<Tally::Status> sorted_statuses(const Tally& tally) {
    std::vector<Tally::Status> statuses(tally.by_status().begin(), tally.by_status().end());
    std::ranges::sort(statuses, [](const Tally::Status& a, const Tally::Status& b) {
        return a.count != b.count ? a.count > b.count : a.status < b.status;
    });
    return statuses;
}

std::string decimal(std::int64_t minor, Currency currency) { return Money(minor, currency).decimal(); }

}  // namespace

Result<Tally> run_generate(const GenerateStream& stream, const GeneratePace& pace, const GenerateSink& sink,
                           const StopRequest& stop, bool show_progress) {
    return Run(stream, pace, sink, stop, show_progress).run();
}

std::string tally_text(const Tally& tally) {
    using Align = Table::Align;
    Table amounts({{"TYPE"},
                   {"COUNT", Align::right},
                   {"CURRENCY"},
                   {"MEAN", Align::right},
                   {"MIN", Align::right},
                   {"MAX", Align::right}});
    const auto add = [&](std::string_view type, const Tally::Amounts& of) {
        amounts.add({std::string(type), human_count(of.count), std::string(of.currency.code()),
                     decimal(of.mean_minor(), of.currency), decimal(of.least_minor, of.currency),
                     decimal(of.most_minor, of.currency)});
    };
    for (const auto& each : tally.by_type()) add(each.type, each);
    if (tally.by_type().size() > 1) {
        for (const auto& each : tally.totals()) add("all", each);
    }
    std::string text = amounts.text(0);
    if (tally.by_status().empty()) return text;
    Table statuses({{"STATUS"}, {"COUNT", Align::right}});
    for (const auto& each : sorted_statuses(tally)) statuses.add({std::string(each.status), human_count(each.count)});
    return text + "\n" + statuses.text(0);
}

std::string tally_json_members(const Tally& tally) {
    std::string text;
    JsonWriter json(text);
    const auto add = [&](const Tally::Amounts& of) {
        json.begin_object();
        if (!of.type.empty()) json.field("type", of.type);
        json.field("currency", of.currency.code()).field("count", of.count);
        json.field("mean", decimal(of.mean_minor(), of.currency)).field("min", decimal(of.least_minor, of.currency));
        json.field("max", decimal(of.most_minor, of.currency)).end_object();
    };
    json.begin_object().field("count", tally.count()).key("types").begin_array();
    for (const auto& each : tally.by_type()) add(each);
    json.end_array().key("totals").begin_array();
    for (const auto& each : tally.totals()) add(each);
    json.end_array().key("statuses").begin_object();
    for (const auto& each : sorted_statuses(tally)) json.field(each.status, each.count);
    json.end_object().end_object();
    return text.substr(1, text.size() - 2);
}

}  // namespace nostro::cli
