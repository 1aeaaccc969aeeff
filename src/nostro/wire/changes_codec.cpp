#include "nostro/wire/changes_codec.hpp"

#include <fmt/format.h>

#include "nostro/wire/command_codec.hpp"
#include "nostro/wire/image_codec.hpp"

namespace nostro {
namespace {

constexpr std::size_t kSectionsMax = 10 * kSectionHeaderBytes;

template <class Items, class Put>
void put_section(RawWriter& raw, SectionKind kind, const Items& items, Put put) {
    if (items.empty()) return;
    SectionWriter section(raw);
    section.begin(kind, items.size());
    put();
    section.end();
}

void get_outcomes(PayloadReader& in, std::size_t count, const FrameFacts& facts, std::vector<Outcome>& into) {
    OutcomeReader reader(facts);
    for (std::size_t i = 0; i < count && in.ok(); ++i) reader.get(in, into.emplace_back());
}

void get_policies(PayloadReader& in, std::size_t count, PolicyLoad load, std::vector<PolicyPtr>& into) {
    for (std::size_t i = 0; i < count && in.ok(); ++i) {
        const std::string_view compiled = in.string();
        if (in.ok() && compiled.empty()) in.fail("no policy");
        into.push_back(get_policy(in, compiled, load));
    }
}

}  // namespace

std::size_t ChangesBound::bytes(const Changes& changes) {
    for (; outcomes_seen_ < changes.outcomes.size(); ++outcomes_seen_) {
        outcome_bytes_ += OutcomeWriter::bound(changes.outcomes[outcomes_seen_]);
    }
    for (std::size_t i = compiled_.size(); i < changes.policies.size(); ++i) {
        compiled_.push_back(changes.policies[i]->compiled());
        policy_bytes_ += compiled_.back().size() + kVarintMax;
    }
    return kSectionsMax + outcome_bytes_ + policy_bytes_ + changes.accounts.size() * kAccountMax +
           changes.counters.size() * kCounterMax + changes.holds.size() * (kHoldFixedMax + kHitsMax * kCountedMax) +
           changes.reversed.size() * kReversedMax + changes.known.size() * kKnownMax +
           changes.bounds.size() * kBoundMax + changes.tenants.size() * kTenantMax;
}

void put_changes(RawWriter& raw, const Changes& changes, const FrameFacts& facts, const ChangesBound& bound) {
    const auto& outcomes = changes.outcomes;
    put_section(raw, SectionKind::outcomes, outcomes, [&] {
        OutcomeWriter writer(facts);
        for (const Outcome& outcome : outcomes) writer.put(raw, outcome);
    });
    put_section(raw, SectionKind::accounts, changes.accounts, [&] { put_accounts(raw, changes.accounts, outcomes); });
    put_section(raw, SectionKind::counters, changes.counters,
                [&] { put_counters(raw, changes.counters, changes.accounts); });
    put_section(raw, SectionKind::holds, changes.holds, [&] { put_holds(raw, changes.holds, outcomes); });
    put_section(raw, SectionKind::reversed, changes.reversed, [&] { put_reversed(raw, changes.reversed); });
    put_section(raw, SectionKind::known, changes.known, [&] { put_known(raw, changes.known, outcomes, facts); });
    put_section(raw, SectionKind::bounds, changes.bounds, [&] { put_bounds(raw, changes.bounds); });
    put_section(raw, SectionKind::tenants, changes.tenants, [&] { put_tenants(raw, changes.tenants); });
    put_section(raw, SectionKind::policies, bound.compiled(), [&] {
        for (const std::string& compiled : bound.compiled()) raw.string(compiled);
    });
}

Result<> get_changes(const Section& section, const FrameFacts& facts, PolicyLoad load, Changes& into) {
    PayloadReader in(section.payload);
    switch (section.kind) {
        case SectionKind::outcomes: get_outcomes(in, section.count, facts, into.outcomes); break;
        case SectionKind::accounts: get_accounts(in, section.count, into.outcomes, into.accounts); break;
        case SectionKind::counters: get_counters(in, section.count, into.accounts, into.counters); break;
        case SectionKind::holds: get_holds(in, section.count, into.outcomes, into.holds); break;
        case SectionKind::reversed: get_reversed(in, section.count, into.reversed); break;
        case SectionKind::known: get_known(in, section.count, into.outcomes, facts, into.known); break;
        case SectionKind::bounds: get_bounds(in, section.count, into.bounds); break;
        case SectionKind::tenants: get_tenants(in, section.count, into.tenants); break;
        case SectionKind::policies: get_policies(in, section.count, load, into.policies); break;
        case SectionKind::commands:
        case SectionKind::cursors_first:
        case SectionKind::cursors_last: in.fail("a section that holds no changes"); break;
    }
    if (in.ok() && !in.at_end()) in.fail("bytes behind the last entry");
    if (!in.ok()) return in.error(name(section.kind));
    return {};
}

PolicyPtr get_policy(PayloadReader& in, std::string_view compiled, PolicyLoad load) {
    if (!in.ok() || compiled.empty() || load == PolicyLoad::no) return nullptr;
    auto policy = Policy::load(compiled);
    if (policy) return *policy;
    in.fail("a policy that cannot be read");
    return nullptr;
}

void encode_changes(const Changes& changes, std::vector<std::byte>& into) {
    const FrameFacts facts;
    ChangesBound bound;
    ByteWriter out(into);
    auto raw = out.claim(bound.bytes(changes));
    put_changes(raw, changes, facts, bound);
    out.commit(raw);
}

Result<> decode_changes(std::span<const std::byte> bytes, Changes& into) {
    into.clear();
    const FrameFacts facts;
    SectionWalk walk(bytes, true);
    while (!walk.at_end()) {
        const auto section = walk.next();
        if (!section) return section.error();
        if (auto read = get_changes(*section, facts, PolicyLoad::yes, into); !read) return read;
    }
    return {};
}

}  // namespace nostro
