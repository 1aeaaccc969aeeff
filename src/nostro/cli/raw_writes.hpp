// What a durable write costs without any program around it: 4 KiB, O_DIRECT|O_DSYNC, into an allocated file of its own.
#pragma once
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>

#include "nostro/base/unique_fd.hpp"

namespace nostro::cli {

class RawWrites {
public:
    explicit RawWrites(const std::filesystem::path& folder);  // the file is gone with this object
    ~RawWrites();
    RawWrites(const RawWrites&) = delete;
    RawWrites& operator=(const RawWrites&) = delete;

    // "O_DIRECT|O_DSYNC", or "O_DSYNC" where the file system has no direct writes; empty: none can be made there.
    const std::string& way() const { return way_; }
    bool write();  // one block, behind the last one; false: it failed

private:
    struct FreeBlock {
        void operator()(char* memory) const { std::free(memory); }
    };
    std::filesystem::path path_;
    std::unique_ptr<char, FreeBlock> block_;
    UniqueFd file_;
    std::string way_;
    std::size_t next_ = 0;
};

}  // namespace nostro::cli
