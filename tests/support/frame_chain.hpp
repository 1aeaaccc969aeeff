// Frames for tests of journals: a chain that continues where a journal's head says.
#pragma once
#include <cstring>
#include <string>
#include <vector>

#include "nostro/ports/journal.hpp"
#include "nostro/wire/command_codec.hpp"
#include "nostro/wire/frame.hpp"

namespace nostro::test {

inline PaymentId numbered_payment(std::uint64_t n) {
    return {n * 0x9E3779B97F4A7C15u >> 8, n * 0xC2B2AE3D27D4EB4Fu + n};
}
inline AccountId numbered_account(std::uint64_t n) { return {n * 0xD6E8FEB86659FD93u, n}; }

class FrameChain {
public:
    explicit FrameChain(const Head& head, std::uint64_t nonce = 77) : head_(head), nonce_(nonce), builder_(1 << 20) {}

    // The next frame, about that many bytes long, with these changes and one known id of its own.
    FramePtr next(Seq accepted, std::size_t payload = 100, Changes changes = {}) {
        builder_.begin();
        const std::string letter(payload, static_cast<char>('a' + head_.seq % 26));
        Command command;
        command.body = KeepDeadLetter{"test", "1", "text", "for the test", letter};
        std::vector<std::byte> encoded;
        encode_command(command, encoded);
        builder_.add_command(encoded);
        FrameHeader header;
        header.seq = head_.seq + 1;
        header.epoch = head_.epoch;
        header.nonce = nonce_;
        header.time = head_.time + std::chrono::milliseconds(1);
        header.previous = head_.digest;
        header.accepted = accepted;
        changes.known.push_back({numbered_payment(header.seq), 0, header.seq * 3});
        const std::vector<Cursor> first = head_.cursors;
        const std::vector<Cursor> last{{7, 0, header.seq * 10}};
        auto frame = builder_.finish(header, first, last, changes);
        head_ = {header.seq, frame->digest, head_.epoch, header.time, last};
        return frame;
    }
    const Head& head() const { return head_; }

private:
    Head head_;
    std::uint64_t nonce_;
    FrameBuilder builder_;
};

inline bool same_bytes(const FramePtr& a, const FramePtr& b) {
    return a && b && a->bytes().size() == b->bytes().size() && a->digest == b->digest &&
           std::memcmp(a->bytes().data(), b->bytes().data(), a->bytes().size()) == 0;
}

}  // namespace nostro::test
