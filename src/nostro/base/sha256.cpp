#include "nostro/base/sha256.hpp"

#include <openssl/sha.h>

#include <bit>
#include <cstring>
#include <new>
#include <type_traits>

// The low-level functions are deprecated since OpenSSL 3.0 in favour of EVP, whose fetch, context and
// dispatch cost several hundred nanoseconds a call. A payment's id is one block on the intake thread, so
// the difference is most of that thread's budget. They have no replacement of equal speed.
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

namespace nostro {
namespace {

constexpr std::size_t kBlock = SHA256_CBLOCK;
constexpr std::size_t kLengthField = 8;

// Both lines together let the object live in Sha256's bytes without a constructor call.
static_assert(sizeof(SHA256_CTX) == 112 && alignof(SHA256_CTX) <= 8);
static_assert(std::is_trivially_copyable_v<SHA256_CTX>);

SHA256_CTX& context_in(std::byte* state) { return *std::launder(reinterpret_cast<SHA256_CTX*>(state)); }

void store_big_endian(std::uint8_t* to, std::uint64_t value) {
    value = std::byteswap(value);
    std::memcpy(to, &value, sizeof value);
}

Digest digest_of_state(const SHA256_CTX& context) {
    Digest digest;
    for (std::size_t i = 0; i < 8; ++i) {
        const std::uint32_t word = std::byteswap(static_cast<std::uint32_t>(context.h[i]));
        std::memcpy(digest.data() + i * 4, &word, sizeof word);
    }
    return digest;
}

// Up to 119 bytes: padded on the stack, then the block function alone.
Digest sha256_short(const std::byte* bytes, std::size_t size) {
    std::uint8_t padded[2 * kBlock] = {};
    if (size != 0) std::memcpy(padded, bytes, size);
    padded[size] = 0x80;
    const std::size_t blocks = size + 1 + kLengthField <= kBlock ? 1 : 2;
    store_big_endian(padded + blocks * kBlock - kLengthField, std::uint64_t{size} * 8);

    SHA256_CTX context;
    SHA256_Init(&context);
    for (std::size_t i = 0; i < blocks; ++i) SHA256_Transform(&context, padded + i * kBlock);
    return digest_of_state(context);
}

}  // namespace

Digest sha256(std::span<const std::byte> bytes) {
    if (bytes.size() + 1 + kLengthField <= 2 * kBlock) return sha256_short(bytes.data(), bytes.size());
    SHA256_CTX context;
    SHA256_Init(&context);
    SHA256_Update(&context, bytes.data(), bytes.size());
    Digest digest;
    SHA256_Final(digest.data(), &context);
    return digest;
}

Digest sha256(std::string_view text) { return sha256(std::as_bytes(std::span(text))); }

Sha256::Sha256() { SHA256_Init(new (state_) SHA256_CTX); }

void Sha256::update(std::span<const std::byte> bytes) {
    SHA256_Update(&context_in(state_), bytes.data(), bytes.size());
}

Digest Sha256::finish() {
    SHA256_CTX& context = context_in(state_);
    Digest digest;
    SHA256_Final(digest.data(), &context);
    SHA256_Init(&context);
    return digest;
}

}  // namespace nostro
