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
#include "tests/support/framed_book.hpp"
#include "tests/support/temporary_folder.hpp"

namespace nostro::test {

// A Book whose frames an index reads as they come.
class IndexedBook {
public:
    explicit IndexedBook(std::size_t batch_payments = 200'000, IndexRows rows = {})
        : batch_(batch_payments), rows_(std::move(rows)) {
        reopen();
    }
    ~IndexedBook() { index_.reset(); }

    Answer run(const Command& command) {
        const Answer answer = book_.run(command);
        project();
        return answer;
    }
    // False: the index did not take it.
    bool try_run(const Command& command) {
        book_.run(command);
        return try_project().has_value();
    }
    void wait(std::chrono::nanoseconds time) {
        book_.wait(time);
        project();
    }
    void pass(std::chrono::nanoseconds time) { book_.pass(time); }
    // Ends the index and opens it again: what was not in a file is projected again.
    void reopen() {
        index_.reset();
        QueryIndexOptions options{folder(), batch_, rows_};
        if (reads_parts_) {
            options.read_bytes = [this](Seq seq, std::uint32_t begin, std::span<std::byte> into) -> Result<> {
                const auto whole = book_.frame(seq);
                if (!whole) return whole.error();
                const auto bytes = (*whole)->frame->bytes().subspan(begin, into.size());
                std::ranges::copy(bytes, into.begin());
                return {};
            };
        }
        auto index = QueryIndex::open(options, [this](Seq seq) { return book_.frame(seq); });
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
    void drop_history_before(Seq seq) { book_.drop_history_before(seq); }
    QueryIndex& operator*() { return *index_; }
    QueryIndex* operator->() { return index_.get(); }
    DrivenBook& book() { return book_.book(); }
    std::string folder() const { return folder_.path() + "/index"; }
    void close() { index_.reset(); }

private:
    void project() {
        const auto done = try_project();
        ASSERT_TRUE(done) << done.error().what;
    }
    Result<> try_project() {
        const auto next = index_->next();
        if (!next) return next.error();
        const auto& frames = book_.frames();
        for (Seq seq = *next; seq <= frames.size(); ++seq) {
            if (auto done = index_->project({&frames[seq - 1], 1}); !done) return done;
        }
        return {};
    }

    TemporaryFolder folder_;
    std::size_t batch_;
    bool reads_parts_ = true;
    IndexRows rows_;
    FramedBook book_;
    std::unique_ptr<QueryIndex> index_;
};

inline std::vector<PaymentId> ids(const Page<Recorded>& page) {
    std::vector<PaymentId> ids;
    for (const Recorded& recorded : page.items) ids.push_back(recorded.payment.id);
    return ids;
}

}  // namespace nostro::test
