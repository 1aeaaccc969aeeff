#include "nostro/app/postgres_journal.hpp"

#include <utility>

#include "nostro/adapters/postgres/owner_lock.hpp"
#include "nostro/adapters/postgres/postgres_journal.hpp"
#include "nostro/base/log.hpp"

namespace nostro {

namespace {

PostgresJournalOptions options_of(const Config& config) {
    PostgresJournalOptions options;
    options.address = config.journal.postgres_url.empty() ? config.postgres.url : config.journal.postgres_url;
    options.schema = config.journal.postgres_schema;
    options.tries = config.postgres.connect_tries;
    options.connect_pause = config.postgres.connect_pause;
    options.in_flight_max = config.journal.in_flight;
    options.tail_bytes = config.journal.tail_bytes;
    return options;
}

}  // namespace

Result<OpenedJournal> open_postgres_journal(const Config& config) {
    const auto options = options_of(config);
    auto opened = PostgresJournal::open(options);
    if (!opened) return opened.error();
    log_info("postgres_journal", {{"server", without_password(options.address)}, {"schema", options.schema}});
    PostgresJournal* journal = opened->get();
    auto tied = tied_to_folder(config, std::move(*opened));
    if (!tied) return tied;
    tied->share = [journal](PostgresProjection& tables, const std::string& address) {
        return journal->set_ledger(tables, address);
    };
    tied->stop = [journal] { journal->stop(); };
    tied->candidacy = std::make_unique<PostgresOwnerLock>(PostgresOwnerLockOptions{
        .address = options.address,
        .schema = options.schema,
        .book = options.book,
        .session_timeout = std::chrono::ceil<std::chrono::milliseconds>(config.standby.session_timeout),
        .epoch = [journal] { return journal->epoch(); }});
    return tied;
}

Result<FollowedJournal> follow_postgres_journal(const Config& config) {
    auto options = options_of(config);
    options.make_tables = false;
    auto opened = PostgresJournal::open(std::move(options));
    if (!opened) return opened.error();
    return FollowedJournal{.journal = std::move(*opened), .begin_behind = {}};
}

}  // namespace nostro
