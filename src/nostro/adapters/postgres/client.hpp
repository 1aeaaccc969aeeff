// One connection to a PostgreSQL server, by libpq. Statements are waited for.
//
// Errors: say what was wished, of which server and database (never a password), the server's words and the statement.
//         `unavailable`: the server is lost, going down, full or busy; nothing of the open transaction happened, but a
//         commit may have. `invalid`: it refuses (rights, tables that are not there or are others). `conflict`: a row
//         is there already. `not_found`: no such database.
// Standbys: where the wait of a commit for its synchronous standby is cancelled, the server warns and says that all
//           went well. Here that is a connection lost during COMMIT: what was committed may be on this server alone.
// Threads: one at a time. A client whose connection is lost stays lost: connect anew.
#pragma once
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "nostro/base/result.hpp"

struct pg_conn;
struct pg_result;

namespace nostro {

// What a statement answered.
class PostgresAnswer {
public:
    int rows() const;
    std::string_view text(int row, int column) const;             // empty where it is NULL; lives as long as this
    std::span<const std::byte> bytes(int row, int column) const;  // where the statement asked for them
    bool is_null(int row, int column) const;
    Result<__int128> sum(int row, int column) const;  // of whole numbers: sums are wider than they are

private:
    friend class PostgresClient;
    struct Clear {
        void operator()(pg_result* result) const;
    };
    explicit PostgresAnswer(pg_result* result) : result_(result) {}
    std::unique_ptr<pg_result, Clear> result_;
};

class PostgresClient {
public:
    static constexpr int kOldestVersion = 120000;  // of the server, as libpq counts

    // `address`: postgresql://... or "host=... dbname=...", with all that libpq knows; what it leaves out comes from
    // libpq's own variables and password file. One try, of five seconds unless the address says otherwise.
    static Result<std::unique_ptr<PostgresClient>> connect(const std::string& address);
    // For a server that may not be up yet: tries again after `pause`, as long as nobody answers there. A server that
    // answers and refuses is not asked again. The error says how often was tried, and how long.
    static Result<std::unique_ptr<PostgresClient>> connect(const std::string& address, std::uint32_t tries,
                                                           std::chrono::nanoseconds pause);
    ~PostgresClient();
    PostgresClient(const PostgresClient&) = delete;
    PostgresClient& operator=(const PostgresClient&) = delete;

    struct Statement {
        std::string sql;
        std::vector<std::string> parameters{};              // $1, $2..., as text
        std::optional<std::span<const std::byte>> bytes{};  // one more, a bytea as it is
        bool answers_bytes = false;                         // all columns of the answer are bytea, and come as they are
    };
    Result<PostgresAnswer> run(const Statement& statement);
    // For what may take long: where `stopped` says so, which is asked ten times a second, the statement is cancelled
    // (`unavailable`).
    Result<PostgresAnswer> run(const Statement& statement, const std::function<bool()>& stopped);
    // Several statements without parameters, separated by semicolons; one transaction unless they begin their own.
    Result<> script(const std::string& sql);
    // All are sent before the first answer is read (pipeline mode); the first that fails stops the rest. Unless
    // somebody has begun a transaction they are one, and what is returned says how its commit went.
    Result<std::vector<PostgresAnswer>> pipeline(std::span<const Statement> statements);
    // COPY ... FROM STDIN: `rows` in COPY's text format, whole lines.
    Result<> copy(const std::string& statement, std::string_view rows);
    // What others have told the channels that this session listens to. Waits for the first, `wait` at most; empty:
    // nobody has said anything.
    Result<std::vector<std::string>> notices(std::chrono::milliseconds wait);
    // What was open is undone. Nothing where the connection is lost.
    void rollback();

    bool is_lost() const;
    bool is_idle() const;                                // and in no transaction
    const std::string& place() const { return place_; }  // "PostgreSQL at 127.0.0.1:5432, database tps"

private:
    explicit PostgresClient(pg_conn* connection);
    Result<> prepare_session();
    Error failed(std::string_view statement) const;
    Error failed(const pg_result* result, std::string_view statement) const;
    static void hear(void* client, const pg_result* notice);
    void cancel() const;
    Result<> end_pipeline();
    Result<> finish_copy(const std::string& statement);

    pg_conn* connection_;
    std::string place_;
    bool is_unconfirmed_ = false;
};

// The same address with other parts: {"dbname", "tps"}. `invalid`: it is none.
Result<std::string> postgres_address(const std::string& address,
                                     std::span<const std::pair<std::string, std::string>> parts);
// For people: the password is ***.
std::string without_password(std::string_view address);
// "name" and 'text', ready to stand in a statement.
std::string sql_name(std::string_view name);
std::string sql_text(std::string_view text);

}  // namespace nostro
