#include "nostro/adapters/postgres/inbox.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <utility>

#include "nostro/base/log.hpp"
#include "nostro/base/text.hpp"
#include "nostro/wire/command_codec.hpp"

namespace nostro {
namespace {

constexpr std::chrono::milliseconds kLookEvery{100};  // should a notice be lost, and for stop()
constexpr std::chrono::milliseconds kClearEvery{1'000};
constexpr int kRowsMax = 2'000, kClearedMax = 20'000;
constexpr std::size_t kToTellMax = 100'000;

// A row as one value: position, commands, sender, request, then the bytes.
constexpr const char* kRead = R"(WITH next AS (
    SELECT position, sum(octet_length(bytes)) OVER (ORDER BY position) AS total FROM nostro.inbox
    WHERE position >= $1 ORDER BY position LIMIT {0}
)
SELECT int8send(position) || int4send(commands) || int8send(sender) || int8send(request) || bytes
FROM next JOIN nostro.inbox USING (position) WHERE total <= {1} OR position = (SELECT min(position) FROM next)
ORDER BY position)";

std::uint64_t number(std::span<const std::byte>& from, std::size_t bytes) {
    std::uint64_t value = 0;
    for (const std::byte each : from.first(bytes)) value = value << 8 | static_cast<std::uint64_t>(each);
    from = from.subspan(bytes);
    return value;
}

}  // namespace

// What the arrivals of one read point into.
struct PostgresInbox::Decoded {
    explicit Decoded(PostgresAnswer read) : answer(std::move(read)) {}
    PostgresAnswer answer;
    std::deque<std::string> texts;
    std::deque<CommandMemory> memory;
    std::vector<Arrival> arrivals;
    std::vector<Row> rows;
    std::uint64_t next = 0;
};

PostgresInbox::PostgresInbox(PostgresInboxOptions options) : options_(std::move(options)) {}

PostgresInbox::~PostgresInbox() { stop(); }

void PostgresInbox::stop() {
    {
        const std::lock_guard lock(mutex_);
        stopped_ = true;
    }
    reader_ = {};
    teller_ = {};
}

Result<> PostgresInbox::seek(std::span<const Cursor> cursors) {
    stop();
    stopped_ = false;
    next_ = 0;
    for (const Cursor& cursor : cursors) {
        if (cursor.source == kInboxSource) next_ = std::max(next_, cursor.next);
    }
    taken_ = next_;
    at_a_row_ = false;
    ahead_.clear();
    rows_.clear();
    to_tell_.clear();
    reader_ = std::jthread([this](const std::stop_token& stop) { read(stop); });
    teller_ = std::jthread([this](const std::stop_token& stop) { tell(stop); });
    return {};
}

Result<> PostgresInbox::poll(std::size_t count_max, std::vector<Arrival>& arrivals) {
    {
        const std::lock_guard lock(mutex_);
        if (stopped_ || ahead_.empty()) return {};
        for (; count_max > 0 && !ahead_.empty(); --count_max) {
            arrivals.push_back(std::move(ahead_.front()));
            ahead_.pop_front();
        }
    }
    changed_.notify_all();
    return {};
}

std::string PostgresInbox::trouble() const {
    for (const Trouble* each : {&reading_, &telling_, &clearing_}) {
        if (std::string text = each->text(); !text.empty()) return text;
    }
    return {};
}

// --- reading

Result<PostgresInbox::ClientPtr> PostgresInbox::listening() {
    auto client = PostgresClient::connect(options_.address);
    if (!client) return client.error();
    if (auto done = (*client)->script(fmt::format("LISTEN {}", kInboxChannel)); !done) return done.error();
    std::uint64_t next = 0;
    {
        const std::lock_guard lock(mutex_);
        next = next_;
    }
    // A database that was restored from a backup goes on behind what the journal has taken. Instances see to the same.
    const auto moved =
        (*client)->run({"UPDATE nostro.inbox_head SET next = $1 WHERE next < $1", {std::to_string(next)}});
    if (!moved) return moved.error();
    return std::move(*client);
}

void PostgresInbox::read(const std::stop_token& stop) {
    ClientPtr client;
    while (!stop.stop_requested()) {
        Result<std::size_t> rows = std::size_t{0};
        if (client == nullptr || client->is_lost()) {
            auto connected = listening();
            if (connected) {
                client = std::move(*connected);
            } else {
                rows = connected.error();
            }
        }
        if (rows) rows = read_rows(*client);
        if (rows) {
            // Taken in any case: they would pile up as long as there always are rows.
            const auto heard = client->notices(*rows == 0 ? kLookEvery : std::chrono::milliseconds(0));
            if (!heard) rows = heard.error();
        }
        reading_.set(rows);
        std::unique_lock lock(mutex_);
        if (!rows) {
            client.reset();
            changed_.wait_for(lock, stop, options_.pause, [] { return false; });
        } else {
            changed_.wait(lock, stop, [&] { return ahead_.size() < options_.ahead_max; });
        }
    }
}

Result<std::size_t> PostgresInbox::read_rows(PostgresClient& client) {
    std::uint64_t next = 0;
    {
        const std::lock_guard lock(mutex_);
        next = next_;
    }
    // The first row may have been taken up to its middle.
    std::uint64_t from = next;
    if (!at_a_row_) {
        const auto before = client.run(
            {"SELECT coalesce(max(position), $1) FROM nostro.inbox WHERE position <= $1", {std::to_string(next)}});
        if (!before) return before.error();
        if (const auto position = parse_uint64(before->text(0, 0))) from = *position;
    }
    auto answer = client.run({.sql = fmt::format(kRead, kRowsMax, options_.read_bytes_max),
                              .parameters = {std::to_string(from)},
                              .answers_bytes = true});
    if (!answer) return answer.error();
    at_a_row_ = true;
    const int rows = answer->rows();
    if (rows == 0) return std::size_t{0};
    const auto decoded = std::make_shared<Decoded>(std::move(*answer));
    decoded->next = next;
    for (int row = 0; row < rows; ++row) {
        if (auto added = add_row(decoded, decoded->answer.bytes(row, 0)); !added) return added.error();
    }
    const std::size_t count = decoded->arrivals.size();
    {
        const std::lock_guard lock(mutex_);
        for (Arrival& each : decoded->arrivals) ahead_.push_back(std::move(each));
        rows_.insert(rows_.end(), decoded->rows.begin(), decoded->rows.end());
        next_ = decoded->next;
    }
    decoded->arrivals.clear();
    if (count > 0 && wake_) wake_();
    return count;
}

Result<> PostgresInbox::add_row(const std::shared_ptr<Decoded>& decoded, std::span<const std::byte> bytes) {
    constexpr std::size_t kHead = 28;
    if (bytes.size() < kHead) return Error{ErrorCode::corrupt, "a row of nostro.inbox is too short"};
    Row row;
    row.position = number(bytes, 8);
    row.commands = static_cast<std::uint32_t>(number(bytes, 4));
    row.sender = number(bytes, 8);
    row.request = number(bytes, 8);
    if (row.position + row.commands <= decoded->next) return {};  // taken before
    if (row.position > decoded->next) {
        // Nobody was told that they are taken, so nothing is lost that was promised.
        log_warn("inbox_rows_missing", {{"from", decoded->next}, {"to", row.position}});
        decoded->next = row.position;
    }
    const auto commands = split_inbox_bytes(bytes, row.commands);
    for (std::uint32_t i = 0; i < row.commands; ++i) {
        const std::uint64_t position = row.position + i;
        if (position < decoded->next) continue;
        Arrival arrival{.command = {}, .after = {kInboxSource, 0, position + 1}, .memory = decoded};
        Result<> read = commands ? Result<>() : Result<>(commands.error());
        if (read) read = decode_command((*commands)[i], arrival.command, decoded->memory.emplace_back());
        if (read) {
            arrival.encoded = (*commands)[i];
        } else {
            log_error("inbox_row_unreadable", {{"position", position}, {"why", read.error().what}});
            const auto kept = commands ? (*commands)[i] : bytes;
            arrival.command = Command{};
            arrival.command.body = KeepDeadLetter{.source = "nostro.inbox",
                                                  .position = decoded->texts.emplace_back(std::to_string(position)),
                                                  .format = "nostro-command",
                                                  .why = decoded->texts.emplace_back(read.error().what),
                                                  .bytes = {reinterpret_cast<const char*>(kept.data()), kept.size()}};
        }
        decoded->arrivals.push_back(std::move(arrival));
    }
    decoded->next = row.position + row.commands;
    decoded->rows.push_back(row);
    return {};
}

// --- telling

void PostgresInbox::answered(std::vector<Answered> answers) {
    {
        const std::lock_guard lock(mutex_);
        for (const Answered& each : answers) {
            const std::uint64_t position = each.after.next - 1;
            while (!rows_.empty() && rows_.front().position + rows_.front().commands <= position) rows_.pop_front();
            taken_ = each.after.next;
            if (rows_.empty() || each.receipts.empty() || to_tell_.size() >= kToTellMax) continue;
            const Row& row = rows_.front();
            InboxAnswer answer{.request = row.request,
                               .command = static_cast<std::uint32_t>(position - row.position),
                               .seq = each.frame,
                               .answer = each.receipts.front().answer};
            to_tell_.emplace_back(row.sender, answer);
        }
    }
    changed_.notify_all();
}

void PostgresInbox::tell(const std::stop_token& stop) {
    ClientPtr client;
    auto clears = std::chrono::steady_clock::now() + kClearEvery;
    while (!stop.stop_requested()) {
        std::vector<std::pair<std::uint64_t, InboxAnswer>> answers;
        {
            std::unique_lock lock(mutex_);
            changed_.wait_until(lock, stop, clears, [&] { return !to_tell_.empty(); });
            answers.swap(to_tell_);
        }
        Result<> done;
        if (client == nullptr || client->is_lost()) {
            auto connected = PostgresClient::connect(options_.address);
            if (connected) client = std::move(*connected);
            // What is told is in the journal: nothing has to be on the disk here.
            done = connected ? client->script("SET synchronous_commit = off") : Result<>(connected.error());
        }
        if (done && !answers.empty()) done = tell_answers(*client, answers);
        telling_.set(done);
        if (done && std::chrono::steady_clock::now() >= clears) {
            const auto cleared = clear(*client);
            clearing_.set(cleared);
            clears = (cleared ? clears : std::chrono::steady_clock::now()) + kClearEvery;
        }
        if (done) continue;
        // Whoever is told nothing looks for himself after a while.
        client.reset();
        std::unique_lock lock(mutex_);
        changed_.wait_for(lock, stop, options_.pause, [] { return false; });
        clears = std::chrono::steady_clock::now() + kClearEvery;
    }
}

Result<> PostgresInbox::tell_answers(PostgresClient& client,
                                     const std::vector<std::pair<std::uint64_t, InboxAnswer>>& answers) {
    std::map<std::uint64_t, std::vector<InboxAnswer>> by_sender;
    for (const auto& [sender, answer] : answers) by_sender[sender].push_back(answer);
    std::vector<PostgresClient::Statement> statements;
    for (const auto& [sender, of_sender] : by_sender) {
        for (std::string& notice : inbox_notices(of_sender)) {
            statements.push_back({"SELECT pg_notify($1, $2)", {inbox_answers_channel(sender), std::move(notice)}});
        }
    }
    const auto told = client.pipeline(statements);
    if (!told) return told.error();
    return {};
}

Result<> PostgresInbox::clear(PostgresClient& client) {
    std::uint64_t taken = 0;
    {
        const std::lock_guard lock(mutex_);
        taken = taken_;
    }
    const auto cleared = client.run(
        {fmt::format("DELETE FROM nostro.inbox WHERE position IN (SELECT position FROM nostro.inbox WHERE position + "
                     "commands <= $1 AND position < $1 AND inserted_at < clock_timestamp() - $2::interval "
                     "ORDER BY position LIMIT {})",
                     kClearedMax),
         {std::to_string(taken), fmt::format("{} milliseconds", options_.kept.count())}});
    if (!cleared) return cleared.error();
    return {};
}

}  // namespace nostro
