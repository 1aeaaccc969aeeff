// Projections that need no server.
#include "tests/contract/projection_contract.hpp"

#include <fmt/format.h>

#include "nostro/base/hex.hpp"
#include "nostro/journal/query_index.hpp"
#include "tests/support/temporary_folder.hpp"

namespace nostro {
namespace {

class IndexTarget final : public ProjectionTarget {
public:
    explicit IndexTarget(ReadFrame read) : read_(std::move(read)) { open(); }

    Projection& open() override {
        index_.reset();
        auto index = QueryIndex::open({.folder = folder_.path() + "/index"}, read_);
        EXPECT_TRUE(index) << (index ? "" : index.error().what);
        index_ = std::move(*index);
        return *index_;
    }
    std::string content() const override {
        std::string text;
        const auto accounts = index_->accounts(0, 100, "");
        EXPECT_TRUE(accounts);
        for (const AccountRecord& account : accounts->items) {
            text += fmt::format("{} {} {}\n", account.name, account.image.balance, account.image.held);
            const auto entries = index_->entries(account.image.id, {}, {}, false, 1'000, "");
            EXPECT_TRUE(entries);
            for (const Entry& entry : entries->items) {
                text += fmt::format("  {}.{} {}\n", entry.place.seq, entry.place.index, entry.after_minor);
            }
            Search search;
            search.account = account.image.id;
            search.count_max = 1'000;
            const auto payments = index_->payments(search);
            EXPECT_TRUE(payments);
            for (const Recorded& payment : payments->items) {
                text += fmt::format("  {} {} of {}\n", to_hex(payment.payment.id), name(payment.last().status),
                                    payment.outcomes.size());
            }
        }
        return text;
    }

private:
    test::TemporaryFolder folder_;
    ReadFrame read_;
    std::unique_ptr<QueryIndex> index_;
};

INSTANTIATE_TEST_SUITE_P(Adapters, ProjectionContract,
                         testing::Values(ProjectionAdapter{
                             "Index", [](ReadFrame read) { return std::make_unique<IndexTarget>(std::move(read)); }}),
                         name_of);

}  // namespace
}  // namespace nostro
