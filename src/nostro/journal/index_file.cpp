#include "nostro/journal/index_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <utility>

#include "nostro/base/assert.hpp"
#include "nostro/base/crc32c.hpp"
#include "nostro/journal/data_directory.hpp"
#include "nostro/journal/fence.hpp"
#include "nostro/journal/index_key.hpp"
#include "nostro/journal/sealed_block.hpp"
#include "nostro/ports/index_hash.hpp"

namespace nostro {
namespace {

constexpr std::string_view kTailMagic = "nostroIX";
constexpr std::size_t kTailBytes = 256;
constexpr std::string_view kSuffix = ".run";
constexpr int kTierMax = 63;

// A page: CRC32C of what follows (4), number of entries (2), end of the entries (2), then of all of them key bytes (1)
// and value bytes (2), or zeros; zeros (5). Entries that differ in their lengths have their slots at the page's end.
constexpr std::size_t kPageHead = 16, kSlot = 4;
constexpr std::size_t kEntryMax = IndexPage::kBytes - kPageHead - kSlot;

constexpr std::size_t kBlock = 64, kFilterBits = 12, kProbes = 6;

constexpr std::size_t kWriteBytes = std::size_t{1} << 20, kSyncBytes = std::size_t{8} << 20;
constexpr std::size_t kReadPages = 64, kAhead = 64;

template <class Number>
Number load(const void* from, std::size_t at) {
    Number value = 0;
    std::memcpy(&value, static_cast<const char*>(from) + at, sizeof value);
    return value;
}
template <class Number>
void store(void* to, std::size_t at, Number value) {
    std::memcpy(static_cast<char*>(to) + at, &value, sizeof value);
}

// The block of the filter and the bits in it.
struct FilterSpot {
    std::uint64_t hash;
    std::size_t block(std::uint64_t blocks) const { return static_cast<std::size_t>((hash >> 32) * blocks >> 32); }
    template <class Each>
    void each_bit(Each each) const {
        std::uint64_t rest = hash * 0x9E3779B97F4A7C15u;
        for (std::size_t i = 0; i < kProbes; ++i) {
            each(static_cast<std::size_t>(rest >> 55));
            rest <<= 9;
        }
    }
};

}  // namespace

std::string IndexFileName::text() const { return fmt::format("{:012}-{:012}.t{}{}", first, last, tier, kSuffix); }

std::optional<IndexFileName> IndexFileName::parse(std::string_view file) {
    IndexFileName name;
    const char* at = file.data();
    const char* const end = file.data() + file.size();
    const auto number = [&](auto& value, std::string_view behind) {
        const auto [next, failed] = std::from_chars(at, end, value);
        if (failed != std::errc() || !std::string_view(next, end).starts_with(behind)) return false;
        at = next + behind.size();
        return true;
    };
    if (!number(name.first, "-") || !number(name.last, ".t") || !number(name.tier, kSuffix)) return std::nullopt;
    if (name.text() != file || name.first == 0 || name.first > name.last || name.tier > kTierMax) return std::nullopt;
    return name;
}

std::string_view index_filtered(std::string_view key) {
    constexpr std::size_t kPayment = 17, kPart = 1 + kPlaceBytes;
    if (key.empty()) return {};
    const bool is_payment = key[0] == static_cast<char>(IndexTag::payment);
    if (!is_payment && key[0] != static_cast<char>(IndexTag::part)) return {};
    const std::size_t size = is_payment ? kPayment : kPart;
    return key.size() < size ? std::string_view() : key.substr(0, size);
}

// --- a page

std::optional<IndexPage> IndexPage::open(std::span<const std::byte> bytes) {
    if (load<std::uint32_t>(bytes.data(), 0) != crc32c(bytes.subspan(4))) return std::nullopt;
    IndexPage page;
    page.bytes_ = reinterpret_cast<const char*>(bytes.data());
    page.count_ = load<std::uint16_t>(bytes.data(), 4);
    page.end_ = load<std::uint16_t>(bytes.data(), 6);
    page.key_bytes_ = load<std::uint8_t>(bytes.data(), 8);
    page.stride_ = page.key_bytes_ == 0 ? 0 : page.key_bytes_ + load<std::uint16_t>(bytes.data(), 9);
    const std::size_t slots = page.stride_ == 0 ? page.count_ * kSlot : 0;
    const bool sane =
        page.count_ != 0 && page.end_ + slots <= kBytes && page.stride_ <= kEntryMax &&
        (page.stride_ == 0 ? page.at(0) == kPageHead : kPageHead + page.count_ * page.stride_ == page.end_);
    if (!sane) return std::nullopt;
    for (std::size_t i = 0; i < page.count_ && page.stride_ == 0; ++i) {
        const std::size_t end = i + 1 == page.count_ ? page.end_ : page.at(i + 1);
        const std::size_t behind_key = page.at(i) + page.key_bytes(i);
        if (page.key_bytes(i) == 0 || behind_key > end || end - page.at(i) > kEntryMax) return std::nullopt;
    }
    return page;
}

std::size_t IndexPage::at(std::size_t i) const {
    return stride_ != 0 ? kPageHead + i * stride_ : load<std::uint16_t>(bytes_, kBytes - (i + 1) * kSlot);
}

std::size_t IndexPage::key_bytes(std::size_t i) const {
    return stride_ != 0 ? key_bytes_ : load<std::uint8_t>(bytes_, kBytes - (i + 1) * kSlot + 2);
}

std::string_view IndexPage::key(std::size_t i) const { return {bytes_ + at(i), key_bytes(i)}; }

std::string_view IndexPage::value(std::size_t i) const {
    const std::size_t begin = at(i) + key_bytes(i);
    const std::size_t end = i + 1 == count_ ? end_ : at(i + 1);
    return {bytes_ + begin, end - begin};
}

bool IndexPage::removed(std::size_t i) const {
    return stride_ == 0 && load<std::uint8_t>(bytes_, kBytes - (i + 1) * kSlot + 3) != 0;
}

std::size_t IndexPage::lower_bound(std::string_view wanted) const {
    std::size_t low = 0, high = count_;
    while (low < high) {
        const std::size_t middle = (low + high) / 2;
        if (key(middle) < wanted) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

// --- writing

Result<std::unique_ptr<IndexFileWriter>> IndexFileWriter::start(Disk& disk, const IndexFileName& name,
                                                                std::uint64_t filtered_max) {
    auto file = NewFile::start(disk, name.text());
    if (!file) return file.error();
    auto writer = std::unique_ptr<IndexFileWriter>(new IndexFileWriter(std::move(*file)));
    const std::uint64_t blocks = (filtered_max * kFilterBits + kBlock * 8 - 1) / (kBlock * 8);
    writer->tail_.filter_blocks = static_cast<std::uint32_t>(std::min<std::uint64_t>(blocks, UINT32_MAX));
    writer->filter_.resize(writer->tail_.filter_blocks * (kBlock / 8));
    writer->buffer_.reserve(kWriteBytes);
    return writer;
}

void IndexFileWriter::begin_page(std::string_view key) {
    buffer_.resize(buffer_.size() + IndexPage::kBytes);
    page_ = buffer_.data() + buffer_.size() - IndexPage::kBytes;
    used_ = kPageHead;
    count_ = 0;
    uniform_ = true;
    fence_.push_back(index_head(key));
}

Result<> IndexFileWriter::close_page() {
    if (page_ == nullptr) return {};
    store(page_, 4, static_cast<std::uint16_t>(count_));
    store(page_, 6, static_cast<std::uint16_t>(used_));
    if (uniform_) {
        store(page_, 8, static_cast<std::uint8_t>(key_bytes_));
        store(page_, 9, static_cast<std::uint16_t>(value_bytes_));
    } else {
        for (std::size_t i = 0; i < count_; ++i) {
            const std::size_t at = IndexPage::kBytes - (i + 1) * kSlot;
            store(page_, at, slots_[i].offset);
            store(page_, at + 2, slots_[i].key_bytes);
            store(page_, at + 3, slots_[i].removed);
        }
    }
    store(page_, 0, crc32c(std::span<const std::byte>(page_ + 4, IndexPage::kBytes - 4)));
    page_ = nullptr;
    ++tail_.pages;
    return buffer_.size() < kWriteBytes ? Result<>() : write();
}

Result<> IndexFileWriter::write() {
    if (auto appended = file_.append(buffer_); !appended) return appended;
    unsynced_ += buffer_.size();
    buffer_.clear();
    // In pieces, so that others who wait for the disk never wait long.
    if (unsynced_ < kSyncBytes) return {};
    unsynced_ = 0;
    return file_.sync();
}

void IndexFileWriter::filter(std::string_view key) {
    const std::string_view filtered = index_filtered(key);
    if (filtered.empty() || filtered == last_filtered_ || filter_.empty()) return;
    last_filtered_.assign(filtered);
    ++tail_.filtered;
    const FilterSpot spot{index_hash(filtered)};
    std::uint64_t* block = filter_.data() + spot.block(tail_.filter_blocks) * (kBlock / 8);
    spot.each_bit([&](std::size_t bit) { block[bit / 64] |= std::uint64_t{1} << (bit % 64); });
}

Result<> IndexFileWriter::add(std::string_view key, std::string_view value, bool removed) {
    const std::size_t bytes = key.size() + value.size();
    NOSTRO_ASSERT(!key.empty() && bytes <= kEntryMax, "an entry fits into a page");
    const auto is_alike = [&] { return !removed && key.size() == key_bytes_ && value.size() == value_bytes_; };
    if (page_ != nullptr) {
        const bool uniform = uniform_ && is_alike();
        if (used_ + bytes + (uniform ? 0 : (count_ + 1) * kSlot) > IndexPage::kBytes) {
            if (auto closed = close_page(); !closed) return closed;
        } else {
            uniform_ = uniform;
        }
    }
    if (page_ == nullptr) {
        begin_page(key);
        key_bytes_ = key.size();
        value_bytes_ = value.size();
        uniform_ = !removed;
    }
    slots_[count_++] = {static_cast<std::uint16_t>(used_), static_cast<std::uint8_t>(key.size()),
                        static_cast<std::uint8_t>(removed ? 1 : 0)};
    std::memcpy(page_ + used_, key.data(), key.size());
    if (!value.empty()) std::memcpy(page_ + used_ + key.size(), value.data(), value.size());
    used_ += bytes;
    ++tail_.entries;
    filter(key);
    return {};
}

Result<> IndexFileWriter::publish() {
    if (auto closed = close_page(); !closed) return closed;
    const auto filter = std::as_bytes(std::span(filter_)), fence = std::as_bytes(std::span(fence_));
    tail_.filter_crc = crc32c(filter);
    tail_.fence_crc = crc32c(fence);
    SealedBlock block(kTailMagic, kTailBytes);
    auto& out = block.fields();
    out.u64(tail_.entries);
    out.u64(tail_.filtered);
    out.u64(tail_.pages);
    out.u32(tail_.filter_blocks);
    out.u32(tail_.filter_crc);
    out.u32(tail_.fence_crc);
    if (auto written = write(); !written) return written;
    if (auto appended = file_.append(filter); !appended) return appended;
    if (auto appended = file_.append(fence); !appended) return appended;
    if (auto appended = file_.append(block.finish()); !appended) return appended;
    return file_.publish();
}

// --- reading

Result<std::shared_ptr<const IndexFile>> IndexFile::open(const Disk& disk, const IndexFileName& name) {
    auto file = std::shared_ptr<IndexFile>(new IndexFile());
    file->name_ = name;
    const auto damaged = [&](std::string_view why) {
        return Error{ErrorCode::corrupt, fmt::format("query index, file {}: {}; payments are safe in the journal: "
                                                     "`nostro rebuild index` makes a new one",
                                                     name.text(), why)};
    };
    auto map = disk.map(name.text());
    if (!map) return map.error();
    file->map_ = std::move(*map);
    const auto bytes = file->map_->bytes();
    if (bytes.size() < kTailBytes) return damaged("it is too short");
    auto in = open_sealed(bytes.last(kTailBytes), kTailMagic);
    if (!in) return damaged("its tail " + in.error().what);
    auto& tail = file->tail_;
    tail.entries = in->u64();
    tail.filtered = in->u64();
    tail.pages = in->u64();
    tail.filter_blocks = in->u32();
    tail.filter_crc = in->u32();
    tail.fence_crc = in->u32();
    constexpr std::uint64_t kPagesMax = std::uint64_t{1} << 40;
    const bool sane = in->ok() && tail.pages < kPagesMax && tail.entries <= tail.pages * kEntryMax &&
                      tail.filtered <= tail.entries &&
                      tail.pages * (IndexPage::kBytes + 8) + tail.filter_blocks * kBlock + kTailBytes == bytes.size();
    if (!sane) return damaged("its tail holds values that cannot be");
    file->filter_ = bytes.subspan(tail.pages * IndexPage::kBytes, tail.filter_blocks * kBlock);
    file->fence_ = bytes.subspan(tail.pages * IndexPage::kBytes + file->filter_.size(), tail.pages * 8);
    if (crc32c(file->filter_) != tail.filter_crc || crc32c(file->fence_) != tail.fence_crc) {
        return damaged("the checksum of its filter or its fence does not match");
    }
    file->map_->let_go();  // of a filter that nobody asks nothing has to stay
    file->map_->expect_random();
    return std::shared_ptr<const IndexFile>(std::move(file));
}

bool IndexFile::may_hold(std::string_view filtered) const {
    if (tail_.filter_blocks == 0) return false;
    const FilterSpot spot{index_hash(filtered)};
    const auto block = filter_.subspan(spot.block(tail_.filter_blocks) * kBlock, kBlock);
    bool all = true;
    spot.each_bit([&](std::size_t bit) {
        all = all && (load<std::uint64_t>(block.data(), bit / 64 * 8) >> (bit % 64) & 1) != 0;
    });
    return all;
}

Error IndexFile::damaged(std::uint64_t page) const {
    return {ErrorCode::corrupt,
            fmt::format("query index, file {}, byte {}: the checksum of a page does not match; payments are safe in "
                        "the journal: `nostro rebuild index` makes a new one",
                        name_.text(), page * IndexPage::kBytes)};
}

Result<IndexPage> IndexFile::page(std::uint64_t number) const {
    auto page = IndexPage::open(map_->bytes().subspan(number * IndexPage::kBytes, IndexPage::kBytes));
    if (!page) return damaged(number);
    return *page;
}

Result<IndexFile::Spot> IndexFile::lower_bound(std::string_view key) const {
    const std::uint64_t head = index_head(key);
    // The last page whose first key is not behind. Pages of one head are told apart by their first keys.
    std::uint64_t low = 0, high = tail_.pages;
    while (low < high) {
        const std::uint64_t middle = (low + high) / 2;
        bool is_behind = fence_at(fence_, middle) > head;
        if (fence_at(fence_, middle) == head) {
            const auto at = page(middle);
            if (!at) return at.error();
            is_behind = at->key(0) > key;
        }
        if (is_behind) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    if (low == 0) return Spot{0, 0, {}};
    const auto at = page(low - 1);
    if (!at) return at.error();
    const std::size_t index = at->lower_bound(key);
    return index == at->size() ? Spot{low, 0, {}} : Spot{low - 1, index, *at};
}

void IndexFile::will_read(std::uint64_t page, std::uint64_t pages) const {
    if (page >= tail_.pages) return;
    map_->will_read(page * IndexPage::kBytes, std::min(pages, tail_.pages - page) * IndexPage::kBytes);
}

void IndexFile::will_look(std::string_view key) const {
    const std::uint64_t behind = pages_up_to(fence_, index_head(key));
    const std::uint64_t first = behind < 2 ? 0 : behind - 2;
    will_read(first, behind + 1 - first);
}

// --- cursor

bool IndexFileCursor::load(std::uint64_t page) {
    if (loaded_ && number_ == page) return true;
    auto read = file_->page(page);
    if (!read) {
        status_ = read.error();
        return loaded_ = valid_ = false;
    }
    page_ = *read;
    number_ = page;
    return loaded_ = true;
}

void IndexFileCursor::go(std::uint64_t page, std::size_t index) {
    valid_ = false;
    number_ = loaded_ ? number_ : page;
    if (page >= file_->tail().pages || !load(page)) return;
    index_ = index;
    head_ = index_head(key());
    valid_ = true;
}

void IndexFileCursor::come_from_behind(std::uint64_t page) {
    valid_ = false;
    if (page == 0 || !load(page - 1)) return;
    go(page - 1, page_.size() - 1);
}

std::optional<IndexFile::Spot> IndexFileCursor::spot(std::string_view wanted) {
    valid_ = false;
    const auto spot = file_->lower_bound(wanted);
    if (spot && spot->opened) {
        page_ = *spot->opened;
        number_ = spot->page;
        loaded_ = true;
    }
    if (spot) return *spot;
    status_ = spot.error();
    return std::nullopt;
}

void IndexFileCursor::seek(std::string_view wanted) {
    if (const auto to = spot(wanted)) go(to->page, to->index);
}

void IndexFileCursor::seek_before(std::string_view wanted) {
    const auto behind = spot(wanted);
    if (!behind) return;
    if (behind->index == 0) {
        come_from_behind(behind->page);
    } else {
        go(behind->page, behind->index - 1);
    }
}

void IndexFileCursor::next() {
    if (index_ + 1 < page_.size()) {
        go(number_, index_ + 1);
    } else {
        if ((number_ + 1) % kAhead == 0) file_->will_read(number_ + 1, 2 * kAhead);
        go(number_ + 1, 0);
    }
}

void IndexFileCursor::previous() {
    if (index_ != 0) {
        go(number_, index_ - 1);
    } else {
        come_from_behind(number_);
    }
}

// --- reader

Result<IndexFileReader> IndexFileReader::open(Disk& disk, IndexFilePtr file) {
    const auto number = disk.open(file->name().text());
    if (!number) return number.error();
    IndexFileReader reader(disk, std::move(file), *number);
    reader.load();
    if (!reader.status_) return reader.status_.error();
    return reader;
}

IndexFileReader::IndexFileReader(IndexFileReader&& other) noexcept
    : disk_(std::exchange(other.disk_, nullptr)),
      file_(std::move(other.file_)),
      number_(other.number_),
      buffer_(std::move(other.buffer_)),
      before_(std::move(other.before_)),
      read_(other.read_),
      at_(other.at_),
      page_(other.page_),
      index_(other.index_),
      head_(other.head_),
      valid_(other.valid_),
      status_(std::move(other.status_)) {}

IndexFileReader::~IndexFileReader() {
    if (disk_ != nullptr) static_cast<void>(disk_->close(number_).has_value());
}

void IndexFileReader::load() {
    valid_ = false;
    if (at_ == file_->tail().pages) return;
    if (at_ == read_) {
        const std::uint64_t pages = std::min<std::uint64_t>(kReadPages, file_->tail().pages - at_);
        buffer_.swap(before_);
        buffer_.resize(pages * IndexPage::kBytes);
        const auto got = disk_->read(number_, at_ * IndexPage::kBytes, buffer_);
        if (!got || *got != buffer_.size()) {
            status_ = got ? file_->damaged(at_) : got.error();
            return;
        }
        read_ += pages;
    }
    const std::size_t behind = static_cast<std::size_t>(read_ - at_) * IndexPage::kBytes;
    const auto page = IndexPage::open(std::span(buffer_).last(behind).first(IndexPage::kBytes));
    if (!page) {
        status_ = file_->damaged(at_);
        return;
    }
    page_ = *page;
    ++at_;
    index_ = 0;
    head_ = index_head(key());
    valid_ = true;
}

void IndexFileReader::next() {
    if (++index_ == page_.size()) return load();
    head_ = index_head(key());
}

}  // namespace nostro
