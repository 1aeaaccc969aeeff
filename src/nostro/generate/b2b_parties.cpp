#include "nostro/generate/b2b_parties.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "nostro/base/assert.hpp"
#include "nostro/base/json_text.hpp"
#include "nostro/base/text.hpp"
#include "nostro/formats/check_digits.hpp"
#include "nostro/generate/draw.hpp"

namespace nostro::generate {
namespace {

constexpr std::array<std::string_view, 24> kFirst = {"Alder",   "Beacon", "Cedar",   "Delta",   "Ember",    "Falcon",
                                                     "Granite", "Harbor", "Iron",    "Juniper", "Keystone", "Lark",
                                                     "Maple",   "North",  "Orchard", "Prairie", "Quarry",   "River",
                                                     "Summit",  "Timber", "Union",   "Valley",  "Willow",   "Zenith"};
constexpr std::array<std::string_view, 16> kSecond = {
    "Logistics", "Foods",     "Textiles", "Software", "Paper",     "Metals",  "Medical", "Energy",
    "Tools",     "Packaging", "Printing", "Optics",   "Furniture", "Freight", "Seeds",   "Glass"};
constexpr std::array<std::string_view, 3> kAmericanForms = {"Inc", "LLC", "Corp"};
constexpr std::array<std::string_view, 12> kStreets = {"Main Street", "Oak Avenue",  "Mill Road",   "Park Lane",
                                                       "Lake Drive",  "Hill Street", "Bridge Road", "Station Road",
                                                       "Elm Street",  "Church Lane", "Dock Street", "Market Street"};

// `state` is a part of the country; `postal` the begin of its postal codes.
struct Place {
    std::string_view city, state, postal, country;
};
constexpr auto kAmericanPlaces = std::to_array<Place>({
    {"New York", "NY", "100", "US"},
    {"Boston", "MA", "021", "US"},
    {"Chicago", "IL", "606", "US"},
    {"Houston", "TX", "770", "US"},
    {"Seattle", "WA", "981", "US"},
    {"Denver", "CO", "802", "US"},
    {"Atlanta", "GA", "303", "US"},
    {"Phoenix", "AZ", "850", "US"},
    {"Columbus", "OH", "432", "US"},
    {"San Diego", "CA", "921", "US"},
});

// How an account number of ten digits becomes the domestic part of an IBAN: the banks' codes, then zeros, then it.
struct EuroPlace {
    Place place;
    std::string_view form;
    std::string_view bank;   // codes of banks are drawn: '#' is a digit
    std::string_view phone;  // begin of numbers that nobody has
};
constexpr auto kEuroPlaces = std::to_array<EuroPlace>({
    {{"Hamburg", "HH", "20", "DE"}, "GmbH", "2#######", "+49-40-66969-"},
    {{"Leipzig", "SN", "04", "DE"}, "GmbH", "8#######", "+49-30-23125-"},
    {{"Mainz", "RP", "55", "DE"}, "AG", "5#######", "+49-69-90009-"},
    {{"Wien", "W", "10", "AT"}, "GmbH", "1####0", "+43-1-555-0"},
    {{"Graz", "ST", "80", "AT"}, "GmbH", "3####0", "+43-316-555-0"},
    {{"Luxembourg", "LU", "12", "LU"}, "SA", "###000", "+352-555-0"},
});

constexpr std::array<std::string_view, 2> kAccountTypes = {"CHECKING", "SAVINGS"};

struct Account {
    std::string id;  // ACC and ten digits
    std::string_view routing_type;
    std::string routing;
};

std::string digits(Xoshiro256& random, std::string_view pattern) {
    std::string text(pattern);
    for (char& c : text) {
        if (c == '#') c = static_cast<char>('0' + random.below(10));
    }
    return text;
}

std::string routing_number(Xoshiro256& random, bool realistic) {
    if (!realistic) return digits(random, "#########");
    const auto district = static_cast<std::uint64_t>(random.between(1, 12));
    std::string text = fmt::format("{:02}{}", district, digits(random, "######"));
    text += aba_digit(text);
    return text;
}

std::string iban(std::string_view country, std::string_view domestic) {
    const auto check = mod_97_digits(country, domestic);
    return fmt::format("{}{}{}{}", country, check[0], check[1], domestic);
}

struct Company {
    std::string party_id, name;
    Account account;
    std::string_view account_type;
    Place place;
    std::string street, postal_code, phone;
};

std::string json_of(const Company& company) {
    std::string domain = to_lower(company.name);
    std::ranges::replace(domain, ' ', '-');
    std::string text;
    JsonWriter json(text);
    json.begin_object().field("party_type", "CORPORATE").field("party_id", company.party_id);
    json.field("name", company.name).key("account_info").begin_object();
    json.field("account_id", company.account.id).field("account_type", company.account_type);
    json.key("routing_info").begin_object();
    json.field("type", company.account.routing_type).field("value", company.account.routing);
    json.end_object().end_object();
    json.key("contact_info").begin_object().key("address").begin_object();
    json.field("street", company.street).field("city", company.place.city).field("state", company.place.state);
    json.field("postal_code", company.postal_code).field("country", company.place.country).end_object();
    json.key("electronic").begin_object();
    json.field("email", "accounts@" + domain + ".example").field("phone", company.phone);
    json.end_object().end_object().end_object();
    return text;
}

// What American and European companies have in common. No id comes twice.
Company draw_company(Xoshiro256& random, std::uint32_t number, std::uint32_t key, std::string_view form) {
    Company company;
    company.party_id = ShortText("CUST").add_hex(scattered(number ^ key), 8).view();
    const std::string_view first = pick(random, kFirst), second = pick(random, kSecond);
    company.name = fmt::format("{} {} {}", first, second, form);
    company.account_type = pick(random, kAccountTypes);
    const std::int64_t house = random.between(1, 999);  // by itself: arguments are evaluated in any order
    company.street = fmt::format("{} {}", house, pick(random, kStreets));
    return company;
}

std::string american(Xoshiro256& random, std::uint32_t number, std::uint32_t key, bool realistic) {
    const std::string_view form = pick(random, kAmericanForms);
    Company company = draw_company(random, number, key, form);
    company.account = {.id = "ACC" + digits(random, "##########"),
                       .routing_type = "ABA",
                       .routing = routing_number(random, realistic)};
    company.place = pick(random, kAmericanPlaces);
    company.postal_code = std::string(company.place.postal) + digits(random, "##");
    company.phone = "+1-555-01" + digits(random, "##");
    return json_of(company);
}

std::string european(Xoshiro256& random, std::uint32_t number, std::uint32_t key) {
    const EuroPlace& at = pick(random, kEuroPlaces);
    Company company = draw_company(random, number, key, at.form);
    const std::string account = digits(random, "##########");
    const std::string bank = digits(random, at.bank);
    company.account = {
        .id = "ACC" + account, .routing_type = "IBAN", .routing = iban(at.place.country, bank + account)};
    company.place = at.place;
    company.postal_code = std::string(at.place.postal) + digits(random, at.place.country == "DE" ? "###" : "##");
    company.phone = std::string(at.phone) + digits(random, "###");
    return json_of(company);
}

}  // namespace

B2bParties::B2bParties(Xoshiro256& random, std::uint32_t count, bool realistic) {
    NOSTRO_ASSERT(count >= 2, "a payment takes two parties");
    const auto key = static_cast<std::uint32_t>(random.next());
    const std::uint32_t euro = realistic ? std::max(2u, count / 5) : 0;
    const std::uint32_t home = std::max(2u, count - std::min(count, euro));
    american_.reserve(home);
    european_.reserve(euro);
    std::uint32_t number = 0;
    while (american_.size() < home) american_.push_back(generate::american(random, number++, key, realistic));
    while (european_.size() < euro) european_.push_back(generate::european(random, number++, key));
}

B2bParties::Pair B2bParties::two_of(Xoshiro256& random, const std::vector<std::string>& parties) {
    const std::uint64_t originator = random.below(parties.size());
    std::uint64_t beneficiary = random.below(parties.size() - 1);
    if (beneficiary >= originator) ++beneficiary;
    return {parties[originator], parties[beneficiary]};
}

B2bParties::Pair B2bParties::american(Xoshiro256& random) const { return two_of(random, american_); }

B2bParties::Pair B2bParties::european(Xoshiro256& random) const {
    return two_of(random, european_.empty() ? american_ : european_);
}

B2bParties::Pair B2bParties::international(Xoshiro256& random) const {
    if (european_.empty()) return american(random);
    const std::string& originator = american_[random.below(american_.size())];
    return {originator, european_[random.below(european_.size())]};
}

}  // namespace nostro::generate
