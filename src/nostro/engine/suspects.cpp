#include "nostro/engine/suspects.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <string>

#include "nostro/base/hex.hpp"
#include "nostro/base/sha256.hpp"
#include "nostro/base/text.hpp"

namespace nostro {
namespace {

constexpr const char* kFile = "suspects";

}  // namespace

Suspects::Suspects(Disk* disk) : disk_(disk) {}

PaymentId Suspects::key(const Command& command, std::span<const std::byte> encoded) {
    if (!command.id.empty()) return command.id;
    const Digest digest = sha256(encoded);
    PaymentId key;
    std::memcpy(&key.high, digest.data(), sizeof key.high);
    std::memcpy(&key.low, digest.data() + sizeof key.high, sizeof key.low);
    return key;
}

Result<> Suspects::load() {
    if (disk_ == nullptr) return {};
    const auto file = disk_->open(kFile);
    if (!file) {
        if (file.error().code == ErrorCode::not_found) return {};
        return file.error();
    }
    const auto size = disk_->size(*file);
    if (!size) return size.error();
    std::string text(*size, '\0');
    const auto read = disk_->read(*file, 0, std::as_writable_bytes(std::span(text)));
    if (auto closed = disk_->close(*file); !closed) return closed.error();
    if (!read) return read.error();
    text.resize(*read);

    for (const std::string_view line : split(text, '\n')) {
        if (line.empty()) continue;
        const auto [id_text, mark] = split_once(line, ' ');
        const auto id = payment_id_from_hex(id_text);
        if (!id || (mark != "suspect" && mark != "trying" && mark != "broken")) {
            return Error{ErrorCode::corrupt, "suspects: cannot read the line " + quoted(line) +
                                                 "; each is an id and one of suspect, trying, broken. Mend or remove "
                                                 "the file"};
        }
        standing_[*id] = mark == "suspect" ? Mark::suspect : Mark::broken;
    }
    return {};
}

Suspects::Standing Suspects::standing(PaymentId key) const {
    const auto found = standing_.find(key);
    if (found == standing_.end()) return Standing::clean;
    return found->second == Mark::broken ? Standing::broken : Standing::suspect;
}

Result<> Suspects::trying(PaymentId key) {
    standing_[key] = Mark::trying;
    return save();
}

Result<> Suspects::cleared(PaymentId key) {
    if (standing_.erase(key) == 0) return {};
    return save();
}

Result<> Suspects::accuse(std::span<const PaymentId> keys) {
    if (disk_ == nullptr) return {};
    for (const PaymentId key : keys) standing_.try_emplace(key, Mark::suspect);
    return save();
}

Result<> Suspects::save() const {
    if (disk_ == nullptr) return {};
    if (standing_.empty()) return disk_->remove(kFile);
    std::vector<std::pair<PaymentId, Mark>> lines(standing_.begin(), standing_.end());
    std::sort(lines.begin(), lines.end());
    std::string text;
    for (const auto& [id, mark] : lines) {
        append_hex(text, id);
        text += mark == Mark::suspect ? " suspect\n" : mark == Mark::trying ? " trying\n" : " broken\n";
    }
    return disk_->replace(kFile, std::as_bytes(std::span(text)));
}

}  // namespace nostro
