// What happened on an account: entries with running balances, statements as JSON and CSV.
#include <algorithm>
#include <map>
#include <string>

#include "nostro/base/hex.hpp"
#include "nostro/base/json_text.hpp"
#include "nostro/base/time.hpp"
#include "nostro/http/answers.hpp"
#include "nostro/http/api.hpp"

namespace nostro {
namespace {

constexpr std::uint32_t kStatementPage = 500;

constexpr std::size_t kNamesKept = 4096;

// Names of the parties beside an account, asked once each as long as they are few. One owner.
class PartyNames {
public:
    PartyNames(const History& history, AccountId account) : history_(history), account_(account) {}

    const std::string& other_party(const Entry& entry) {
        const AccountId id = entry.outcome.debtor == account_ ? entry.outcome.creditor : entry.outcome.debtor;
        if (names_.size() >= kNamesKept) names_.clear();
        const auto [place, is_new] = names_.try_emplace(id);
        if (is_new) {
            const auto account = history_.account(id);
            if (account && *account) place->second = (**account).name;
        }
        return place->second;
    }

private:
    const History& history_;
    const AccountId account_;
    std::map<AccountId, std::string> names_;
};

// nullopt: answered already.
std::optional<AccountRecord> known_account(Service& service, const Request& request, const Reply& reply) {
    const auto tenant = tenant_of(service, request, reply);
    if (!tenant) return std::nullopt;
    auto found =
        service.history().account(account_id(service.policies().tenant_name(*tenant), request.parameter("id")));
    if (!found) {
        refuse_history(reply, found.error());
        return std::nullopt;
    }
    if (!*found) refuse(reply, 404, "account_not_found", "there is no account with this name");
    return std::move(*found);
}

void list_entries(Service& service, const Request& request, const Reply& reply) {
    const auto account = known_account(service, request, reply);
    if (!account) return;
    Period period;
    if (const auto bad = read_period(request, period)) return refuse_parameter(reply, *bad);
    const History& history = service.history();
    const auto page =
        history.entries(account->image.id, period.from, period.to, request.parameter("order") != "oldest_first",
                        limit_of(request), std::string(request.parameter("cursor")));
    if (!page) return refuse_page(reply, page.error());
    PartyNames names(history, account->image.id);
    Response response;
    JsonWriter json(response.body);
    begin_list(json);
    for (const Entry& entry : page->items) write_entry(json, entry, names.other_party(entry));
    end_list(json, page->next, page->as_of);
    reply(std::move(response));
}

// --- statements ---

void append_csv_text(std::string& to, std::string_view text) {
    if (text.find_first_of(",\"\r\n") == std::string_view::npos) {
        to.append(text);
        return;
    }
    to.push_back('"');
    for (const char c : text) {
        if (c == '"') to.push_back('"');
        to.push_back(c);
    }
    to.push_back('"');
}

// The statement is written page by page, so that an account of any size costs one page of memory.
class StatementStream : public BodyStream {
public:
    StatementStream(const Service& service, AccountRecord account, Period period, std::int64_t opening_minor)
        : service_(service),
          account_(std::move(account)),
          period_(period),
          names_(service.history(), account_.image.id),
          opening_minor_(opening_minor),
          closing_minor_(opening_minor) {}

    bool blocks() const override { return true; }

    State next(std::string& into) override {
        if (!begun_) {
            begun_ = true;
            begin(into);
        }
        const auto page =
            service_.history().entries(account_.image.id, period_.from, period_.to, false, kStatementPage, cursor_);
        if (!page) {  // the status line has left already: an unfinished document tells it
            failed(into, page.error());
            return State::end;
        }
        for (const Entry& entry : page->items) {
            const std::int64_t moved = entry.after_minor - entry.before_minor;
            (moved < 0 ? debits_ : credits_).add(moved < 0 ? -moved : moved);
            closing_minor_ = entry.after_minor;
            ++count_;
            add(into, entry, names_.other_party(entry));
        }
        cursor_ = page->next;
        if (!cursor_.empty()) return State::more;
        end(into);
        return State::end;
    }

protected:
    virtual void begin(std::string& into) = 0;
    virtual void add(std::string& into, const Entry& entry, std::string_view other_party) = 0;
    virtual void end(std::string& into) = 0;
    virtual void failed(std::string& into, const Error& error) = 0;

    std::string decimal(std::int64_t minor) const { return Money(minor, account_.image.currency).decimal(); }

    const Service& service_;
    const AccountRecord account_;
    const Period period_;
    PartyNames names_;
    const std::int64_t opening_minor_;
    std::int64_t closing_minor_;
    Total debits_, credits_;
    std::uint64_t count_ = 0;

private:
    bool begun_ = false;
    std::string cursor_;
};

class JsonStatement final : public StatementStream {
public:
    using StatementStream::StatementStream;

private:
    // One document over many parts: the pieces are written by hand, their values by JsonWriter.
    static void add_member(std::string& into, std::string_view member, std::string_view value) {
        append_json_string(into, member);
        into.push_back(':');
        append_json_string(into, value);
        into.push_back(',');
    }
    static void add_instant(std::string& into, std::string_view member, const std::optional<Instant>& at) {
        if (at) return add_member(into, member, to_rfc3339(*at));
        append_json_string(into, member);
        into.append(":null,");
    }

    void begin(std::string& into) override {
        into.push_back('{');
        add_member(into, "account_id", account_.name);
        add_member(into, "currency", account_.image.currency.code());
        add_instant(into, "from", period_.from);
        add_instant(into, "to", period_.to);
        add_member(into, "opening_balance", decimal(opening_minor_));
        into.append("\"entries\":[");
    }
    void add(std::string& into, const Entry& entry, std::string_view other_party) override {
        if (count_ > 1) into.push_back(',');
        JsonWriter json(into);
        write_entry(json, entry, other_party);
    }
    void end(std::string& into) override {
        into.append("],");
        add_member(into, "total_debits", debits_.decimal(account_.image.currency));
        add_member(into, "total_credits", credits_.decimal(account_.image.currency));
        add_member(into, "closing_balance", decimal(closing_minor_));
        into.append("\"count\":").append(std::to_string(count_)).append("}");
    }
    void failed(std::string&, const Error&) override {}
};

class CsvStatement final : public StatementStream {
public:
    using StatementStream::StatementStream;

private:
    void begin(std::string& into) override {
        into.append("at,payment_id,event,other_party,debit,credit,balance,currency,seq,index\r\n");
        row(into, period_.from ? to_rfc3339(*period_.from) : "", "opening_balance", opening_minor_);
    }
    void row(std::string& into, std::string_view at, std::string_view what, std::int64_t balance) const {
        into.append(at).append(",,").append(what).append(",,,,");
        into.append(decimal(balance)).append(",").append(account_.image.currency.code()).append(",,\r\n");
    }
    void add(std::string& into, const Entry& entry, std::string_view other_party) override {
        const std::int64_t moved = entry.after_minor - entry.before_minor;
        append_rfc3339(into, entry.at);
        into.push_back(',');
        if (!entry.outcome.payment.empty()) append_hex(into, entry.outcome.payment);
        into.append(",").append(name(entry.outcome.event)).append(",");
        append_csv_text(into, other_party);
        into.append(",").append(moved < 0 ? decimal(-moved) : "");
        into.append(",").append(moved > 0 ? decimal(moved) : "");
        into.append(",").append(decimal(entry.after_minor)).append(",").append(account_.image.currency.code());
        into.append(",").append(std::to_string(entry.place.seq));
        into.append(",").append(std::to_string(entry.place.index)).append("\r\n");
    }
    void end(std::string& into) override {
        row(into, period_.to ? to_rfc3339(*period_.to) : "", "closing_balance", closing_minor_);
    }
    void failed(std::string& into, const Error& error) override {
        into.append("error,,");
        append_csv_text(into, error.what);
        into.append(",,,,,,,\r\n");
    }
};

// The balance just before the period: 0 when the account was not open yet.
Result<std::int64_t> opening_of(const History& history, const AccountRecord& account, const Period& period) {
    if (!period.from || *period.from <= account.image.opened_at) return std::int64_t{0};
    const auto seq = history.seq_at(*period.from - std::chrono::nanoseconds(1));
    if (!seq) return seq.error();
    const auto image = history.account_at(account.image.id, *seq);
    if (!image && image.error().code == ErrorCode::not_found) return std::int64_t{0};
    if (!image) return image.error();
    return image->balance;
}

void get_statement(Service& service, const Request& request, const Reply& reply) {
    auto account = known_account(service, request, reply);
    if (!account) return;
    Period period;
    if (const auto bad = read_period(request, period)) return refuse_parameter(reply, *bad);
    const auto opening = opening_of(service.history(), *account, period);
    if (!opening) return refuse_history(reply, opening.error());
    Response response;
    if (request.parameter("format") == "csv") {
        response.content_type = "text/csv; charset=utf-8";
        response.header("Content-Disposition", "attachment; filename=\"statement.csv\"");
        response.stream = std::make_unique<CsvStatement>(service, std::move(*account), period, *opening);
    } else {
        response.stream = std::make_unique<JsonStatement>(service, std::move(*account), period, *opening);
    }
    reply(std::move(response));
}

Parameter period_parameter(std::string_view parameter_name) {
    return {.name = parameter_name,
            .kind = ParameterKind::instant,
            .description = parameter_name == "from" ? "Accepted at or after." : "Accepted before.",
            .example = "2026-11-21T00:00:00Z"};
}

}  // namespace

std::vector<Route> account_history_routes(const Api& api) {
    Route entries = route_of(Method::get, "/v1/accounts/{id}/entries", "listEntries", "Accounts",
                             "What moved on an account, with running balances");
    entries.parameters = {path_account(),
                          period_parameter("from"),
                          period_parameter("to"),
                          {.name = "order",
                           .kind = ParameterKind::choice,
                           .choices = {"newest_first", "oldest_first"},
                           .description = "Newest first if absent."},
                          limit_parameter(),
                          cursor_parameter(),
                          tenant_parameter()};
    entries.answers = {json_answer(200, "A page.", "EntryList")};
    add_problems(entries, {400, 404, 503});
    entries.keeps_request = true;
    entries.handler = fresh(*api.service, list_entries);

    Route statement = route_of(Method::get, "/v1/accounts/{id}/statement", "getStatement", "Accounts",
                               "A statement: opening balance, entries, closing balance");
    statement.description = "Oldest first. Opening balance plus credits less debits is the closing balance.";
    statement.parameters = {
        path_account(),
        period_parameter("from"),
        period_parameter("to"),
        {.name = "format", .kind = ParameterKind::choice, .choices = {"json", "csv"}, .description = "JSON if absent."},
        tenant_parameter()};
    statement.answers = {{200, "The statement.", {{"application/json", "Statement"}, {"text/csv", ""}}, {}}};
    add_problems(statement, {400, 404, 410, 503});
    statement.keeps_request = true;
    statement.handler = fresh(*api.service, get_statement);

    std::vector<Route> routes;
    routes.push_back(std::move(entries));
    routes.push_back(std::move(statement));
    return routes;
}

}  // namespace nostro
