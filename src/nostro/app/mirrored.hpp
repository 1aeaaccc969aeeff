// The mirror of a journal on a server, at work: brought up to date before the service starts, and kept so.
#pragma once
#include <memory>
#include <mutex>
#include <string>

#include "nostro/app/opened_journal.hpp"
#include "nostro/base/metrics.hpp"
#include "nostro/base/time.hpp"
#include "nostro/base/trouble.hpp"
#include "nostro/engine/service.hpp"
#include "nostro/engine/stage_runner.hpp"
#include "nostro/journal/mirrored_journal.hpp"

namespace nostro {

class Mirrored {
public:
    // The journal behind its mirror in the folder of the configuration; all that is handed over outlives it.
    static Result<std::unique_ptr<Mirrored>> open(const Config& config, Disk& disk, OpenedJournal opened,
                                                  MetricsRegistry& metrics, const Clock& clock);
    ~Mirrored();

    MirroredJournal& journal() { return *journal_; }
    const SealedIds& ids() const { return mirror_->ids(); }
    std::uint64_t origin() const { return opened_.origin(); }  // as OpenedJournal::origin
    void expect(Seq seq, std::string says_who) const { opened_.expect(seq, std::move(says_who)); }

    // As OpenedJournal::share. Precondition: the journal is in PostgreSQL.
    Result<> share(PostgresProjection& tables, const std::string& address) const {
        return opened_.share(tables, address);
    }

    // Once, when everybody has said what they expect and before the service starts: what the journal holds already.
    // `corrupt`: it is another one than the folder was made from, or lacks what the folder does not have.
    Result<> catch_up();
    void start();
    void stop();  // the journal writes no more, and the mirror is brought up to date a last time
    PartState state() const;

private:
    Mirrored(const Config& config, const Clock& clock, MetricsRegistry& metrics);
    Result<> tie();
    Result<> begin();
    std::size_t copy_some();
    std::size_t fold_some();

    const Config config_;
    const Clock& clock_;
    Gauge &last_, &image_;
    OpenedJournal opened_;  // its pointer is moved from
    std::unique_ptr<Mirror> mirror_;
    std::unique_ptr<MirroredJournal> journal_;
    std::mutex begin_mutex_;
    Trouble begin_trouble_{"mirror_waits", "mirror_recovered"};
    std::unique_ptr<StageRunner> copying_, folding_;
};

}  // namespace nostro
