#include "nostro/base/ed25519.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "nostro/base/hex.hpp"

namespace nostro {
namespace {

// RFC 8032, section 7.1, test 2; its private key in the form of RFC 8410.
constexpr const char* kPem =
    "-----BEGIN PRIVATE KEY-----\n"
    "MC4CAQAwBQYDK2VwBCIEIEzNCJsozPF3GHS2CtpcKnH4Whrbj3//v/sI+xLkVgt7\n"
    "-----END PRIVATE KEY-----\n";

TEST(Ed25519Test, SignsAsTheStandardsVectorsSay) {
    const auto key = SigningKey::from_pem(kPem);
    ASSERT_TRUE(key) << key.error().what;
    EXPECT_EQ(to_hex(key->public_key()).size(), 64u);
    const Signature signature = key->sign("r");
    EXPECT_TRUE(is_signed_by(key->public_key(), "r", signature));
    EXPECT_FALSE(is_signed_by(key->public_key(), "s", signature));
}

TEST(Ed25519Test, AcceptsTheStandardsSignature) {
    const auto key = digest_from_hex("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c");
    const auto first = digest_from_hex("92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da");
    const auto second = digest_from_hex("085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00");
    ASSERT_TRUE(key && first && second);
    Signature signature;
    std::ranges::copy(*first, signature.begin());
    std::ranges::copy(*second, signature.begin() + 32);
    EXPECT_TRUE(is_signed_by(*key, "\x72", signature));
    for (std::size_t i = 0; i < signature.size(); ++i) {
        signature[i] ^= 1;
        EXPECT_FALSE(is_signed_by(*key, "\x72", signature)) << "byte " << i;
        signature[i] ^= 1;
    }
}

TEST(Ed25519Test, AKeySurvivesItsFile) {
    const SigningKey key = SigningKey::random();
    const auto read = SigningKey::from_pem(key.to_pem());
    ASSERT_TRUE(read) << read.error().what;
    EXPECT_EQ(read->public_key(), key.public_key());
    EXPECT_TRUE(is_signed_by(key.public_key(), "m", read->sign("m")));
    EXPECT_NE(SigningKey::random().public_key(), key.public_key());
}

TEST(Ed25519Test, RefusesWhatIsNoSuchKey) {
    constexpr const char* kX25519 =
        "-----BEGIN PRIVATE KEY-----\n"
        "MC4CAQAwBQYDK2VuBCIEIHcHbQpzGKV9PBbBclGyZkXfTC+H68CZKrF3+6UduSwq\n"
        "-----END PRIVATE KEY-----\n";
    const std::string key = SigningKey::random().to_pem();
    for (const std::string& text :
         {std::string(), std::string("key"), key.substr(0, key.size() / 2), std::string(kX25519)}) {
        EXPECT_FALSE(SigningKey::from_pem(text)) << text;
    }
}

}  // namespace
}  // namespace nostro
