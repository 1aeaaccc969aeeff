// A Cache in this process: what was put last of each key, unless it was of an older version. Nothing runs out.
#pragma once
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "nostro/ports/cache.hpp"

namespace nostro {

class MemoryCache final : public Cache {
public:
    void find(std::string_view key, Found found) override { found(get(key)); }
    std::optional<std::string> get(std::string_view key) {
        const std::lock_guard lock(mutex_);
        const auto found = entries_.find(key);
        return found == entries_.end() ? std::nullopt : std::optional(found->second.value);
    }
    void put(std::string_view key, std::string_view value, Place version, std::chrono::seconds) override {
        const std::lock_guard lock(mutex_);
        Entry& entry = entries_[std::string(key)];
        if (entry.version <= version) entry = {std::string(value), version};
    }

private:
    struct Entry {
        std::string value;
        Place version{};
    };
    std::mutex mutex_;
    std::map<std::string, Entry, std::less<>> entries_;
};

}  // namespace nostro
