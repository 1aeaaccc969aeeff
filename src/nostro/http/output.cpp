#include "nostro/http/output.hpp"

namespace nostro {

std::string& Output::tail() {
    if (segments_.empty() || segments_.back().fixed.data() != nullptr || segments_.back().text.size() > 2 * kCopyMax) {
        segments_.push_back({std::move(spare_), {}});
        spare_ = {};
    }
    return segments_.back().text;
}

void Output::append_owned(std::string&& text) {
    if (text.size() <= kCopyMax) {
        append(text);
        return;
    }
    segments_.push_back({std::move(text), {}});
}

void Output::append_static(std::string_view text) {
    if (text.size() <= kCopyMax) {
        append(text);
        return;
    }
    segments_.push_back({{}, text});
}

std::size_t Output::size() const {
    std::size_t bytes = 0;
    for (const Segment& segment : segments_) bytes += segment.view().size();
    return bytes - sent_;
}

void Output::clear() {
    segments_.clear();
    sent_ = 0;
}

std::span<const std::string_view> Output::pieces() {
    std::size_t count = 0;
    for (const Segment& segment : segments_) {
        if (count == pieces_.size()) break;
        pieces_[count] = segment.view();
        if (count == 0) pieces_[count].remove_prefix(sent_);
        ++count;
    }
    return {pieces_.data(), count};
}

void Output::written(std::size_t bytes) {
    sent_ += bytes;
    while (!segments_.empty() && sent_ >= segments_.front().view().size()) {
        Segment& first = segments_.front();
        sent_ -= first.view().size();
        if (first.text.capacity() > 0 && first.text.capacity() <= 4 * kCopyMax) {
            first.text.clear();
            spare_ = std::move(first.text);
        }
        segments_.pop_front();
        if (segments_.empty()) sent_ = 0;
    }
}

}  // namespace nostro
