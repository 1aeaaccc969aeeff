#include "nostro/generate/upi.hpp"

#include <fmt/format.h>

#include <array>
#include <chrono>

#include "nostro/base/json_text.hpp"
#include "nostro/base/time.hpp"

namespace nostro::generate {
namespace {

constexpr std::int64_t kRupeesMax = 200'000;
constexpr std::int64_t kLimitRupees = 150'000;  // of the upi profile, for one payment
constexpr std::int64_t kPaisePerRupee = 100;

constexpr std::array<std::string_view, 24> kNames = {
    "aarav",  "aditi",   "arjun", "asha",  "deepak", "divya",  "farhan", "gauri", "imran", "isha",   "jaya", "karan",
    "kavita", "lakshmi", "manoj", "meera", "neha",   "nikhil", "pooja",  "rahul", "rohan", "sunita", "tara", "vikram"};
constexpr std::array<std::string_view, 16> kFamilies = {"agarwal", "bose",  "das",   "gupta", "iyer", "jain",
                                                        "joshi",   "khan",  "kumar", "mehta", "nair", "patel",
                                                        "rao",     "reddy", "shah",  "verma"};
constexpr std::array<std::string_view, 11> kHandles = {"oksbi", "okaxis", "okhdfcbank", "okicici", "ybl", "ibl",
                                                       "axl",   "paytm",  "upi",        "apl",     "fbl"};

// In a thousand payments; what is left over succeeds.
struct Decline {
    std::string_view code;
    std::uint64_t per_mille;
};
constexpr std::string_view kSuccess = "00";
constexpr std::string_view kAboveLimit = "Z8";
constexpr auto kDeclines = std::to_array<Decline>({
    // Business: funds, PIN, the customer's no, limits, accounts, risk.
    {"Z9", 34},
    {"ZM", 20},
    {"ZA", 6},
    {"U69", 5},
    {kAboveLimit, 5},
    {"Z7", 4},
    {"XH", 3},
    {"U16", 3},
    // Technical: a bank or the switch.
    {"U28", 7},
    {"U09", 4},
    {"XY", 4},
    {"U78", 3},
    {"U08", 2},
});

struct Bracket {
    std::uint64_t per_mille;
    std::int64_t least, most;  // rupees
};
constexpr auto kBrackets = std::to_array<Bracket>({
    {300, 10, 100},
    {300, 101, 500},
    {200, 501, 2'000},
    {120, 2'001, 10'000},
    {60, 10'001, 50'000},
    {20, 50'001, 100'000},
});

std::uint32_t users_of(const UpiOptions& options) {
    if (options.users != 0) return options.users;
    return options.realistic ? 1'000 : 5;
}

std::uint64_t seed_of(const UpiOptions& options) {
    const auto start = static_cast<std::uint64_t>(options.start.time_since_epoch().count());
    return generate::seed_of({options.seed, users_of(options), options.realistic, start});
}

std::string vpa(Xoshiro256& random, std::uint32_t number) {
    const std::string_view name = pick(random, kNames);
    const std::string_view family = pick(random, kFamilies);
    return fmt::format("{}.{}{}@{}", name, family, number, pick(random, kHandles));
}

std::string_view draw_response_code(Xoshiro256& random) {
    std::uint64_t drawn = random.below(1'000);
    for (const Decline& decline : kDeclines) {
        if (drawn < decline.per_mille) return decline.code;
        drawn -= decline.per_mille;
    }
    return kSuccess;
}

}  // namespace

ShortText rrn(Instant at, std::uint64_t sequence) {
    const auto day = std::chrono::floor<std::chrono::days>(at);
    const std::chrono::year_month_day date(day);
    const auto year = static_cast<unsigned>(static_cast<int>(date.year()));
    const auto day_of_year = (day - std::chrono::sys_days(date.year() / 1 / 1)).count() + 1;
    const auto hour = std::chrono::floor<std::chrono::hours>(at - day).count();
    ShortText text;
    text.add_digits(year % 10, 1).add_digits(static_cast<std::uint64_t>(day_of_year), 3);
    return text.add_digits(static_cast<std::uint64_t>(hour), 2).add_digits(sequence % 1'000'000, 6);
}

UpiGenerator::UpiGenerator(const UpiOptions& options)
    : random_(seed_of(options)), realistic_(options.realistic), rupee_(Currency::parse("INR").value()) {
    const std::uint32_t users = users_of(options);
    NOSTRO_ASSERT(users >= 2, "a payment takes two users");
    users_.reserve(users);
    for (std::uint32_t number = 1; number <= users; ++number) {
        users_.push_back(realistic_ ? vpa(random_, number) : fmt::format("user_{}", number));
    }
}

std::int64_t UpiGenerator::realistic_rupees(bool above_limit) {
    if (above_limit) return random_.between(kLimitRupees + 1, kRupeesMax);
    std::uint64_t drawn = random_.below(1'000);
    for (const Bracket& bracket : kBrackets) {
        if (drawn < bracket.per_mille) return random_.between(bracket.least, bracket.most);
        drawn -= bracket.per_mille;
    }
    return 1;
}

Made UpiGenerator::append(std::string& to, Instant at) {
    const ShortText tx_id = uuid(random_);
    const std::uint64_t payer = random_.below(users_.size());
    // Equal pairs are skipped: as if drawn again until they differ.
    std::uint64_t payee = random_.below(users_.size() - 1);
    if (payee >= payer) ++payee;
    const std::string_view code = realistic_ ? draw_response_code(random_) : std::string_view();
    const std::int64_t rupees = realistic_ ? realistic_rupees(code == kAboveLimit) : random_.between(1, kRupeesMax);

    JsonWriter json(to);
    json.begin_object().field("tx_id", tx_id.view());
    json.field("payer_id", users_[payer]).field("payee_id", users_[payee]);
    json.field("amount", rupees).field("currency", "INR").key("created_at");
    if (realistic_) {
        std::array<char, kRfc3339Size> time{};
        write_rfc3339(at, time.data());
        json.string({time.data(), time.size()});
        json.field("rrn", rrn(at, made_).view()).field("response_code", code);
    } else {
        json.null();
    }
    json.end_object();
    ++made_;
    return {.type = "UPI", .status = code, .amount = Money(rupees * kPaisePerRupee, rupee_)};
}

}  // namespace nostro::generate
