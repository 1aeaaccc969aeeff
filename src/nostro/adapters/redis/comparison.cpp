#include "nostro/adapters/redis/comparison.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace nostro::redis {
namespace {

constexpr std::size_t kChangesAtOnce = 256;
constexpr std::size_t kVersionDigits = 24;
constexpr std::chrono::seconds kClocksDiffer{5};  // ours and the server's

std::string shown(const Fields& fields) {
    std::string text;
    for (const auto& [name, value] : fields) text += fmt::format("{}{} = {}", text.empty() ? "" : ", ", name, value);
    return text;
}

// The first field in which they differ; empty: in none.
std::string different_field(Fields should, Fields is) {
    std::ranges::sort(should);
    std::ranges::sort(is);
    const auto [a, b] = std::ranges::mismatch(should, is);
    if (a == should.end() && b == is.end()) return {};
    return a == should.end() ? b->first : a->first;
}

std::string value_of(const Fields& fields, std::string_view name) {
    const auto found = std::ranges::find(fields, name, [](const auto& field) { return std::string_view(field.first); });
    return found == fields.end() ? "nothing" : found->second;
}

}  // namespace

std::optional<Drift> RedisComparison::drift_of(const Change& change, const CacheStore::Standing& standing,
                                               Seq through) const {
    const Instant now = parts_.clock->now();
    if (change.expires_at != Instant{} && change.expires_at <= now + kClocksDiffer) return std::nullopt;
    const std::string should_mark = store_->mark_of(change), version = should_mark.substr(0, kVersionDigits);
    const std::string is = standing.mark.substr(0, kVersionDigits);
    const bool is_possible = is.size() == kVersionDigits && is < version_text({parts_.accepted() + 1, 0});
    if (is_possible && is >= version_text({through + 1, 0})) return std::nullopt;  // written since
    Drift drift;
    drift.place = "key";
    drift.key = change.key;
    const auto* text = std::get_if<std::string>(&change.value);
    const auto* fields = std::get_if<Fields>(&change.value);
    if (text == nullptr && fields == nullptr) {
        if (standing.kind == "none") return std::nullopt;
        drift.kind = Drift::Kind::unknown;
        drift.found = standing.kind == "hash" ? shown(standing.fields) : standing.text;
        return drift;
    }
    drift.journal = text != nullptr ? *text : shown(*fields);
    if (standing.kind == "none") {
        drift.kind = Drift::Kind::missing;
        return drift;
    }
    drift.found = standing.kind == "string" ? standing.text
                  : standing.kind == "hash" ? shown(standing.fields)
                                            : "a " + standing.kind;
    if (standing.kind != (text != nullptr ? "string" : "hash")) return drift;
    if (text != nullptr && *text != standing.text) return drift;
    if (fields != nullptr) {
        drift.column = different_field(*fields, standing.fields);
        if (!drift.column.empty()) {
            drift.journal = value_of(*fields, drift.column);
            drift.found = value_of(standing.fields, drift.column);
            return drift;
        }
    }
    // The same document, but beside it stands what would let an older one take its place, or keep a newer one out.
    const bool is_trusted = is_possible && is >= version && (is != version || standing.mark == should_mark);
    if (is_trusted) return std::nullopt;
    drift.column = "version";
    drift.journal = should_mark;
    drift.found = standing.mark;
    return drift;
}

Result<> RedisComparison::check(bool mend, Comparison& into) {
    if (waiting_.empty()) return {};
    const auto standing = store_->look(waiting_);
    if (!standing) return standing.error();
    ++into.buckets;
    bool differs = false;
    for (std::size_t i = 0; i < waiting_.size(); ++i) {
        into.rows += (*standing)[i].kind == "none" ? 0 : 1;
        auto drift = drift_of(waiting_[i], (*standing)[i], into.through);
        if (!drift) continue;
        differs = true;
        into.add(std::move(*drift));
        if (!mend) continue;
        // Where something else has been written meanwhile, that is the newer one.
        const auto written = store_->replace(waiting_[i], (*standing)[i].mark);
        if (!written) return written.error();
        ++into.mended;
    }
    into.different += differs ? 1 : 0;
    waiting_.clear();
    return {};
}

// Of a key that was not met yet: the newest change of the frame. What has run out is no drift, and so is no older one.
Result<> RedisComparison::gather(const DecodedPtr& frame, const Part& part) {
    rendered_.clear();
    if (auto done = parts_.render(frame, rendered_); !done) return done;
    Changes newest;
    newest.add(rendered_);
    for (const Change& change : newest.all()) {
        const std::size_t hash = std::hash<std::string>()(change.key);
        if (!part.holds(hash) || (change.expires_at != Instant{} && change.expires_at <= began_)) continue;
        if (seen_.insert(hash).second && frame->seq() < part.looked) waiting_.push_back(change);
    }
    return {};
}

// One half goes on, and forgets the other one, which begins anew.
void RedisComparison::halve(Part& part, Seq seq) {
    left_.push_back({part.of * 2, part.number + part.of, std::min(part.looked, seq)});
    part.of *= 2;
    std::erase_if(seen_, [&](std::size_t hash) { return !part.holds(hash); });
}

Result<Comparison> RedisComparison::compare(bool mend, const CompareWatch& watch) {
    const auto reach = store_->begin(parts_.accepted());
    if (!reach) return reach.error();
    if (!reach->is_whole()) {
        return Error{ErrorCode::unavailable,
                     fmt::format("Redis at {}: {} frames of before are being filled in; it is compared when they are",
                                 store_->address().shown(), reach->filled - reach->floor)};
    }
    Comparison found;
    found.through = reach->next - 1;
    began_ = parts_.clock->now();
    left_ = {{.looked = reach->next}};
    while (!left_.empty()) {
        const Part part = left_.back();
        left_.pop_back();
        if (auto done = compare_part(part, mend, watch, found); !done) return done.error();
    }
    return found;
}

Result<> RedisComparison::compare_part(Part part, bool mend, const CompareWatch& watch, Comparison& into) {
    seen_.clear();
    waiting_.clear();
    for (Seq seq = into.through; seq > 0; --seq) {
        if (watch.stopped()) return Error{ErrorCode::unavailable, "stopping: it was told to end"};
        const auto frame = read_(seq);
        if (!frame && frame.error().code == ErrorCode::not_found) break;  // dropped
        if (!frame) return frame.error();
        if (kept_ && (*frame)->time() + *kept_ < began_) break;
        if (auto done = gather(*frame, part); !done) return done;
        while (seen_.size() > keys_max_) halve(part, seq);
        watch.progress(into.through - seq + 1, into.through);
        if (waiting_.size() < kChangesAtOnce) continue;
        if (auto done = check(mend, into); !done) return done;
    }
    return check(mend, into);
}

}  // namespace nostro::redis
