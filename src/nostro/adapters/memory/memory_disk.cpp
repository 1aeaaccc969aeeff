#include "nostro/adapters/memory/memory_disk.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace nostro {
namespace {

constexpr std::size_t kSector = 512;

Error power_is_off() { return {ErrorCode::corrupt, "memory disk: the power is off"}; }
Error no_file(const std::string& name) { return {ErrorCode::not_found, name + ": no such file"}; }
Error not_open() { return {ErrorCode::invalid, "memory disk: no such file is open"}; }

class MemoryMapping final : public Disk::Mapping {
public:
    explicit MemoryMapping(std::vector<std::byte> bytes) : bytes_(std::move(bytes)) {}
    std::span<const std::byte> bytes() const override { return bytes_; }

private:
    const std::vector<std::byte> bytes_;
};

}  // namespace

std::vector<std::string> MemoryStorage::names() const {
    const std::lock_guard lock(mutex_);
    std::vector<std::string> names;
    names.reserve(nodes_.size());
    for (const auto& [name, node] : nodes_) names.push_back(name);
    return names;
}

std::vector<std::byte> MemoryStorage::bytes(const std::string& name) const {
    const std::lock_guard lock(mutex_);
    const auto found = nodes_.find(name);
    return found == nodes_.end() ? std::vector<std::byte>{} : found->second->bytes;
}

void MemoryStorage::set_bytes(const std::string& name, std::vector<std::byte> bytes) {
    const std::lock_guard lock(mutex_);
    auto node = std::make_shared<Node>();
    node->synced = bytes.size();
    node->bytes = std::move(bytes);
    nodes_[name] = std::move(node);
}

void MemoryStorage::flip(const std::string& name, std::uint64_t offset, std::uint8_t bits) {
    const std::lock_guard lock(mutex_);
    nodes_.at(name)->bytes.at(offset) ^= std::byte{bits};
}

void MemoryStorage::set_capacity(std::uint64_t capacity) {
    const std::lock_guard lock(mutex_);
    capacity_ = capacity;
}

std::uint64_t MemoryStorage::used_locked() const {
    std::uint64_t used = 0;
    for (const auto& [name, node] : nodes_) used += node->bytes.size();
    return used;
}

std::uint64_t MemoryStorage::used() const {
    const std::lock_guard lock(mutex_);
    return used_locked();
}

std::shared_ptr<MemoryStorage> MemoryStorage::copy() const {
    const std::lock_guard lock(mutex_);
    auto copied = std::make_shared<MemoryStorage>(capacity_);
    for (const auto& [name, node] : nodes_) copied->nodes_[name] = std::make_shared<Node>(*node);
    return copied;
}

MemoryDisk::MemoryDisk(std::shared_ptr<MemoryStorage> storage, Writes writes)
    : storage_(std::move(storage)), writes_(writes) {}

MemoryDisk::~MemoryDisk() {
    const std::lock_guard lock(storage_->mutex_);
    if (owns_lock_) storage_->locked_ = false;
}

std::shared_ptr<MemoryDisk::Node> MemoryDisk::node(FileNo file) const {
    const auto found = files_.find(file);
    return found == files_.end() ? nullptr : found->second.node;
}

Result<> MemoryDisk::room(const std::string& name, std::uint64_t bytes) const {
    const std::uint64_t used = storage_->used_locked();
    const std::uint64_t free = storage_->capacity_ > used ? storage_->capacity_ - used : 0;
    if (bytes <= free) return {};
    return Error{ErrorCode::unavailable, name + ": no space: " + std::to_string(bytes) + " bytes are needed, " +
                                             std::to_string(free) + " are free"};
}

std::size_t MemoryDisk::under_way() const {
    const std::lock_guard lock(storage_->mutex_);
    return under_way_.size();
}

void MemoryDisk::apply(const Write& write) {
    const auto end = write.offset + write.block.size();
    if (write.node->bytes.size() < end) write.node->bytes.resize(end);
    std::copy(write.block.begin(), write.block.end(),
              write.node->bytes.begin() + static_cast<std::ptrdiff_t>(write.offset));
}

void MemoryDisk::finish(std::size_t which) {
    const auto at = under_way_.begin() + static_cast<std::ptrdiff_t>(which);
    apply(*at);
    done_.push_back({at->tag, true, {}});
    under_way_.erase(at);
}

void MemoryDisk::complete(std::size_t which) {
    std::function<void()> wake;
    {
        const std::lock_guard lock(storage_->mutex_);
        if (which >= under_way_.size()) return;
        finish(which);
        wake = wake_;
    }
    if (wake) wake();
}

void MemoryDisk::complete_all() {
    while (under_way() != 0) complete(0);
}

void MemoryDisk::cut_power(Xoshiro256& random) {
    const std::lock_guard lock(storage_->mutex_);
    for (auto& write : under_way_) {
        const auto fate = random.below(3);
        if (fate == 0) apply(write);
        if (fate != 1) continue;
        for (std::size_t at = 0; at < write.block.size(); at += kSector) {
            if (random.chance(1, 2)) continue;
            const auto piece = write.block.subspan(at, std::min(kSector, write.block.size() - at));
            apply({write.node, write.offset + at, piece, 0, {}});
        }
    }
    under_way_.clear();
    // Closing a file does not make it durable, and neither does a name.
    for (auto& [name, node] : storage_->nodes_) {
        auto& bytes = node->bytes;
        if (bytes.size() > node->synced) bytes.resize(node->synced + random.below(bytes.size() - node->synced + 1));
    }
    dead_ = true;
    if (owns_lock_) storage_->locked_ = owns_lock_ = false;
}

Result<> MemoryDisk::lock() {
    const std::lock_guard lock(storage_->mutex_);
    if (dead_) return power_is_off();
    if (owns_lock_) return {};
    if (storage_->locked_) return Error{ErrorCode::conflict, "memory disk: in use by another owner"};
    storage_->locked_ = owns_lock_ = true;
    return {};
}

Result<> MemoryDisk::create(const std::string& name, std::uint64_t bytes, std::span<const std::byte> head) {
    const std::lock_guard lock(storage_->mutex_);
    if (dead_) return power_is_off();
    if (storage_->nodes_.contains(name)) return Error{ErrorCode::conflict, name + ": it exists"};
    if (auto fits = room(name, bytes); !fits) return fits;
    auto created = std::make_shared<Node>();
    created->bytes.resize(bytes);
    created->synced = bytes;
    std::copy(head.begin(), head.end(), created->bytes.begin());
    storage_->nodes_[name] = std::move(created);
    return {};
}

Result<Disk::FileNo> MemoryDisk::open(const std::string& name) {
    const std::lock_guard lock(storage_->mutex_);
    if (dead_) return power_is_off();
    const auto found = storage_->nodes_.find(name);
    if (found == storage_->nodes_.end()) return no_file(name);
    files_[next_] = {name, found->second};
    return next_++;
}

Result<> MemoryDisk::close(FileNo file) {
    const std::lock_guard lock(storage_->mutex_);
    return files_.erase(file) == 1 ? Result<>{} : Result<>(not_open());
}

Result<std::uint64_t> MemoryDisk::size(FileNo file) const {
    const std::lock_guard lock(storage_->mutex_);
    if (dead_) return power_is_off();
    const auto found = node(file);
    if (!found) return not_open();
    return std::uint64_t{found->bytes.size()};
}

Result<> MemoryDisk::write_durable(FileNo file, std::uint64_t offset, std::span<const std::byte> block,
                                   std::uint64_t tag, std::shared_ptr<const void> owner) {
    {
        const std::lock_guard lock(storage_->mutex_);
        if (dead_) return power_is_off();
        auto found = node(file);
        if (!found) return not_open();
        if ((offset | block.size() | reinterpret_cast<std::uintptr_t>(block.data())) % kDiskBlock != 0) {
            return Error{ErrorCode::invalid, "memory disk: a durable write must be aligned"};
        }
        under_way_.push_back({std::move(found), offset, block, tag, std::move(owner)});
    }
    if (writes_ == Writes::at_once) complete(0);
    return {};
}

void MemoryDisk::completed(std::vector<Completion>& into) {
    const std::lock_guard lock(storage_->mutex_);
    into.insert(into.end(), std::make_move_iterator(done_.begin()), std::make_move_iterator(done_.end()));
    done_.clear();
}

void MemoryDisk::on_completion(std::function<void()> wake) {
    const std::lock_guard lock(storage_->mutex_);
    wake_ = std::move(wake);
}

Result<> MemoryDisk::write_now(FileNo file, std::uint64_t offset, std::span<const std::byte> bytes) {
    const std::lock_guard lock(storage_->mutex_);
    if (dead_) return power_is_off();
    auto found = node(file);
    if (!found) return not_open();
    apply({std::move(found), offset, bytes, 0, {}});
    return {};
}

Result<std::size_t> MemoryDisk::read(FileNo file, std::uint64_t offset, std::span<std::byte> into) const {
    const std::lock_guard lock(storage_->mutex_);
    if (dead_) return power_is_off();
    const auto found = node(file);
    if (!found) return not_open();
    if (offset >= found->bytes.size()) return std::size_t{0};
    const std::size_t n = std::min(into.size(), found->bytes.size() - static_cast<std::size_t>(offset));
    std::copy_n(found->bytes.begin() + static_cast<std::ptrdiff_t>(offset), n, into.begin());
    return n;
}

Result<std::shared_ptr<const Disk::Mapping>> MemoryDisk::map(const std::string& name) const {
    const std::lock_guard lock(storage_->mutex_);
    if (dead_) return power_is_off();
    const auto found = storage_->nodes_.find(name);
    if (found == storage_->nodes_.end()) return no_file(name);
    return std::make_shared<const MemoryMapping>(found->second->bytes);
}

Result<> MemoryDisk::replace(const std::string& name, std::span<const std::byte> bytes) {
    const std::lock_guard lock(storage_->mutex_);
    if (dead_) return power_is_off();
    if (auto fits = room(name, bytes.size()); !fits) return fits;
    auto replaced = std::make_shared<Node>();
    replaced->bytes.assign(bytes.begin(), bytes.end());
    replaced->synced = bytes.size();
    storage_->nodes_[name] = std::move(replaced);
    return {};
}

Result<Disk::FileNo> MemoryDisk::start(const std::string& name) {
    const std::lock_guard lock(storage_->mutex_);
    if (dead_) return power_is_off();
    auto started = std::make_shared<Node>();
    storage_->nodes_[name] = started;
    files_[next_] = {name, std::move(started)};
    return next_++;
}

Result<> MemoryDisk::append(FileNo file, std::span<const std::byte> bytes) {
    const std::lock_guard lock(storage_->mutex_);
    if (dead_) return power_is_off();
    const auto found = files_.find(file);
    if (found == files_.end()) return not_open();
    if (auto fits = room(found->second.name, bytes.size()); !fits) return fits;
    auto& to = found->second.node->bytes;
    to.insert(to.end(), bytes.begin(), bytes.end());
    return {};
}

Result<> MemoryDisk::sync(FileNo file) {
    const std::lock_guard lock(storage_->mutex_);
    if (dead_) return power_is_off();
    const auto found = node(file);
    if (!found) return not_open();
    found->synced = found->bytes.size();
    return {};
}

Result<> MemoryDisk::rename(const std::string& from, const std::string& to) {
    const std::lock_guard lock(storage_->mutex_);
    if (dead_) return power_is_off();
    const auto found = storage_->nodes_.find(from);
    if (found == storage_->nodes_.end()) return no_file(from);
    auto moved = std::move(found->second);
    storage_->nodes_.erase(found);
    storage_->nodes_[to] = std::move(moved);
    return {};
}

Result<> MemoryDisk::remove(const std::string& name) {
    const std::lock_guard lock(storage_->mutex_);
    if (dead_) return power_is_off();
    return storage_->nodes_.erase(name) == 1 ? Result<>{} : Result<>(no_file(name));
}

Result<std::vector<std::string>> MemoryDisk::list(const std::string& folder) const {
    const std::lock_guard lock(storage_->mutex_);
    if (dead_) return power_is_off();
    std::vector<std::string> names;
    const std::string prefix = folder == "." ? std::string() : folder + "/";
    for (const auto& [name, node] : storage_->nodes_) {
        if (!name.starts_with(prefix)) continue;
        const std::string rest = name.substr(prefix.size());
        if (rest.find('/') == std::string::npos) names.push_back(rest);
    }
    return names;
}

Result<std::uint64_t> MemoryDisk::free_bytes() const {
    const std::lock_guard lock(storage_->mutex_);
    if (dead_) return power_is_off();
    const std::uint64_t used = storage_->used_locked();
    return storage_->capacity_ > used ? storage_->capacity_ - used : 0;
}

}  // namespace nostro
