// A source whose input a test writes: one partition, read again from any position.
//
// Threads: put() and trouble() from any; the rest as the port says.
#pragma once
#include <cstdint>
#include <mutex>
#include <optional>
#include <vector>

#include "nostro/ports/source.hpp"

namespace nostro {

class MemorySource final : public Source {
public:
    explicit MemorySource(std::uint32_t number) : number_(number) {}

    // Appends a command; `memory` keeps alive what it points into.
    void put(const Command& command, std::shared_ptr<const void> memory = nullptr);
    void trouble(std::optional<Error> error);  // every poll fails until nullopt
    std::uint64_t position() const;            // of the next poll

    Result<> seek(std::span<const Cursor> cursors) override;
    Result<> poll(std::size_t count_max, std::vector<Arrival>& arrivals) override;

private:
    struct Entry {
        Command command;
        std::shared_ptr<const void> memory;
    };

    const std::uint32_t number_;
    mutable std::mutex mutex_;
    std::vector<Entry> entries_;
    std::uint64_t next_ = 0;
    std::optional<Error> trouble_;
};

}  // namespace nostro
