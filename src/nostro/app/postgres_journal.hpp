// The journal in PostgreSQL, as [journal] and [postgres] ask for it.
#pragma once
#include "nostro/app/opened_journal.hpp"

namespace nostro {

// Waits for the server as postgres.connect_tries and connect_pause say. `invalid`: the server does not let us in, or is
// not fit; `unavailable`: nobody answers.
Result<OpenedJournal> open_postgres_journal(const Config& config);
// For who only reads it: nothing is claimed, made or changed. Errors as above; `not_found`: there is none.
Result<FollowedJournal> follow_postgres_journal(const Config& config);

}  // namespace nostro
