#include "nostro/cli/answer_reader.hpp"

#include <algorithm>

#include "nostro/base/text.hpp"

namespace nostro::cli {
namespace {

constexpr std::string_view kHeadEnd = "\r\n\r\n", kLength = "content-length";

// The digits at the begin of `text`, which may go on.
std::size_t whole_number(std::string_view text) {
    std::size_t number = 0;
    for (const char c : text) {
        if (c < '0' || c > '9') break;
        number = number * 10 + static_cast<std::size_t>(c - '0');
    }
    return number;
}

}  // namespace

// The head is as long as the last one, and its length's line begins where that one's did.
bool AnswerReader::looks_the_same(std::string_view bytes) const {
    if (head_bytes_ == 0 || bytes.size() < head_bytes_) return false;
    if (!bytes.substr(head_bytes_ - kHeadEnd.size()).starts_with(kHeadEnd)) return false;
    const std::string_view name = bytes.substr(length_at_ - kLength.size() - 2, kLength.size());
    return equal_ignoring_case(name, kLength);
}

Result<AnswerReader::Answer> AnswerReader::read(std::string_view bytes) {
    Answer answer;
    const bool is_same = looks_the_same(bytes);
    const auto end = is_same ? head_bytes_ - kHeadEnd.size() : bytes.find(kHeadEnd);
    if (end == std::string_view::npos) return answer;
    if (!bytes.starts_with("HTTP/1.1 ")) return Error{ErrorCode::unknown, "the answer is no HTTP/1.1"};
    if (!is_same) {
        const std::string_view head = bytes.substr(0, end + 2);
        length_at_ = 0;
        for (std::size_t at = 0; at < head.size();) {
            const std::size_t line_end = head.find("\r\n", at);
            const std::string_view line = head.substr(at, line_end - at);
            const auto [name, value] = split_once(line, ':');
            if (equal_ignoring_case(name, kLength)) {
                if (!parse_uint64(trim(value))) return Error{ErrorCode::unknown, "the answer has a bad Content-Length"};
                length_at_ = at + line.find_first_of("0123456789", kLength.size());
            }
            at = line_end + 2;
        }
        if (length_at_ == 0) return Error{ErrorCode::unknown, "the answer has no Content-Length"};
        head_bytes_ = end + kHeadEnd.size();
    }
    answer.status = (bytes[9] - '0') * 100 + (bytes[10] - '0') * 10 + (bytes[11] - '0');
    answer.head_bytes = head_bytes_;
    answer.body_bytes = whole_number(bytes.substr(length_at_, head_bytes_ - length_at_));
    return answer;
}

std::uint64_t taken_of(std::string_view body, std::uint64_t all) {
    constexpr std::string_view kTaken = "\"taken\":";
    constexpr std::size_t kWithin = 200;  // it stands in front of the items
    const auto at = body.substr(0, kWithin).find(kTaken);
    return at == std::string_view::npos ? all : whole_number(body.substr(at + kTaken.size()));
}

std::uint64_t count_settled(std::string_view body) {
    constexpr std::string_view kWord = "\"settled\"";
    constexpr std::size_t kBefore = kWord.find('l');
    std::uint64_t count = 0;
    // A search for the whole word would stop at every quote; an l is rare in an answer.
    for (std::size_t at = body.find('l'); at != std::string_view::npos; at = body.find('l', at + 1)) {
        if (at >= kBefore && body.substr(at - kBefore).starts_with(kWord)) ++count;
    }
    return count;
}

}  // namespace nostro::cli
