// Feeds tables of one database with what was decided: the schema `nostro`, or those of a published system.
//
// Rows and cursor are written in one transaction, some thousands of outcomes each. Frames that are behind the cursor
// are compared: a row that differs from the journal, or a chain that continues otherwise than the cursor remembers, is
// `corrupt` ("history differs"), and nothing is written any more.
// Foreign keys among the tables are kept by how rows are written; where the role may tell the server so, it does not
// look up each row's again (docs/operations/postgres.md). Triggers of others fire as ever.
//
// Durable: as COMMIT promises there; a server that is restored from an older backup is met by a gap, and says so.
// Threads: one. Errors of the server come out of project(); it connects anew by itself.
#pragma once
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "nostro/adapters/postgres/client.hpp"
#include "nostro/adapters/postgres/projection_sql.hpp"
#include "nostro/adapters/postgres/rows.hpp"
#include "nostro/adapters/postgres/schema.hpp"
#include "nostro/ports/projection.hpp"

namespace nostro {

struct PostgresProjectionOptions {
    std::string address;
    PostgresSchema schema;  // what must stand
    std::vector<PostgresTable> tables;
    // Adds what a frame says to the rows, by the tables' numbers. An error stops the feeding, as one of the server
    // does.
    std::function<Result<>(const DecodedFrame&, PostgresRows&)> rows_of;
    std::size_t outcomes_at_once = 10'000;  // in a transaction; a frame is never parted
    // Other programs feed these tables from the same journal at the same time: what they have written is passed over,
    // not compared, and one that hangs in a transaction is thrown out of it.
    bool shared = false;
};

class PostgresProjection final : public Projection {
public:
    explicit PostgresProjection(PostgresProjectionOptions options);
    ~PostgresProjection() override;

    // Connects, with tries, and looks whether the schema is there. Not calling it is fine: project() does both.
    Result<> open(std::uint32_t tries, std::chrono::nanoseconds pause);
    Result<Seq> next() override;
    Result<> project(std::span<const DecodedPtr> frames) override;

    // Instead of all above: rows and cursor in the transaction of somebody else, who begins and commits it.
    // Takes this connection, which outlives its use, from now on; after an error it takes none.
    Result<> join(PostgresClient& client);
    // The first frame that is not projected, which stays so until the transaction ends.
    Result<Seq> locked_next();
    // Adds frames that continue it. `conflict`: rows of them are there, though the cursor does not say so; roll back,
    // and try again `carefully`.
    Result<> add(std::span<const DecodedPtr> frames, bool carefully);

private:
    struct Cursor {
        Seq next = 1;
        std::string digest;  // of the frame before; empty: there is none
    };
    using Statements = std::vector<PostgresClient::Statement>;

    Result<> ready();
    Result<> begin_session();
    enum class Lock : std::uint8_t { none, begin, in_transaction };
    Result<Cursor> cursor(Lock lock);
    Result<> write(std::span<const DecodedPtr> frames);
    Result<std::span<const DecodedPtr>> not_written(std::span<const DecodedPtr> frames);
    Result<> write_in_transaction(std::span<const DecodedPtr> frames, bool carefully);
    Result<> check_chain(const DecodedFrame& frame, const Cursor& cursor) const;
    Result<> gather(std::span<const DecodedPtr> frames);
    // Rows of frames that the cursor has passed: equal to what stands.
    Result<> compare(std::span<const DecodedPtr> frames);
    Result<> compare_table(std::size_t table, std::span<const DecodedPtr> frames);
    Result<> add_rows(bool carefully, std::span<const DecodedPtr> frames);
    Result<> apply(Statements& waiting);
    // Applies what waits, and tells whether rows of the table may be written without a look at what is there.
    Result<bool> nothing_is_there(std::size_t table, bool carefully, Statements& waiting);
    PostgresClient::Statement cursor_moved(const DecodedFrame& last) const;

    const PostgresProjectionOptions options_;
    std::vector<ProjectionSql> sql_;  // by table
    const ReferenceSql references_;
    bool may_vouch_ = false;  // for these
    std::unique_ptr<PostgresClient> own_;
    PostgresClient* client_ = nullptr;  // own_, or the one that was joined
    PostgresRows rows_;
};

}  // namespace nostro
