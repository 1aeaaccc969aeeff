// Bytes on their way to a socket: small texts are joined, large ones are taken over instead of copied.
//
// One owner, one thread.
#pragma once
#include <array>
#include <cstddef>
#include <deque>
#include <span>
#include <string>
#include <string_view>

namespace nostro {

class Output {
public:
    static constexpr std::size_t kCopyMax = 32 * 1024;  // larger ones are taken over

    // The text that grows now: append to it at once, keep no reference.
    std::string& tail();
    void append(std::string_view text) { tail().append(text); }
    void append_owned(std::string&& text);
    void append_static(std::string_view text);  // lives for ever

    std::size_t size() const;
    bool empty() const { return size() == 0; }
    void clear();

    // The pieces to write next, and what of them was written.
    std::span<const std::string_view> pieces();
    void written(std::size_t bytes);

private:
    struct Segment {
        std::string text;
        std::string_view fixed;  // instead of text
        std::string_view view() const { return fixed.data() != nullptr ? fixed : std::string_view(text); }
    };
    std::deque<Segment> segments_;
    std::size_t sent_ = 0;  // of the first segment
    std::array<std::string_view, 16> pieces_;
    std::string spare_;  // the memory of a text that has left
};

}  // namespace nostro
