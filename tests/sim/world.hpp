// Processes, clients and a clock under one seed. Every choice is drawn from it, so a seed that fails fails again.
#pragma once
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "nostro/base/random.hpp"
#include "tests/sim/checks.hpp"
#include "tests/sim/commands.hpp"
#include "tests/sim/process.hpp"
#include "tests/sim/store.hpp"

namespace nostro::sim {

class World {
public:
    World(std::uint64_t seed, std::unique_ptr<Store> store);
    ~World();

    void act();                 // one random thing happens
    void drain();               // everything that was asked is answered
    void check();               // everything that was ever written and told holds together
    std::string story() const;  // ends with the digest of the newest frame, which names all before it

private:
    struct Request {
        std::vector<Command> commands;
        bool waiting = false;
        bool told = false;
        std::uint64_t asked_of = 0;  // process
        Seq asked_after = 0;         // newest frame that was accepted then
    };

    void start();
    void crash(std::unique_ptr<Process>& process);
    void second_owner();
    void end_what_broke();
    void step(std::unique_ptr<Process>& process);
    void step_readers();
    void check_recovered(const Process& process);
    void ask(std::size_t request);
    void ask_sealed(Submission& submission) const;
    void tell(std::size_t request, std::uint64_t process, const Result<std::vector<Receipt>>& result);
    void new_request();
    void change_policy();
    void read_balance();
    void put_into_source();
    void follow_stream();

    Xoshiro256 random_;
    Commands commands_;
    std::unique_ptr<Store> store_;
    ProcessOptions options_;
    Instant now_;
    SteadyTime readers_now_{};  // goes on so fast that no reader waits before it tries again
    Digests digests_;
    std::unique_ptr<Archive> archive_;
    std::vector<Command> source_commands_;
    std::uint64_t processes_ = 0;
    std::unique_ptr<Process> current_, zombie_;
    bool full_ = false;

    std::vector<Request> requests_;
    std::vector<ToldReceipt> told_;
    std::vector<ToldBalance> told_balances_;
    std::unique_ptr<Subscription> subscription_;
    std::optional<Place> first_event_, last_event_;
    std::vector<Place> events_;
    struct {
        std::size_t crashes = 0, owners = 0, fenced = 0, turned_away = 0, replayed = 0, broken = 0, book_full = 0;
    } counts_;
};

}  // namespace nostro::sim
