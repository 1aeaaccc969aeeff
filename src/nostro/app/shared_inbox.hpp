// The inbox in PostgreSQL, as [inbox] kind = "postgres" asks for it: at an instance that follows the way in for its
// callers, at the owner of the Book a source.
//
// Threads: make, add_to, follows, owns and stop from one, in that order; state from any. Outlives the service.
#pragma once
#include <atomic>
#include <memory>
#include <span>

#include "nostro/adapters/postgres/inbox.hpp"
#include "nostro/adapters/postgres/intake.hpp"
#include "nostro/app/config.hpp"
#include "nostro/engine/service.hpp"

namespace nostro {

class SharedInbox {
public:
    // nullptr: each process has an inbox of its own alone.
    static std::unique_ptr<SharedInbox> make(const Config& config);

    void add_to(ServiceParts& parts);
    // The service follows: commands may be taken in from here on.
    Result<> follows(Service& service);
    // The service owns the Book, perhaps after it has followed: what instances took in is taken from here on.
    Result<> owns(Service& service);
    void stop();  // before the service
    PartState state() const;

private:
    explicit SharedInbox(const Config& config);
    // Commands go there as soon as it follows; before, nobody takes them.
    class Door final : public Intake {
    public:
        void submit(std::unique_ptr<Submission> submission) override;
        std::unique_ptr<PostgresIntake> intake;
        std::atomic<bool> open{false};
    };

    // Whoever waits here when this process comes to own the Book is told by his own inbox, and reads his own frames.
    class OwnFrames final : public Projection {
    public:
        Result<Seq> next() override { return from; }
        Result<> project(std::span<const DecodedPtr> frames) override;
        PostgresIntake* intake = nullptr;
        Seq from = 1;
    };

    const Config config_;
    Door door_;
    OwnFrames own_frames_;
    PostgresInbox inbox_;
    std::atomic<bool> owns_{false};
};

}  // namespace nostro
