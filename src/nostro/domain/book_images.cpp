// Cells in and out: images installed instead of decided, the digest, and the export for an image file.
#include <algorithm>
#include <concepts>
#include <cstring>
#include <string>
#include <tuple>
#include <utility>

#include "nostro/base/sha256.hpp"
#include "nostro/domain/book_state.hpp"
#include "nostro/domain/tenant_names.hpp"

namespace nostro {
namespace {

Error too_small(const char* key) {
    return {ErrorCode::invalid, std::string("the Book has no room for what its journal holds: raise ") + key};
}

bool install_account(BookState& state, const AccountImage& image) {
    AccountCell* cell = state.accounts.find(image.id);
    if (cell == nullptr) {
        if (state.accounts.room() == 0) return false;
        cell = &state.add_account(image);
    }
    state.set_balance(*cell, image.balance);
    state.set_held(*cell, image.held);
    cell->image = image;
    return true;
}

bool install_counter(BookState& state, const CounterImage& image) {
    CounterCell& cell = state.counters.look({image.account, image.limit, image.place});
    if (cell.empty()) {
        if (state.counters.room() == 0) return false;
        state.counters.added();
    }
    cell = {image.account, image.limit, image.place, false, image.bucket, image.value};
    return true;
}

bool install_bound(BookState& state, const BoundImage& image) {
    BoundCell& cell = state.bounds.look({image.account, image.name_key});
    if (cell.empty()) {
        if (state.bounds.room() == 0) return false;
        state.bounds.added();
    }
    cell.image = image;
    return true;
}

template <class Table, class Image>
bool install_due(Table& table, const Image& image, bool is_open) {
    auto* cell = table.find(id_of(image));
    if (cell != nullptr && is_open) {
        cell->image = image;
        table.reschedule(*cell);
    } else if (cell != nullptr) {
        table.close(*cell);
        table.release(*cell);
    } else if (is_open) {
        if (table.room() == 0) return false;
        table.open(image);
    }
    return true;
}

// Whether a policy can be the tenant's. A frame says whose it is; of an image file the names tell, as far as they are
// known, by the program or by frames: a tenant keeps its name, and no other has it.
bool may_be_of(const BookState& state, TenantNo no, const Changes& changes, std::size_t index) {
    if (const auto owner = tenant_of_policy(changes, index)) return *owner == no;
    const std::string_view name = changes.policies[index]->tenant();
    if (const auto known = tenant_known_as(name)) return *known == no;
    if (is_known_tenant(no)) return false;
    for (std::size_t each = 0; each < state.tenants.size(); ++each) {
        const PolicyPtr& policy = state.tenants[each].policy;
        if (policy != nullptr && (policy->tenant() == name) != (each == no)) return false;
    }
    return true;
}

// The policy in force is the one whose version the tenant's image names.
Result<> install_tenants(BookState& state, const Changes& changes) {
    for (const TenantImage& image : changes.tenants) {
        TenantState& tenant = state.tenant_made(image.tenant);
        tenant.last_number = image.last_number;
        if (tenant.newest_version() == image.policy) continue;
        PolicyPtr found;
        for (std::size_t i = 0; i < changes.policies.size(); ++i) {
            const PolicyPtr& policy = changes.policies[i];
            if (policy->version() != image.policy || !may_be_of(state, image.tenant, changes, i)) continue;
            if (found != nullptr && found->tenant() != policy->tenant()) {
                return Error{ErrorCode::corrupt, "the policies of version " + std::to_string(image.policy) +
                                                     " are of several tenants, and nothing says which one's is whose"};
            }
            found = policy;
        }
        if (found != nullptr) tenant.policy = found;
    }
    return {};
}

void install_states(BookState& state, const Changes& changes) {
    for (const Outcome& outcome : changes.outcomes) {
        if (!is_of_payment(outcome.event) || outcome.event == Event::submitted) continue;
        KnownCell* cell = state.known.find(outcome.payment);
        if (cell == nullptr) continue;
        cell->set_state(outcome.status);
        if (outcome.event == Event::approved || outcome.event == Event::refused) cell->set_reviewed();
    }
}

bool install_known(BookState& state, Seq seq, const Changes& changes) {
    for (const KnownImage& image : changes.known) {
        if (state.known.find(image.id) != nullptr) continue;
        if (state.known.room() == 0) return false;
        KnownCell& cell = state.known.insert(image.id, {seq, image.index}, image.meaning);
        if (image.index >= changes.outcomes.size()) continue;
        const Outcome& first = changes.outcomes[image.index];
        if (first.payment == image.id) cell.set_state(first.status);
    }
    install_states(state, changes);
    return true;
}

}  // namespace

Result<> Book::install(Seq seq, Instant frame_time, const Changes& changes) {
    BookState& state = *state_;
    NOSTRO_ASSERT(!state.is_in_frame, "images are installed inside a frame");
    if (seq != 0) {
        NOSTRO_ASSERT(seq > state.seq, "a frame is installed twice");
        state.seq = seq;
        // Sealed ids stay out, and a generation is used up before the next one begins: so what the process before this
        // one had room for finds room again, wherever its generations began.
        if (seq > state.known.forgotten_through()) {
            state.known.begin_frame(seq, changes.known.size());
            if (!install_known(state, seq, changes)) return too_small("book.known_max");
        }
    }
    state.now = std::max(state.now, frame_time);
    for (const AccountImage& image : changes.accounts) {
        if (!install_account(state, image)) return too_small("book.accounts_max");
    }
    for (const CounterImage& image : changes.counters) {
        if (!install_counter(state, image)) return too_small("book.counters_max");
    }
    for (const BoundImage& image : changes.bounds) {
        if (!install_bound(state, image)) return too_small("book.bounds_max");
    }
    for (const HoldImage& image : changes.holds) {
        if (!install_due(state.holds, image, is_open(image.status))) return too_small("book.holds_max");
    }
    for (const ReversedImage& image : changes.reversed) {
        if (!install_due(state.reversed, image, image.reversed_minor != 0)) return too_small("book.reversed_max");
    }
    return install_tenants(state, changes);
}

// --- out

namespace {

// Images of every cell, in the order of their ids: the same for equal Books, wherever their cells stand.
template <class Image, class Collect, class Order>
std::vector<Image> sorted(Collect collect, Order order) {
    std::vector<Image> images;
    collect([&images](const Image& image) { images.push_back(image); });
    std::sort(images.begin(), images.end(), [order](const Image& a, const Image& b) { return order(a) < order(b); });
    return images;
}

struct AllCells {
    const BookState& state;

    std::vector<AccountImage> accounts() const {
        return sorted<AccountImage>(
            [this](auto put) { state.accounts.each([&](const AccountCell& cell) { put(cell.image); }); },
            [](const AccountImage& image) { return image.id; });
    }
    std::vector<CounterImage> counters() const {
        return sorted<CounterImage>(
            [this](auto put) { state.counters.each([&](const CounterCell& cell) { put(cell.image()); }); },
            [](const CounterImage& image) { return std::tuple(image.account, image.limit, image.place); });
    }
    std::vector<HoldImage> holds() const {
        return sorted<HoldImage>(
            [this](auto put) { state.holds.each([&](const HoldTable::Cell& cell) { put(cell.image); }); },
            [](const HoldImage& image) { return image.payment; });
    }
    std::vector<ReversedImage> reversed() const {
        return sorted<ReversedImage>(
            [this](auto put) { state.reversed.each([&](const ReversedTable::Cell& cell) { put(cell.image); }); },
            [](const ReversedImage& image) { return image.original; });
    }
    std::vector<BoundImage> bounds() const {
        return sorted<BoundImage>(
            [this](auto put) {
                state.bounds.each([&](const BoundCell& cell) {
                    if (!cell.image.removed) put(cell.image);
                });
            },
            [](const BoundImage& image) { return std::tuple(image.account, image.name_key); });
    }
    std::vector<TenantImage> tenants() const {
        std::vector<TenantImage> images;
        for (std::size_t no = 0; no < state.tenants.size(); ++no) {
            const TenantState& tenant = state.tenants[no];
            if (tenant.policy == nullptr && tenant.last_number == 0) continue;
            images.push_back({static_cast<TenantNo>(no), tenant.last_number, tenant.newest_version()});
        }
        return images;
    }
};

// Numbers, little endian, one after the other: no padding, no names, so the digest survives a change of layout.
class CellDigest {
public:
    template <std::integral... Number>
    void add(Number... number) {
        (put(static_cast<std::uint64_t>(number)), ...);
    }
    template <class Kind>
    void add_id(const Id<Kind>& id) {
        add(id.high, id.low);
    }
    void add_money(std::int64_t minor, Currency currency) {
        add(minor, currency.code()[0], currency.code()[1], currency.code()[2]);
    }
    void add_time(Instant at) { add(at.time_since_epoch().count()); }
    Digest finish() {
        flush();
        return sha_.finish();
    }

private:
    void put(std::uint64_t number) {
        if (size_ + sizeof number > buffer_.size()) flush();
        for (std::size_t i = 0; i < sizeof number; ++i) {
            buffer_[size_++] = static_cast<std::byte>(number >> (8 * i) & 0xff);
        }
    }
    void flush() {
        sha_.update(std::span<const std::byte>(buffer_.data(), size_));
        size_ = 0;
    }

    Sha256 sha_;
    std::array<std::byte, 4096> buffer_;
    std::size_t size_ = 0;
};

void add(CellDigest& digest, const AccountImage& image) {
    digest.add_id(image.id);
    digest.add(image.tenant, static_cast<int>(image.kind), static_cast<int>(image.status),
               static_cast<int>(image.risk_level), static_cast<int>(image.has_bounds), image.opened_meaning);
    digest.add_money(image.balance, image.currency);
    digest.add(image.held, image.floor, image.version);
    digest.add_time(image.opened_at);
}
void add(CellDigest& digest, const CounterImage& image) {
    digest.add_id(image.account);
    digest.add(image.limit, image.place, image.bucket, image.value);
}
void add(CellDigest& digest, const HoldImage& image) {
    digest.add_id(image.payment);
    digest.add(image.tenant, image.rail, static_cast<int>(image.status), static_cast<int>(image.capture),
               static_cast<int>(image.approved));
    digest.add_id(image.debtor);
    digest.add_id(image.creditor);
    digest.add_money(image.amount.minor(), image.amount.currency());
    digest.add_time(image.expires_at);
    digest.add_time(image.hold_expires_at);
    digest.add(image.origin.seq, image.origin.index);
    digest.add_time(image.accepted_at);
    digest.add(image.number, image.counted_count);
    for (std::size_t i = 0; i < image.counted_count; ++i) {
        const Counted& counted = image.counted[i];
        digest.add(counted.limit, static_cast<int>(counted.credit_side), static_cast<int>(counted.is_sum), counted.ring,
                   counted.bucket);
    }
}
void add(CellDigest& digest, const ReversedImage& image) {
    digest.add_id(image.original);
    digest.add(image.reversed_minor);
    digest.add_time(image.settled_at);
}
void add(CellDigest& digest, const BoundImage& image) {
    digest.add_id(image.account);
    digest.add(image.name_key, image.at_most);
}
void add(CellDigest& digest, const TenantImage& image) { digest.add(image.tenant, image.last_number, image.policy); }

template <class Image>
void add_all(CellDigest& digest, const std::vector<Image>& images) {
    digest.add(images.size());
    for (const Image& image : images) add(digest, image);
}

template <class Image>
void give_chunks(const std::vector<Image>& images, std::vector<Image> Changes::* where, std::size_t chunk,
                 const std::function<void(const Changes&)>& each) {
    Changes changes;
    for (std::size_t at = 0; at < images.size(); at += chunk) {
        const auto first = images.begin() + static_cast<std::ptrdiff_t>(at);
        const auto count = static_cast<std::ptrdiff_t>(std::min(chunk, images.size() - at));
        (changes.*where).assign(first, first + count);
        each(changes);
    }
}

}  // namespace

Digest Book::digest() const {
    const AllCells cells{*state_};
    CellDigest digest;
    add_all(digest, cells.accounts());
    add_all(digest, cells.counters());
    add_all(digest, cells.holds());
    add_all(digest, cells.reversed());
    add_all(digest, cells.bounds());
    add_all(digest, cells.tenants());
    return digest.finish();
}

void Book::export_cells(std::size_t chunk, const std::function<void(const Changes&)>& each) const {
    const AllCells cells{*state_};
    Changes first;  // tenants and their policies are few
    first.tenants = cells.tenants();
    for (const TenantState& tenant : state_->tenants) {
        if (tenant.policy != nullptr) first.policies.push_back(tenant.policy);
    }
    each(first);
    give_chunks(cells.accounts(), &Changes::accounts, chunk, each);
    give_chunks(cells.counters(), &Changes::counters, chunk, each);
    give_chunks(cells.holds(), &Changes::holds, chunk, each);
    give_chunks(cells.reversed(), &Changes::reversed, chunk, each);
    give_chunks(cells.bounds(), &Changes::bounds, chunk, each);
}

}  // namespace nostro
