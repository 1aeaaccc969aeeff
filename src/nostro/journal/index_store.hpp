// The query index on disk: sorted files, one a flush, merged by eights as they gather, so that readers ask few and an
// entry is written seldom. docs/formats/query_index.md draws them.
//
// Threads: ingest from one, all else from any; one of its own merges, with the weight of the thread that ingests.
// Deletable: the journal holds everything that is in it.
// Errors:  `corrupt`: damaged, the mend is `nostro rebuild index`; `unavailable`: no space, no permission.
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "nostro/base/result.hpp"
#include "nostro/journal/index_run.hpp"
#include "nostro/ports/disk.hpp"

namespace nostro {

class DiskGovernor;

class IndexStore {
public:
    static Result<std::unique_ptr<IndexStore>> open(const std::string& folder,
                                                    std::shared_ptr<DiskGovernor> governor = nullptr);
    // The files are all that the disk has. by_hand: nothing is merged but by merge(), and ingest() waits for none.
    enum class Merging : std::uint8_t { on_own_thread, by_hand };
    static Result<std::unique_ptr<IndexStore>> open(std::shared_ptr<Disk> disk, Merging merging);
    // As it is on disk now, also while a service has it open and goes on. Changes nothing. not_found: there is none.
    static Result<std::unique_ptr<IndexStore>> open_to_look(const std::string& folder);
    ~IndexStore();

    // Runs, oldest first, become one file; not if it was opened to look. Durable, whole or not at all, when it returns.
    // Failed: as if it had not been asked for; what is there goes on being read.
    Result<> ingest(std::span<const IndexRunPtr> runs);

    // An ordered walk over keys in [lower, upper), forwards or backwards, as of now.
    class Walk {
    public:
        Walk(Walk&&) noexcept;
        ~Walk();
        bool valid() const;
        std::string_view key() const;
        std::string_view value() const;
        void next();  // in the walk's direction
        // To the first key that is not less; of a forward walk, within its bounds.
        void seek(std::string_view key);
        // Against the direction of a forward walk; from behind its end to its last key. After it comes a seek.
        void previous();
        Result<> status() const;

    private:
        friend class IndexStore;
        struct State;
        explicit Walk(std::unique_ptr<State> state);
        std::unique_ptr<State> state_;
    };
    // Nothing: there is no such key.
    Result<std::optional<std::string>> get(std::string_view key) const;
    // These keys are asked for soon: what they need of the disk is fetched together.
    void will_get(std::span<const std::string_view> keys) const;
    Walk walk(std::string_view lower, std::string_view upper, bool backwards) const;
    // Every entry, forwards, past the caches.
    Walk walk_all() const;

    std::uint64_t bytes() const;  // of all files
    void let_go() const;          // pages that were read count to this process no longer
    // Why files are not merged at present; empty: they are. What is short is waited for; damage ends all merging, as it
    // would be met again each time.
    std::string trouble() const;
    void wait_for_merges() const;  // until as few files are left as there will be
    // Merges eight files into one. False: no eight are alike. Threads: the one that ingests; only where it is by hand.
    Result<bool> merge();

private:
    struct State;
    explicit IndexStore(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

}  // namespace nostro
