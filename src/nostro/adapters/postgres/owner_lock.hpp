// The owner of a Book whose journal is in PostgreSQL holds an advisory lock of its epoch, on a connection of its own.
// The server gives the lock free when that connection is gone, or silent for `session_timeout`; then one of those who
// follow gets it. If the Book still has that epoch, nobody owns it; else somebody took over already, and his lock is
// waited for.
#pragma once
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "nostro/adapters/postgres/client.hpp"
#include "nostro/base/trouble.hpp"
#include "nostro/ports/candidacy.hpp"

namespace nostro {

struct PostgresOwnerLockOptions {
    std::string address;  // of the journal's database
    std::string schema = "nostro_journal";
    std::uint32_t book = 0;
    std::chrono::milliseconds session_timeout{6'000};  // PostgreSQL 14 and later; older ones notice a lost connection
    std::chrono::milliseconds look_every{200};
    std::function<std::uint32_t()> epoch;  // in which this process owns the journal, once it does
};

class PostgresOwnerLock final : public Candidacy {
public:
    explicit PostgresOwnerLock(PostgresOwnerLockOptions options) : options_(std::move(options)) {}
    ~PostgresOwnerLock() override { PostgresOwnerLock::stop(); }

    void begin(Told told) override;
    void claims() override;
    void owns() override;
    void stop() override;
    std::string trouble() const override { return trouble_.text(); }

private:
    void run(const std::stop_token& stop);
    enum class Seen : std::uint8_t { nothing, vacant, overtaken };
    // With mutex_ held.
    Result<Seen> look();
    Result<> connect();
    Result<std::uint32_t> epoch();
    Result<bool> lock(std::uint32_t epoch);                // true: it is ours, now or before
    Result<> let_idle(std::chrono::milliseconds at_most);  // 0: for ever
    Result<> claim();
    Result<> own();

    const PostgresOwnerLockOptions options_;
    Told told_;
    std::mutex mutex_;
    std::condition_variable_any woken_;
    std::unique_ptr<PostgresClient> client_;
    std::optional<std::uint32_t> held_;  // the newest epoch whose lock is ours
    bool owns_ = false, was_connected_ = false, has_idle_timeout_ = false;
    std::uint32_t ours_ = 0;  // the epoch we own
    std::chrono::steady_clock::time_point patient_until_{};
    Trouble trouble_{"owner_lock_waits", "owner_lock_recovered"};
    std::jthread thread_;
};

}  // namespace nostro
