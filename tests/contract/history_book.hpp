// A Book whose frames a store of history reads as they come, for the suite of history_contract.hpp.
#pragma once
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "nostro/ports/history.hpp"
#include "nostro/ports/projection.hpp"
#include "tests/support/framed_book.hpp"

namespace nostro {

using test::a_command;
using test::a_payment;
using test::account;
using test::an_account;
using test::currency;
using test::payment_id_of;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// What outlives a store that answers, and the way to open it again.
class HistoryStore {
public:
    virtual ~HistoryStore() = default;
    virtual void open() = 0;  // closes the one before
    virtual History& history() = 0;
    virtual Projection& projection() = 0;  // feeds it
};

struct HistoryNeeds {
    std::function<Result<DecodedPtr>(Seq)> frame;
    std::function<Seq()> newest;
    std::function<void(TenantNo, const Payment&, std::vector<IndexRow>&)> rows;  // empty: none are kept
};

struct HistoryAdapter {
    const char* name;
    std::function<std::unique_ptr<HistoryStore>(const HistoryNeeds&)> make;
};

// By type, sorted by reference; documents under "records".
inline void rows_by_type(TenantNo, const Payment& payment, std::vector<IndexRow>& into) {
    if (!payment.attachment.empty()) into.push_back({"records", std::string(payment.attachment)});
    if (payment.type.empty()) return;
    into.push_back({std::string(payment.type), std::string(payment.reference)});
    into.push_back({"all", std::string(payment.reference)});
}

class HistoryBook {
public:
    explicit HistoryBook(const HistoryAdapter& adapter) : adapter_(adapter) { make(rows_by_type); }

    Answer run(const Command& command) {
        const Answer answer = book_.run(command);
        project();
        return answer;
    }
    void wait(std::chrono::nanoseconds time) {
        book_.wait(time);
        project();
    }
    void pass(std::chrono::nanoseconds time) { book_.pass(time); }
    void reopen() {
        store_->open();
        project();
    }
    void keep_no_rows() { make({}); }
    void drop_history_before(Seq seq) { book_.drop_history_before(seq); }
    History& operator*() { return store_->history(); }
    History* operator->() { return &store_->history(); }
    test::DrivenBook& book() { return book_.book(); }
    const std::vector<DecodedPtr>& frames() const { return book_.frames(); }

private:
    void make(decltype(HistoryNeeds::rows) rows) {
        store_ = adapter_.make({.frame = [this](Seq seq) { return book_.frame(seq); },
                                .newest = [this] { return book_.frames().size(); },
                                .rows = std::move(rows)});
        reopen();
    }
    void project() {
        const auto next = store_->projection().next();
        ASSERT_TRUE(next) << next.error().what;
        const auto& frames = book_.frames();
        for (Seq seq = *next; seq <= frames.size(); ++seq) {
            const auto done = store_->projection().project({&frames[seq - 1], 1});
            ASSERT_TRUE(done) << done.error().what;
        }
    }

    const HistoryAdapter& adapter_;
    test::FramedBook book_;
    std::unique_ptr<HistoryStore> store_;
};

class HistoryContract : public testing::TestWithParam<HistoryAdapter> {
protected:
    HistoryBook book{GetParam()};
};

inline Search of_account(std::string_view name) {
    Search search;
    search.account = account(name);
    return search;
}

inline std::vector<PaymentId> ids(const Page<Recorded>& page) {
    std::vector<PaymentId> ids;
    for (const Recorded& recorded : page.items) ids.push_back(recorded.payment.id);
    return ids;
}

}  // namespace nostro
