// Documents in Redis, held against the journal while they are being written.
//
// Frames are read from the newest that Redis has been told of to the first, so the first change of a key that is met is
// what should stand there. What was written since carries a later version and is no drift; neither is what has run out.
// Keys that the journal does not know are not looked for. Threads and errors: as ComparedStore says.
//
// Memory: some 40 bytes a key, for `keys_max` of them at most: where there are more they are compared in several parts,
// each of which reads the frames again.
#pragma once
#include <memory>
#include <optional>
#include <string>
#include <unordered_set>
#include <vector>

#include "nostro/adapters/redis/redis_projection.hpp"
#include "nostro/ports/compared_store.hpp"

namespace nostro::redis {

class RedisComparison final : public ComparedStore {
public:
    static constexpr std::size_t kKeysMax = 2'000'000;

    // As of RedisBackfill.
    RedisComparison(std::unique_ptr<CacheStore> store, ProjectionParts parts, RedisBackfill::ReadFrame read,
                    std::optional<std::chrono::seconds> kept, std::size_t keys_max = kKeysMax)
        : store_(std::move(store)),
          parts_(std::move(parts)),
          read_(std::move(read)),
          kept_(kept),
          keys_max_(keys_max) {}

    const std::string& name() const override { return name_; }
    Result<Comparison> compare(bool mend, const CompareWatch& watch) override;

private:
    // Keys whose hash modulo `of` is `number`. What frames from `looked` on tell of them was compared by another part,
    // before it became two.
    struct Part {
        std::uint64_t of = 1, number = 0;
        Seq looked = 0;
        bool holds(std::size_t hash) const { return hash % of == number; }
    };

    Result<> compare_part(Part part, bool mend, const CompareWatch& watch, Comparison& into);
    Result<> gather(const DecodedPtr& frame, const Part& part);
    void halve(Part& part, Seq seq);
    Result<> check(bool mend, Comparison& into);
    std::optional<Drift> drift_of(const Change& change, const CacheStore::Standing& standing, Seq through) const;

    const std::string name_ = "redis";
    const std::unique_ptr<CacheStore> store_;
    const ProjectionParts parts_;
    const RedisBackfill::ReadFrame read_;
    const std::optional<std::chrono::seconds> kept_;
    const std::size_t keys_max_;
    Instant began_{};
    std::vector<Part> left_;                // parts to be compared yet
    std::unordered_set<std::size_t> seen_;  // hashes of keys of the part
    std::vector<Change> rendered_, waiting_;
};

}  // namespace nostro::redis
