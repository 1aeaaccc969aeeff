// What a verification said: in words, and kept for the service's page.
#include "nostro/base/hex.hpp"
#include "nostro/base/json_text.hpp"
#include "nostro/base/time.hpp"
#include "nostro/journal/posix_disk.hpp"
#include "nostro/journal/verify.hpp"

namespace nostro {
namespace {

constexpr const char* kVerified = "verified";

}  // namespace

std::string describe(const VerifyFinding& finding) {
    std::string text;
    const auto add = [&](const std::string& part) { text += text.empty() ? part : ", " + part; };
    if (!finding.file.empty()) add(finding.file);
    if (finding.offset != 0) add("byte " + std::to_string(finding.offset));
    if (finding.seq != 0) add("frame " + std::to_string(finding.seq));
    if (finding.payment) add("payment " + to_hex(*finding.payment));
    return text.empty() ? finding.what : text + ": " + finding.what;
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
