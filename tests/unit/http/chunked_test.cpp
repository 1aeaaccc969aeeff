#include "nostro/http/chunked.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <string>

namespace nostro {
namespace {

struct Decoded {
    std::string body;
    std::size_t taken = 0;
    bool done = false;
    std::optional<Refusal> refused;
};

// Gives the decoder `piece` bytes at a time.
Decoded decode(std::string_view bytes, std::size_t piece, std::size_t body_max = 1000) {
    ChunkedDecoder decoder(body_max);
    Decoded decoded;
    std::size_t given = 0;
    while (!decoded.done) {
        if (decoded.taken == given) {
            if (given == bytes.size()) break;
            given = std::min(bytes.size(), given + piece);
        }
        const auto step = decoder.step(bytes.substr(decoded.taken, given - decoded.taken));
        if (!step) {
            decoded.refused = step.error();
            break;
        }
        decoded.body += step->data;
        decoded.taken += step->taken;
        decoded.done = step->done;
    }
    return decoded;
}

TEST(ChunkedTest, PutsChunksTogetherHoweverTheyArrive) {
    const std::vector<std::pair<std::string, std::string>> cases{
        {"0\r\n\r\n", ""},
        {"5\r\nhello\r\n0\r\n\r\n", "hello"},
        {"5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n", "hello world"},
        {"0005\r\nhello\r\n000\r\n\r\n", "hello"},
        {"a\r\n0123456789\r\nA\r\n0123456789\r\n0\r\n\r\n", "01234567890123456789"},
        {"2\r\n\r\n\r\n0\r\n\r\n", "\r\n"},
        {"5;name=value\r\nhello\r\n0;last\r\n\r\n", "hello"},
        {"5\r\nhello\r\n0\r\nX-Sum: 1\r\nX-Other: 2\r\n\r\n", "hello"},
    };
    for (const auto& [bytes, body] : cases) {
        for (const std::size_t piece : {std::size_t{1}, std::size_t{2}, std::size_t{3}, std::size_t{1000}}) {
            const Decoded decoded = decode(bytes + "GET / next", piece);
            EXPECT_FALSE(decoded.refused) << bytes;
            EXPECT_TRUE(decoded.done) << bytes << " by " << piece;
            EXPECT_EQ(decoded.body, body);
            EXPECT_EQ(decoded.taken, bytes.size()) << "took bytes of the next message";
        }
    }
}

TEST(ChunkedTest, RefusesWhatIsNotExactlyFramed) {
    const std::vector<std::pair<std::string, std::uint16_t>> cases{
        {"g\r\n", 400},
        {"\r\n", 400},
        {"-1\r\n", 400},
        {"+5\r\nhello\r\n", 400},
        {"0x5\r\nhello\r\n", 400},
        {" 5\r\nhello\r\n", 400},
        {"5 \r\nhello\r\n", 400},
        {"5\nhello\r\n", 400},
        {"5\rhello", 0},
        {"000000005\r\nhello\r\n", 400},
        {"ffffffffffffffff\r\n", 400},
        {"5\r\nhelloworld\r\n", 400},
        {"5\r\nhello\n0\r\n\r\n", 400},
        {"5\r\nhelloX\r\n", 400},
        {"5;\r\nhello\r\n", 400},
        {"5;=a\r\nhello\r\n", 400},
        {"5;a=\r\nhello\r\n", 400},
        {"5;a=\"b\"\r\nhello\r\n", 400},
        {"5; a\r\nhello\r\n", 400},
        {"5 ;a\r\nhello\r\n", 400},
        {"5;" + std::string(600, 'a') + "\r\nhello\r\n", 400},
        {"0\r\nX : y\r\n\r\n", 400},
        {"0\r\n folded\r\n\r\n", 400},
        {"0\r\nno colon\r\n\r\n", 400},
        {"0\r\nX: y\n\r\n", 400},
        {"3e9\r\n", 413},
        {"3e8\r\n" + std::string(1000, 'a') + "\r\n1\r\n", 413},
    };
    for (const auto& [bytes, status] : cases) {
        for (const std::size_t piece : {std::size_t{1}, std::size_t{1000}}) {
            const Decoded decoded = decode(bytes, piece);
            EXPECT_FALSE(decoded.done) << bytes;
            EXPECT_EQ(decoded.refused ? decoded.refused->status : 0, status) << bytes << " by " << piece;
        }
    }
}

TEST(ChunkedTest, TrailersHaveABound) {
    std::string bytes = "0\r\n";
    for (int i = 0; i < 50; ++i) bytes += "X-Trailer: " + std::string(100, 'a') + "\r\n";
    EXPECT_TRUE(decode(bytes + "\r\n", 1000).refused);
}

}  // namespace
}  // namespace nostro
