// nostro replay: a PaySim file as payments, through the HTTP API.
//
// Each row's key is made of the file's content and the row's number, so a file that is replayed twice, or again after a
// crash in the middle, changes nothing the second time.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <deque>
#include <system_error>
#include <thread>
#include <unordered_map>

#include "nostro/base/embedded.hpp"
#include "nostro/base/hex.hpp"
#include "nostro/base/json_text.hpp"
#include "nostro/base/sha256.hpp"
#include "nostro/base/text.hpp"
#include "nostro/cli/command.hpp"
#include "nostro/cli/load.hpp"
#include "nostro/cli/replay_report.hpp"
#include "nostro/cli/terminal.hpp"

namespace nostro::cli {
namespace {

struct ReplayOptions {
    std::string file, currency = "USD";
    std::size_t connections = 8, batch = 1000;
    bool put_policy = false;
};

constexpr std::size_t kUnreadableShown = 5;
constexpr int kRetriesMax = 200;
constexpr auto kRetryPause = std::chrono::milliseconds(100);

// A file's bytes, mapped: it is read twice, for its hash and for its rows.
class MappedFile {
public:
    static Result<MappedFile> open(const std::string& path) {
        MappedFile file;
        const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
        struct stat info{};
        if (!fd || fstat(fd.get(), &info) != 0) {
            return Error{ErrorCode::invalid, fmt::format("{}: {}", path, std::generic_category().message(errno))};
        }
        if (!S_ISREG(info.st_mode)) return Error{ErrorCode::invalid, fmt::format("{}: is no file", path)};
        file.size_ = static_cast<std::size_t>(info.st_size);
        if (file.size_ == 0) return Error{ErrorCode::invalid, fmt::format("{}: is empty", path)};
        void* memory = mmap(nullptr, file.size_, PROT_READ, MAP_PRIVATE, fd.get(), 0);
        if (memory == MAP_FAILED)
            return Error{ErrorCode::unavailable, fmt::format("{}: {}", path, std::generic_category().message(errno))};
        file.memory_ = static_cast<char*>(memory);
        return file;
    }
    MappedFile(MappedFile&& other) noexcept
        : memory_(std::exchange(other.memory_, nullptr)), size_(std::exchange(other.size_, 0)) {}
    MappedFile& operator=(MappedFile&&) = delete;
    ~MappedFile() {
        if (memory_ != nullptr) munmap(memory_, size_);
    }
    std::string_view text() const { return {memory_, size_}; }

private:
    MappedFile() = default;
    char* memory_ = nullptr;
    std::size_t size_ = 0;
};

// The payment of a row, as one line of NDJSON.
void append_payment(std::string& to, const paysim::Row& row, std::string_view file_hash, std::uint64_t number,
                    Currency currency) {
    const paysim::Sides sides = paysim::sides_of(row, currency);
    JsonWriter json(to);
    json.begin_object();
    json.field("idempotency_key", fmt::format("{}-{}", file_hash, number));
    json.field("debtor_account", sides.debtor).field("creditor_account", sides.creditor);
    json.field("amount", Money(row.amount_minor, currency).decimal()).field("currency", currency.code());
    json.field("type", paysim::name(row.type)).field("reference", fmt::format("step {}", row.step));
    json.key("opening_balances").begin_object();
    if (!sides.debtor.starts_with("house:")) {
        json.field("debtor", Money(sides.debtor_opening_minor, currency).decimal());
    }
    json.field("creditor", Money(sides.creditor_opening_minor, currency).decimal());
    json.end_object().end_object();
    to += '\n';
}

// Rows, without the header; a last line need not end.
std::uint64_t lines_of(std::string_view text) {
    const auto ends = static_cast<std::uint64_t>(std::ranges::count(text, '\n'));
    return text.ends_with('\n') ? ends - 1 : ends;
}

// Turns the file into batches and the answers into the report.
class Replay {
public:
    Replay(const ReplayOptions& options, Currency currency, std::string_view text, const paysim::Layout& layout,
           std::string head)
        : options_(options),
          currency_(currency),
          rest_(text),
          layout_(layout),
          head_(std::move(head)),
          file_hash_(to_hex(sha256(text)).substr(0, 24)),
          progress_("replay", "rows", lines_of(text)) {
        (void)take_line();  // the header
    }

    bool next(std::string& request, std::uint64_t& tag) {
        if (!again_.empty()) {
            tag = again_.front();
            again_.pop_front();
            std::this_thread::sleep_for(kRetryPause);
        } else {
            tag = next_tag_;
            Batch batch = next_batch();
            if (batch.is_fraud.empty()) return false;
            ++next_tag_;
            under_way_.emplace(tag, std::move(batch));
        }
        append_post(request, head_, {}, under_way_.at(tag).body);
        return true;
    }

    bool answered(std::uint64_t tag, int status, std::string_view body) {
        const auto batch = under_way_.find(tag);
        const bool refused = status == 503 || !read_results(batch->second, body) || is_busy();
        if (refused && ++batch->second.tries < kRetriesMax) {
            ++report.retried_batches;
            again_.push_back(tag);
            return true;
        }
        const bool fine = refused ? give_up(body) : count(batch->second);
        under_way_.erase(batch);
        progress_.update(report.rows);
        return fine;
    }

    void finish() { progress_.finish(report.rows); }

    ReplayReport report;
    Exit exit = Exit::done;

private:
    struct Batch {
        std::string body;
        std::vector<bool> is_fraud;  // a row each
        int tries = 0;
    };

    std::string_view take_line() {
        const auto end = std::min(rest_.find('\n'), rest_.size());
        const std::string_view line = rest_.substr(0, end);
        rest_.remove_prefix(std::min(rest_.size(), end + 1));
        return line;
    }

    Batch next_batch() {
        Batch batch;
        while (!rest_.empty() && batch.is_fraud.size() < options_.batch) {
            const std::string_view line = take_line();
            if (trim(line).empty()) continue;
            const std::uint64_t number = ++report.rows;
            const auto row = layout_.parse(line, currency_);
            if (!row) {
                if (report.unreadable++ < kUnreadableShown) {
                    report.unreadable_first.push_back(fmt::format("row {}: {}", number, row.error().what));
                }
                continue;
            }
            report.audit.add(*row);
            if (row->amount_minor == 0) {
                ++report.zero_amounts;
                continue;
            }
            report.fraud += row->is_fraud ? 1 : 0;
            append_payment(batch.body, *row, file_hash_, number, currency_);
            batch.is_fraud.push_back(row->is_fraud);
        }
        return batch;
    }

    bool give_up(std::string_view body) {
        exit =
            fail(Exit::environment, fmt::format("a batch was refused {} times: {}", kRetriesMax, body.substr(0, 300)));
        return false;
    }

    // False: no answer to this batch.
    bool read_results(const Batch& batch, std::string_view body) {
        simdjson::dom::element document;
        return parser_.parse(body.data(), body.size()).get(document) == simdjson::SUCCESS &&
               document["data"].get(results_) == simdjson::SUCCESS && results_.size() == batch.is_fraud.size();
    }

    // Some rows came when the service was full: all of the batch is sent again, those that were taken are known.
    bool is_busy() const {
        for (const auto item : results_) {
            std::uint64_t status = 0;
            if (item["error"]["status"].get(status) == simdjson::SUCCESS && status == 503) return true;
        }
        return false;
    }

    bool count(const Batch& batch) {
        std::size_t row = 0;
        for (const auto item : results_) count_row(item, batch.is_fraud[row++], batch.tries == 0);
        return true;
    }

    static std::string_view text_of(simdjson::dom::element item, std::string_view name) {
        std::string_view text;
        if (item[name].get(text) != simdjson::SUCCESS) return {};
        return text;
    }

    void count_row(simdjson::dom::element item, bool is_fraud, bool first_try) {
        const std::string_view status = text_of(item, "status");
        if (status.empty()) {
            std::string_view code;
            if (item["error"]["code"].get(code) != simdjson::SUCCESS) code = "unknown";
            ++report.not_taken_by_code[std::string(code)];
            return;
        }
        const std::string_view reason = text_of(item, "reason");
        bool replayed = false;
        if (item["replayed"].get(replayed) != simdjson::SUCCESS) replayed = false;
        ++report.taken;
        report.replayed += replayed && first_try ? 1 : 0;
        ++report.by_status[std::string(status)];
        if (status == "rejected") ++report.rejected_by_reason[std::string(reason)];
        if (status == "in_review" || reason == "risk_rejected") {
            ++report.stopped;
            report.stopped_fraud += is_fraud ? 1 : 0;
        }
    }

    const ReplayOptions& options_;
    Currency currency_;
    std::string_view rest_;
    const paysim::Layout& layout_;
    std::string head_, file_hash_;
    Progress progress_;
    simdjson::dom::parser parser_;
    simdjson::dom::array results_;  // of the answer being read
    std::unordered_map<std::uint64_t, Batch> under_way_;
    std::deque<std::uint64_t> again_;
    std::uint64_t next_tag_ = 0;
};

// The built-in policy that opens unknown accounts inside a payment's decision, as a replay needs it.
Exit put_policy(Context& context) {
    const auto policy = embedded_file("profiles/paysim.toml");
    if (!policy) return fail(Exit::environment, "the built-in paysim policy is missing from this build");
    std::string body;
    JsonWriter(body).begin_object().field("policy", *policy).field("by", "nostro replay").end_object();
    return ask(context, "PUT", "/v1/policies/nostro", body, {}) ? Exit::done : context.exit;
}

Exit replay(Context& context, ReplayOptions& options) {
    const auto currency = Currency::parse(options.currency);
    if (!currency) return fail(currency.error());
    const auto url = parse_url(context.url);
    if (!url) return fail(url.error());
    const auto file = MappedFile::open(options.file);
    if (!file) return fail(file.error());
    const std::string_view text = file->text();
    const auto layout = paysim::Layout::from_header(text.substr(0, text.find('\n')));
    if (!layout) return fail(Exit::usage, fmt::format("{}: {}", options.file, layout.error().what));
    if (options.put_policy) {
        if (const Exit exit = put_policy(context); exit != Exit::done) return exit;
    }

    Replay run(options, *currency, text, *layout, post_head(*url, "/v1/payments/batch", "application/x-ndjson"));
    LoadOptions load;
    load.url = *url;
    load.connections = options.connections;
    const auto result = Load::run(
        load, [&](std::string& request, std::uint64_t& tag) { return run.next(request, tag); },
        [&](std::uint64_t tag, int status, std::string_view body) { return run.answered(tag, status, body); });
    if (!result) {
        return fail(Exit::environment, result.error().what + "; start the same replay again, it goes on where it was");
    }
    if (run.exit != Exit::done) return run.exit;
    run.finish();
    run.report.latencies = result->latencies;
    run.report.elapsed = result->elapsed;
    if (context.json) {
        fmt::print("{}\n", run.report.json());
    } else {
        run.report.print();
    }
    return run.report.unreadable > 0 || !run.report.not_taken_by_code.empty() ? Exit::no : Exit::done;
}

}  // namespace

void add_replay(CLI::App& app, Context& context) {
    add_command<ReplayOptions>(
        app, context, "replay", "Replay a PaySim CSV as payments; again: changes nothing",
        [&](CLI::App& command, ReplayOptions& options) {
            add_client_options(command, context);
            command.add_option("file", options.file, "CSV with a header line, of either PaySim layout")->required();
            command.add_option("--currency", options.currency, "Of all amounts")->capture_default_str();
            command.add_option("--connections", options.connections, "At once")
                ->check(CLI::Range(1, 256))
                ->capture_default_str();
            command.add_option("--batch", options.batch, "Rows a request")
                ->check(CLI::Range(1, 10'000))
                ->capture_default_str();
            command.add_flag("--put-policy", options.put_policy,
                             "First put the built-in paysim policy in force: it opens unknown accounts");
        },
        replay);
}

}  // namespace nostro::cli
