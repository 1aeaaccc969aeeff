// Images as bytes, one function pair a section. Inner part of the frame codec; docs/formats/frame.md draws it.
//
// Images name accounts and payments by the outcomes of the same frame where they can; `outcomes` must be those that the
// reader will have. Writers are unchecked: k...Max bound what one entry takes.
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "nostro/domain/cursor.hpp"
#include "nostro/domain/outcome.hpp"
#include "nostro/wire/outcome_codec.hpp"
#include "nostro/wire/section.hpp"

namespace nostro {

constexpr std::size_t kAccountMax = 96, kCounterMax = 56, kHoldFixedMax = 160, kCountedMax = 18, kReversedMax = 36,
                      kKnownMax = 34, kBoundMax = 31, kTenantMax = 18, kCursorMax = 20;

void put_accounts(RawWriter& raw, std::span<const AccountImage> images, std::span<const Outcome> outcomes);
void put_counters(RawWriter& raw, std::span<const CounterImage> images, std::span<const AccountImage> accounts);
void put_holds(RawWriter& raw, std::span<const HoldImage> images, std::span<const Outcome> outcomes);
void put_reversed(RawWriter& raw, std::span<const ReversedImage> images);
void put_known(RawWriter& raw, std::span<const KnownImage> images, std::span<const Outcome> outcomes,
               const FrameFacts& facts);
void put_bounds(RawWriter& raw, std::span<const BoundImage> images);
void put_tenants(RawWriter& raw, std::span<const TenantImage> images);
void put_cursors(RawWriter& raw, std::span<const Cursor> cursors);

// Each appends `count` entries, or stops where `in` fails.
void get_accounts(PayloadReader& in, std::size_t count, std::span<const Outcome> outcomes,
                  std::vector<AccountImage>& into);
void get_counters(PayloadReader& in, std::size_t count, std::span<const AccountImage> accounts,
                  std::vector<CounterImage>& into);
void get_holds(PayloadReader& in, std::size_t count, std::span<const Outcome> outcomes, std::vector<HoldImage>& into);
void get_reversed(PayloadReader& in, std::size_t count, std::vector<ReversedImage>& into);
void get_known(PayloadReader& in, std::size_t count, std::span<const Outcome> outcomes, const FrameFacts& facts,
               std::vector<KnownImage>& into);
void get_bounds(PayloadReader& in, std::size_t count, std::vector<BoundImage>& into);
void get_tenants(PayloadReader& in, std::size_t count, std::vector<TenantImage>& into);
void get_cursors(PayloadReader& in, std::size_t count, std::vector<Cursor>& into);

}  // namespace nostro
