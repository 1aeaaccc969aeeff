#include "nostro/journal/index_run.hpp"

#include <gtest/gtest.h>

#include <map>
#include <optional>
#include <string>

#include "nostro/base/random.hpp"

namespace nostro {
namespace {

using Rows = std::map<std::string, std::optional<std::string>>;  // nothing: removed

// Long keys of few different bytes: many begin alike, many come again, few come in order.
std::string some_key(Xoshiro256& random) {
    std::string key(1, static_cast<char>('A' + random.below(3)));
    const std::size_t bytes = random.below(14);
    for (std::size_t i = 0; i < bytes; ++i)
        key += random.below(4) == 0 ? static_cast<char>(0xF0 + random.below(2)) : 'x';
    return key;
}

void add_some(Xoshiro256& random, IndexRunBuilder& run, Rows& rows) {
    for (std::size_t i = random.below(400); i > 0; --i) {
        const std::string key = some_key(random);
        if (random.below(5) == 0) {
            run.remove(key);
            rows[key] = std::nullopt;
        } else {
            rows[key] = std::to_string(i);
            run.put(key, *rows[key]);
        }
    }
}

void expect_same(const IndexRun& run, const Rows& rows) {
    ASSERT_EQ(run.size(), rows.size());
    std::size_t at = 0;
    for (const auto& [key, value] : rows) {
        EXPECT_EQ(run.key(at), key);
        EXPECT_EQ(run.removed(at), !value.has_value());
        EXPECT_EQ(run.value(at), value.value_or(""));
        EXPECT_EQ(run.find(key), at);
        ++at;
    }
}

TEST(IndexRun, IsSortedAndOfEqualKeysTheLastStays) {
    Xoshiro256 random(7);
    for (int round = 0; round < 200; ++round) {
        IndexRunBuilder builder;
        Rows rows;
        add_some(random, builder, rows);
        expect_same(*builder.finish(), rows);
    }
}

TEST(IndexRun, OfTwoThatAreMergedTheNewerOneCounts) {
    Xoshiro256 random(8);
    for (int round = 0; round < 200; ++round) {
        IndexRunBuilder builder;
        Rows rows;
        add_some(random, builder, rows);
        const auto older = builder.finish();
        add_some(random, builder, rows);
        const IndexRunPtr runs[] = {older, builder.finish()};
        expect_same(*IndexRunBuilder::merge(runs), rows);
    }
}

}  // namespace
}  // namespace nostro
