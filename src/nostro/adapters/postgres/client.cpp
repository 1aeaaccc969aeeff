#include "nostro/adapters/postgres/client.hpp"

#include <fmt/format.h>
#include <libpq-fe.h>
#include <poll.h>

#include <algorithm>
#include <array>
#include <regex>
#include <thread>

#include "nostro/base/text.hpp"
#include "nostro/base/time.hpp"

namespace nostro {
namespace {

constexpr std::size_t kShownStatement = 160;
constexpr int kLookAgain = 100;  // ms

// A server that hangs must not hang nostro for ever: whoever waits for this connection gets an error instead.
// Statements are short; the server would compile some of them for longer than they take, where it guesses wrong.
constexpr const char* kSession =
    "SET TimeZone = 'UTC'; SET client_min_messages = warning; SET lock_timeout = '10s'; SET statement_timeout = '120s';"
    "SET synchronous_commit = on; SET standard_conforming_strings = on; SET jit = off";

std::string one_line(std::string_view text) {
    std::string line(trim(text));
    std::ranges::replace(line, '\n', ' ');
    return line;
}

std::string shown(std::string_view statement) {
    if (statement.size() <= kShownStatement) return one_line(statement);
    return one_line(statement.substr(0, kShownStatement)) + "...";
}

std::string field(const PGresult* result, char code) {
    const char* text = PQresultErrorField(result, code);
    return text == nullptr ? std::string() : std::string(text);
}

// Classes of SQLSTATE, by what a caller does about them.
ErrorCode code_of(std::string_view state) {
    const std::string_view group = state.substr(0, 2);
    constexpr std::array<std::string_view, 6> kLater = {"08", "40", "53", "55", "57", "58"};
    if (state.empty() || std::ranges::find(kLater, group) != kLater.end()) return ErrorCode::unavailable;
    if (group == "23") return ErrorCode::conflict;
    if (state == "3D000") return ErrorCode::not_found;
    if (state == "25006") return ErrorCode::unavailable;  // read only: a standby
    return ErrorCode::invalid;
}

std::string place_of(const PGconn* connection) {
    const char* host = PQhost(connection);
    const char* port = PQport(connection);
    const char* database = PQdb(connection);
    return fmt::format("PostgreSQL at {}:{}, database {}", host == nullptr ? "" : host, port == nullptr ? "" : port,
                       database == nullptr ? "" : database);
}

// Before the address, so that what the address says counts.
constexpr std::array<std::pair<const char*, const char*>, 6> kBefore{{{"application_name", "nostro"},
                                                                      {"connect_timeout", "5"},
                                                                      {"tcp_user_timeout", "10000"},
                                                                      {"keepalives_idle", "10"},
                                                                      {"keepalives_interval", "5"},
                                                                      {"keepalives_count", "2"}}};

// Whom to trust, or who we are, is wrong in the address: trying again helps nobody.
bool is_about_certificates(std::string_view words) {
    return words.find("certificate") != words.npos || words.find("does not support SSL") != words.npos;
}

// A connection that failed is tried once more. True: a refusal, which stays one; `why` says more. libpq keeps the
// SQLSTATE to itself, but for the text that it makes of it when it is to tell all.
bool refuses_again(PGconn* connection, std::string& why) {
    PQsetErrorVerbosity(connection, PQERRORS_VERBOSE);
    PQreset(connection);
    PQsetErrorVerbosity(connection, PQERRORS_DEFAULT);
    if (PQstatus(connection) == CONNECTION_OK) return false;
    static const std::regex kState(R"(:  ([0-9A-Z]{5}): ([^\n]*))");
    const std::string all = PQerrorMessage(connection);
    std::smatch found;
    if (!std::regex_search(all, found, kState)) return true;
    const std::string state = found[1];
    why = one_line(found.prefix().str() + ":  " + found[2].str()) + " (" + state + ")";
    // Too many clients, or one that ends or begins: another time it may be different.
    return !state.starts_with("53") && !state.starts_with("57");
}

struct Keywords {
    std::vector<const char*> names, values;
    explicit Keywords(const std::string& address) {
        for (const auto& [name, value] : kBefore) add(name, value);
        add("dbname", address.c_str());
        add("client_encoding", "UTF8");
        add(nullptr, nullptr);
    }
    void add(const char* name, const char* value) {
        names.push_back(name);
        values.push_back(value);
    }
};

}  // namespace

// --- answers

void PostgresAnswer::Clear::operator()(pg_result* result) const { PQclear(result); }
int PostgresAnswer::rows() const { return PQntuples(result_.get()); }
Result<__int128> PostgresAnswer::sum(int row, int column) const {
    const std::string_view digits = text(row, column);
    const bool is_negative = digits.starts_with('-');
    __int128 value = 0;
    for (const char c : digits.substr(is_negative ? 1 : 0)) {
        if (c < '0' || c > '9') return Error{ErrorCode::corrupt, fmt::format("{} is no sum", quoted(digits))};
        value = value * 10 + (c - '0');
    }
    return is_negative ? -value : value;
}
bool PostgresAnswer::is_null(int row, int column) const { return PQgetisnull(result_.get(), row, column) != 0; }
std::string_view PostgresAnswer::text(int row, int column) const {
    return {PQgetvalue(result_.get(), row, column), static_cast<std::size_t>(PQgetlength(result_.get(), row, column))};
}

std::span<const std::byte> PostgresAnswer::bytes(int row, int column) const {
    const std::string_view value = text(row, column);
    return std::as_bytes(std::span(value));
}

// --- connecting

PostgresClient::PostgresClient(pg_conn* connection) : connection_(connection), place_(place_of(connection)) {
    PQsetNoticeReceiver(connection_, &PostgresClient::hear, this);
}

PostgresClient::~PostgresClient() { PQfinish(connection_); }

Result<std::unique_ptr<PostgresClient>> PostgresClient::connect(const std::string& address) {
    char* wrong = nullptr;
    PQconninfoOption* parsed = PQconninfoParse(address.c_str(), &wrong);
    if (parsed == nullptr) {
        const std::string why = wrong == nullptr ? "out of memory" : one_line(wrong);
        PQfreemem(wrong);
        return Error{ErrorCode::invalid, fmt::format("the address of PostgreSQL cannot be read: {}", why)};
    }
    PQconninfoFree(parsed);
    const Keywords keywords(address);
    std::unique_ptr<PostgresClient> client(
        new PostgresClient(PQconnectdbParams(keywords.names.data(), keywords.values.data(), 1)));
    std::string why = one_line(PQerrorMessage(client->connection_));
    bool refuses = client->is_lost() && is_about_certificates(why);
    if (!refuses && client->is_lost() && PQpingParams(keywords.names.data(), keywords.values.data(), 1) == PQPING_OK) {
        // A server that was starting up may be there by the time it is asked.
        refuses = refuses_again(client->connection_, why);
    }
    if (client->is_lost()) {
        return Error{refuses ? ErrorCode::invalid : ErrorCode::unavailable, fmt::format("{}: {}", client->place_, why)};
    }
    if (auto ready = client->prepare_session(); !ready) return ready.error();
    return client;
}

Result<std::unique_ptr<PostgresClient>> PostgresClient::connect(const std::string& address, std::uint32_t tries,
                                                                std::chrono::nanoseconds pause) {
    const SteadyTime began = steady_now();
    for (std::uint32_t tried = 1;; ++tried) {
        auto client = connect(address);
        if (client || client.error().code != ErrorCode::unavailable) return client;
        if (tried >= tries) {
            return Error{ErrorCode::unavailable,
                         fmt::format("{}; tried {} {} in {}", client.error().what, tried, tried == 1 ? "time" : "times",
                                     human_duration(elapsed_since(began)))};
        }
        std::this_thread::sleep_for(pause);
    }
}

Result<> PostgresClient::prepare_session() {
    if (const int version = PQserverVersion(connection_); version < kOldestVersion) {
        return Error{ErrorCode::invalid, fmt::format("{}: it is version {}, and nostro needs {} or newer", place_,
                                                     version / 10000, kOldestVersion / 10000)};
    }
    return script(kSession);
}

// By where in the server it comes from: the words are in the server's language, and it has no code of its own.
void PostgresClient::hear(void* client, const pg_result* notice) {
    if (field(notice, PG_DIAG_SOURCE_FUNCTION) != "SyncRepWaitForLSN") return;
    static_cast<PostgresClient*>(client)->is_unconfirmed_ = true;
}

bool PostgresClient::is_lost() const { return is_unconfirmed_ || PQstatus(connection_) != CONNECTION_OK; }
bool PostgresClient::is_idle() const { return !is_lost() && PQtransactionStatus(connection_) == PQTRANS_IDLE; }

// --- errors

Error PostgresClient::failed(std::string_view statement) const {
    if (is_unconfirmed_) {
        return {ErrorCode::unavailable,
                fmt::format("{}: the wait for its synchronous standby was cancelled, so what was committed may be on "
                            "this server alone; in: {}",
                            place_, shown(statement))};
    }
    return {ErrorCode::unavailable,
            fmt::format("{}: {}; in: {}", place_, one_line(PQerrorMessage(connection_)), shown(statement))};
}

Error PostgresClient::failed(const pg_result* result, std::string_view statement) const {
    const std::string state = field(result, PG_DIAG_SQLSTATE);
    if (is_lost() || state.empty()) return failed(statement);
    std::string what = one_line(field(result, PG_DIAG_MESSAGE_PRIMARY));
    for (const char part : {PG_DIAG_MESSAGE_DETAIL, PG_DIAG_MESSAGE_HINT, PG_DIAG_CONTEXT}) {
        if (const std::string more = one_line(field(result, part)); !more.empty()) what += "; " + more;
    }
    return {code_of(state), fmt::format("{}: {} ({}); in: {}", place_, what, state, shown(statement))};
}

// --- statements

namespace {

// As libpq wants them.
struct Parameters {
    explicit Parameters(const PostgresClient::Statement& statement) {
        for (const std::string& each : statement.parameters) add(each.c_str(), 0, false);
        if (!statement.bytes) return;
        add(reinterpret_cast<const char*>(statement.bytes->data()), static_cast<int>(statement.bytes->size()), true);
    }
    void add(const char* value, int length, bool is_binary) {
        values.push_back(value);
        lengths.push_back(length);
        formats.push_back(is_binary ? 1 : 0);
    }
    int count() const { return static_cast<int>(values.size()); }

    std::vector<const char*> values;
    std::vector<int> lengths, formats;
};

}  // namespace

Result<PostgresAnswer> PostgresClient::run(const Statement& statement) {
    const Parameters given(statement);
    PostgresAnswer answer(PQexecParams(connection_, statement.sql.c_str(), given.count(), nullptr, given.values.data(),
                                       given.lengths.data(), given.formats.data(), statement.answers_bytes ? 1 : 0));
    const ExecStatusType status = PQresultStatus(answer.result_.get());
    const bool done = status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK;
    if (!done || is_unconfirmed_) return failed(answer.result_.get(), statement.sql);
    return answer;
}

Result<PostgresAnswer> PostgresClient::run(const Statement& statement, const std::function<bool()>& stopped) {
    const Parameters given(statement);
    if (PQsendQueryParams(connection_, statement.sql.c_str(), given.count(), nullptr, given.values.data(),
                          given.lengths.data(), given.formats.data(), statement.answers_bytes ? 1 : 0) == 0) {
        return failed(statement.sql);
    }
    bool is_cancelled = false;
    while (PQisBusy(connection_) == 1) {
        pollfd socket{.fd = PQsocket(connection_), .events = POLLIN, .revents = 0};
        const bool says_something = poll(&socket, 1, kLookAgain) > 0;
        if (says_something && PQconsumeInput(connection_) == 0) break;  // lost: the answer tells
        if (is_cancelled || !stopped()) continue;
        cancel();
        is_cancelled = true;
    }
    PostgresAnswer answer(PQgetResult(connection_));
    while (pg_result* more = PQgetResult(connection_)) PQclear(more);
    const ExecStatusType status = PQresultStatus(answer.result_.get());
    const bool done = status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK;
    if (!done || is_unconfirmed_) return failed(answer.result_.get(), statement.sql);
    return answer;
}

// The answer is waited for all the same: it says that it was cancelled, or that it was too late.
void PostgresClient::cancel() const {
    const std::unique_ptr<PGcancel, decltype(&PQfreeCancel)> request(PQgetCancel(connection_), &PQfreeCancel);
    std::array<char, 256> ignored{};
    if (request != nullptr) PQcancel(request.get(), ignored.data(), static_cast<int>(ignored.size()));
}

Result<> PostgresClient::script(const std::string& sql) {
    const PostgresAnswer answer(PQexec(connection_, sql.c_str()));
    const ExecStatusType status = PQresultStatus(answer.result_.get());
    const bool done = status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK || status == PGRES_EMPTY_QUERY;
    if (!done || is_unconfirmed_) return failed(answer.result_.get(), sql);
    return {};
}

Result<std::vector<PostgresAnswer>> PostgresClient::pipeline(std::span<const Statement> statements) {
    if (is_lost() || PQenterPipelineMode(connection_) == 0) return failed("(pipeline)");
    for (const Statement& statement : statements) {
        const Parameters given(statement);
        if (PQsendQueryParams(connection_, statement.sql.c_str(), given.count(), nullptr, given.values.data(),
                              given.lengths.data(), given.formats.data(), statement.answers_bytes ? 1 : 0) == 0) {
            return failed(statement.sql);
        }
    }
    if (PQpipelineSync(connection_) == 0) return failed("(pipeline)");
    std::vector<PostgresAnswer> answers;
    std::optional<Error> error;
    for (std::size_t i = 0; i < statements.size(); ++i) {
        PostgresAnswer answer(PQgetResult(connection_));
        while (pg_result* more = PQgetResult(connection_)) PQclear(more);  // up to the end of this statement
        const ExecStatusType status = PQresultStatus(answer.result_.get());
        if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK && !error) {
            error = failed(answer.result_.get(), statements[i].sql);
        }
        if (is_lost()) return error.value_or(failed(statements[i].sql));
        answers.push_back(std::move(answer));
    }
    if (auto committed = end_pipeline(); !committed && !error) error = committed.error();
    if (error) return *error;
    return answers;
}

// Every statement may have been answered and the commit behind them still fail, or its answer never come.
Result<> PostgresClient::end_pipeline() {
    Result<> committed;
    for (;;) {
        const PostgresAnswer answer(PQgetResult(connection_));
        if (PQresultStatus(answer.result_.get()) == PGRES_PIPELINE_SYNC) break;
        if (committed && answer.result_ != nullptr) committed = failed(answer.result_.get(), "(commit)");
        if (is_lost()) return committed ? Result<>(failed("(commit)")) : committed;
    }
    if (PQexitPipelineMode(connection_) == 0 && committed) committed = failed("(pipeline)");
    if (is_unconfirmed_ && committed) committed = failed("(commit)");
    return committed;
}

Result<> PostgresClient::copy(const std::string& statement, std::string_view rows) {
    {
        const PostgresAnswer begun(PQexec(connection_, statement.c_str()));
        if (PQresultStatus(begun.result_.get()) != PGRES_COPY_IN) return failed(begun.result_.get(), statement);
    }
    constexpr std::size_t kPiece = 1u << 20;
    for (std::size_t at = 0; at < rows.size(); at += kPiece) {
        const std::string_view piece = rows.substr(at, kPiece);
        if (PQputCopyData(connection_, piece.data(), static_cast<int>(piece.size())) != 1) return failed(statement);
    }
    if (PQputCopyEnd(connection_, nullptr) != 1) return failed(statement);
    return finish_copy(statement);
}

Result<> PostgresClient::finish_copy(const std::string& statement) {
    Result<> done;
    while (pg_result* each = PQgetResult(connection_)) {
        const PostgresAnswer answer(each);
        if (PQresultStatus(each) != PGRES_COMMAND_OK && done) done = failed(each, statement);
        if (is_lost()) return done ? Result<>(failed(statement)) : done;
    }
    if (is_unconfirmed_ && done) done = failed(statement);
    return done;
}

Result<std::vector<std::string>> PostgresClient::notices(std::chrono::milliseconds wait) {
    std::vector<std::string> all;
    const auto take = [&] {
        if (PQconsumeInput(connection_) == 0 || is_lost()) return false;
        while (PGnotify* each = PQnotifies(connection_)) {
            all.emplace_back(each->extra);
            PQfreemem(each);
        }
        return true;
    };
    if (!take()) return failed("(waiting for a notice)");
    if (!all.empty() || wait.count() <= 0) return all;
    pollfd socket{.fd = PQsocket(connection_), .events = POLLIN, .revents = 0};
    if (poll(&socket, 1, static_cast<int>(wait.count())) > 0 && !take()) return failed("(waiting for a notice)");
    return all;
}

void PostgresClient::rollback() {
    if (is_lost() || PQtransactionStatus(connection_) == PQTRANS_IDLE) return;
    PQclear(PQexec(connection_, "ROLLBACK"));
}

// --- addresses and texts

Result<std::string> postgres_address(const std::string& address,
                                     std::span<const std::pair<std::string, std::string>> parts) {
    char* wrong = nullptr;
    const std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)> parsed(PQconninfoParse(address.c_str(), &wrong),
                                                                              &PQconninfoFree);
    if (parsed == nullptr) {
        const std::string why = wrong == nullptr ? "out of memory" : one_line(wrong);
        PQfreemem(wrong);
        return Error{ErrorCode::invalid, fmt::format("the address of PostgreSQL cannot be read: {}", why)};
    }
    std::string all;
    const auto add = [&](std::string_view name, std::string_view value) {
        all += fmt::format("{}{}='", all.empty() ? "" : " ", name);
        for (const char c : value) {
            if (c == '\'' || c == '\\') all += '\\';
            all += c;
        }
        all += '\'';
    };
    for (const PQconninfoOption* option = parsed.get(); option->keyword != nullptr; ++option) {
        const bool other = std::ranges::any_of(parts, [&](const auto& part) { return part.first == option->keyword; });
        if (option->val != nullptr && !other) add(option->keyword, option->val);
    }
    for (const auto& [name, value] : parts) add(name, value);
    return all;
}

std::string without_password(std::string_view address) {
    std::string text(address);
    const std::size_t scheme = text.find("://");
    if (scheme != std::string::npos) {
        const std::size_t host = std::min(text.find_first_of("/?", scheme + 3), text.size());
        const std::size_t at = text.rfind('@', host);
        const std::size_t colon = text.find(':', scheme + 3);
        if (at != std::string::npos && at > scheme && colon < at) text.replace(colon + 1, at - colon - 1, "***");
    }
    constexpr std::string_view kName = "password=";
    for (std::size_t at = text.find(kName); at != std::string::npos; at = text.find(kName, at + 1)) {
        const std::size_t begin = at + kName.size();
        std::size_t end = begin;
        if (end < text.size() && text[end] == '\'') {
            for (++end; end < text.size() && text[end] != '\''; ++end) {
                if (text[end] == '\\') ++end;
            }
            end = std::min(end + 1, text.size());
        } else {
            end = std::min(text.find_first_of(" &", begin), text.size());
        }
        text.replace(begin, end - begin, "***");
    }
    return text;
}

namespace {

std::string doubled(std::string_view text, char quote) {
    std::string all(1, quote);
    for (const char c : text) {
        if (c == quote) all += quote;
        if (c != '\0') all += c;
    }
    return all + quote;
}

}  // namespace

std::string sql_name(std::string_view name) { return doubled(name, '"'); }
std::string sql_text(std::string_view text) { return doubled(text, '\''); }

}  // namespace nostro
