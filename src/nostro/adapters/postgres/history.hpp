// Answers questions about the past from the tables that history_tables.hpp describes: the server tells places, what
// stands there is read from the frames. Several processes may ask the same tables, and one feeds them.
//
// Fresh:   as far as the tables are, and no further than the frames that this process can read.
// Errors:  what the server refuses or cannot say now is `unavailable`; otherwise as History says.
// Threads: any. Each question takes a connection of its own, at most connections_max at a time; the rest wait. A server
//          that does not answer is not asked again within `pause`.
#pragma once
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "nostro/adapters/postgres/client.hpp"
#include "nostro/adapters/postgres/history_tables.hpp"
#include "nostro/ports/history.hpp"

namespace nostro {

struct PostgresHistoryOptions {
    std::string address;
    // A whole decoded frame. not_found: older than kept history.
    std::function<Result<DecodedPtr>(Seq)> frame;
    std::function<Seq()> readable;  // the newest frame that `frame` gives
    HistoryRows rows = {};
    std::size_t connections_max = 8;
    std::chrono::milliseconds pause{500};
};

class PostgresHistory final : public History {
public:
    explicit PostgresHistory(PostgresHistoryOptions options);
    ~PostgresHistory() override;

    // While the server cannot be asked: as of the last answer.
    AsOf as_of() const override;
    Result<std::optional<Recorded>> payment(PaymentId id) const override;
    Result<Page<Recorded>> payments(const Search& search) const override;
    Result<Page<Recorded>> reviews(TenantNo tenant, std::uint32_t count_max, const std::string& cursor) const override;
    Result<std::optional<AccountRecord>> account(AccountId id) const override {
        return account_as_of(id, options_.readable());
    }
    Result<std::optional<AccountRecord>> account_as_of(AccountId id, Seq at) const override;
    Result<Page<AccountRecord>> accounts(TenantNo tenant, std::uint32_t count_max,
                                         const std::string& cursor) const override;
    Result<AccountImage> account_at(AccountId id, Seq at) const override;
    Result<Seq> seq_at(Instant at) const override;
    Result<Page<Entry>> entries(AccountId id, std::optional<Instant> from, std::optional<Instant> to, bool newest_first,
                                std::uint32_t count_max, const std::string& cursor) const override;
    Result<Page<DeadLetter>> dead_letters(std::uint32_t count_max, const std::string& cursor) const override;
    Result<std::optional<DeadLetter>> dead_letter(Place place) const override;
    // Looks at every account: some 5 us each.
    Result<std::vector<Book::KindTotal>> totals_at(Seq at) const override;
    Result<std::optional<Seq>> frame_of_number(TenantNo tenant, std::uint64_t number) const override;
    Result<Page<Recorded>> rows(const RowSearch& search) const override;

    std::string trouble() const;  // why nobody can ask at present; empty: they can

private:
    using ClientPtr = std::unique_ptr<PostgresClient>;
    using Clock = std::chrono::steady_clock;
    class Reader;  // history_reader.hpp

    // history.cpp
    Result<ClientPtr> take() const;
    void give_back(ClientPtr client) const;
    Result<PostgresAnswer> ask(const PostgresClient::Statement& statement) const;
    Result<std::vector<Place>> places(const PostgresClient::Statement& statement) const;
    std::string readable() const;
    Result<std::vector<AccountRecord>> records(const std::vector<AccountId>& ids, Seq through) const;
    static Error misplaced(Seq seq, const std::string& what);
    static Result<AccountImage> image_at(Reader& reader, AccountId id, Seq seq);
    static Result<DeadLetter> letter_at(Reader& reader, Place place, std::int64_t state);

    // history_search.cpp
    Result<std::vector<Place>> candidates(const Search& search, Seq first, Place before, std::size_t count) const;
    Result<std::vector<std::optional<Recorded>>> recorded(const std::vector<Place>& places, const Search* search) const;

    const PostgresHistoryOptions options_;
    mutable std::mutex mutex_;
    mutable std::condition_variable given_back_;
    mutable std::vector<ClientPtr> idle_;
    mutable std::size_t connections_ = 0;
    mutable std::optional<std::string> trouble_;  // of the last try to connect
    mutable Clock::time_point refused_at_{};
    mutable AsOf as_of_;
};

}  // namespace nostro
