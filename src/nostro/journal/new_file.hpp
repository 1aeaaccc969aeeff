// A file that comes into being whole or not at all. It is written under a temporary name; when every byte is durable it
// takes its own name, which is durable too when publish() returns.
//
// Threads: one. The disk must outlive it.
#pragma once
#include <cstddef>
#include <span>
#include <string>

#include "nostro/base/result.hpp"
#include "nostro/ports/disk.hpp"

namespace nostro {

class NewFile {
public:
    static Result<NewFile> start(Disk& disk, const std::string& name);
    NewFile(NewFile&& other) noexcept;
    ~NewFile();  // what was not published is removed

    const std::string& name() const { return name_; }
    std::string temporary_name() const;

    Result<> append(std::span<const std::byte> bytes) { return disk_->append(file_, bytes); }
    // What was appended so far is durable. Now and then in a large file, so that others never wait long for the disk.
    Result<> sync() { return disk_->sync(file_); }
    // No more is appended: durable and closed, still under the temporary name.
    Result<> seal();
    // Seals it, if nobody has, and gives it its name. An older file of that name is replaced.
    Result<> publish();

private:
    NewFile(Disk& disk, std::string name, Disk::FileNo file) : disk_(&disk), name_(std::move(name)), file_(file) {}

    Disk* disk_;  // nullptr: moved from
    std::string name_;
    Disk::FileNo file_;
    bool open_ = true, published_ = false;
};

}  // namespace nostro
