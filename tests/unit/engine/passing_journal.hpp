// Passes everything on to another journal: a test's own overrides what it is about.
#pragma once
#include <utility>

#include "nostro/ports/journal.hpp"

namespace nostro::test {

class PassingJournal : public Journal {
public:
    explicit PassingJournal(Journal& journal) : journal_(journal) {}
    Result<Head> take_over() override { return journal_.take_over(); }
    Result<> ready(Need need) override { return journal_.ready(need); }
    bool is_making_room() const override { return journal_.is_making_room(); }
    Result<> append(FramePtr frame) override { return journal_.append(std::move(frame)); }
    std::size_t in_flight_max() const override { return journal_.in_flight_max(); }
    std::size_t frame_bytes_max() const override { return journal_.frame_bytes_max(); }
    Result<Seq> accepted() override { return journal_.accepted(); }
    void on_progress(std::function<void()> wake) override { journal_.on_progress(std::move(wake)); }
    Result<Seq> image(const std::function<void(const Changes&)>& install) const override {
        return journal_.image(install);
    }
    Result<Seq> read(Seq from, const std::function<bool(const FramePtr&)>& each) const override {
        return journal_.read(from, each);
    }

private:
    Journal& journal_;
};

}  // namespace nostro::test
