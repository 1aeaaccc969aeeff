#include "nostro/journal/flat_map.hpp"

#include <gtest/gtest.h>

#include <map>

#include "nostro/base/ids.hpp"

namespace nostro {
namespace {

// Many keys share the last places, so that their searches begin anew at the front. The factor undoes FlatMap's own.
struct Crowded {
    std::size_t operator()(std::uint64_t key) const { return (~std::uint64_t{0} - key % 3) * 0xF1DE83E19937733Du; }
};

// As small as an image of the index: its last byte is left over.
struct Image {
    std::int64_t balance = 0;
    std::uint16_t tenant = 0;
    bool is_changed = false;
};

template <class Map>
void expect_same(const Map& map, const std::map<std::uint64_t, std::int64_t>& wanted) {
    ASSERT_EQ(map.size(), wanted.size());
    std::map<std::uint64_t, std::int64_t> walked;
    map.each([&](std::uint64_t key, const Image& image) { walked[key] = image.balance; });
    EXPECT_EQ(walked, wanted);
    for (const auto& [key, balance] : wanted) {
        ASSERT_NE(map.find(key), nullptr) << key;
        EXPECT_EQ(map.find(key)->balance, balance);
    }
}

template <class Hash>
void grow_to(std::uint64_t count) {
    FlatMap<std::uint64_t, Image, Hash> map;
    std::map<std::uint64_t, std::int64_t> wanted;
    for (std::uint64_t i = 0; i < count; ++i) {
        const std::uint64_t key = i * 0x9E3779B97F4A7C15u;
        auto [image, is_new] = map.get(key);
        ASSERT_TRUE(is_new);
        image = Image{static_cast<std::int64_t>(i), 7, true};  // a whole value is put in place of another
        wanted[key] = static_cast<std::int64_t>(i);
        ASSERT_FALSE(map.get(key).second);
        ASSERT_EQ(map.find(key + 1), nullptr);
    }
    expect_same(map, wanted);
}

TEST(FlatMapTest, HoldsWhatWasPutThereHoweverItGrows) { grow_to<std::hash<std::uint64_t>>(20'000); }
TEST(FlatMapTest, KeepsCrowdedKeysApart) { grow_to<Crowded>(1'500); }

TEST(FlatMapTest, EntriesHaveNoByteTooMany) {
    EXPECT_EQ(sizeof(FlatMap<std::uint64_t, Image>::Entry), 8 + sizeof(Image));
}

}  // namespace
}  // namespace nostro
