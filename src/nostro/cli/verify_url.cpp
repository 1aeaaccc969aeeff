#include "nostro/cli/verify_url.hpp"

#include <fmt/format.h>

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "nostro/base/json_text.hpp"
#include "nostro/base/text.hpp"
#include "nostro/cli/terminal.hpp"
#include "nostro/domain/money.hpp"

namespace nostro::cli {
namespace {

constexpr int kWalksMax = 3;  // of the accounts, as long as frames come in between

// The accounts of one currency and kind: as told in the trial balance, or as added up.
struct Group {
    std::uint64_t accounts = 0;
    std::string posted, held;
    bool operator==(const Group&) const = default;
};
using Groups = std::map<std::pair<std::string, std::string>, Group>;

struct Sum {
    std::string currency, sum;
    bool zero = false;
};

struct Checks {
    std::string seq;  // as of this frame
    std::vector<Sum> sums;
    Groups told;
    std::uint64_t accounts = 0;  // told
    bool compared = false;       // with what the accounts add up to
    std::vector<std::string> faults;
};

std::optional<Checks> read_trial_balance(Context& context) {
    const auto asked = ask(context, "GET", "/v1/ledger/trial-balance", {}, {});
    if (!asked) return std::nullopt;
    Checks checks;
    checks.seq = asked->json.text("as_of.seq");
    for (const Json& currency : asked->json.items("currencies")) {
        Sum sum{currency.text("currency"), currency.text("sum")};
        sum.zero = !sum.sum.empty() && sum.sum.find_first_not_of("-0.") == std::string::npos;
        if (!sum.zero) checks.faults.push_back(fmt::format("{} sums to {}, not to zero", sum.currency, sum.sum));
        for (const Json& kind : currency.items("kinds")) {
            const std::uint64_t accounts = kind.number("accounts").value_or(0);
            checks.told[{sum.currency, kind.text("kind")}] = {accounts, kind.text("posted"), kind.text("held")};
            checks.accounts += accounts;
        }
        checks.sums.push_back(std::move(sum));
    }
    return checks;
}

class Walk {
public:
    // Adds up a page. False: an account holds what is no amount.
    bool add(const Json& page) {
        for (const Json& account : page.items("data")) {
            const auto currency = Currency::parse(account.text("currency"));
            if (!currency) return false;
            const auto posted = Money::parse_signed(account.text("balance.posted"), *currency);
            const auto held = Money::parse_signed(account.text("balance.held"), *currency);
            if (!posted || !held) return false;
            auto& totals = totals_[{account.text("currency"), account.text("kind")}];
            totals.currency = *currency;
            totals.posted.add(posted->minor());
            totals.held.add(held->minor());
            ++totals.accounts;
            ++accounts;
        }
        return true;
    }
    Groups groups() const {
        Groups groups;
        for (const auto& [of, totals] : totals_) {
            groups[of] = {totals.accounts, totals.posted.decimal(totals.currency),
                          totals.held.decimal(totals.currency)};
        }
        return groups;
    }
    std::uint64_t accounts = 0;

private:
    struct Totals {
        Currency currency;
        std::uint64_t accounts = 0;
        Total posted, held;
    };
    std::map<std::pair<std::string, std::string>, Totals> totals_;
};

// The trial balance is of all tenants, the list of accounts of one. nullopt: a failure that context.exit says.
std::optional<std::vector<std::string>> read_tenants(Context& context) {
    const auto asked = ask(context, "GET", "/v1/tenants", {}, {});
    if (!asked) return std::nullopt;
    std::vector<std::string> tenants;
    for (const Json& each : asked->json.items("data")) tenants.push_back(each.text("tenant"));
    return tenants;
}

enum class Walked : std::uint8_t { whole, overtaken, failed };

// Adds up one tenant's accounts. Overtaken: frames came in between. Failed: context.exit says why.
Walked walk_tenant(Context& context, const std::string& tenant, const std::string& seq, Walk& walk,
                   Progress& progress) {
    std::string cursor;
    do {
        std::string target = "/v1/accounts?limit=1000&tenant=" + percent_encoded(tenant);
        if (!cursor.empty()) target += "&cursor=" + percent_encoded(cursor);
        const auto page = ask(context, "GET", target, {}, {});
        if (!page) return Walked::failed;
        if (page->json.text("as_of.seq") != seq) return Walked::overtaken;
        if (!walk.add(page->json)) {
            context.exit = fail(Exit::environment, "an account was answered with a balance that is no amount");
            return Walked::failed;
        }
        progress.update(walk.accounts);
        cursor = page->json.text("next_cursor");
    } while (!cursor.empty());
    return Walked::whole;
}

// False: a failure that context.exit says. Frames that come in between leave `checks.compared` false.
bool walk_accounts(Context& context, Checks& checks) {
    const auto tenants = read_tenants(context);
    if (!tenants) return false;
    Progress progress("verify", "accounts", checks.accounts);
    Walk walk;
    for (const std::string& tenant : *tenants) {
        const Walked walked = walk_tenant(context, tenant, checks.seq, walk, progress);
        if (walked != Walked::whole) return walked == Walked::overtaken;
    }
    progress.finish(walk.accounts);
    checks.compared = true;
    Groups added = walk.groups();
    for (const auto& [of, told] : checks.told) {
        const Group sum = std::exchange(added[of], {});
        const bool nothing = told.accounts == 0 && sum.accounts == 0;
        if (nothing || sum == told) continue;
        checks.faults.push_back(fmt::format(
            "{} {}: {} accounts add up to {}, {} held; the trial balance says {} accounts, {}, {} held", of.first,
            of.second, sum.accounts, sum.posted, sum.held, told.accounts, told.posted, told.held));
    }
    for (const auto& [of, sum] : added) {
        if (sum.accounts == 0) continue;
        checks.faults.push_back(
            fmt::format("{} {}: {} accounts that the trial balance does not have", of.first, of.second, sum.accounts));
    }
    return true;
}

void print_json(const Context& context, const Checks& checks) {
    std::string text;
    JsonWriter json(text);
    json.begin_object().field("url", context.url).field("consistent", checks.faults.empty());
    json.field("proved", false).key("as_of_seq").raw(checks.seq);
    json.key("currencies").begin_array();
    for (const Sum& sum : checks.sums) json.value(sum.currency);
    json.end_array().field("accounts", checks.accounts).field("accounts_compared", checks.compared);
    json.key("findings").begin_array();
    for (const std::string& fault : checks.faults) json.value(fault);
    json.end_array().end_object();
    fmt::print("{}\n", text);
}

void print_text(const Context& context, const Checks& checks) {
    const bool fine = checks.faults.empty();
    fmt::print("{}\n", coloured(fine ? Colour::green : Colour::red,
                                fmt::format("what {} tells {}, as of frame {}", context.url,
                                            fine ? "is consistent" : "is NOT consistent", checks.seq)));
    for (const Sum& sum : checks.sums) {
        fmt::print("{}  sum {}\n", sum.currency, coloured(sum.zero ? Colour::green : Colour::red, sum.sum));
    }
    for (const std::string& fault : checks.faults) fmt::print("{} {}\n", coloured(Colour::red, "fault"), fault);
    const auto line = [](std::string_view what, std::string_view how) { fmt::print("  {:<12} {}\n", what, how); };
    line("checked", "the trial balance sums to zero in each currency");
    if (checks.compared) {
        line("checked", fmt::format("the balances and holds of all {} accounts add up to it, by currency and kind",
                                    human_count(checks.accounts)));
    } else {
        line("not checked", "that the accounts add up to it: payments came meanwhile; ask again when it is quiet");
    }
    line("not checked", "that the journal says the same: its checksums and chain, that each payment was decided once,");
    line("", "that balances and holds follow from the payments. `nostro verify --data DIR` proves that,");
    line("", "on the machine that has the journal, or from a backup of it");
}

}  // namespace

Exit verify_url(Context& context) {
    std::optional<Checks> checks;
    for (int walks = 0; walks < kWalksMax && !(checks && checks->compared); ++walks) {
        checks = read_trial_balance(context);
        if (!checks || !walk_accounts(context, *checks)) return context.exit;
    }
    if (context.json) {
        print_json(context, *checks);
    } else {
        print_text(context, *checks);
    }
    return checks->faults.empty() ? Exit::done : Exit::no;
}

}  // namespace nostro::cli
