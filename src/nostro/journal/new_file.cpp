#include "nostro/journal/new_file.hpp"

#include <utility>

#include "nostro/journal/data_directory.hpp"

namespace nostro {

Result<NewFile> NewFile::start(Disk& disk, const std::string& name) {
    const auto file = disk.start(name + kTemporarySuffix);
    if (!file) return file.error();
    return NewFile(disk, name, *file);
}

NewFile::NewFile(NewFile&& other) noexcept
    : disk_(std::exchange(other.disk_, nullptr)),
      name_(std::move(other.name_)),
      file_(other.file_),
      open_(other.open_),
      published_(other.published_) {}

NewFile::~NewFile() {
    if (disk_ == nullptr) return;
    if (open_) static_cast<void>(disk_->close(file_).has_value());
    if (!published_) static_cast<void>(disk_->remove(temporary_name()).has_value());
}

std::string NewFile::temporary_name() const { return name_ + kTemporarySuffix; }

Result<> NewFile::seal() {
    if (!open_) return {};
    if (auto synced = disk_->sync(file_); !synced) return synced;
    open_ = false;
    return disk_->close(file_);
}

Result<> NewFile::publish() {
    if (auto sealed = seal(); !sealed) return sealed;
    if (auto renamed = disk_->rename(temporary_name(), name_); !renamed) return renamed;
    published_ = true;
    return {};
}

}  // namespace nostro
