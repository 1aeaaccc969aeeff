// A journal on a server, with its mirror in front of it: images, and frames that stand in the mirror, are read there.
// What is written and who owns it is the journal's own, and waits for no disk of this machine.
//
// Threads: as Journal says.
#pragma once
#include <functional>
#include <memory>

#include "nostro/journal/mirror.hpp"
#include "nostro/ports/journal.hpp"

namespace nostro {

class MirroredJournal final : public Journal {
public:
    // `mirror` outlives it. `tied`, of take_over: the folder belongs to the journal from then on; may be absent.
    MirroredJournal(std::unique_ptr<Journal> journal, Mirror& mirror, std::function<Result<>()> tied);

    // The journal itself, for who copies it.
    const Journal& journal() const { return *journal_; }
    Journal& journal() { return *journal_; }

    // `corrupt`, too: the chain ends before the mirror does, or with another frame.
    Result<Head> take_over() override;
    Result<Seq> follow(std::chrono::milliseconds patience) override { return journal_->follow(patience); }
    Result<> ready(Need need) override { return journal_->ready(need); }
    bool is_making_room() const override { return journal_->is_making_room(); }
    Result<> append(FramePtr frame) override { return journal_->append(std::move(frame)); }
    Result<> append_and_wait(FramePtr frame) override { return journal_->append_and_wait(std::move(frame)); }
    // Closes the mirror's segment, for which no frame is needed.
    bool close_through(Seq through) override;
    std::size_t in_flight_max() const override { return journal_->in_flight_max(); }
    std::size_t frame_bytes_max() const override { return journal_->frame_bytes_max(); }
    Result<Seq> accepted() override { return journal_->accepted(); }
    void on_progress(std::function<void()> wake) override { journal_->on_progress(std::move(wake)); }
    Result<Seq> image(const std::function<void(const Changes&)>& install) const override;
    Result<Seq> read(Seq from, const std::function<bool(const FramePtr&)>& each) const override;
    Result<> headers(Seq from, Seq through, std::vector<std::byte>& into) const override;

    // Bytes of a frame, from its header's first on, as SegmentStore::bytes.
    Result<> bytes(Seq seq, std::uint32_t begin, std::span<std::byte> into) const;
    void will_read(Seq seq, std::uint32_t begin, std::uint32_t bytes) const;

private:
    const std::unique_ptr<Journal> journal_;
    Mirror& mirror_;
    const std::function<Result<>()> tied_;
};

}  // namespace nostro
