// A Book whose frames a query index reads as they come.
#pragma once
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "nostro/journal/query_index.hpp"
#include "nostro/wire/command_codec.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/unit/domain/builders.hpp"

namespace nostro::test {

constexpr std::string_view kIndexedBookRules = R"(
[thresholds]
review = 50
[[rule]]
name = "large"
kind = "amount_band"
at_least = { EUR = "500.00" }
points = 60
)";

// A Book whose frames an index reads as they come.
class IndexedBook {
public:
    explicit IndexedBook(std::size_t batch_payments = 200'000, IndexRows rows = {})
        : batch_(batch_payments), rows_(std::move(rows)) {
        book_ = std::make_unique<DrivenBook>("unknown_accounts = \"open\"\n" + std::string(kIndexedBookRules));
        keep(a_command(ChangePolicy{book_->operator*().policy(0), "test"}));
        reopen();
    }
    ~IndexedBook() { index_.reset(); }

    Answer run(const Command& command) {
        const Answer answer = book_->run(command);
        keep(command);
        project();
        return answer;
    }
    void wait(std::chrono::nanoseconds time) {
        book_->wait(time);
        keep(std::nullopt);
        project();
    }
    void pass(std::chrono::nanoseconds time) { book_->pass(time); }
    // Ends the index and opens it again: what was not in a file is projected again.
    void reopen() {
        index_.reset();
        QueryIndexOptions options{folder(), batch_, rows_};
        if (reads_parts_) {
            options.read_bytes = [this](Seq seq, std::uint32_t begin, std::span<std::byte> into) -> Result<> {
                const auto whole = frame(seq);
                if (!whole) return whole.error();
                const auto bytes = (*whole)->frame->bytes().subspan(begin, into.size());
                std::ranges::copy(bytes, into.begin());
                return {};
            };
        }
        auto index = QueryIndex::open(options, [this](Seq seq) { return frame(seq); });
        ASSERT_TRUE(index) << index.error().what;
        index_ = std::move(*index);
        project();
    }
    // As a program that reads whole frames.
    void reopen_for_whole_frames() {
        reads_parts_ = false;
        reopen();
    }
    void remove_index() {
        index_.reset();
        std::filesystem::remove_all(folder());
    }
    void drop_history_before(Seq seq) { kept_from_ = seq; }
    QueryIndex& operator*() { return *index_; }
    QueryIndex* operator->() { return index_.get(); }
    DrivenBook& book() { return *book_; }
    std::string folder() const { return folder_.path() + "/index"; }
    void close() { index_.reset(); }

private:
    Result<DecodedPtr> frame(Seq seq) const {
        if (seq < kept_from_ || seq > frames_.size()) return Error{ErrorCode::not_found, "frame is not kept"};
        return frames_[seq - 1];
    }
    void keep(const std::optional<Command>& command) {
        builder_.begin();
        std::vector<std::byte> bytes;
        if (command) {
            encode_command(*command, bytes);
            builder_.add_command(bytes);
        }
        FrameHeader header;
        header.seq = book_->seq();
        header.time = book_->now();
        auto decoded = std::make_shared<DecodedFrame>();
        const auto done = decode_body(builder_.finish(header, {}, {}, book_->changes()), Sections::all, *decoded);
        ASSERT_TRUE(done) << done.error().what;
        frames_.push_back(std::move(decoded));
    }
    void project() {
        const auto next = index_->next();
        ASSERT_TRUE(next);
        for (Seq seq = *next; seq <= frames_.size(); ++seq) {
            const auto done = index_->project({&frames_[seq - 1], 1});
            ASSERT_TRUE(done) << done.error().what;
        }
    }

    TemporaryFolder folder_;
    std::size_t batch_;
    bool reads_parts_ = true;
    IndexRows rows_;
    std::unique_ptr<DrivenBook> book_;
    FrameBuilder builder_{1 << 20};
    std::vector<DecodedPtr> frames_;
    Seq kept_from_ = 1;
    std::unique_ptr<QueryIndex> index_;
};

inline std::vector<PaymentId> ids(const Page<Recorded>& page) {
    std::vector<PaymentId> ids;
    for (const Recorded& recorded : page.items) ids.push_back(recorded.payment.id);
    return ids;
}

}  // namespace nostro::test
