#include "nostro/adapters/memory/faulty_disk.hpp"

#include <iterator>
#include <utility>

namespace nostro {
namespace {

Error broken(const std::string& name) { return {ErrorCode::corrupt, name + ": injected fault"}; }

}  // namespace

void FaultyDisk::plan(const Plan& plan) {
    const std::lock_guard lock(mutex_);
    plan_ = plan;
    operations_ = 0;
    failed_ = false;
}

FaultyDisk::Turn FaultyDisk::turn() const {
    const std::lock_guard lock(mutex_);
    const std::uint64_t now = ++operations_;
    if (plan_.at == 0 || now < plan_.at || (now > plan_.at && !plan_.dead_afterwards)) return Turn::works;
    failed_ = true;
    if (plan_.fault == Plan::Fault::is_lost) return Turn::is_lost;
    return now == plan_.at && plan_.fault == Plan::Fault::tears ? Turn::tears : Turn::fails;
}

Result<> FaultyDisk::space(const std::string& name) const {
    if (full_) return Error{ErrorCode::unavailable, name + ": no space (injected)"};
    return {};
}

Result<> FaultyDisk::lock() { return turn() == Turn::works ? base_.lock() : Result<>(broken("lock")); }

Result<> FaultyDisk::create(const std::string& name, std::uint64_t bytes, std::span<const std::byte> head) {
    if (auto fits = space(name); !fits) return fits;
    const Turn now = turn();
    if (now == Turn::works) return base_.create(name, bytes, head);
    // Torn: it was done, but nobody was told.
    if (now == Turn::tears) static_cast<void>(base_.create(name, bytes, head).has_value());
    return broken(name);
}

Result<Disk::FileNo> FaultyDisk::open(const std::string& name) {
    return turn() == Turn::works ? base_.open(name) : Result<FileNo>(broken(name));
}

Result<std::uint64_t> FaultyDisk::size(FileNo file) const {
    return turn() == Turn::works ? base_.size(file) : Result<std::uint64_t>(broken("size"));
}

Result<> FaultyDisk::write_durable(FileNo file, std::uint64_t offset, std::span<const std::byte> block,
                                   std::uint64_t tag, std::shared_ptr<const void> owner) {
    const Turn now = turn();
    if (now == Turn::works) return base_.write_durable(file, offset, block, tag, std::move(owner));
    if (now == Turn::is_lost) return {};
    if (now == Turn::tears) static_cast<void>(base_.write_now(file, offset, block.first(block.size() / 2)).has_value());
    std::function<void()> wake;
    {
        const std::lock_guard lock(mutex_);
        done_.push_back({tag, false, "injected fault at " + std::to_string(offset)});
        wake = wake_;
    }
    if (wake) wake();
    return {};
}

void FaultyDisk::completed(std::vector<Completion>& into) {
    base_.completed(into);
    const std::lock_guard lock(mutex_);
    into.insert(into.end(), std::make_move_iterator(done_.begin()), std::make_move_iterator(done_.end()));
    done_.clear();
}

void FaultyDisk::on_completion(std::function<void()> wake) {
    base_.on_completion(wake);
    const std::lock_guard lock(mutex_);
    wake_ = std::move(wake);
}

Result<> FaultyDisk::write_now(FileNo file, std::uint64_t offset, std::span<const std::byte> bytes) {
    const Turn now = turn();
    if (now == Turn::works) return base_.write_now(file, offset, bytes);
    if (now == Turn::tears) static_cast<void>(base_.write_now(file, offset, bytes.first(bytes.size() / 2)).has_value());
    return broken("write");
}

Result<std::size_t> FaultyDisk::read(FileNo file, std::uint64_t offset, std::span<std::byte> into) const {
    return turn() == Turn::works ? base_.read(file, offset, into) : Result<std::size_t>(broken("read"));
}

Result<std::shared_ptr<const Disk::Mapping>> FaultyDisk::map(const std::string& name) const {
    return turn() == Turn::works ? base_.map(name) : Result<std::shared_ptr<const Mapping>>(broken(name));
}

Result<> FaultyDisk::replace(const std::string& name, std::span<const std::byte> bytes) {
    if (auto fits = space(name); !fits) return fits;
    return turn() == Turn::works ? base_.replace(name, bytes) : Result<>(broken(name));
}

Result<Disk::FileNo> FaultyDisk::start(const std::string& name) {
    if (auto fits = space(name); !fits) return fits.error();
    return turn() == Turn::works ? base_.start(name) : Result<FileNo>(broken(name));
}

Result<> FaultyDisk::append(FileNo file, std::span<const std::byte> bytes) {
    if (auto fits = space("append"); !fits) return fits;
    const Turn now = turn();
    if (now == Turn::works) return base_.append(file, bytes);
    if (now == Turn::tears) static_cast<void>(base_.append(file, bytes.first(bytes.size() / 2)).has_value());
    return broken("append");
}

Result<> FaultyDisk::sync(FileNo file) { return turn() == Turn::works ? base_.sync(file) : Result<>(broken("sync")); }

Result<> FaultyDisk::rename(const std::string& from, const std::string& to) {
    const Turn now = turn();
    if (now == Turn::works) return base_.rename(from, to);
    if (now == Turn::tears) static_cast<void>(base_.rename(from, to).has_value());
    return broken(from);
}

Result<> FaultyDisk::remove(const std::string& name) {
    const Turn now = turn();
    if (now == Turn::works) return base_.remove(name);
    if (now == Turn::tears) static_cast<void>(base_.remove(name).has_value());
    return broken(name);
}

Result<std::vector<std::string>> FaultyDisk::list(const std::string& folder) const {
    return turn() == Turn::works ? base_.list(folder) : Result<std::vector<std::string>>(broken(folder));
}

}  // namespace nostro
