#include "nostro/adapters/postgres/inbox_table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "nostro/base/text.hpp"

namespace nostro {
namespace {

constexpr std::size_t kNoticeMax = 7'900;  // PostgreSQL takes less than 8,000 bytes
constexpr std::size_t kLengthBytes = 4;
enum Field : std::size_t {
    kRequest,
    kCommand,
    kSeq,
    kKind,
    kIndex,
    kCount,
    kItem,
    kReason,
    kState,
    kFirst,
    kFirstIndex,
    kFields
};

using Fields = std::array<std::uint64_t, kFields>;

Fields fields_of(const InboxAnswer& of) {
    const Answer& answer = of.answer;
    return {of.request,
            of.command,
            of.seq,
            static_cast<std::uint64_t>(answer.kind),
            answer.index,
            answer.count,
            answer.item,
            static_cast<std::uint64_t>(answer.reason),
            static_cast<std::uint64_t>(answer.state),
            answer.first.seq,
            answer.first.index};
}

// Zeros at the end are left out.
std::string text_of(const InboxAnswer& answer) {
    const Fields fields = fields_of(answer);
    std::size_t count = fields.size();
    while (count > kSeq && fields[count - 1] == 0) --count;
    return fmt::format("{}", fmt::join(fields.begin(), fields.begin() + static_cast<std::ptrdiff_t>(count), ":"));
}

Result<InboxAnswer> read_answer(std::string_view text) {
    const Error wrong{ErrorCode::invalid, fmt::format("a notice of the inbox has {}", quoted(text))};
    Fields fields{};
    std::size_t count = 0;
    while (!text.empty()) {
        const auto [one, rest] = split_once(text, ':');
        const auto number = parse_uint64(one);
        if (!number || count == fields.size()) return wrong;
        fields[count++] = *number;
        text = rest;
    }
    constexpr std::uint64_t kU32 = 0xffffffff;
    const bool fits = count > kCommand && fields[kKind] <= static_cast<std::uint64_t>(Answer::Kind::refused) &&
                      fields[kReason] <= static_cast<std::uint64_t>(Reason::book_full) &&
                      fields[kState] <= static_cast<std::uint64_t>(Status::quarantined) && fields[kCommand] <= kU32 &&
                      fields[kIndex] <= kU32 && fields[kCount] <= kU32 && fields[kItem] <= kU32 &&
                      fields[kFirstIndex] <= kU32;
    if (!fits) return wrong;
    InboxAnswer of{.request = fields[kRequest],
                   .command = static_cast<std::uint32_t>(fields[kCommand]),
                   .seq = fields[kSeq],
                   .answer = {}};
    of.answer.kind = static_cast<Answer::Kind>(fields[kKind]);
    of.answer.reason = static_cast<Reason>(fields[kReason]);
    of.answer.index = static_cast<std::uint32_t>(fields[kIndex]);
    of.answer.count = static_cast<std::uint32_t>(fields[kCount]);
    of.answer.item = static_cast<std::uint32_t>(fields[kItem]);
    of.answer.first = {fields[kFirst], static_cast<std::uint32_t>(fields[kFirstIndex])};
    of.answer.state = static_cast<Status>(fields[kState]);
    return of;
}

}  // namespace

std::string inbox_sql() {
    return R"(CREATE TABLE nostro.inbox (
    position bigint PRIMARY KEY,
    commands integer NOT NULL,
    sender bigint NOT NULL,
    request bigint NOT NULL,
    inserted_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    bytes bytea NOT NULL
);
ALTER TABLE nostro.inbox ALTER COLUMN bytes SET STORAGE EXTERNAL;
CREATE INDEX inbox_requests ON nostro.inbox (sender, request);
COMMENT ON TABLE nostro.inbox IS 'Requests that instances have taken in for the one that owns the Book; what it has taken goes after a while';
CREATE TABLE nostro.inbox_head (next bigint NOT NULL) WITH (fillfactor = 10);
INSERT INTO nostro.inbox_head VALUES (0);
COMMENT ON TABLE nostro.inbox_head IS 'The position that the next command gets';
)";
}

std::string inbox_bytes(std::span<const std::byte> encoded, std::span<const std::uint32_t> ends) {
    std::string bytes;
    bytes.reserve(encoded.size() + ends.size() * kLengthBytes);
    std::uint32_t begin = 0;
    for (const std::uint32_t end : ends) {
        const std::uint32_t length = end - begin;
        for (unsigned shift = 0; shift < 32; shift += 8) bytes += static_cast<char>(length >> shift & 0xff);
        bytes.append(reinterpret_cast<const char*>(encoded.data()) + begin, length);
        begin = end;
    }
    return bytes;
}

Result<std::vector<std::span<const std::byte>>> split_inbox_bytes(std::span<const std::byte> bytes,
                                                                  std::uint32_t count) {
    std::vector<std::span<const std::byte>> commands;
    while (bytes.size() >= kLengthBytes) {
        std::size_t length = 0;
        for (std::size_t i = kLengthBytes; i > 0; --i) length = length << 8 | static_cast<std::size_t>(bytes[i - 1]);
        bytes = bytes.subspan(kLengthBytes);
        if (length > bytes.size()) break;
        commands.push_back(bytes.first(length));
        bytes = bytes.subspan(length);
    }
    if (bytes.empty() && commands.size() == count) return commands;
    return Error{ErrorCode::corrupt, fmt::format("a row of the inbox does not hold {} commands", count)};
}

std::string inbox_answers_channel(std::uint64_t sender) { return fmt::format("nostro_inbox_{:016x}", sender); }

std::vector<std::string> inbox_notices(std::span<const InboxAnswer> answers) {
    std::vector<std::string> notices;
    for (const InboxAnswer& each : answers) {
        const std::string text = text_of(each);
        if (notices.empty() || notices.back().size() + 1 + text.size() > kNoticeMax) {
            notices.push_back(text);
        } else {
            notices.back().append(" ").append(text);
        }
    }
    return notices;
}

Result<std::vector<InboxAnswer>> read_inbox_notice(std::string_view notice) {
    std::vector<InboxAnswer> answers;
    while (!notice.empty()) {
        const auto [one, rest] = split_once(notice, ' ');
        const auto answer = read_answer(one);
        if (!answer) return answer.error();
        answers.push_back(*answer);
        notice = rest;
    }
    return answers;
}

}  // namespace nostro
