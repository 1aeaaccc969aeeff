#include "nostro/wire/command_codec.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "tests/unit/wire/equal_things.hpp"
#include "tests/unit/wire/random_things.hpp"

namespace nostro {
namespace {

using test::RandomThings;

std::vector<std::byte> encoded(const Command& command) {
    std::vector<std::byte> bytes;
    encode_command(command, bytes);
    return bytes;
}

RC_GTEST_PROP(CommandCodecTest, ReadsBackEveryKindAsItWasWritten, (std::uint64_t seed)) {
    RandomThings things(seed);
    for (std::size_t kind = 0; kind < RandomThings::kKinds; ++kind) {
        const Command command = things.command(kind);
        const auto bytes = encoded(command);
        Command read;
        CommandMemory memory;
        const auto result = decode_command(bytes, read, memory);
        RC_ASSERT(result.has_value());
        RC_ASSERT(test::same(command, read));
        RC_ASSERT(encoded(read) == bytes);
    }
}

RC_GTEST_PROP(CommandCodecTest, RefusesEveryCommandThatIsCutOff, (std::uint64_t seed)) {
    RandomThings things(seed);
    const Command command = things.command(things.below(RandomThings::kKinds));
    const auto bytes = encoded(command);
    for (std::size_t size = 0; size < bytes.size(); ++size) {
        Command read;
        CommandMemory memory;
        const auto result = decode_command(std::span(bytes).first(size), read, memory);
        RC_ASSERT(!result.has_value());
        RC_ASSERT(result.error().code == ErrorCode::corrupt);
    }
}

RC_GTEST_PROP(CommandCodecTest, SurvivesAnyByteChanged, (std::uint64_t seed)) {
    RandomThings things(seed);
    const Command command = things.command(things.below(RandomThings::kKinds));
    auto bytes = encoded(command);
    bytes[things.below(bytes.size())] = std::byte{things.u8()};
    Command read;
    CommandMemory memory;
    if (decode_command(bytes, read, memory)) {
        RC_ASSERT(encoded(read).size() <= bytes.size() + 32);  // it is one, whatever it says
    }
}

TEST(CommandCodecTest, AppendsBehindWhatIsThere) {
    RandomThings things(1);
    const Command command = things.command(2);
    std::vector<std::byte> bytes(3, std::byte{7});
    encode_command(command, bytes);
    EXPECT_EQ(bytes[2], std::byte{7});
    EXPECT_EQ(std::vector(bytes.begin() + 3, bytes.end()), encoded(command));
}

TEST(CommandCodecTest, LeavesOutIdAndMeaningThatThePaymentHas) {
    SubmitPayment submit;
    submit.payment.id = {1, 2};
    submit.meaning = 3;
    const std::size_t own = encoded({0, {1, 2}, 3, submit}).size();
    EXPECT_EQ(encoded({0, {1, 2}, 0, submit}).size(), own);
    EXPECT_EQ(encoded({0, {}, 3, submit}).size(), own);
    EXPECT_EQ(encoded({0, {9, 9}, 3, submit}).size(), own + 16);
    EXPECT_EQ(encoded({0, {1, 2}, 9, submit}).size(), own + 8);
}

struct Damage {
    const char* what;
    std::size_t byte;
    std::uint8_t value;
    const char* says;
};

TEST(CommandCodecTest, SaysWhatIsWrongAndWhere) {
    OpenAccount open;
    open.name = "A";
    open.currency = Currency::parse("USD").value();
    const auto bytes = encoded({0, {}, 0, open});
    // kind, flags, id (16), length, name, currency (3), kind, risk level
    for (const auto& [what, byte, value, says] : {Damage{"kind of command", 0, 14, "byte 1: no kind of command"},
                                                  Damage{"flags", 1, 0x20, "byte 2: a command with unknown flags"},
                                                  Damage{"mode of id", 1, 3, "byte 2: a command with unknown flags"},
                                                  Damage{"length of name", 18, 200, "byte 18: a text beyond the end"},
                                                  Damage{"currency", 20, 'u', "byte 20: no currency"},
                                                  Damage{"kind of account", 23, 5, "byte 24: no kind of account"},
                                                  Damage{"risk level", 24, 5, "byte 25: no risk level"}}) {
        auto damaged = bytes;
        damaged[byte] = std::byte{value};
        Command read;
        CommandMemory memory;
        const auto result = decode_command(damaged, read, memory);
        ASSERT_FALSE(result) << what;
        EXPECT_EQ(result.error().what, std::string("command: ") + says) << what;
    }
}

TEST(CommandCodecTest, RefusesBytesBehindTheEnd) {
    auto bytes = encoded({0, {}, 0, VoidPayment{{1, 2}}});
    bytes.push_back(std::byte{0});
    Command read;
    CommandMemory memory;
    const auto result = decode_command(bytes, read, memory);
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().what, "command: byte 18: bytes behind its end");
}

}  // namespace
}  // namespace nostro
