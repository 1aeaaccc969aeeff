// The journal's contract on a real broker.
#include "tests/contract/journal_contract.hpp"

#include "nostro/adapters/kafka/kafka_journal.hpp"
#include "tests/servers/kafka/broker.hpp"

namespace nostro {
namespace {

class KafkaStore final : public JournalStore {
public:
    explicit KafkaStore(std::size_t tail_bytes) : tail_bytes_(tail_bytes) {}

    Journal& open() override {
        journal_.reset();
        KafkaJournalOptions options;
        options.cluster = test::broker();
        options.topic = topic_;
        options.single_broker = true;
        options.tail_bytes = tail_bytes_;
        auto journal = KafkaJournal::open(std::move(options));
        EXPECT_TRUE(journal) << journal.error().what;
        journal_ = std::move(*journal);
        return *journal_;
    }

private:
    const std::string topic_ = test::new_topic("contract");
    const std::size_t tail_bytes_;
    std::unique_ptr<KafkaJournal> journal_;
};

INSTANTIATE_TEST_SUITE_P(
    Adapters, JournalContract,
    testing::Values(JournalAdapter{"KafkaFromMemory", [] { return std::make_unique<KafkaStore>(64u << 20); }},
                    // A tail of one frame: everything else is read out of the partition.
                    JournalAdapter{"KafkaFromThePartition", [] { return std::make_unique<KafkaStore>(1); }}),
    [](const testing::TestParamInfo<JournalAdapter>& parameter) { return parameter.param.name; });

}  // namespace
}  // namespace nostro
