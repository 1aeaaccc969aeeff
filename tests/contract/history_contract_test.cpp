// Stores of history that need no server.
#include "tests/contract/history_contract.hpp"

#include "nostro/journal/query_index.hpp"
#include "tests/support/temporary_folder.hpp"

namespace nostro {
namespace {

class IndexStoreOfHistory final : public HistoryStore {
public:
    IndexStoreOfHistory(HistoryNeeds needs, std::size_t batch, bool reads_parts)
        : needs_(std::move(needs)), batch_(batch), reads_parts_(reads_parts) {}

    void open() override {
        index_.reset();
        QueryIndexOptions options{folder_.path() + "/index", batch_, {needs_.rows, 7}};
        if (reads_parts_) {
            options.read_bytes = [this](Seq seq, std::uint32_t begin, std::span<std::byte> into) -> Result<> {
                const auto whole = needs_.frame(seq);
                if (!whole) return whole.error();
                std::ranges::copy((*whole)->frame->bytes().subspan(begin, into.size()), into.begin());
                return {};
            };
        }
        auto index = QueryIndex::open(options, needs_.frame);
        ASSERT_TRUE(index) << index.error().what;
        index_ = std::move(*index);
    }
    History& history() override { return *index_; }
    Projection& projection() override { return *index_; }

private:
    HistoryNeeds needs_;
    std::size_t batch_;
    bool reads_parts_;
    test::TemporaryFolder folder_;
    std::unique_ptr<QueryIndex> index_;
};

HistoryAdapter an_index(const char* name, std::size_t batch, bool reads_parts) {
    return {name, [=](const HistoryNeeds& needs) {
                return std::make_unique<IndexStoreOfHistory>(needs, batch, reads_parts);
            }};
}

INSTANTIATE_TEST_SUITE_P(Adapters, HistoryContract,
                         testing::Values(an_index("IndexInMemory", 200'000, true), an_index("IndexInFiles", 3, true),
                                         an_index("IndexOfWholeFrames", 3, false)),
                         name_of);

}  // namespace
}  // namespace nostro
