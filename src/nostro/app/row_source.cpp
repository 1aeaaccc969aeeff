#include "nostro/app/row_source.hpp"

#include <algorithm>

#include "nostro/adapters/postgres/arrivals.hpp"
#include "nostro/app/clearing_arrivals.hpp"
#include "nostro/base/log.hpp"
#include "nostro/engine/message_source.hpp"
#include "nostro/engine/stage_runner.hpp"

namespace nostro {
namespace {

constexpr std::string_view kProfile = "clearing", kName = "rows:financial_db";
constexpr std::uint32_t kSourceNumber = 0x726f7773;  // for life: journals hold it

class Running final : public RowSource {
public:
    explicit Running(std::string address)
        : reader_(std::move(address), clearing_triggered_tables()),
          source_(options(), reader_,
                  [this](std::string_view message, std::string_view source, std::uint64_t position, Arena& arena,
                         std::vector<Wish>& wishes) -> Result<> {
                      auto wish = profile_->read(message, {source, position}, arena);
                      if (!wish) return wish.error();
                      wishes.push_back(*wish);
                      return {};
                  }),
          runner_(
              {.name = "rows"}, [this] { return source_.step(); },
              [](const Error& error) { log_error("rows_stopped", {{"what", error.what}}); }) {
        source_.on_room([this] { runner_.signal().notify(); });
    }
    ~Running() override { Running::stop(); }

    Source* source() override { return &source_; }
    void begin(Service& service, const ServedProfiles& profiles) override {
        for (const ServedProfile& served : profiles.list()) {
            if (served.entry->name == kProfile) profile_ = served.profile;
        }
        source_.begin(service.policies());
        runner_.start();
    }
    void stop() override {
        runner_.stop();
        source_.close();
    }
    PartState state() const override {
        PartState state{.name = "rows of clearing", .ready = true, .needed = false, .reason = source_.trouble()};
        state.ready = state.reason.empty();
        return state;
    }

private:
    static MessageSource::Options options() {
        MessageSource::Options options;
        options.number = kSourceNumber;
        options.tenant = find_profile(kProfile)->tenant;
        options.name = kName;
        options.format = "row of clearing";
        return options;
    }

    const Profile* profile_ = nullptr;
    PostgresArrivals reader_;
    MessageSource source_;
    StageRunner runner_;
};

}  // namespace

std::unique_ptr<RowSource> RowSource::make(const PostgresFeeds& feeds) {
    const std::string address = feeds.address(kProfile);
    return address.empty() ? nullptr : std::make_unique<Running>(address);
}

}  // namespace nostro
