#include "nostro/formats/check_digits.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

namespace nostro {
namespace {

struct Kind {
    std::string_view name;
    bool (*is_valid)(std::string_view);
    std::vector<std::string_view> valid, invalid;
};

// Published numbers, and what each check has to refuse.
const Kind kKinds[] = {
    {"card number",
     is_card_number,
     {"4111111111111111", "4012888888881881", "5555555555554444", "5105105105105100", "2223003122003222",
      "378282246310005", "371449635398431", "6011111111111117", "3530111333300000", "4242424242424242",
      "2221000000000009", "2720999999999996", "79927398713", "4000000000000903", "4000000000000093"},
     {"4111111111111112", "4242424242424241", "79927398710", "0000000000000000", "", "4242", "4111 1111 1111 1111",
      "42424242424242424242", "411111111111111a"}},
    {"ABA",
     is_aba,
     {"021000021", "011401533", "091000019", "026009593", "121042882", "231380104", "322271627", "122105155"},
     {"123456789", "021000022", "012000021", "693692258", "836894518", "000000000", "987654320", "", "02100002",
      "0210000211", "02100002a"}},
    {"IBAN",
     is_iban,
     {"GB82WEST12345698765432", "GB29NWBK60161331926819", "DE89370400440532013000", "FR1420041010050500013M02606",
      "NL91ABNA0417164300", "ES9121000418450200051332", "IT60X0542811101000000123456", "CH9300762011623852957",
      "NO9386011117947", "MT84MALT011000012345MTLCAST001S", "BR1800360305000010009795493C1",
      "LC55HEMM000100010012001200023015", "AT611904300234573201", "DE44500105175407324931"},
     {"GB82WEST12345698765433", "DE89370400440532013001", "DE8937040044053201300", "de89370400440532013000",
      "DE89 3704 0044 0532 0130 00", "XX89370400440532013000", "IN89370400440532013000", "", "DE"}},
    {"creditor reference",
     is_creditor_reference,
     {"RF18539007547034", "RF45G72UUR", "RF6518K5", "RF03INV2025"},
     {"RF18539007547035", "RF12345678", "RF18", "", "XF18539007547034", "rf18539007547034", "RFA8539007547034",
      "RF18539007547034539007547034"}},
    {"LEI",
     is_lei,
     {"5493001KJTIIGC8Y1R12", "213800WSGIIZCXF1P572", "HWUPKR0MPOU8FGXBT394", "7LTWFZYICNSX8D621K86",
      "0000NOSTROTEST000147"},
     {"5493001KJTIIGC8Y1R13", "5493001KJTIIGC8Y1R1", "5493001kjtiigc8y1r12", ""}},
    {"BIC",
     is_bic,
     {"DEUTDEFF", "DEUTDEFF500", "CHASUS33", "CHASUS33XXX", "NWBKGB2L"},
     {"deutdeff", "DEUTDEF", "DEUTDEFF50", "DEUT1EFF", "SWIFT12345678", ""}},
    {"UETR",
     is_uetr,
     {"97ed4827-7b6f-4491-a06f-b548d5a7512d"},
     {"97ED4827-7B6F-4491-A06F-B548D5A7512D", "97ed4827-7b6f-1491-a06f-b548d5a7512d",
      "97ed4827-7b6f-4491-c06f-b548d5a7512d", "97ed48277b6f4491a06fb548d5a7512d", ""}},
    {"VPA",
     is_vpa,
     {"ada@oksbi", "ADA.L-1_x@ybl", "9876543210@paytm", "ab@up"},
     {"a@upi", "ada@", "@upi", "ada@@upi", "ada@okhdfc1", "ada@ok.sbi", "ada lovelace@upi", "", "ada"}},
    {"IFSC", is_ifsc, {"SBIN0000300", "HDFC0001234", "UTIB0CCH274"}, {"HDFC1001234", "hdfc0001234", "HDFC000123", ""}},
};

TEST(CheckDigitsTest, TakesWhatIsValid) {
    for (const Kind& kind : kKinds) {
        for (const auto text : kind.valid) EXPECT_TRUE(kind.is_valid(text)) << kind.name << " " << text;
    }
}

TEST(CheckDigitsTest, RefusesWhatIsNot) {
    for (const Kind& kind : kKinds) {
        for (const auto text : kind.invalid) EXPECT_FALSE(kind.is_valid(text)) << kind.name << " " << text;
    }
}

// One digit read wrongly is what they are there for.
TEST(CheckDigitsTest, EveryOtherDigitInAnyPlaceIsSeen) {
    for (const Kind& kind : {kKinds[0], kKinds[1], kKinds[2], kKinds[3], kKinds[4]}) {
        for (const auto valid : kind.valid) {
            for (std::size_t at = 0; at < valid.size(); ++at) {
                for (char digit = '0'; digit <= '9' && valid[at] >= '0' && valid[at] <= '9'; ++digit) {
                    std::string text(valid);
                    text[at] = digit;
                    EXPECT_EQ(kind.is_valid(text), digit == valid[at]) << kind.name << " " << text;
                }
            }
        }
    }
}

std::string text_of(std::array<char, 2> digits) { return {digits.begin(), digits.end()}; }

TEST(CheckDigitsTest, MakesTheDigitsOfPublishedNumbers) {
    for (const auto card : kKinds[0].valid) EXPECT_EQ(luhn_digit(card.substr(0, card.size() - 1)), card.back()) << card;
    for (const auto aba : kKinds[1].valid) EXPECT_EQ(aba_digit(aba.substr(0, 8)), aba.back()) << aba;
    for (const std::size_t kind : {2u, 3u}) {
        for (const auto text : kKinds[kind].valid) {
            EXPECT_EQ(text_of(mod_97_digits(text.substr(0, 2), text.substr(4))), text.substr(2, 2)) << text;
        }
    }
    for (const auto lei : kKinds[4].valid) EXPECT_EQ(text_of(mod_97_digits("", lei.substr(0, 18))), lei.substr(18));
}

}  // namespace
}  // namespace nostro
