#include "nostro/journal/id_run.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "nostro/base/crc32c.hpp"
#include "nostro/journal/data_directory.hpp"
#include "nostro/journal/fence.hpp"
#include "nostro/journal/sealed_block.hpp"

namespace nostro {
namespace {

constexpr std::string_view kTailMagic = "nostroID";
constexpr std::size_t kTailBytes = 256;
constexpr std::size_t kPage = kDiskBlock;
constexpr std::size_t kRecord = 32;           // id 16, meaning 8, seq - first 4, index 4
constexpr std::size_t kPerPage = 127;         // and the last 32 bytes of a page: how many, CRC32C
constexpr std::size_t kPageTail = kPage - 8;  // count u32, crc u32
constexpr std::size_t kPagesPerGroup = 21;    // whose filters fill one page
constexpr std::size_t kFilter = 192;          // bytes of filter a page of records: 12 bits an id
constexpr std::size_t kGroup = (1 + kPagesPerGroup) * kPage;
constexpr std::size_t kProbes = 8;  // bits an id; one unknown id in 300 passes

// Two independent hashes of what is a hash already, combined to eight places.
template <class Each>
void for_each_bit(PaymentId id, Each each) {
    std::uint64_t place = id.low;
    const std::uint64_t step = (id.high ^ (id.low >> 32)) * 0x9E3779B97F4A7C15u | 1;
    for (std::size_t i = 0; i < kProbes; ++i) {
        each(static_cast<std::size_t>((place >> 32) * (kFilter * 8) >> 32));
        place += step;
    }
}

std::uint32_t load_u32(std::span<const std::byte> bytes, std::size_t at) {
    std::uint32_t value = 0;
    std::memcpy(&value, bytes.data() + at, sizeof value);
    return value;
}
std::uint64_t load_u64(std::span<const std::byte> bytes, std::size_t at) {
    std::uint64_t value = 0;
    std::memcpy(&value, bytes.data() + at, sizeof value);
    return value;
}

void seal_page(std::span<std::byte> page, std::uint32_t count) {
    std::memcpy(page.data() + kPageTail, &count, sizeof count);
    const auto crc = crc32c(page.first(kPage - 4));
    std::memcpy(page.data() + kPage - 4, &crc, sizeof crc);
}

std::uint64_t page_at(std::uint64_t number) {
    return number / kPagesPerGroup * kGroup + (1 + number % kPagesPerGroup) * kPage;
}

SealedId record(std::span<const std::byte> page, std::size_t which, Seq first) {
    const std::size_t at = which * kRecord;
    return {{load_u64(page, at), load_u64(page, at + 8)},
            {first + load_u32(page, at + 24), load_u32(page, at + 28)},
            load_u64(page, at + 16)};
}

}  // namespace

Result<std::unique_ptr<IdRunWriter>> IdRunWriter::start(Disk& disk, JournalId journal, Seq first, Seq through,
                                                        int tier) {
    if (through - first >= UINT32_MAX) return Error{ErrorCode::invalid, "a sealed run cannot span so many frames"};
    auto file = NewFile::start(disk, id_run_name(first, through, tier));
    if (!file) return file.error();
    auto writer = std::unique_ptr<IdRunWriter>(new IdRunWriter(std::move(*file)));
    writer->tail_ = {journal, first, through, static_cast<std::uint32_t>(tier), 0, 0, 0, 0};
    writer->group_.reserve(kGroup);
    return writer;
}

Result<> IdRunWriter::add(const SealedId& sealed) {
    NOSTRO_ASSERT(tail_.ids == 0 || last_ < sealed.id, "ids of a run come sorted, each once");
    NOSTRO_ASSERT(sealed.place.seq >= tail_.first && sealed.place.seq <= tail_.through,
                  "an id stands in the run's frames");
    if (in_page_ == kPerPage) {
        close_page();
        if (pages_in_group_ == kPagesPerGroup) {
            if (auto closed = close_group(); !closed) return closed;
        }
    }
    if (in_page_ == 0) {
        if (group_.empty()) group_.resize(kPage);  // of filters
        group_.resize(group_.size() + kPage);
        fence_.push_back(sealed.id.high);
    }
    std::byte* at = group_.data() + group_.size() - kPage + in_page_ * kRecord;
    const std::uint64_t words[] = {sealed.id.high, sealed.id.low, sealed.meaning};
    const std::uint32_t place[] = {static_cast<std::uint32_t>(sealed.place.seq - tail_.first), sealed.place.index};
    std::memcpy(at, words, sizeof words);
    std::memcpy(at + sizeof words, place, sizeof place);
    std::byte* filter = group_.data() + pages_in_group_ * kFilter;
    for_each_bit(sealed.id, [&](std::size_t bit) { filter[bit / 8] |= std::byte{1} << (bit % 8); });
    ++in_page_;
    ++tail_.ids;
    last_ = sealed.id;
    return {};
}

void IdRunWriter::close_page() {
    if (in_page_ == 0) return;
    seal_page(std::span(group_).last(kPage), static_cast<std::uint32_t>(in_page_));
    in_page_ = 0;
    ++pages_in_group_;
    ++tail_.pages;
}

Result<> IdRunWriter::close_group() {
    if (pages_in_group_ == 0) return {};
    seal_page(std::span(group_).first(kPage), static_cast<std::uint32_t>(pages_in_group_));
    if (auto appended = file_.append(group_); !appended) return appended;
    written_ += group_.size();
    group_.clear();
    pages_in_group_ = 0;
    return {};
}

Result<> IdRunWriter::publish() {
    close_page();
    if (auto closed = close_group(); !closed) return closed;
    const auto fence = std::as_bytes(std::span(fence_));
    SealedBlock block(kTailMagic, kTailBytes);
    auto& out = block.fields();
    out.u64(tail_.journal.high);
    out.u64(tail_.journal.low);
    out.u64(tail_.first);
    out.u64(tail_.through);
    out.u32(tail_.tier);
    out.u64(tail_.ids);
    out.u64(tail_.pages);
    out.u64(written_);
    out.u32(crc32c(fence));
    if (auto appended = file_.append(fence); !appended) return appended;
    if (auto appended = file_.append(block.finish()); !appended) return appended;
    return file_.publish();
}

Error IdRun::damaged(const std::string& why) const {
    return {ErrorCode::corrupt, name_ + ": " + why +
                                    "; known ids would be forgotten: restore this file from a backup, or remove the "
                                    "folder ids and image and let them be made again"};
}

Result<> IdRun::check_fence() const {
    if (fence_checked_.load(std::memory_order_relaxed)) return {};
    if (crc32c(fence_) != tail_.fence_crc) return damaged("the checksum of its fence does not match");
    fence_checked_.store(true, std::memory_order_relaxed);
    return {};
}

// What is read from the disk again is checked again: a damaged page must never answer "not known".
void IdRun::let_go() const {
    map_->let_go();
    for (auto& checked : checked_) checked.store(0, std::memory_order_relaxed);
    fence_checked_.store(false, std::memory_order_relaxed);
}

Result<std::shared_ptr<const IdRun>> IdRun::open(Disk& disk, const std::string& name) {
    auto run = std::shared_ptr<IdRun>(new IdRun());
    run->name_ = name;
    const auto damaged = [&](const std::string& why) { return run->damaged(why); };
    auto map = disk.map(name);
    if (!map) return map.error();
    run->map_ = std::move(*map);
    const auto bytes = run->map_->bytes();
    if (bytes.size() < kTailBytes) return damaged("is too short");
    auto in = open_sealed(bytes.last(kTailBytes), kTailMagic);
    if (!in) return damaged("its tail " + in.error().what);
    auto& tail = run->tail_;
    tail.journal.high = in->u64();
    tail.journal.low = in->u64();
    tail.first = in->u64();
    tail.through = in->u64();
    tail.tier = in->u32();
    tail.ids = in->u64();
    tail.pages = in->u64();
    tail.fence_at = in->u64();
    tail.fence_crc = in->u32();
    const std::uint64_t groups = (tail.pages + kPagesPerGroup - 1) / kPagesPerGroup;
    const bool sane = in->ok() && tail.first != 0 && tail.first <= tail.through && tail.ids <= tail.pages * kPerPage &&
                      tail.fence_at == (groups + tail.pages) * kPage &&
                      tail.fence_at + tail.pages * 8 + kTailBytes == bytes.size();
    if (!sane) return damaged("its tail holds values that cannot be");
    run->fence_ = bytes.subspan(tail.fence_at, tail.pages * 8);
    if (auto checked = run->check_fence(); !checked) return checked.error();
    run->checked_ = std::vector<std::atomic<std::uint8_t>>(groups);
    return std::shared_ptr<const IdRun>(std::move(run));
}

Result<std::span<const std::byte>> IdRun::checked_page(std::uint64_t at) const {
    const auto page = bytes_at(at, kPage);
    if (crc32c(page.first(kPage - 4)) != load_u32(page, kPage - 4)) {
        return Error{ErrorCode::corrupt,
                     name_ + ", byte " + std::to_string(at) +
                         ": the checksum of a page does not match; restore this file from a backup"};
    }
    return page;
}

Result<bool> IdRun::may_hold(std::uint64_t page, PaymentId id) const {
    const std::uint64_t group = page / kPagesPerGroup;
    if (checked_[group].load(std::memory_order_relaxed) == 0) {
        if (auto checked = checked_page(group * kGroup); !checked) return checked.error();
        checked_[group].store(1, std::memory_order_relaxed);
    }
    const auto filter = bytes_at(group * kGroup + page % kPagesPerGroup * kFilter, kFilter);
    bool all = true;
    for_each_bit(
        id, [&](std::size_t bit) { all = all && (filter[bit / 8] & (std::byte{1} << (bit % 8))) != std::byte{0}; });
    return all;
}

Result<std::size_t> IdRun::page(std::uint64_t number, std::vector<SealedId>& into) const {
    auto bytes = checked_page(page_at(number));
    if (!bytes) return bytes.error();
    const std::size_t count = std::min<std::size_t>(load_u32(*bytes, kPageTail), kPerPage);
    into.clear();
    for (std::size_t i = 0; i < count; ++i) into.push_back(record(*bytes, i, tail_.first));
    return count;
}

Result<std::optional<SealedId>> IdRun::find(PaymentId id) const {
    if (auto checked = check_fence(); !checked) return checked.error();
    // The last page whose first id is not behind; before it only if ids share their first half.
    for (std::uint64_t number = pages_up_to(fence_, id.high); number-- > 0;) {
        auto may = may_hold(number, id);
        if (!may) return may.error();
        if (*may) {
            auto bytes = checked_page(page_at(number));
            if (!bytes) return bytes.error();
            std::size_t begin = 0, end = std::min<std::size_t>(load_u32(*bytes, kPageTail), kPerPage);
            while (begin < end) {
                const std::size_t middle = (begin + end) / 2;
                const SealedId found = record(*bytes, middle, tail_.first);
                if (found.id == id) return std::optional(found);
                if (found.id < id) {
                    begin = middle + 1;
                } else {
                    end = middle;
                }
            }
        }
        if (fence_at(fence_, number) < id.high) break;
    }
    return std::optional<SealedId>();
}

Result<> IdRun::each(const std::function<Result<>(const SealedId&)>& give) const {
    std::vector<SealedId> ids;
    for (std::uint64_t number = 0; number < tail_.pages; ++number) {
        if (auto count = page(number, ids); !count) return count.error();
        for (const auto& id : ids) {
            if (auto given = give(id); !given) return given;
        }
    }
    return {};
}

}  // namespace nostro
