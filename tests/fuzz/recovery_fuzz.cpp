// A small journal with its files overwritten, cut and moved about: whatever stands there, starting either refuses with
// words or gives a chain, and looking (verify, log, images, sealed ids) never falls over.
//
// The input is a list of edits (spoil.hpp).
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "nostro/adapters/memory/memory_disk.hpp"
#include "nostro/base/assert.hpp"
#include "nostro/base/bytes.hpp"
#include "nostro/journal/image_fold.hpp"
#include "nostro/journal/segment_journal.hpp"
#include "nostro/journal/verify.hpp"
#include "nostro/wire/chain.hpp"
#include "tests/fuzz/spoil.hpp"
#include "tests/support/frame_chain.hpp"

namespace nostro {
namespace {

SegmentJournalOptions tiny() {
    SegmentJournalOptions options;
    options.frame_bytes_max = 8 * 1024;
    options.segment_bytes = 9 * 4096;
    options.own_thread = false;
    return options;
}

std::shared_ptr<MemoryStorage> small_journal() {
    auto storage = std::make_shared<MemoryStorage>();
    MemoryDisk disk(storage);
    SegmentJournal journal(disk, tiny());
    test::FrameChain chain(journal.take_over().value());
    for (int i = 0; i < 18; ++i) {
        const bool ok = journal.ready(Journal::Need::intake) && journal.append(chain.next(chain.head().seq, 200)) &&
                        journal.accepted() && journal.upkeep(SteadyTime(std::chrono::hours(i)));
        NOSTRO_ASSERT(ok, "the journal to be spoilt is sound");
    }
    auto ids = std::move(SealedRuns::open(disk, false).value());
    ImageFold fold(disk, journal.store(), *ids, journal.id(), {});
    while (fold.step(Instant{}).value()) {
    }
    return storage;
}

void start(const std::shared_ptr<MemoryStorage>& storage) {
    MemoryDisk disk(storage);
    SegmentJournal journal(disk, tiny());
    auto head = journal.take_over();
    if (!head) {
        NOSTRO_ASSERT(!head.error().what.empty(), "a refusal has words");
        return;
    }
    ChainPoint point;
    bool is_chain = true;
    auto read = journal.read(journal.store().first(), [&](const FramePtr& frame) {
        if (point.seq == 0 && frame->header.seq != 1) return false;
        is_chain = is_chain && advance(point, *frame);
        return true;
    });
    NOSTRO_ASSERT(!read || is_chain, "what is read is a chain");
    test::FrameChain chain(*head, 3);
    if (journal.ready(Journal::Need::intake)) {
        NOSTRO_ASSERT(journal.append(chain.next(head->seq)), "what starts goes on");
        NOSTRO_ASSERT(journal.accepted(), "what starts goes on");
    }
}

}  // namespace
}  // namespace nostro

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace nostro;
    static const auto original = small_journal();
    auto storage = original->copy();
    ByteReader in(std::as_bytes(std::span(data, size)));
    for (int edits = 0; edits < 16 && in.remaining() >= fuzz::kEditLeast; ++edits) fuzz::spoil(*storage, in);
    {
        MemoryDisk disk(storage);
        auto report = verify(disk);
        NOSTRO_ASSERT(report || !report.error().what.empty(), "a failure has words");
        static_cast<void>(read_newest_image(disk, [](const Changes&) {}).has_value());
        if (auto ids = SealedRuns::open(disk, true)) {
            for (Seq seq = 1; seq < 20; ++seq) {
                static_cast<void>((*ids)->find(test::numbered_payment(seq), (*ids)->through()).has_value());
            }
        }
    }
    start(storage);
    return 0;
}
