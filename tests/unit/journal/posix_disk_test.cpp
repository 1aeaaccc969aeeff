// The real disk, and that the one in memory promises the same.
#include "nostro/journal/posix_disk.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <condition_variable>
#include <cstring>
#include <functional>

#include "nostro/adapters/memory/memory_disk.hpp"
#include "nostro/journal/disk_governor.hpp"
#include "nostro/wire/frame.hpp"
#include "tests/support/temporary_folder.hpp"

namespace nostro {
namespace {

using test::TemporaryFolder;

struct DiskMaker {
    const char* name;
    std::function<std::unique_ptr<Disk>(const std::string& folder)> make;
};

class DiskContract : public testing::TestWithParam<DiskMaker> {
protected:
    TemporaryFolder folder_;
    std::unique_ptr<Disk> disk_ = GetParam().make(folder_.path() + "/data");
};

std::vector<std::byte> bytes_of(std::string_view text) {
    const auto bytes = std::as_bytes(std::span(text));
    return {bytes.begin(), bytes.end()};
}

std::vector<std::byte> read_back(Disk& disk, const std::string& name) {
    auto file = disk.open(name);
    EXPECT_TRUE(file) << file.error().what;
    if (!file) return {};
    std::vector<std::byte> bytes(*disk.size(*file));
    EXPECT_EQ(*disk.read(*file, 0, bytes), bytes.size());
    EXPECT_TRUE(disk.close(*file));
    return bytes;
}

std::vector<Disk::Completion> wait_for(Disk& disk, std::size_t count) {
    std::vector<Disk::Completion> done;
    while (done.size() < count) disk.completed(done);
    return done;
}

TEST_P(DiskContract, ACreatedFileIsZerosBehindItsHeadAndThereOnlyOnce) {
    ASSERT_TRUE(disk_->create("a/b/file", 12'288, bytes_of("head")));
    const auto bytes = read_back(*disk_, "a/b/file");
    ASSERT_EQ(bytes.size(), 12'288u);
    EXPECT_EQ(std::memcmp(bytes.data(), "head", 4), 0);
    EXPECT_TRUE(std::all_of(bytes.begin() + 4, bytes.end(), [](std::byte b) { return b == std::byte{0}; }));
    auto again = disk_->create("a/b/file", 4096, {});
    ASSERT_FALSE(again);
    EXPECT_EQ(again.error().code, ErrorCode::conflict);
    EXPECT_EQ(read_back(*disk_, "a/b/file").size(), 12'288u);
    EXPECT_EQ(*disk_->list("a/b"), std::vector<std::string>{"file"});
}

TEST_P(DiskContract, DurableWritesAreReadBackAndTellTheirTags) {
    ASSERT_TRUE(disk_->create("file", 64 * 4096, {}));
    auto file = disk_->open("file");
    ASSERT_TRUE(file);
    for (std::uint64_t i = 0; i < 64; ++i) {
        std::shared_ptr<std::byte[]> block(allocate_aligned(4096).release(), FreeAligned());
        std::memset(block.get(), static_cast<int>(i + 1), 4096);
        // The disk keeps the block alive: this scope does not.
        ASSERT_TRUE(disk_->write_durable(*file, i * 4096, {block.get(), 4096}, i, block));
    }
    std::vector<bool> seen(64);
    for (const auto& done : wait_for(*disk_, 64)) {
        EXPECT_TRUE(done.ok) << done.what;
        seen[done.tag] = true;
    }
    EXPECT_EQ(std::count(seen.begin(), seen.end(), true), 64);
    const auto bytes = read_back(*disk_, "file");
    for (std::size_t i = 0; i < bytes.size(); ++i) ASSERT_EQ(bytes[i], static_cast<std::byte>(i / 4096 + 1)) << i;
}

TEST_P(DiskContract, SmallWritesNeedNoAlignment) {
    ASSERT_TRUE(disk_->create("file", 8192, {}));
    auto file = disk_->open("file");
    ASSERT_TRUE(disk_->write_now(*file, 4093, bytes_of("across")));
    EXPECT_EQ(std::memcmp(read_back(*disk_, "file").data() + 4093, "across", 6), 0);
}

TEST_P(DiskContract, SequentialFilesGrowByAppending) {
    auto file = disk_->start("x/run.new");
    ASSERT_TRUE(file) << file.error().what;
    ASSERT_TRUE(disk_->append(*file, bytes_of("one ")));
    ASSERT_TRUE(disk_->append(*file, bytes_of("two")));
    ASSERT_TRUE(disk_->sync(*file));
    ASSERT_TRUE(disk_->close(*file));
    ASSERT_TRUE(disk_->rename("x/run.new", "x/run"));
    EXPECT_EQ(read_back(*disk_, "x/run"), bytes_of("one two"));
    EXPECT_EQ(disk_->open("x/run.new").error().code, ErrorCode::not_found);
}

TEST_P(DiskContract, ReplacingIsWholeAndLeavesNothingBeside) {
    ASSERT_TRUE(disk_->replace("state", bytes_of("first and long")));
    ASSERT_TRUE(disk_->replace("state", bytes_of("second")));
    EXPECT_EQ(read_back(*disk_, "state"), bytes_of("second"));
    EXPECT_EQ(*disk_->list("."), std::vector<std::string>{"state"});
}

TEST_P(DiskContract, AMappingOutlivesTheNameOfItsFile) {
    ASSERT_TRUE(disk_->replace("run", bytes_of("sealed")));
    auto mapping = disk_->map("run");
    ASSERT_TRUE(mapping);
    ASSERT_TRUE(disk_->remove("run"));
    EXPECT_TRUE(disk_->list(".")->empty());
    const auto bytes = (*mapping)->bytes();
    EXPECT_EQ(std::vector<std::byte>(bytes.begin(), bytes.end()), bytes_of("sealed"));
    EXPECT_EQ(disk_->map("run").error().code, ErrorCode::not_found);
}

TEST_P(DiskContract, AMappingThatWasLetGoIsReadAgain) {
    ASSERT_TRUE(disk_->replace("run", bytes_of("sealed")));
    auto mapping = disk_->map("run");
    ASSERT_TRUE(mapping);
    for (int round = 0; round < 2; ++round) {
        const auto bytes = (*mapping)->bytes();
        EXPECT_EQ(std::vector<std::byte>(bytes.begin(), bytes.end()), bytes_of("sealed"));
        (*mapping)->let_go();
    }
}

TEST_P(DiskContract, AReadAtTheEndIsShort) {
    ASSERT_TRUE(disk_->replace("file", bytes_of("12345")));
    auto file = disk_->open("file");
    std::vector<std::byte> into(10);
    EXPECT_EQ(*disk_->read(*file, 3, into), 2u);
    EXPECT_EQ(*disk_->read(*file, 5, into), 0u);
}

TEST_P(DiskContract, WhatDoesNotExistSaysSo) {
    EXPECT_EQ(disk_->open("none").error().code, ErrorCode::not_found);
    EXPECT_EQ(disk_->remove("none").error().code, ErrorCode::not_found);
    EXPECT_EQ(disk_->rename("none", "other").error().code, ErrorCode::not_found);
    EXPECT_TRUE(disk_->list("nowhere")->empty());
    EXPECT_FALSE(disk_->close(12345));
    EXPECT_GT(*disk_->free_bytes(), 0u);
}

TEST_P(DiskContract, ALargeSequentialFileIsWholeHoweverItWasAppended) {
    std::vector<std::byte> bytes((std::size_t{3} << 20) + 4321);
    for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::byte>(i * 31 + i / 4096);
    auto file = disk_->start("large");
    ASSERT_TRUE(file);
    std::span<const std::byte> left(bytes);
    for (const std::size_t piece : {std::size_t{1}, std::size_t{4096}, std::size_t{700'000}, std::size_t{1} << 21}) {
        ASSERT_TRUE(disk_->append(*file, left.first(piece)));
        left = left.subspan(piece);
    }
    ASSERT_TRUE(disk_->sync(*file));
    ASSERT_TRUE(disk_->append(*file, left));
    ASSERT_TRUE(disk_->sync(*file));
    ASSERT_TRUE(disk_->close(*file));
    EXPECT_EQ(read_back(*disk_, "large"), bytes);
}

// Time passes while it waits, and only then.
std::shared_ptr<DiskGovernor> waiting_governor(std::shared_ptr<std::atomic<SteadyTime>> now) {
    return std::make_shared<DiskGovernor>(DiskGovernor::Time{.now = [now] { return now->load(); },
                                                             .sleep = [now](auto time) { *now = now->load() + time; }});
}

std::shared_ptr<DiskGovernor> busy_governor() {
    auto governor = waiting_governor(std::make_shared<std::atomic<SteadyTime>>(SteadyTime(std::chrono::hours(1))));
    governor->began();  // and it never ends
    return governor;
}

INSTANTIATE_TEST_SUITE_P(Disks, DiskContract,
                         testing::Values(DiskMaker{"Memory",
                                                   [](const std::string&) {
                                                       return std::make_unique<MemoryDisk>(
                                                           std::make_shared<MemoryStorage>());
                                                   }},
                                         DiskMaker{"Direct",
                                                   [](const std::string& folder) -> std::unique_ptr<Disk> {
                                                       return std::move(*PosixDisk::open(folder, {}));
                                                   }},
                                         DiskMaker{"Paced",
                                                   [](const std::string& folder) -> std::unique_ptr<Disk> {
                                                       PosixDisk::Options options;
                                                       options.governor = busy_governor();
                                                       return std::move(*PosixDisk::open(folder, options));
                                                   }},
                                         DiskMaker{"Synced",
                                                   [](const std::string& folder) -> std::unique_ptr<Disk> {
                                                       PosixDisk::Options options;
                                                       options.direct = false;
                                                       return std::move(*PosixDisk::open(folder, options));
                                                   }}),
                         [](const testing::TestParamInfo<DiskMaker>& which) { return which.param.name; });

// Whoever waits for this governor moves its clock.
struct GovernedFile {
    TemporaryFolder folder;
    std::shared_ptr<std::atomic<SteadyTime>> now =
        std::make_shared<std::atomic<SteadyTime>>(SteadyTime(std::chrono::hours(1)));
    std::shared_ptr<DiskGovernor> governor = waiting_governor(now);
    std::unique_ptr<PosixDisk> disk = open(folder.path(), governor);
    Result<Disk::FileNo> file = disk->start("large");

    static std::unique_ptr<PosixDisk> open(const std::string& folder, std::shared_ptr<DiskGovernor> governor) {
        PosixDisk::Options options;
        options.governor = std::move(governor);
        return std::move(*PosixDisk::open(folder, options));
    }
};

TEST(PosixDiskTest, WhatWasAppendedBeforeALoadIsHandedOverSlowlyToo) {
    const GovernedFile given;
    const auto& [folder, now, governor, disk, file] = given;
    ASSERT_TRUE(file);
    std::vector<std::byte> bytes(std::size_t{12} << 20, std::byte{7});
    const SteadyTime began = *now;
    ASSERT_TRUE(disk->append(*file, bytes));
    EXPECT_EQ(now->load(), began) << "nobody waits";
    governor->began();
    ASSERT_TRUE(disk->append(*file, bytes));
    ASSERT_TRUE(disk->sync(*file));
    // The second half as it was appended, the first at the end; of each one piece goes at once.
    EXPECT_NEAR(std::chrono::duration<double>(now->load() - began).count(), 1, 0.05);
    EXPECT_EQ(read_back(*disk, "large").size(), 2 * bytes.size());
}

TEST(PosixDiskTest, WhatIsDurableIsHandedOverNoSecondTime) {
    const GovernedFile given;
    const auto& [folder, now, governor, disk, file] = given;
    ASSERT_TRUE(file);
    ASSERT_TRUE(disk->append(*file, std::vector<std::byte>(std::size_t{12} << 20, std::byte{7})));
    ASSERT_TRUE(disk->sync(*file));
    const SteadyTime began = *now;
    governor->began();
    ASSERT_TRUE(disk->sync(*file));
    EXPECT_EQ(now->load(), began);
}

TEST(PosixDiskTest, ASecondOwnerIsToldTheFirstOnesProcess) {
    TemporaryFolder folder;
    auto first = PosixDisk::open(folder.path(), {});
    ASSERT_TRUE(first);
    ASSERT_TRUE((*first)->lock());
    auto second = PosixDisk::open(folder.path(), {});
    ASSERT_TRUE(second);
    auto refused = (*second)->lock();
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::conflict);
    EXPECT_NE(refused.error().what.find("process " + std::to_string(::getpid())), std::string::npos)
        << refused.error().what;
    EXPECT_NE(refused.error().what.find(folder.path()), std::string::npos);
    first->reset();
    EXPECT_TRUE((*second)->lock());
}

TEST(PosixDiskTest, SaysHowItWrites) {
    TemporaryFolder folder;
    PosixDisk::Options options;
    options.direct = false;
    EXPECT_EQ((*PosixDisk::open(folder.path(), options))->description(), "writes with fdatasync on 3 threads");
    options.read_only = true;
    EXPECT_EQ((*PosixDisk::open(folder.path(), options))->description(), "read only");
}

TEST(PosixDiskTest, LookingOnlyMakesAndChangesNothing) {
    TemporaryFolder folder;
    PosixDisk::Options looking;
    looking.read_only = true;
    auto none = PosixDisk::open(folder.path() + "/none", looking);
    ASSERT_FALSE(none);
    EXPECT_EQ(none.error().code, ErrorCode::not_found);
    EXPECT_NE(none.error().what.find("/none"), std::string::npos);
    auto disk = PosixDisk::open(folder.path(), looking);
    ASSERT_TRUE(disk);
    EXPECT_TRUE((*disk)->list(".")->empty());
}

TEST(PosixDiskTest, ADirectoryInThePlaceOfAFileAndTheOtherWayRoundAreNamed) {
    TemporaryFolder folder;
    auto disk = PosixDisk::open(folder.path(), {});
    ASSERT_TRUE(disk);
    ASSERT_TRUE((*disk)->replace("file", {}));
    auto under = (*disk)->create("file/below", 4096, {});
    ASSERT_FALSE(under);
    EXPECT_NE(under.error().what.find("file"), std::string::npos) << under.error().what;
    auto in_file = PosixDisk::open(folder.path() + "/file", {});
    ASSERT_FALSE(in_file);
    EXPECT_NE(in_file.error().what.find("/file"), std::string::npos) << in_file.error().what;
}

// A file that is read while it is removed keeps its bytes until the reader is done: removing cuts in pieces.
TEST(PosixDiskTest, AFileBeingReadIsNotCutUnderItsReader) {
    TemporaryFolder folder;
    auto owner = PosixDisk::open(folder.path(), {});
    PosixDisk::Options looking;
    looking.read_only = true;
    auto reader = PosixDisk::open(folder.path(), looking);
    ASSERT_TRUE((*owner)->create("big", 80u << 20, bytes_of("head")));
    auto file = (*reader)->open("big");
    ASSERT_TRUE(file);
    ASSERT_TRUE((*owner)->remove("big"));
    EXPECT_EQ(*(*reader)->size(*file), 80u << 20);
    std::vector<std::byte> end(4096);
    EXPECT_EQ(*(*reader)->read(*file, (80u << 20) - 4096, end), end.size());
    EXPECT_TRUE((*reader)->close(*file));
}

}  // namespace
}  // namespace nostro
