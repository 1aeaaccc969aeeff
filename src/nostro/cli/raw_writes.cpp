#include "nostro/cli/raw_writes.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>

namespace nostro::cli {
namespace {

constexpr std::size_t kBlock = 4096, kBlocks = 2048;

}  // namespace

RawWrites::RawWrites(const std::filesystem::path& folder)
    : path_(folder / fmt::format("nostro-write-{}", ::getpid())),
      block_(static_cast<char*>(std::aligned_alloc(kBlock, kBlock))) {
    std::fill_n(block_.get(), kBlock, 'n');
    {
        UniqueFd file(::open(path_.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
        for (std::size_t i = 0; i < kBlocks && file; ++i) {
            if (::write(file.get(), block_.get(), kBlock) != static_cast<ssize_t>(kBlock)) file.reset();
        }
        if (!file || ::fsync(file.get()) != 0) return;
    }
    way_ = "O_DIRECT|O_DSYNC";
    file_.reset(::open(path_.c_str(), O_WRONLY | O_DIRECT | O_DSYNC | O_CLOEXEC));
    if (!file_) {
        way_ = "O_DSYNC";
        file_.reset(::open(path_.c_str(), O_WRONLY | O_DSYNC | O_CLOEXEC));
    }
}

RawWrites::~RawWrites() { static_cast<void>(::unlink(path_.c_str())); }

bool RawWrites::write() {
    const auto at = static_cast<off_t>(next_++ % kBlocks * kBlock);
    return file_ && ::pwrite(file_.get(), block_.get(), kBlock, at) == static_cast<ssize_t>(kBlock);
}

}  // namespace nostro::cli
