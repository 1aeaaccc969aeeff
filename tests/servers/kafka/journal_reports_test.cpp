// What becomes of a frame for each error that a broker may answer. The errors are injected into librdkafka's own mock
// cluster, which does not append what it refuses and checks no sequence: there the client reports "ok" for frames that
// are nowhere, so whoever takes its word is found out.
#include <gtest/gtest.h>

// clang-format off: the second needs the first, and says so
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
// clang-format on

#include "nostro/adapters/kafka/kafka_journal.hpp"
#include "tests/support/frame_chain.hpp"

namespace nostro {
namespace {

using std::chrono::milliseconds;
using test::FrameChain;

constexpr std::int16_t kProduce = 0;  // the protocol's number of that request

class MockCluster {
public:
    MockCluster() {
        KafkaSettings nowhere;
        nowhere.bootstrap_servers = "127.0.0.1:1";
        client_ = std::move(*KafkaClient::open(KafkaClient::Kind::producer, nowhere, {{"log_level", "0"}}));
        cluster_.reset(rd_kafka_mock_cluster_new(client_->get(), 3));
        rd_kafka_mock_topic_create(cluster_.get(), "journal", 1, 3);
    }
    KafkaSettings settings() const {
        KafkaSettings to;
        to.bootstrap_servers = rd_kafka_mock_cluster_bootstraps(cluster_.get());
        return to;
    }
    void fail_next_produce(rd_kafka_resp_err_t error) const {
        rd_kafka_mock_push_request_errors(cluster_.get(), kProduce, 1, error);
    }

private:
    std::unique_ptr<KafkaClient> client_;
    std::unique_ptr<rd_kafka_mock_cluster_t, KafkaFree<rd_kafka_mock_cluster_destroy>> cluster_;
};

KafkaJournalOptions on(const MockCluster& cluster) {
    KafkaJournalOptions options;
    options.cluster = cluster.settings();
    options.topic = "journal";
    options.look_at_topic = false;
    options.reach_patience = milliseconds(60'000);
    options.look_up_patience = milliseconds(2'000);  // of what is in no log it is waited out
    return options;
}

// The frames that are in the log by the chain rule, for a reader that takes nobody's word.
Seq end_of_log(const MockCluster& cluster) {
    auto options = on(cluster);
    options.look_up_patience = milliseconds(60'000);
    const auto reader = KafkaJournal::open(options).value();
    return reader->follow(milliseconds(0)).value();
}

class KafkaReportsTest : public testing::TestWithParam<rd_kafka_resp_err_t> {};

TEST_P(KafkaReportsTest, NothingIsToldThatIsNotInTheChain) {
    const MockCluster cluster;
    auto opened = KafkaJournal::open(on(cluster));
    ASSERT_TRUE(opened) << opened.error().what;
    KafkaJournal& journal = **opened;
    const auto head = journal.take_over();
    ASSERT_TRUE(head) << head.error().what;
    FrameChain chain(*head);
    for (Seq seq = 1; seq <= 10; ++seq) {
        ASSERT_TRUE(journal.append(chain.next(seq - 1)));
        for (auto accepted = journal.accepted(); accepted.value() < seq;) accepted = journal.accepted();
    }
    cluster.fail_next_produce(GetParam());
    Seq told = 10;
    Result<Seq> accepted = told;
    for (int i = 0; i < 3 && accepted; ++i) {
        if (auto appended = journal.append(chain.next(10)); !appended) accepted = appended.error();
    }
    while (accepted && told < 13) {
        accepted = journal.accepted();
        if (accepted) told = *accepted;
    }
    EXPECT_LE(told, end_of_log(cluster));
    if (told == 13) return;
    // It says no more, whatever the reports behind the failed one bring.
    for (int i = 0; i < 3; ++i) EXPECT_FALSE(journal.accepted());
    EXPECT_FALSE(journal.ready(Journal::Need::upkeep));
    EXPECT_FALSE(journal.append(chain.next(10)));
}

INSTANTIATE_TEST_SUITE_P(
    Errors, KafkaReportsTest,
    testing::Values(RD_KAFKA_RESP_ERR_NO_ERROR, RD_KAFKA_RESP_ERR_DUPLICATE_SEQUENCE_NUMBER,
                    RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER, RD_KAFKA_RESP_ERR_UNKNOWN_PRODUCER_ID,
                    RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH, RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS,
                    RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS_AFTER_APPEND, RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT,
                    RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION, RD_KAFKA_RESP_ERR_KAFKA_STORAGE_ERROR,
                    RD_KAFKA_RESP_ERR_INVALID_MSG, RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE,
                    RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED,
                    RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, RD_KAFKA_RESP_ERR_INVALID_RECORD),
    [](const testing::TestParamInfo<rd_kafka_resp_err_t>& parameter) {
        return std::string(rd_kafka_err2name(parameter.param));
    });

}  // namespace
}  // namespace nostro
