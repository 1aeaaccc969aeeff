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
        options.reach_patience = options.look_up_patience = kPatience;
        auto journal = KafkaJournal::open(options);
        const auto until = std::chrono::steady_clock::now() + kPatience;
        while (!journal && journal.error().code == ErrorCode::unavailable && std::chrono::steady_clock::now() < until) {
            journal = KafkaJournal::open(options);
        }
        if (!journal) throw std::runtime_error(journal.error().what);
        journal_ = std::move(*journal);
        return *journal_;
    }

private:
    static constexpr std::chrono::milliseconds kPatience{60'000};  // the broker may get no processor for a while
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
