// Indexes that another program has made.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/journal/indexed_book.hpp"

namespace nostro {
namespace {

using namespace nostro::test;
using ::testing::HasSubstr;

// By type, sorted by reference; documents under "records".
IndexRows by_type() {
    return {[](TenantNo, const Payment& payment, std::vector<IndexRow>& into) {
                if (!payment.attachment.empty()) into.push_back({"records", std::string(payment.attachment)});
                if (payment.type.empty()) return;
                into.push_back({std::string(payment.type), std::string(payment.reference)});
                into.push_back({"all", std::string(payment.reference)});
            },
            7};
}

class QueryIndexRowsTest : public ::testing::Test {
protected:
    QueryIndexRowsTest() {
        book.run(an_account("ada").with(1'000'000).command());
        book.run(an_account("bob").command());
    }
    IndexedBook book{3, by_type()};
};

TEST_F(QueryIndexRowsTest, AnIndexWithOtherRowsIsNotTakenForThisOne) {
    book.run(a_payment().id(1).of("EUR", 100).type("A").command());
    book.close();
    const auto open = [&](IndexRows rows) {
        return QueryIndex::open({book.folder(), 1, std::move(rows)},
                                [](Seq) -> Result<DecodedPtr> { return Error{ErrorCode::not_found, "no frame"}; });
    };
    EXPECT_TRUE(open(by_type()));
    IndexRows other = by_type();
    ++other.version;
    for (const IndexRows& rows : {other, IndexRows{}}) {
        const auto opened = open(rows);
        ASSERT_FALSE(opened);
        EXPECT_EQ(opened.error().code, ErrorCode::corrupt);
        EXPECT_THAT(opened.error().what, HasSubstr("nostro rebuild index"));
    }
}

TEST_F(QueryIndexRowsTest, AnIndexOfTheFirstFormatIsNotTakenForThisOne) {
    book.close();
    {
        auto store = IndexStore::open(book.folder());
        ASSERT_TRUE(store);
        IndexRunBuilder builder;
        builder.put(IndexKey(IndexTag::next).view(), IndexKey(IndexTag::next).u64(3).u64(5).view().substr(1));
        const IndexRunPtr run = builder.finish();
        ASSERT_TRUE((*store)->ingest(std::span(&run, 1)));
    }
    const auto opened = QueryIndex::open({book.folder(), 1, by_type()}, {});
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().code, ErrorCode::corrupt);
    EXPECT_THAT(opened.error().what, HasSubstr("version"));
}

}  // namespace
}  // namespace nostro
