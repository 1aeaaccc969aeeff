// The query index, as [index] asks for it: files of this process's own, or tables in PostgreSQL that several ask.
//
// Threads: open from one; what it gives as History and Projection say.
#pragma once
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "nostro/adapters/postgres/history.hpp"
#include "nostro/app/config.hpp"
#include "nostro/engine/frame_cache.hpp"
#include "nostro/engine/service.hpp"
#include "nostro/journal/query_index.hpp"
#include "nostro/ports/journal.hpp"

namespace nostro {

// Whether frames were dropped from a data directory: then no index can be made anew from its journal.
bool beginning_is_dropped(const std::string& data);

class KeptIndex {
public:
    struct From {
        const Journal* journal;
        decltype(QueryIndexOptions::read_bytes) read_bytes;  // empty: it can only read whole frames
        decltype(QueryIndexOptions::will_read) will_read;
        std::shared_ptr<DiskGovernor> governor = nullptr;  // of the disk that has the data directory
        std::function<Seq()> readable;                     // the newest frame that the journal is known to have
    };
    // A damaged index costs time, never money: files that are, are made again from the journal. One of an earlier
    // version is kept as it is where frames were dropped, as far as it has nothing that is wrong. No server is asked
    // yet.
    static Result<std::unique_ptr<KeptIndex>> open(const Config& config, From from);

    const History* history() const;
    // nullptr: it is not fed here; the tables are by PostgresFeeds, where the Book is owned.
    Projection* projection() const { return files_.get(); }
    // The newest frame that it has seen; 0: nobody says.
    Result<Seq> seen() const;
    void add_state(std::vector<PartState>& states) const;
    // Gives memory back that nobody has to have now.
    void let_go() const;

private:
    explicit KeptIndex(From from);

    const From from_;
    FrameCache frames_;
    std::unique_ptr<QueryIndex> files_;
    std::unique_ptr<PostgresHistory> tables_;
};

}  // namespace nostro
