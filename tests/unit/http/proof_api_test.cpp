#include <gtest/gtest.h>

#include "nostro/base/hex.hpp"
#include "nostro/wire/ledger_proof.hpp"
#include "nostro/wire/proof.hpp"
#include "tests/unit/http/api_world.hpp"

namespace nostro {
namespace {

using test::ApiWorld;
using test::Told;

class ProofApiTest : public ::testing::Test {
protected:
    ProofApiTest() {
        world_.open("A", "100.00");
        world_.open("B");
    }
    ApiWorld world_;
};

TEST_F(ProofApiTest, APaymentsProofHoldsEveryOutcomeOfIt) {
    const std::string id = world_.pay("proof-key-1", "7", R"(,"capture":"manual")")["/payment_id"];
    ASSERT_EQ(world_.post("/v1/payments/" + id + "/capture", R"({"amount":"5"})").status, 202);
    const Told proof = world_.get("/v1/payments/" + id + "/proof");
    ASSERT_EQ(proof.status, 200) << proof.body;
    const auto proved = check_proof(proof.body);
    ASSERT_TRUE(proved) << proved.error().what;
    EXPECT_EQ(to_hex(proved->payment), id);
    ASSERT_EQ(proved->outcomes.size(), 2u);
    EXPECT_EQ(proved->outcomes[0].outcome().status, Status::held);
    EXPECT_EQ(proved->outcomes[1].outcome().status, Status::settled);
    EXPECT_EQ(proved->outcomes[1].outcome().amount.decimal(), "5.00");
}

TEST_F(ProofApiTest, WhoIsNotThereIsNotProved) {
    const Told proof = world_.get("/v1/payments/00000000000000000000000000000001/proof");
    EXPECT_EQ(proof.status, 404);
    EXPECT_EQ(proof["/code"], "payment_not_found");
}

TEST_F(ProofApiTest, TheBooksStandUnderACheckpointOfTheirFrame) {
    world_.pay("proof-key-2", "7");
    const Told proof = world_.get("/v1/ledger/proof");
    ASSERT_EQ(proof.status, 200) << proof.body;
    EXPECT_EQ(proof["/books/balanced"], "true");
    EXPECT_EQ(proof["/checkpoint/seq"], proof["/books/as_of/seq"]);
    EXPECT_EQ(proof["/verified"], "(null)");
    ASSERT_TRUE(is_ledger_proof(proof.body));
    const auto checked = check_ledger_proof(proof.body);
    ASSERT_TRUE(checked) << checked.error().what;
    EXPECT_FALSE(checked->currencies.empty());
}

}  // namespace
}  // namespace nostro
