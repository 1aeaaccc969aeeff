// Journals that need no server.
#include "tests/contract/journal_contract.hpp"

#include "nostro/adapters/memory/memory_disk.hpp"
#include "nostro/adapters/memory/memory_journal.hpp"
#include "nostro/journal/mirrored_journal.hpp"
#include "nostro/journal/posix_disk.hpp"
#include "nostro/journal/segment_journal.hpp"
#include "tests/support/temporary_folder.hpp"

namespace nostro {
namespace {

using test::TemporaryFolder;

class MemoryStore final : public JournalStore {
public:
    Journal& open() override {
        journal_ = std::make_unique<MemoryJournal>(log_);
        return *journal_;
    }

private:
    std::shared_ptr<MemoryLog> log_ = std::make_shared<MemoryLog>();
    std::unique_ptr<MemoryJournal> journal_;
};

SegmentJournalOptions small_segments() {
    SegmentJournalOptions options;
    options.frame_bytes_max = 32 * 1024;
    options.segment_bytes = 128 * 1024;
    options.tail_bytes = 20 * 1024;  // so that reads come from memory and from files
    return options;
}

constexpr std::size_t kWaited = 8 * 1024;  // smaller frames are written by append_and_wait() itself

class SegmentStoreOnMemory final : public JournalStore {
public:
    explicit SegmentStoreOnMemory(std::size_t waited_bytes_max) : waited_bytes_max_(waited_bytes_max) {}

    Journal& open() override {
        journal_.reset();
        disk_ = std::make_unique<MemoryDisk>(storage_);
        auto options = small_segments();
        options.waited_bytes_max = waited_bytes_max_;
        options.own_thread = false;
        journal_ = std::make_unique<SegmentJournal>(*disk_, options);
        return *journal_;
    }

private:
    const std::size_t waited_bytes_max_;
    std::shared_ptr<MemoryStorage> storage_ = std::make_shared<MemoryStorage>();
    std::unique_ptr<MemoryDisk> disk_;
    std::unique_ptr<SegmentJournal> journal_;
};

class SegmentStoreOnDisk final : public JournalStore {
public:
    explicit SegmentStoreOnDisk(std::size_t waited_bytes_max) : waited_bytes_max_(waited_bytes_max) {}

    Journal& open() override {
        journal_.reset();
        disk_.reset();
        auto disk = PosixDisk::open(folder_.path() + "/data", {});
        EXPECT_TRUE(disk) << disk.error().what;
        disk_ = std::move(*disk);
        auto options = small_segments();
        options.waited_bytes_max = waited_bytes_max_;
        journal_ = std::make_unique<SegmentJournal>(*disk_, options);
        return *journal_;
    }

private:
    const std::size_t waited_bytes_max_;
    TemporaryFolder folder_;
    std::unique_ptr<PosixDisk> disk_;
    std::unique_ptr<SegmentJournal> journal_;
};

// A journal on a server behind its mirror, which has what was there when it was opened.
class MirroredStore final : public JournalStore {
public:
    Journal& open() override {
        journal_.reset();
        mirror_.reset();
        disk_ = std::make_unique<MemoryDisk>(storage_);
        MirrorOptions options;
        options.segments = small_segments();
        mirror_ = std::move(*Mirror::open(*disk_, options));
        const auto caught_up = mirror_->catch_up(MemoryJournal(log_));
        EXPECT_TRUE(caught_up) << caught_up.error().what;
        journal_ = std::make_unique<MirroredJournal>(std::make_unique<MemoryJournal>(log_), *mirror_,
                                                     std::function<Result<>()>());
        return *journal_;
    }

private:
    std::shared_ptr<MemoryLog> log_ = std::make_shared<MemoryLog>();
    std::shared_ptr<MemoryStorage> storage_ = std::make_shared<MemoryStorage>();
    std::unique_ptr<MemoryDisk> disk_;
    std::unique_ptr<Mirror> mirror_;
    std::unique_ptr<MirroredJournal> journal_;
};

INSTANTIATE_TEST_SUITE_P(
    Adapters, JournalContract,
    testing::Values(
        JournalAdapter{"Memory", [] { return std::make_unique<MemoryStore>(); }},
        JournalAdapter{"Mirrored", [] { return std::make_unique<MirroredStore>(); }},
        JournalAdapter{"SegmentsInMemory", [] { return std::make_unique<SegmentStoreOnMemory>(0); }},
        JournalAdapter{"SegmentsInMemoryWaited", [] { return std::make_unique<SegmentStoreOnMemory>(kWaited); }},
        JournalAdapter{"SegmentsOnDisk", [] { return std::make_unique<SegmentStoreOnDisk>(0); }},
        JournalAdapter{"SegmentsOnDiskWaited", [] { return std::make_unique<SegmentStoreOnDisk>(kWaited); }}),
    [](const testing::TestParamInfo<JournalAdapter>& parameter) { return parameter.param.name; });

}  // namespace
}  // namespace nostro
