#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <string>
#include <vector>

#include "nostro/base/crc32c.hpp"
#include "nostro/base/hex.hpp"
#include "nostro/base/sha256.hpp"

namespace nostro {
namespace {

std::span<const std::byte> bytes_of(std::string_view text) { return std::as_bytes(std::span(text)); }

// --- SHA-256 ---

TEST(Sha256Test, MatchesPublishedVectors) {
    const std::pair<std::string, std::string_view> cases[] = {
        {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
        {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
         "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
        {std::string(1'000'000, 'a'), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"},
    };
    for (const auto& [text, digest] : cases) EXPECT_EQ(to_hex(sha256(text)), digest);
}

// Short messages take a way of their own, whose borders are where the padding needs another block.
TEST(Sha256Test, EveryShortLengthGivesTheDigestOfTheLongWay) {
    std::string text;
    for (int size = 0; size < 300; ++size, text += static_cast<char>(size * 7)) {
        Sha256 pieces;
        pieces.update(text);
        EXPECT_EQ(sha256(text), pieces.finish()) << size;
    }
}

RC_GTEST_PROP(Sha256Test, PiecesGiveTheDigestOfTheWhole, (std::string text)) {
    const auto cut = *rc::gen::inRange<std::size_t>(0, text.size() + 1);
    Sha256 pieces;
    pieces.update(std::string_view(text).substr(0, cut));
    pieces.update(bytes_of(std::string_view(text).substr(cut)));
    RC_ASSERT(pieces.finish() == sha256(text));
}

TEST(Sha256Test, AfterFinishItBeginsAnew) {
    Sha256 digest;
    digest.update("something");
    static_cast<void>(digest.finish());
    EXPECT_EQ(digest.finish(), sha256(""));
}

// --- CRC-32C ---

TEST(Crc32cTest, MatchesPublishedVectors) {
    const std::pair<std::string, std::uint32_t> cases[] = {
        {"123456789", 0xe3069283u},
        {"", 0u},
        {std::string(32, '\0'), 0x8a9136aau},
        {std::string(32, '\xff'), 0x62a8ab43u},
    };
    for (const auto& [text, crc] : cases) {
        EXPECT_EQ(crc32c(bytes_of(text)), crc);
        EXPECT_EQ(crc32c_portable(bytes_of(text)), crc);
    }
}

// Lengths around the borders of the lanes, at every alignment.
TEST(Crc32cTest, TheInstructionAndTheTableAgree) {
    std::vector<std::byte> data(3 * 3 * 1024 + 64);
    std::uint32_t noise = 1;
    for (auto& byte : data) byte = static_cast<std::byte>((noise = noise * 1664525 + 1013904223) >> 24);
    for (const std::size_t size : {0u, 1u, 7u, 8u, 9u, 255u, 1024u, 3071u, 3072u, 3073u, 6144u, 9216u, 9223u}) {
        for (std::size_t offset = 0; offset < 9; ++offset) {
            const auto piece = std::span<const std::byte>(data).subspan(offset, size);
            EXPECT_EQ(crc32c(piece), crc32c_portable(piece)) << size << " from " << offset;
            EXPECT_EQ(crc32c(piece, 0x12345678), crc32c_portable(piece, 0x12345678)) << size << " from " << offset;
        }
    }
}

RC_GTEST_PROP(Crc32cTest, TheSeedContinuesAnEarlierPiece, (const std::string& a, const std::string& b)) {
    RC_ASSERT(crc32c(bytes_of(b), crc32c(bytes_of(a))) == crc32c(bytes_of(a + b)));
}

TEST(Crc32cTest, EveryFlippedBitIsSeen) {
    std::string text = "a section of a frame";
    const std::uint32_t good = crc32c(bytes_of(text));
    for (std::size_t bit = 0; bit < text.size() * 8; ++bit) {
        std::string damaged = text;
        damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << (bit % 8)));
        EXPECT_NE(crc32c(bytes_of(damaged)), good) << bit;
    }
}

// --- Hex ---

TEST(HexTest, AnIdIs32LowerCaseDigitsHighHalfFirst) {
    const PaymentId id{0x0123456789abcdefu, 0xfedcba9876543210u};
    EXPECT_EQ(to_hex(id), "0123456789abcdeffedcba9876543210");
    EXPECT_EQ(to_hex(PaymentId{}), std::string(32, '0'));
    char buffer[kIdHexSize];
    to_hex(id, buffer);
    EXPECT_EQ(std::string_view(buffer, sizeof buffer), to_hex(id));
}

RC_GTEST_PROP(HexTest, AnIdReadsBack, (std::uint64_t high, std::uint64_t low)) {
    RC_ASSERT(payment_id_from_hex(to_hex(PaymentId{high, low})) == (PaymentId{high, low}));
    RC_ASSERT(account_id_from_hex(to_hex(AccountId{high, low})) == (AccountId{high, low}));
}

TEST(HexTest, AnythingButTheExactFormIsRefused) {
    const std::string good = "0123456789abcdeffedcba9876543210";
    ASSERT_TRUE(payment_id_from_hex(good));
    for (const std::string& bad : {std::string(), good.substr(1), good + "0", "0x" + good.substr(2),
                                   std::string("0123456789ABCDEFFEDCBA9876543210")}) {
        EXPECT_FALSE(payment_id_from_hex(bad)) << bad;
    }
    for (std::size_t i = 0; i < good.size(); ++i) {
        for (const char wrong : {'g', ' ', '\0', '-', '\xe9', ':', '/', '`', 'A'}) {
            std::string bad = good;
            bad[i] = wrong;
            EXPECT_FALSE(payment_id_from_hex(bad)) << i;
        }
    }
}

TEST(HexTest, ADigestReadsBackAndNothingElseDoes) {
    const Digest digest = sha256("abc");
    EXPECT_EQ(digest_from_hex(to_hex(digest)), digest);
    EXPECT_FALSE(digest_from_hex(to_hex(digest).substr(1)));
    EXPECT_FALSE(digest_from_hex(std::string(64, 'x')));
}

TEST(HexTest, BytesAreShownInTheirOrder) {
    EXPECT_EQ(to_hex(bytes_of("\x01\xff\x20")), "01ff20");
    std::string text = "x:";
    append_hex(text, bytes_of("A"));
    EXPECT_EQ(text, "x:41");
}

}  // namespace
}  // namespace nostro
