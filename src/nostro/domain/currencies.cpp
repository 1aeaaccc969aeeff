// The currencies of ISO 4217 and their look-up by code and by number.
#include <algorithm>
#include <array>
#include <cstddef>

#include "nostro/base/text.hpp"
#include "nostro/domain/money.hpp"

namespace nostro {
namespace {

enum class Use : std::uint8_t { money, fund, unpayable, retired };

struct Row {
    char code[4];
    std::uint16_t numeric;
    std::int8_t decimals;
    Use use = Use::money;
};

// ISO 4217 as of 2026-01-01: 178 codes in use, then those withdrawn since the coming of the euro. A unit without
// decimals of its own in the list (metals, XTS...) is unpayable. MRU and MGA divide by five in the shops and by a
// hundred in the list. Tables of card schemes differ (ISK, UGX): never mix them in.
// clang-format off
constexpr auto kRows = std::to_array<Row>({
    {"AED", 784, 2}, {"AFN", 971, 2}, {"ALL", 8, 2}, {"AMD", 51, 2}, {"AOA", 973, 2}, {"ARS", 32, 2}, {"AUD", 36, 2},
    {"AWG", 533, 2}, {"AZN", 944, 2}, {"BAM", 977, 2}, {"BBD", 52, 2}, {"BDT", 50, 2}, {"BHD", 48, 3},
    {"BIF", 108, 0}, {"BMD", 60, 2}, {"BND", 96, 2}, {"BOB", 68, 2}, {"BOV", 984, 2, Use::fund}, {"BRL", 986, 2},
    {"BSD", 44, 2}, {"BTN", 64, 2}, {"BWP", 72, 2}, {"BYN", 933, 2}, {"BZD", 84, 2}, {"CAD", 124, 2}, {"CDF", 976, 2},
    {"CHE", 947, 2, Use::fund}, {"CHF", 756, 2}, {"CHW", 948, 2, Use::fund}, {"CLF", 990, 4, Use::fund},
    {"CLP", 152, 0}, {"CNY", 156, 2}, {"COP", 170, 2}, {"COU", 970, 2, Use::fund}, {"CRC", 188, 2}, {"CUP", 192, 2},
    {"CVE", 132, 2}, {"CZK", 203, 2}, {"DJF", 262, 0}, {"DKK", 208, 2}, {"DOP", 214, 2}, {"DZD", 12, 2},
    {"EGP", 818, 2}, {"ERN", 232, 2}, {"ETB", 230, 2}, {"EUR", 978, 2}, {"FJD", 242, 2}, {"FKP", 238, 2},
    {"GBP", 826, 2}, {"GEL", 981, 2}, {"GHS", 936, 2}, {"GIP", 292, 2}, {"GMD", 270, 2}, {"GNF", 324, 0},
    {"GTQ", 320, 2}, {"GYD", 328, 2}, {"HKD", 344, 2}, {"HNL", 340, 2}, {"HTG", 332, 2}, {"HUF", 348, 2},
    {"IDR", 360, 2}, {"ILS", 376, 2}, {"INR", 356, 2}, {"IQD", 368, 3}, {"IRR", 364, 2}, {"ISK", 352, 0},
    {"JMD", 388, 2}, {"JOD", 400, 3}, {"JPY", 392, 0}, {"KES", 404, 2}, {"KGS", 417, 2}, {"KHR", 116, 2},
    {"KMF", 174, 0}, {"KPW", 408, 2}, {"KRW", 410, 0}, {"KWD", 414, 3}, {"KYD", 136, 2}, {"KZT", 398, 2},
    {"LAK", 418, 2}, {"LBP", 422, 2}, {"LKR", 144, 2}, {"LRD", 430, 2}, {"LSL", 426, 2}, {"LYD", 434, 3},
    {"MAD", 504, 2}, {"MDL", 498, 2}, {"MGA", 969, 2}, {"MKD", 807, 2}, {"MMK", 104, 2}, {"MNT", 496, 2},
    {"MOP", 446, 2}, {"MRU", 929, 2}, {"MUR", 480, 2}, {"MVR", 462, 2}, {"MWK", 454, 2}, {"MXN", 484, 2},
    {"MXV", 979, 2, Use::fund}, {"MYR", 458, 2}, {"MZN", 943, 2}, {"NAD", 516, 2}, {"NGN", 566, 2}, {"NIO", 558, 2},
    {"NOK", 578, 2}, {"NPR", 524, 2}, {"NZD", 554, 2}, {"OMR", 512, 3}, {"PAB", 590, 2}, {"PEN", 604, 2},
    {"PGK", 598, 2}, {"PHP", 608, 2}, {"PKR", 586, 2}, {"PLN", 985, 2}, {"PYG", 600, 0}, {"QAR", 634, 2},
    {"RON", 946, 2}, {"RSD", 941, 2}, {"RUB", 643, 2}, {"RWF", 646, 0}, {"SAR", 682, 2}, {"SBD", 90, 2},
    {"SCR", 690, 2}, {"SDG", 938, 2}, {"SEK", 752, 2}, {"SGD", 702, 2}, {"SHP", 654, 2}, {"SLE", 925, 2},
    {"SOS", 706, 2}, {"SRD", 968, 2}, {"SSP", 728, 2}, {"STN", 930, 2}, {"SVC", 222, 2}, {"SYP", 760, 2},
    {"SZL", 748, 2}, {"THB", 764, 2}, {"TJS", 972, 2}, {"TMT", 934, 2}, {"TND", 788, 3}, {"TOP", 776, 2},
    {"TRY", 949, 2}, {"TTD", 780, 2}, {"TWD", 901, 2}, {"TZS", 834, 2}, {"UAH", 980, 2}, {"UGX", 800, 0},
    {"USD", 840, 2}, {"USN", 997, 2, Use::fund}, {"UYI", 940, 0, Use::fund}, {"UYU", 858, 2},
    {"UYW", 927, 4, Use::fund}, {"UZS", 860, 2}, {"VED", 926, 2}, {"VES", 928, 2}, {"VND", 704, 0}, {"VUV", 548, 0},
    {"WST", 882, 2}, {"XAD", 396, 2}, {"XAF", 950, 0}, {"XAG", 961, 0, Use::unpayable},
    {"XAU", 959, 0, Use::unpayable}, {"XBA", 955, 0, Use::unpayable}, {"XBB", 956, 0, Use::unpayable},
    {"XBC", 957, 0, Use::unpayable}, {"XBD", 958, 0, Use::unpayable}, {"XCD", 951, 2}, {"XCG", 532, 2},
    {"XDR", 960, 0, Use::unpayable}, {"XOF", 952, 0}, {"XPD", 964, 0, Use::unpayable}, {"XPF", 953, 0},
    {"XPT", 962, 0, Use::unpayable}, {"XSU", 994, 0, Use::unpayable}, {"XTS", 963, 0, Use::unpayable},
    {"XUA", 965, 0, Use::unpayable}, {"XXX", 999, 0, Use::unpayable}, {"YER", 886, 2}, {"ZAR", 710, 2},
    {"ZMW", 967, 2}, {"ZWG", 924, 2},
    {"ADP", 20, 0, Use::retired}, {"AFA", 4, 2, Use::retired}, {"ANG", 532, 2, Use::retired},
    {"ATS", 40, 2, Use::retired}, {"AZM", 31, 2, Use::retired}, {"BEF", 56, 0, Use::retired},
    {"BGL", 100, 2, Use::retired}, {"BGN", 975, 2, Use::retired}, {"BYB", 112, 0, Use::retired},
    {"BYR", 974, 0, Use::retired}, {"CSD", 891, 2, Use::retired}, {"CUC", 931, 2, Use::retired},
    {"CYP", 196, 2, Use::retired}, {"DEM", 276, 2, Use::retired}, {"EEK", 233, 2, Use::retired},
    {"ESP", 724, 0, Use::retired}, {"FIM", 246, 2, Use::retired}, {"FRF", 250, 2, Use::retired},
    {"GHC", 288, 2, Use::retired}, {"GRD", 300, 0, Use::retired}, {"GWP", 624, 2, Use::retired},
    {"HRK", 191, 2, Use::retired}, {"IEP", 372, 2, Use::retired}, {"ITL", 380, 0, Use::retired},
    {"LTL", 440, 2, Use::retired}, {"LUF", 442, 0, Use::retired}, {"LVL", 428, 2, Use::retired},
    {"MGF", 450, 0, Use::retired}, {"MRO", 478, 2, Use::retired}, {"MTL", 470, 2, Use::retired},
    {"MZM", 508, 2, Use::retired}, {"NLG", 528, 2, Use::retired}, {"PTE", 620, 0, Use::retired},
    {"ROL", 642, 2, Use::retired}, {"SDD", 736, 2, Use::retired}, {"SIT", 705, 2, Use::retired},
    {"SKK", 703, 2, Use::retired}, {"SLL", 694, 2, Use::retired}, {"SRG", 740, 2, Use::retired},
    {"STD", 678, 2, Use::retired}, {"TMM", 795, 2, Use::retired}, {"TPE", 626, 0, Use::retired},
    {"TRL", 792, 0, Use::retired}, {"USS", 998, 2, Use::retired}, {"VEB", 862, 2, Use::retired},
    {"VEF", 937, 2, Use::retired}, {"YUM", 891, 2, Use::retired}, {"ZMK", 894, 2, Use::retired},
    {"ZWD", 716, 2, Use::retired}, {"ZWL", 932, 2, Use::retired}, {"ZWN", 942, 2, Use::retired},
    {"ZWR", 935, 2, Use::retired},
});
// clang-format on

constexpr std::size_t kLetters = 26;
constexpr std::size_t kNowhere = kRows.size();

constexpr bool is_letter(char c) { return c >= 'A' && c <= 'Z'; }

constexpr std::size_t slot_of(const char* code) {
    std::size_t slot = 0;
    for (int i = 0; i < 3; ++i) slot = slot * kLetters + static_cast<std::size_t>(code[i] - 'A');
    return slot;
}

// The row of every possible code, so that a look-up is one load.
static_assert(kRows.size() < 256);
constexpr auto kRowOfCode = [] {
    std::array<std::uint8_t, kLetters * kLetters * kLetters> rows{};
    rows.fill(static_cast<std::uint8_t>(kNowhere));
    for (std::size_t i = 0; i < kRows.size(); ++i) rows[slot_of(kRows[i].code)] = static_cast<std::uint8_t>(i);
    return rows;
}();

const Row* find(std::string_view code) {
    if (code.size() != 3 || !std::all_of(code.begin(), code.end(), is_letter)) return nullptr;
    const std::size_t row = kRowOfCode[slot_of(code.data())];
    return row == kNowhere ? nullptr : &kRows[row];
}

Error unknown_code(std::string_view code) {
    std::string what = "currency: " + quoted(code) + " is no ISO 4217 code; send three upper-case letters";
    const std::string upper = to_upper(code);
    if (upper != code && find(upper) != nullptr) return Error{ErrorCode::invalid, what + ", here " + upper};
    return Error{ErrorCode::invalid, what + " like USD"};
}

Error not_payable(std::string_view code) {
    return Error{ErrorCode::invalid, "currency: nothing can be paid in " + std::string(code) +
                                         ", which has no minor unit; send a currency like USD"};
}

}  // namespace

// May build a Currency from a row; nobody else can make one with decimals of its own invention.
struct CurrencyTable {
    static Currency of(const Row& row) { return Currency(row.code, row.decimals); }
};

Result<Currency> Currency::parse_historic(std::string_view code) {
    const Row* row = find(code);
    if (row == nullptr) return unknown_code(code);
    if (row->use == Use::unpayable) return not_payable(code);
    return CurrencyTable::of(*row);
}

Result<Currency> Currency::parse(std::string_view code) {
    const Row* row = find(code);
    if (row != nullptr && row->use == Use::retired) {
        return Error{ErrorCode::invalid,
                     "currency: " + std::string(code) +
                         " is no longer in use; old records keep it, new payments need its successor"};
    }
    return parse_historic(code);
}

Result<Currency> Currency::from_numeric(unsigned numeric) {
    const auto row = std::find_if(kRows.begin(), kRows.end(), [&](const Row& candidate) {
        return candidate.numeric == numeric && candidate.use != Use::retired;
    });
    if (row == kRows.end()) {
        return Error{ErrorCode::invalid,
                     "currency: " + std::to_string(numeric) + " is no ISO 4217 number in use; send one like 840 (USD)"};
    }
    if (row->use == Use::unpayable) return not_payable(row->code);
    return CurrencyTable::of(*row);
}

unsigned Currency::numeric() const { return find(code())->numeric; }

bool Currency::is_fund_code() const { return find(code())->use == Use::fund; }

bool Currency::is_retired() const { return find(code())->use == Use::retired; }

}  // namespace nostro
