#include "nostro/base/base64.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace nostro {
namespace {

// RFC 4648, section 10.
TEST(Base64Test, WritesAndReadsThePublishedVectors) {
    const struct {
        const char *bytes, *text;
    } vectors[] = {{"", ""},
                   {"f", "Zg=="},
                   {"fo", "Zm8="},
                   {"foo", "Zm9v"},
                   {"foob", "Zm9vYg=="},
                   {"fooba", "Zm9vYmE="},
                   {"foobar", "Zm9vYmFy"}};
    for (const auto& [bytes, text] : vectors) {
        EXPECT_EQ(to_base64(std::string_view(bytes)), text);
        const auto read = from_base64(text);
        ASSERT_TRUE(read) << text;
        EXPECT_EQ(std::string(reinterpret_cast<const char*>(read->data()), read->size()), bytes);
    }
}

TEST(Base64Test, RefusesWhatIsNoOrASecondTextOfTheSameBytes) {
    for (const char* text :
         {"Z", "Zg", "Zg=", "Zg===", "=Zg=", "Zm9v\n", "Zm9 ", "Zm-_", "Zh==", "Zm9=", "====", "Z=g="}) {
        EXPECT_FALSE(from_base64(text)) << text;
    }
}

TEST(Base64Test, ReadsTheFormOfTokens) {
    EXPECT_EQ(from_base64url(""), "");
    EXPECT_EQ(from_base64url("Zg"), "f");
    EXPECT_EQ(from_base64url("Zm8"), "fo");
    EXPECT_EQ(from_base64url("-_-_"), "\xfb\xff\xbf");
    for (const char* text : {"Z", "Zg==", "Zm+/", "Zh", "Zm9vY", "Zm 9"}) EXPECT_FALSE(from_base64url(text)) << text;
}

RC_GTEST_PROP(Base64Property, WhatIsWrittenIsReadBack, (const std::string& bytes)) {
    const auto read = from_base64(to_base64(bytes));
    RC_ASSERT(read.has_value());
    RC_ASSERT(std::string(reinterpret_cast<const char*>(read->data()), read->size()) == bytes);
}

}  // namespace
}  // namespace nostro
