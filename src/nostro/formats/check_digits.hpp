// Numbers of accounts, cards, banks and references that carry digits to check themselves by, and the digits
// themselves for whoever makes such numbers. A number that is valid here need not exist.
//
// Texts are as they go over the wire: upper case where the standard says so, no spaces. Pure; threads: any.
#pragma once
#include <array>
#include <string_view>

namespace nostro {

// ISO/IEC 7812-1: the digit that makes `payload` + digit pass. `payload`: digits only.
char luhn_digit(std::string_view payload);
// 8 to 19 digits that pass, the first of them not 0: a number of zeros would pass as well.
bool is_card_number(std::string_view text);

// Of an ABA routing number: the digit behind the first eight.
char aba_digit(std::string_view first_eight);
// Nine digits that pass and begin with a prefix that was given out. (00, the government's, is not taken.)
bool is_aba(std::string_view text);

// Two digits, as ISO 7064 MOD 97-10 makes them for IBAN (`prefix`: the country), creditor references (RF) and LEI (no
// prefix). `payload`: digits and upper-case letters.
std::array<char, 2> mod_97_digits(std::string_view prefix, std::string_view payload);

bool is_iban(std::string_view text);                // ISO 13616, with the length of its country
bool is_creditor_reference(std::string_view text);  // ISO 11649: RF18539007547034
bool is_lei(std::string_view text);                 // ISO 17442

// Without check digits, but of a fixed shape.
bool is_bic(std::string_view text);   // ISO 9362: 8 or 11 characters
bool is_uetr(std::string_view text);  // UUID of version 4 in lower case
bool is_vpa(std::string_view text);   // India: name@handle
bool is_ifsc(std::string_view text);  // India: a bank's branch

}  // namespace nostro
