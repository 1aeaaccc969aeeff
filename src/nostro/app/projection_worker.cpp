#include "nostro/app/projection_worker.hpp"

#include <fmt/format.h>

#include <utility>

#include "nostro/app/wiring.hpp"

namespace nostro {
namespace {

// Whoever only follows has no Book to decide with.
class Nobody final : public Intake {
public:
    void submit(std::unique_ptr<Submission> submission) override {
        submission->reply(
            Error{ErrorCode::unavailable, "standby: this program feeds tables and takes nothing in; ask the owner"});
    }
};

}  // namespace

// One projection among others of the same target.
class Feeding::Beside final : public Projection {
public:
    Beside(ServiceParts::NamedProjection inner, std::function<Seq()> accepted)
        : inner_(std::move(inner)), accepted_(std::move(accepted)) {}

    const std::string& name() const { return inner_.name; }

    Result<Seq> next() override {
        const auto next = inner_.projection->next();
        if (!next || *next <= accepted_() + 1) return next;
        return Error{ErrorCode::unavailable,
                     fmt::format("others have told it of frame {}, and the journal was read up to frame {}", *next - 1,
                                 accepted_())};
    }
    Result<> project(std::span<const DecodedPtr> frames) override { return inner_.projection->project(frames); }

private:
    const ServiceParts::NamedProjection inner_;
    const std::function<Seq()> accepted_;
};

Feeding::Feeding() = default;
Feeding::~Feeding() = default;

Result<> Feeding::add_to(ServiceParts& parts, const PostgresFeeds& postgres, RedisParts* redis,
                         const std::function<Seq()>& accepted) {
    auto targets = postgres.projections();
    if (redis != nullptr) {
        for (auto& each : redis->projections()) targets.push_back(std::move(each));
    }
    if (targets.empty()) {
        return Error{ErrorCode::invalid,
                     "postgres.url: a worker that feeds needs something to feed; set it, or redis.url with a profile "
                     "that keeps documents there"};
    }
    for (auto& target : targets) {
        all_.push_back(std::make_unique<Beside>(std::move(target), accepted));
        parts.projections.push_back({all_.back()->name(), all_.back().get()});
    }
    nobody_ = std::make_unique<Nobody>();
    parts.writes = nobody_.get();
    return {};
}

Result<std::unique_ptr<Serving>> start_projection(const Config& config) {
    if (config.journal.kind != "kafka" && config.journal.kind != "postgres") {
        return Error{ErrorCode::invalid,
                     fmt::format("journal.kind: a journal of kind {} has one process alone; workers feed from one in "
                                 "kafka or postgres",
                                 config.journal.kind)};
    }
    if (!config.redis.url.empty() && config.redis.key_file.empty()) {
        return Error{ErrorCode::invalid,
                     "redis.key_file: programs that share a Redis name the same one; openssl rand -hex 32 makes it"};
    }
    Config feeds = config;
    feeds.feeds_alone = true;
    feeds.projections.elsewhere = false;
    feeds.standby.enabled = true;   // it follows
    feeds.behind_clearance = true;  // and takes no rows in
    feeds.inbox.kind = "memory";
    // Several may run on one machine.
    if (!config.server.listen_given) feeds.server.listen = "127.0.0.1:0", feeds.server.listen_given = true;
    auto wiring = Wiring::start(feeds);
    if (!wiring) return wiring.error();
    return std::unique_ptr<Serving>(std::move(*wiring));
}

}  // namespace nostro
