#include "nostro/domain/payment_id.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <string>
#include <vector>

#include "nostro/base/assert.hpp"
#include "nostro/base/bytes.hpp"
#include "nostro/base/sha256.hpp"
#include "nostro/base/text.hpp"

namespace nostro {
namespace {

constexpr std::uint64_t kHomeSlot = 0;  // one Book; the byte is there so that ids never change when there are more

std::uint64_t big_endian(const std::uint8_t* from) {
    std::uint64_t value = 0;
    std::memcpy(&value, from, sizeof value);
    return std::byteswap(value);
}

// Short ones on the stack, which are nearly all; sha256() is fastest where the bytes lie side by side.
template <class Write>
Digest digest_of(std::size_t bytes_max, Write write) {
    std::array<std::byte, 512> small;
    std::vector<std::byte> large;
    std::byte* begin = small.data();
    if (bytes_max > small.size()) {
        large.resize(bytes_max);
        begin = large.data();
    }
    RawWriter raw(begin);
    write(raw);
    return sha256(std::span<const std::byte>(begin, raw.at()));
}

PaymentId hashed(std::string_view tenant, std::string_view door, std::initializer_list<std::string_view> key) {
    NOSTRO_ASSERT(tenant.size() < 256 && door.size() < 256, "payment id: tenant or door too long");
    std::size_t size = 2 + tenant.size() + door.size();
    for (const auto part : key) size += part.size();
    const Digest digest = digest_of(size, [&](RawWriter& raw) {
        raw.u8(static_cast<std::uint8_t>(tenant.size()));
        raw.text(tenant);
        raw.u8(static_cast<std::uint8_t>(door.size()));
        raw.text(door);
        for (const auto part : key) raw.text(part);
    });
    const std::uint64_t first = big_endian(digest.data()), second = big_endian(digest.data() + 8);
    return {.high = kHomeSlot << 56 | first >> 8, .low = first << 56 | second >> 8};
}

constexpr auto kKeyCharacters = [] {
    std::array<bool, 256> taken{};
    for (int c = 0; c < 256; ++c) {
        taken[static_cast<std::size_t>(c)] = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
                                             (c >= '0' && c <= '9') || c == '.' || c == '_' || c == ':' || c == '-';
    }
    return taken;
}();

bool is_key_character(char c) { return kKeyCharacters[static_cast<unsigned char>(c)]; }

}  // namespace

PaymentId payment_id(std::string_view tenant, std::string_view door, std::string_view key) {
    return hashed(tenant, door, {key});
}

PaymentId request_id(std::string_view tenant, std::string_view method, std::string_view path, std::string_view key) {
    return hashed(tenant, "key", {method, " ", path, " ", key});
}

std::uint64_t payment_meaning(const Payment& payment) {
    const std::string_view texts[] = {payment.debtor_name, payment.creditor_name, payment.type,      payment.reference,
                                      payment.description, payment.metadata,      payment.attachment};
    std::size_t size = 8 * kVarintMax + 8;
    for (const auto text : texts) size += kVarintMax + text.size();
    const Digest digest = digest_of(size, [&](RawWriter& raw) {
        raw.u8(1);  // the form below
        raw.u8(static_cast<std::uint8_t>(payment.capture));
        raw.varint(payment.rail);
        raw.text(payment.amount.currency().code());
        raw.zigzag(payment.amount.minor());
        raw.zigzag(payment.expires_at.time_since_epoch().count());
        raw.zigzag(payment.debtor_opening_minor);
        raw.zigzag(payment.creditor_opening_minor);
        for (const auto text : texts) raw.string(text);
    });
    return big_endian(digest.data());
}

bool is_key(std::string_view text) {
    return text.size() >= kKeyMin && text.size() <= kKeyMax && std::all_of(text.begin(), text.end(), is_key_character);
}

Result<std::string_view> parse_key(std::string_view header_value) {
    std::string_view key = header_value;
    if (key.size() >= 2 && key.front() == '"' && key.back() == '"') key = key.substr(1, key.size() - 2);
    if (is_key(key)) return key;
    return Error{ErrorCode::invalid, "idempotency key " + quoted(header_value) +
                                         " is malformed; send 8 to 128 characters of A-Z a-z 0-9 . _ : -"};
}

}  // namespace nostro
