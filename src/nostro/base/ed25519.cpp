#include "nostro/base/ed25519.hpp"

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include "nostro/base/assert.hpp"

namespace nostro {
namespace {

struct FreeKey {
    void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
struct FreeContext {
    void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};
struct FreeBio {
    void operator()(BIO* bio) const { BIO_free(bio); }
};
using KeyPtr = std::unique_ptr<EVP_PKEY, FreeKey>;
using ContextPtr = std::unique_ptr<EVP_MD_CTX, FreeContext>;
using BioPtr = std::unique_ptr<BIO, FreeBio>;

const unsigned char* bytes_of(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }

// A key is encrypted only if somebody did so by hand; nobody is there to ask for its password.
int no_password(char*, int, int, void*) { return 0; }

}  // namespace

struct SigningKey::Held {
    KeyPtr key;
};

SigningKey::SigningKey(std::shared_ptr<const Held> held) : held_(std::move(held)), public_key_() {
    std::size_t size = public_key_.size();
    const int done = EVP_PKEY_get_raw_public_key(held_->key.get(), public_key_.data(), &size);
    NOSTRO_ASSERT(done == 1 && size == public_key_.size(), "an Ed25519 key has a public key of 32 bytes");
}

SigningKey SigningKey::random() {
    KeyPtr key(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"));
    NOSTRO_ASSERT(key != nullptr, "OpenSSL makes Ed25519 keys");
    return SigningKey(std::make_shared<const Held>(std::move(key)));
}

Result<SigningKey> SigningKey::from_pem(std::string_view pem) {
    const BioPtr bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
    KeyPtr key(PEM_read_bio_PrivateKey(bio.get(), nullptr, no_password, nullptr));
    if (key == nullptr) return Error{ErrorCode::invalid, "is no private key in PEM without a password"};
    if (EVP_PKEY_get_base_id(key.get()) != EVP_PKEY_ED25519) return Error{ErrorCode::invalid, "is no Ed25519 key"};
    return SigningKey(std::make_shared<const Held>(std::move(key)));
}

std::string SigningKey::to_pem() const {
    const BioPtr bio(BIO_new(BIO_s_mem()));
    const int done = PEM_write_bio_PKCS8PrivateKey(bio.get(), held_->key.get(), nullptr, nullptr, 0, nullptr, nullptr);
    NOSTRO_ASSERT(done == 1, "a private key is written to memory");
    char* text = nullptr;
    const auto size = BIO_get_mem_data(bio.get(), &text);
    return {text, static_cast<std::size_t>(size)};
}

Signature SigningKey::sign(std::string_view message) const {
    Signature signature;
    std::size_t size = signature.size();
    const ContextPtr context(EVP_MD_CTX_new());
    const bool done = EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, held_->key.get()) == 1 &&
                      EVP_DigestSign(context.get(), signature.data(), &size, bytes_of(message), message.size()) == 1;
    NOSTRO_ASSERT(done && size == signature.size(), "an Ed25519 key signs");
    return signature;
}

bool is_signed_by(const PublicKey& key, std::string_view message, const Signature& signature) {
    const KeyPtr held(EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, key.data(), key.size()));
    const ContextPtr context(EVP_MD_CTX_new());
    return held != nullptr && EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, held.get()) == 1 &&
           EVP_DigestVerify(context.get(), signature.data(), signature.size(), bytes_of(message), message.size()) == 1;
}

}  // namespace nostro
