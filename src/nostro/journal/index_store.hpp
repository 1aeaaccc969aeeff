// The query index on disk: RocksDB, filled by sorted files that are made here and moved in, each whole or not at all.
// The only place that knows RocksDB.
//
// Threads: ingest from one, all else from any. Deletable: the journal holds everything that is in it.
// Errors:  `corrupt`: damaged, the mend is `nostro rebuild index`; `unavailable`: no space, no permission.
#pragma once
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "nostro/base/result.hpp"
#include "nostro/journal/index_run.hpp"

namespace nostro {

class IndexStore {
public:
    static Result<std::unique_ptr<IndexStore>> open(const std::string& folder);
    // As it is on disk now, also while a service has it open and goes on. Changes nothing. not_found: there is none.
    static Result<std::unique_ptr<IndexStore>> open_to_look(const std::string& folder);
    ~IndexStore();

    // Moves a run in as one file; not if it was opened to look. Durable, whole or not at all, when it returns.
    Result<> ingest(const IndexRun& run);

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
        // Against the direction of a forward walk; from behind its end to its last key.
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
    Walk walk(std::string_view lower, std::string_view upper, bool backwards) const;
    // Every entry, forwards, past the caches.
    Walk walk_all() const;

    // For metrics: an estimate.
    std::uint64_t bytes() const;

private:
    struct State;
    explicit IndexStore(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

}  // namespace nostro
