#include "nostro/cli/feed_topic.hpp"

#include <fmt/format.h>

#include <thread>
#include <utility>

#include "nostro/base/text.hpp"
#include "nostro/cli/generate_output.hpp"
#include "nostro/cli/profile_topic.hpp"
#include "nostro/cli/terminal.hpp"

namespace nostro::cli {
namespace {

constexpr std::size_t kFaultsShown = 5;

Result<std::unique_ptr<Profile>> make_profile(std::string_view name, const ProfileSetup& setup) {
    const ProfileEntry* entry = find_profile(name);
    if (entry == nullptr) return Error{ErrorCode::invalid, fmt::format("there is no profile {}", quoted(name))};
    return entry->make(setup);
}

}  // namespace

Result<FedTopic> feed_topic(const Context& context, const FeedTopicOptions& options, FeedFile& file) {
    const auto setup = built_in_profile(options.profile);
    if (!setup) return setup.error();
    const auto profile = make_profile(options.profile, *setup);
    if (!profile) return profile.error();
    auto where = profile_topic(*setup, options.topic, options.key);
    if (!where) return where.error();
    auto topic = context.open_topic(where->topic);
    if (!topic) return topic.error();
    TopicOutput output(std::move(*topic), where->key_path);
    Progress progress("feed", "bytes", file.bytes());
    FedTopic fed;
    fed.topic = where->topic;
    std::string message, lines;
    Arena arena;
    const auto send = [&]() -> Result<> {
        if (lines.empty()) return {};
        if (options.pause.count() > 0 && output.delivered() > 0) std::this_thread::sleep_for(options.pause);
        auto sent = output.send(lines);
        lines.clear();
        return sent;
    };
    std::uint64_t waiting = 0;
    for (std::uint64_t number = 1; options.count == 0 || number <= options.count; ++number) {
        message.clear();
        const auto more = file.next(message);
        if (!more) return more.error();
        if (!*more) break;
        arena.clear();
        if (const auto wish = (*profile)->read(trim(message), {"file", number}, arena); !wish) {
            ++fed.left_out;
            if (fed.faults.size() < kFaultsShown) {
                fed.faults.push_back(fmt::format("message {}: {}", number, wish.error().what));
            }
            continue;
        }
        lines += message;
        if (++waiting < options.batch) continue;
        waiting = 0;
        if (auto sent = send(); !sent) return sent.error();
        progress.update(file.bytes_read());
    }
    if (auto sent = send(); !sent) return sent.error();
    progress.finish(file.bytes_read());
    fed.delivered = output.delivered();
    return fed;
}

}  // namespace nostro::cli
