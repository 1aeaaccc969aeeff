#include "nostro/app/redis_parts.hpp"

#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <mutex>
#include <system_error>

#include "nostro/adapters/redis/comparison.hpp"
#include "nostro/adapters/redis/redis_cache.hpp"
#include "nostro/adapters/redis/redis_projection.hpp"
#include "nostro/app/cache_documents.hpp"
#include "nostro/base/environment.hpp"
#include "nostro/base/hex.hpp"
#include "nostro/base/hmac.hpp"
#include "nostro/base/log.hpp"
#include "nostro/base/random.hpp"
#include "nostro/base/unique_fd.hpp"
#include "nostro/engine/stage_runner.hpp"

namespace nostro {
namespace {

constexpr std::string_view kSecretFile = "cache.key";
constexpr std::size_t kSecretDigits = 64;
constexpr std::chrono::seconds kLookEvery{1};  // whether Redis lacks something
constexpr std::chrono::milliseconds kReplyTimeout{5'000};

// The variables that the originals promise; what names Redis for nostro itself comes first.
std::string url_of(const Config& config) {
    if (!config.redis.url.empty()) return config.redis.url;
    const auto host = environment_variable("REDIS_HOST"), port = environment_variable("REDIS_PORT");
    if (!host && !port) return {};
    return fmt::format("redis://{}:{}/0", host.value_or("localhost"), port.value_or("6379"));
}

std::string random_secret() {
    std::string secret;
    while (secret.size() < kSecretDigits) secret += fmt::format("{:016x}", random_u64());
    return secret;
}

Error failed(const std::filesystem::path& path) {
    return {ErrorCode::unavailable, fmt::format("{}: {}", path.string(), std::generic_category().message(errno))};
}

// nullopt: there is no such file, or it holds less than a whole one.
Result<std::optional<std::string>> read_secret(const std::filesystem::path& path) {
    const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!fd && errno == ENOENT) return std::optional<std::string>();
    if (!fd) return failed(path);
    std::string secret(kSecretDigits, '\0');
    const ssize_t size = ::read(fd.get(), secret.data(), secret.size());
    if (size < 0) return failed(path);
    if (size != static_cast<ssize_t>(kSecretDigits)) return std::optional<std::string>();
    return std::optional(std::move(secret));
}

// Of the data directory: documents that another one has left in Redis are not taken for its own.
Result<std::string> secret_of_folder(const std::filesystem::path& path) {
    auto there = read_secret(path);
    if (!there) return there.error();
    if (*there) return std::move(**there);
    std::error_code ignored;  // half made
    std::filesystem::remove(path, ignored);
    const std::string secret = random_secret();
    const UniqueFd fd(::open(path.c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600));
    if (!fd || ::write(fd.get(), secret.data(), secret.size()) != static_cast<ssize_t>(secret.size())) {
        return failed(path);
    }
    return secret;
}

// Of several programs that take over one journal from each other.
Result<std::string> shared_secret(const std::string& path) {
    auto there = read_secret(path);
    if (!there) return there.error();
    if (*there) return std::move(**there);
    return Error{ErrorCode::invalid,
                 fmt::format("redis.key_file: {} does not hold {} characters; `openssl rand -hex {}` makes them", path,
                             kSecretDigits, kSecretDigits / 2)};
}

Result<redis::Owner> owner_of(const Config& config) {
    redis::Owner owner;
    if (config.journal.kind == "memory") {  // as short-lived as its journal
        owner.secret = random_secret();
    } else {
        auto secret = config.redis.key_file.empty()
                          ? secret_of_folder(std::filesystem::path(config.data.dir) / kSecretFile)
                          : shared_secret(config.redis.key_file);
        if (!secret) return secret.error();
        owner.secret = std::move(*secret);
    }
    owner.journal = to_hex(hmac_sha256(owner.secret, "journal")).substr(0, 16);
    return owner;
}

std::chrono::milliseconds in_ms(std::chrono::nanoseconds span) {
    return std::chrono::ceil<std::chrono::milliseconds>(span);
}

struct Profiles {
    std::vector<ServedProfiles::Setup> all;                              // that keep something
    std::optional<std::chrono::seconds> kept = std::chrono::seconds(0);  // at most; nullopt: for ever
};

Profiles caching(const ServedProfiles& served) {
    Profiles profiles;
    for (const auto& each : served.setups()) {
        const auto kept = cached_for(each.entry->name);
        if (!kept) continue;
        profiles.all.push_back(each);
        if (*kept == std::chrono::seconds(0)) profiles.kept.reset();
        if (profiles.kept) profiles.kept = std::max(*profiles.kept, *kept);
    }
    return profiles;
}

class Running final : public RedisParts {
public:
    Running(const redis::Address& address, const redis::Owner& owner, const Config& config, Profiles profiles,
            const Clock& clock, MetricsRegistry& registry)
        : profiles_(std::move(profiles)),
          shown_(address.shown()),
          is_fed_elsewhere_(config.projections.elsewhere),
          is_shared_(config.feeds_alone),
          metrics_(registry),
          cache_(address, options(config, in_ms(config.redis.read_timeout)), owner, clock, registry),
          projection_(store(address, owner, config), parts(clock, forward_)),
          backfill_(
              store(address, owner, config), parts(clock, backward_), [this](Seq seq) { return service_->frame(seq); },
              profiles_.kept),  // with the balances after it
          comparison_(
              store(address, owner, config), parts(clock, compared_), [this](Seq seq) { return read_(seq); },
              profiles_.kept),
          runner_(
              {.name = "redis backfill", .idle_max = kLookEvery, .gives_way = true}, [this] { return step(); },
              [](const Error&) {}) {}

    std::vector<ServiceParts::NamedProjection> projections() override {
        if (is_fed_elsewhere_) return {};
        return {{"redis", &projection_}};
    }
    Cache* cache() override { return &cache_; }
    ComparedStore* comparison(ReadFrame read) override {
        read_ = std::move(read);
        return &comparison_;
    }
    void use(const Service& service) override {
        service_ = &service;
        for (const auto& [entry, setup] : profiles_.all) {
            forward_.push_back(cache_documents(*entry, *setup, service, true));
            backward_.push_back(cache_documents(*entry, *setup, service, false));
            compared_.push_back(cache_documents(*entry, *setup, service, false));
        }
    }
    void start() override {
        if (!is_fed_elsewhere_) runner_.start();
    }
    void stop() override {
        cache_.stop();
        runner_.stop();
    }
    PartState state() const override {
        const std::lock_guard lock(mutex_);
        return {.name = "redis backfill", .ready = trouble_.empty(), .needed = false, .reason = trouble_};
    }

private:
    using Documents = std::vector<std::unique_ptr<CacheDocuments>>;

    static redis::ClientOptions options(const Config& config, std::chrono::milliseconds timeout) {
        return {.connect_timeout = timeout, .reply_timeout = timeout, .ca_file = config.redis.ca_file};
    }
    static std::unique_ptr<redis::CacheStore> store(const redis::Address& address, const redis::Owner& owner,
                                                    const Config& config) {
        return std::make_unique<redis::CacheStore>(address, options(config, kReplyTimeout), owner);
    }
    redis::ProjectionParts parts(const Clock& clock, Documents& documents) {
        const auto render = [&documents](const DecodedPtr& frame, std::vector<redis::Change>& into) -> Result<> {
            for (const auto& each : documents) {
                if (auto done = each->changes(frame, into); !done) return done;
            }
            return {};
        };
        return {.accepted = [this] { return service_->accepted(); },
                .render = render,
                .clock = &clock,
                .metrics = &metrics_,
                .shared = is_shared_};
    }

    // Whatever is wrong is tried again.
    Result<std::size_t> step() {
        const auto done = backfill_.step();
        const std::string now = done ? std::string() : done.error().what;
        const std::lock_guard lock(mutex_);
        if (now != trouble_ && now.empty()) log_info("redis_recovered", {{"server", shown_}});
        if (now != trouble_ && !now.empty()) log_warn("redis_waits", {{"what", now}});
        trouble_ = now;
        return done ? *done : 0;
    }

    const Profiles profiles_;
    const std::string shown_;
    const bool is_fed_elsewhere_, is_shared_;
    const Service* service_ = nullptr;
    ReadFrame read_;  // for comparison_
    Documents forward_, backward_, compared_;
    redis::ProjectionMetrics metrics_;
    redis::RedisCache cache_;
    redis::RedisProjection projection_;
    redis::RedisBackfill backfill_;
    redis::RedisComparison comparison_;
    mutable std::mutex mutex_;
    std::string trouble_;
    StageRunner runner_;
};

}  // namespace

Result<std::unique_ptr<RedisParts>> RedisParts::make(const Config& config, const ServedProfiles& profiles,
                                                     const Clock& clock, MetricsRegistry& metrics) {
    const std::string url = url_of(config);
    if (url.empty()) return std::unique_ptr<RedisParts>();
    const auto address = redis::parse_address(url);
    if (!address) return Error{ErrorCode::invalid, "redis.url: " + address.error().what};
    Profiles caching_profiles = caching(profiles);
    if (caching_profiles.all.empty()) {
        log_info("redis_unused", {{"why", "no profile that is served keeps anything there"}});
        return std::unique_ptr<RedisParts>();
    }
    auto owner = owner_of(config);
    if (!owner) return owner.error();
    return std::unique_ptr<RedisParts>(
        std::make_unique<Running>(*address, *owner, config, std::move(caching_profiles), clock, metrics));
}

}  // namespace nostro
