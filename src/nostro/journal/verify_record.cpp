// What a verification said: in words, and kept for the service's page.
#include <charconv>

#include "nostro/base/hex.hpp"
#include "nostro/base/json_text.hpp"
#include "nostro/base/time.hpp"
#include "nostro/journal/data_directory.hpp"
#include "nostro/journal/posix_disk.hpp"
#include "nostro/journal/verify.hpp"

namespace nostro {
namespace {

constexpr const char* kVerified = "verified";

bool take(std::string_view& text, std::string_view words) {
    if (!text.starts_with(words)) return false;
    text.remove_prefix(words.size());
    return true;
}

// The words and the number behind them.
bool take(std::string_view& text, std::string_view words, std::uint64_t& number) {
    std::string_view rest = text;
    if (!take(rest, words)) return false;
    const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), number);
    if (error != std::errc()) return false;
    text = rest.substr(static_cast<std::size_t>(end - rest.data()));
    return true;
}

}  // namespace

std::string describe(const VerifyFinding& finding) {
    std::string text;
    const auto add = [&](const std::string& part) { text += text.empty() ? part : ", " + part; };
    if (!finding.file.empty()) add(finding.file);
    if (finding.offset != 0) add("byte " + std::to_string(finding.offset));
    const std::string frame = "frame " + std::to_string(finding.seq);
    if (finding.seq != 0 && !finding.what.starts_with(frame + " ")) add(frame);
    if (finding.payment) add("payment " + to_hex(*finding.payment));
    return text.empty() ? finding.what : text + ": " + finding.what;
}

VerifyFinding damage(const Error& error) {
    VerifyFinding finding{{}, 0, 0, {}, error.what};
    std::string_view rest = error.what;
    const std::string_view file = rest.substr(0, rest.find_first_of(" ,:"));
    const bool is_file = file.find('/') != std::string_view::npos || file == kSuperblockName;
    if (!is_file || file.starts_with('/'))
        return finding;  // the latter are the system's words, of no file of a journal
    rest.remove_prefix(file.size());
    (void)take(rest, ", byte ", finding.offset);
    if (!take(rest, ": ")) return {{}, 0, 0, {}, error.what};
    finding.file = file;
    finding.what = rest;
    if (take(rest, "frame ", finding.seq)) (void)take(rest, " at byte ", finding.offset);
    return finding;
}

Result<> keep_verified(const std::string& data_directory, const VerifyReport& report, Instant at) {
    std::string text;
    JsonWriter json(text);
    json.begin_object().field("at", to_rfc3339(at)).field("first", report.first).field("last", report.last);
    json.field("digest", to_hex(report.digest)).field("payments", report.payments).end_object();
    auto disk = PosixDisk::open(data_directory, {});
    if (!disk) return disk.error();
    return (*disk)->replace(kVerified, std::as_bytes(std::span(text)));
}

Result<std::string> read_verified(const Disk& disk) {
    const auto mapping = disk.map(kVerified);
    if (!mapping) return mapping.error();
    const auto bytes = (*mapping)->bytes();
    return std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

}  // namespace nostro
