// nostro replay: the rows of a CSV file as payments, through the HTTP API.
//
// Each row's key is made of the file's content and the row's number, so a file that is replayed twice, or again after a
// crash in the middle, changes nothing the second time.
#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <thread>
#include <unordered_map>

#include "nostro/base/embedded.hpp"
#include "nostro/base/json_text.hpp"
#include "nostro/base/text.hpp"
#include "nostro/cli/command.hpp"
#include "nostro/cli/load.hpp"
#include "nostro/cli/mapped_file.hpp"
#include "nostro/cli/replay_report.hpp"
#include "nostro/cli/replay_rows.hpp"
#include "nostro/cli/terminal.hpp"

namespace nostro::cli {
namespace {

struct ReplayOptions {
    std::string file;
    ColumnWishes columns{.maps = {}, .sets = {}, .currency = "USD"};
    std::size_t connections = 8, batch = 1000;
    bool put_policy = false;
};

constexpr int kRetriesMax = 200;
constexpr auto kRetryPause = std::chrono::milliseconds(100);
constexpr std::size_t kBodyMax = 8u << 20;  // of a batch; the service takes twice as much

// About as many as there are rows, without the header; a last line need not end.
std::uint64_t lines_of(std::string_view text) {
    const auto ends = static_cast<std::uint64_t>(std::ranges::count(text, '\n'));
    return text.ends_with('\n') ? ends - 1 : ends;
}

// Turns the file into batches and the answers into the report.
class Replay {
public:
    Replay(std::size_t batch_rows, ReplayRows& rows, std::uint64_t rows_about, std::string head)
        : batch_rows_(batch_rows), rows_(rows), head_(std::move(head)), progress_("replay", "rows", rows_about) {
        report.is_paysim = rows.layout().is_paysim();
    }

    bool next(std::string& request, std::uint64_t& tag) {
        if (!again_.empty()) {
            tag = again_.front();
            again_.pop_front();
            std::this_thread::sleep_for(kRetryPause);
        } else {
            tag = next_tag_;
            Batch batch = next_batch();
            if (batch.rows.empty()) return false;
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
        std::vector<ReplayRow> rows;
        int tries = 0;
    };

    Batch next_batch() {
        Batch batch;
        ReplayRow row;
        while (batch.rows.size() < batch_rows_ && batch.body.size() < kBodyMax && rows_.next(batch.body, row, report)) {
            batch.rows.push_back(row);
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
               document["data"].get(results_) == simdjson::SUCCESS && results_.size() == batch.rows.size();
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
        for (const auto item : results_) count_row(item, batch.rows[row++], batch.tries == 0);
        return true;
    }

    static std::string_view text_of(simdjson::dom::element item, std::string_view name) {
        std::string_view text;
        if (item[name].get(text) != simdjson::SUCCESS) return {};
        return text;
    }

    void count_not_taken(simdjson::dom::element item, const ReplayRow& row) {
        simdjson::dom::element error;
        if (item["error"].get(error) != simdjson::SUCCESS) {
            ++report.not_taken_by_code["unknown"];
            return;
        }
        ++report.not_taken_by_code[std::string(text_of(error, "code"))];
        const auto tell = [&](std::string_view pointer, std::string_view detail) {
            if (report.not_taken_first.size() == ReplayReport::kShownMax) return;
            report.not_taken_first.push_back(rows_.describe(row, pointer, detail));
        };
        simdjson::dom::array fields;
        if (error["errors"].get(fields) != simdjson::SUCCESS || fields.size() == 0) {
            return tell({}, text_of(error, "detail"));
        }
        for (const auto field : fields) tell(text_of(field, "pointer"), text_of(field, "detail"));
    }

    void count_row(simdjson::dom::element item, const ReplayRow& row, bool first_try) {
        const std::string_view status = text_of(item, "status");
        if (status.empty()) return count_not_taken(item, row);
        const std::string_view reason = text_of(item, "reason");
        bool replayed = false;
        if (item["replayed"].get(replayed) != simdjson::SUCCESS) replayed = false;
        ++report.taken;
        report.replayed += replayed && first_try ? 1 : 0;
        ++report.by_status[std::string(status)];
        if (status == "rejected") ++report.rejected_by_reason[std::string(reason)];
        report.reproduced += status == "settled" && row.adds_up ? 1 : 0;
        if (status == "in_review" || reason == "risk_rejected") {
            ++report.stopped;
            report.stopped_fraud += row.is_fraud ? 1 : 0;
        }
    }

    const std::size_t batch_rows_;
    ReplayRows& rows_;
    const std::string head_;
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
    const auto url = parse_url(context.url);
    if (!url) return fail(url.error());
    const auto file = MappedFile::open(options.file);
    if (!file) return fail(file.error());
    ReplayRows rows(file->text(), options.file);
    if (auto read = rows.read_header(options.columns); !read) return fail(read.error());
    if (options.put_policy) {
        if (const Exit exit = put_policy(context); exit != Exit::done) return exit;
    }

    Replay run(options.batch, rows, lines_of(file->text()),
               post_head(*url, "/v1/payments/batch", "application/x-ndjson"));
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

void add_replay(Command app, Context& context) {
    add_command<ReplayOptions>(
        app, context, "replay", "Replay a CSV as payments: PaySim, or any other with --map; again: changes nothing",
        [&](Command& command, ReplayOptions& options) {
            add_client_options(command, context);
            command.option("file", options.file, "CSV with a header line").required();
            command
                .option("--map", options.columns.maps,
                        "FIELD=COLUMN: the column of that name is a field of the payments; may be repeated")
                .repeatable();
            command
                .option("--set", options.columns.sets,
                        "FIELD=TEXT: the same in all payments, no TEXT: left out; may be repeated")
                .repeatable();
            command.footer(
                "A PaySim file needs no --map, nor does a column that has the name of a field. The fields are those "
                "of\n"
                "POST /v1/payments: debtor_account, creditor_account, amount, currency, type, reference, description,\n"
                "rail, capture, expires_at, idempotency_key, metadata.NAME, opening_balances.debtor,\n"
                "opening_balances.creditor");
            command.option("--currency", options.columns.currency, "Of all amounts that no column gives one")
                .with_default();
            command.option("--connections", options.connections, "At once").between(1, 256).with_default();
            command.option("--batch", options.batch, "Rows a request").between(1, 10'000).with_default();
            command.flag("--put-policy", options.put_policy,
                         "First put the built-in paysim policy in force: it opens unknown accounts");
        },
        replay);
}

}  // namespace nostro::cli
