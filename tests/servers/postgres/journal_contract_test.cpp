// The journal's contract on a real PostgreSQL.
#include "tests/contract/journal_contract.hpp"

#include "nostro/adapters/postgres/postgres_journal.hpp"
#include "tests/servers/postgres/database.hpp"

namespace nostro {
namespace {

class PostgresStore final : public JournalStore {
public:
    explicit PostgresStore(std::size_t tail_bytes) : tail_bytes_(tail_bytes) {}

    Journal& open() override {
        journal_.reset();
        PostgresJournalOptions options;
        options.address = database_.address();
        options.tail_bytes = tail_bytes_;
        auto journal = PostgresJournal::open(std::move(options));
        EXPECT_TRUE(journal) << journal.error().what;
        journal_ = std::move(*journal);
        return *journal_;
    }

private:
    const std::size_t tail_bytes_;
    test::Database database_;
    std::unique_ptr<PostgresJournal> journal_;
};

INSTANTIATE_TEST_SUITE_P(
    Adapters, JournalContract,
    testing::Values(JournalAdapter{"PostgresFromMemory", [] { return std::make_unique<PostgresStore>(64u << 20); }},
                    // A tail of one frame: everything else is read out of the table.
                    JournalAdapter{"PostgresFromTheTable", [] { return std::make_unique<PostgresStore>(1); }}),
    [](const testing::TestParamInfo<JournalAdapter>& parameter) { return parameter.param.name; });

}  // namespace
}  // namespace nostro
