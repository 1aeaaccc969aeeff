// Compares the query index with what the journal says: every entry that its frames imply is there, and nothing else.
//
// Entries are counted and their hashes summed, by kind and in 1,024 parts of each, as the frames give them and as the
// index has them; so memory does not grow with the journal. Where a part differs, the frames are read once more and
// the keys of that part are compared one by one.
// Memory: the sums, and the newest image of each account. Changes nothing, also while a service has the index open:
// then what that service has not yet written to it is left out.
#pragma once
#include <array>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "nostro/journal/index_extract.hpp"
#include "nostro/journal/index_store.hpp"

namespace nostro {

class VerifyIndex {
public:
    // `key` in words: "status: ...". Reads frames of the walk again, from..through.
    using Fault = std::function<void(std::string what)>;
    using ReadFrames = std::function<Result<>(Seq from, Seq through, const std::function<void(const DecodedFrame&)>&)>;

    // not_found: there is no index; `corrupt`: it cannot be read, or is of another version or other rows.
    static Result<std::unique_ptr<VerifyIndex>> open(const std::string& folder, const IndexRows& rows = {});

    Seq next() const { return next_; }  // the first frame that is not in it
    // Frames in order, without gaps; the first tells from where on entries are compared. Later ones than the index
    // holds are passed over.
    void add(const DecodedFrame& frame);
    // Once all frames were added. Errors: the index could not be read to its end.
    Result<> compare(const ReadFrames& read, const Fault& fault);
    std::uint64_t entries() const { return entries_; }  // alike

private:
    static constexpr std::size_t kKinds = 32, kParts = 1'024;
    struct Part {
        std::uint64_t count = 0, sum = 0;  // both wrap
        friend bool operator==(const Part&, const Part&) = default;
    };
    using Entries = std::map<std::string, std::string, std::less<>>;
    // What frames imply, entry by entry: the last argument tells that it goes again.
    using Each = std::function<void(std::string_view key, std::string_view value, bool removed)>;

    VerifyIndex(std::unique_ptr<IndexStore> store, const IndexRows& rows)
        : store_(std::move(store)), rows_(rows), parts_(kKinds * kParts) {}
    Result<> read_next();
    bool is_compared(std::string_view key) const;
    void extract(const DecodedFrame& frame, IndexTotals& totals, const Each& each);
    void give_end(const IndexTotals& totals, const Each& each);
    static std::size_t part_of(std::string_view key);
    static void count(Part& part, std::string_view key, std::string_view value, bool removed);
    Result<> name_differences(const std::vector<std::size_t>& parts, const ReadFrames& read, const Fault& fault);

    std::unique_ptr<IndexStore> store_;
    const IndexRows rows_;
    std::vector<Part> parts_;  // what the frames imply
    IndexTotals totals_;
    IndexRunBuilder builder_;
    Seq first_ = 0, next_ = 1;
    Instant time_{};
    std::uint64_t entries_ = 0;
};

}  // namespace nostro
