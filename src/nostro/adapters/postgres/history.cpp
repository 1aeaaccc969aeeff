// Connections, and single things: a payment, an account, a balance of then, sums of then, dead letters.
#include "nostro/adapters/postgres/history.hpp"

#include <fmt/format.h>

#include <unordered_map>

#include "nostro/adapters/postgres/history_reader.hpp"
#include "nostro/base/hex.hpp"
#include "nostro/base/log.hpp"
#include "nostro/wire/dead_letter.hpp"
#include "nostro/wire/outcome_facts.hpp"

namespace nostro {
namespace {

// Who asks over HTTP is told no addresses and no statements.
Error cannot_be_asked() { return {ErrorCode::unavailable, "the query index in PostgreSQL cannot be asked now"}; }

}  // namespace

PostgresHistory::PostgresHistory(PostgresHistoryOptions options) : options_(std::move(options)) {}

PostgresHistory::~PostgresHistory() = default;

// --- connections

Result<PostgresHistory::ClientPtr> PostgresHistory::take() const {
    std::unique_lock lock(mutex_);
    if (trouble_ && Clock::now() - refused_at_ < options_.pause) return cannot_be_asked();
    given_back_.wait(lock, [this] { return !idle_.empty() || connections_ < options_.connections_max; });
    if (!idle_.empty()) {
        ClientPtr client = std::move(idle_.back());
        idle_.pop_back();
        return client;
    }
    ++connections_;
    lock.unlock();
    auto made = PostgresClient::connect(options_.address);
    Result<> fine = made ? check_version(**made, history_schema()) : Result<>(made.error());
    lock.lock();
    if (fine) {
        trouble_.reset();
        return std::move(*made);
    }
    --connections_;
    given_back_.notify_one();
    trouble_ = fine.error().what;
    refused_at_ = Clock::now();
    lock.unlock();
    log_warn("index_unavailable", {{"what", fine.error().what}});
    return cannot_be_asked();
}

void PostgresHistory::give_back(ClientPtr client) const {
    const std::lock_guard lock(mutex_);
    if (client->is_idle()) {
        idle_.push_back(std::move(client));
    } else {
        --connections_;
    }
    given_back_.notify_one();
}

Result<PostgresAnswer> PostgresHistory::ask(const PostgresClient::Statement& statement) const {
    // A connection that was kept may have ended long ago, and so may all of them.
    for (std::size_t tries = options_.connections_max + 1; tries > 0; --tries) {
        auto client = take();
        if (!client) return client.error();
        auto answer = (*client)->run(statement);
        const bool is_lost = (*client)->is_lost();
        give_back(std::move(*client));
        if (answer) return answer;
        if (is_lost && tries > 1) continue;
        log_warn("index_unavailable", {{"what", answer.error().what}});
        break;
    }
    return cannot_be_asked();
}

std::string PostgresHistory::trouble() const {
    const std::lock_guard lock(mutex_);
    return trouble_.value_or(std::string());
}

Result<std::vector<Place>> PostgresHistory::places(const PostgresClient::Statement& statement) const {
    const auto answer = ask(statement);
    if (!answer) return answer.error();
    std::vector<Place> places;
    for (int row = 0; row < answer->rows(); ++row) places.push_back(place_at(*answer, row, 0));
    return places;
}

// The tables may be further than this process is.
std::string PostgresHistory::readable() const { return seq_text(options_.readable()); }

AsOf PostgresHistory::as_of() const {
    const auto newest = ask(
        {"SELECT seq, at_ns FROM nostro.index_frames WHERE seq <= $1::bigint ORDER BY seq DESC LIMIT 1", {readable()}});
    const std::lock_guard lock(mutex_);
    if (newest) {
        as_of_ = {};
        if (newest->rows() > 0) {
            as_of_ = {static_cast<Seq>(number_at(*newest, 0, 0)),
                      Instant(std::chrono::nanoseconds(number_at(*newest, 0, 1)))};
        }
    }
    return as_of_;
}

// --- single things

Result<std::optional<Recorded>> PostgresHistory::payment(PaymentId id) const {
    const auto found = places(
        {"SELECT seq, index FROM nostro.index_outcomes WHERE payment_id = $1::uuid AND seq <= $2::bigint ORDER BY 1, 2",
         {to_hex(id), readable()}});
    if (!found) return found.error();
    std::optional<Recorded> payment;
    Reader reader(*this);
    for (const Place place : *found) {
        const auto part = reader.outcome_at(place);
        if (!part) return dropped(part.error());
        if (!payment) payment.emplace();
        add_outcome(*payment, *part);
    }
    return payment;
}

Result<Seq> PostgresHistory::seq_at(Instant at) const {
    const auto answer =
        ask({"SELECT seq FROM nostro.index_frames WHERE at_ns <= $1::bigint AND seq <= $2::bigint ORDER BY at_ns DESC, "
             "seq DESC LIMIT 1",
             {std::to_string(at.time_since_epoch().count()), readable()}});
    if (!answer) return answer.error();
    return answer->rows() == 0 ? Seq{0} : static_cast<Seq>(number_at(*answer, 0, 0));
}

Result<std::optional<Seq>> PostgresHistory::frame_of_number(TenantNo tenant, std::uint64_t number) const {
    const auto answer =
        ask({"SELECT seq FROM nostro.index_numbers WHERE tenant = $1::integer AND number >= $2::bigint AND seq <= "
             "$3::bigint ORDER BY number LIMIT 1",
             {std::to_string(tenant), seq_text(number), readable()}});
    if (!answer) return answer.error();
    if (answer->rows() == 0) return std::optional<Seq>();
    return std::optional<Seq>(static_cast<Seq>(number_at(*answer, 0, 0)));
}

Error PostgresHistory::misplaced(Seq seq, const std::string& what) {
    return {ErrorCode::corrupt,
            fmt::format("query index in PostgreSQL: frame {} has no {}; `nostro reconcile --repair` "
                        "mends it",
                        seq, what)};
}

// --- accounts

Result<AccountImage> PostgresHistory::account_at(AccountId id, Seq at) const {
    const auto answer =
        ask({"SELECT seq FROM nostro.index_images WHERE account_id = $1::uuid AND seq <= $2::bigint ORDER BY seq DESC "
             "LIMIT 1",
             {to_hex(id), seq_text(std::min(at, options_.readable()))}});
    if (!answer) return answer.error();
    if (answer->rows() == 0) return Error{ErrorCode::not_found, "the account was not open then"};
    Reader reader(*this);
    return image_at(reader, id, static_cast<Seq>(number_at(*answer, 0, 0)));
}

Result<AccountImage> PostgresHistory::image_at(Reader& reader, AccountId id, Seq seq) {
    const auto frame = reader.frame(seq);
    if (!frame) return dropped(frame.error());
    const auto& images = (*frame)->changes.accounts;
    const auto image = std::ranges::find(images, id, &AccountImage::id);
    if (image == images.end()) return misplaced(seq, "image of account " + to_hex(id));
    return *image;
}

// As that frame left them; those that were not open are missing.
Result<std::vector<AccountRecord>> PostgresHistory::records(const std::vector<AccountId>& ids, Seq through) const {
    const std::vector<std::string> asked{ids_text(ids), seq_text(through)};
    const auto changes =
        ask({"SELECT encode(uuid_send(account_id), 'hex'), seq, index FROM nostro.index_changes WHERE account_id = "
             "ANY ($1::uuid[]) AND seq <= $2::bigint ORDER BY seq, index",
             asked});
    if (!changes) return changes.error();
    const auto newest =
        ask({"SELECT encode(uuid_send(a.id), 'hex'), (SELECT max(i.seq) FROM nostro.index_images i WHERE i.account_id "
             "= a.id AND i.seq <= $2::bigint) FROM unnest($1::uuid[]) a (id)",
             asked});
    if (!newest) return newest.error();
    std::unordered_map<AccountId, AccountRecord> found;
    Reader reader(*this);
    for (int row = 0; row < changes->rows(); ++row) {
        const AccountId id = account_id_from_hex(changes->text(row, 0)).value_or(AccountId());
        const Place place = place_at(*changes, row, 1);
        const auto part = reader.outcome_at(place);
        if (!part) return dropped(part.error());
        const auto [at, is_new] = found.try_emplace(id);
        AccountRecord& record = at->second;
        if (is_new) {
            record.opened = place;
            record.name = opened_name(**reader.frame(place.seq), part->outcome);
        }
        if (part->command != nullptr) apply_change(record, id, part->command->body);
    }
    std::unordered_map<AccountId, Seq> changed;
    for (int row = 0; row < newest->rows(); ++row) {
        const AccountId id = account_id_from_hex(newest->text(row, 0)).value_or(AccountId());
        changed[id] = static_cast<Seq>(number_at(*newest, row, 1));
    }
    std::vector<AccountRecord> records;
    for (const AccountId id : ids) {
        const auto at = found.find(id);
        if (at == found.end()) continue;
        auto image = image_at(reader, id, changed[id]);
        if (!image) return image.error();
        at->second.image = *image;
        records.push_back(std::move(at->second));
    }
    return records;
}

Result<std::optional<AccountRecord>> PostgresHistory::account_as_of(AccountId id, Seq at) const {
    auto found = records({id}, std::min(at, options_.readable()));
    if (!found) return found.error();
    if (found->empty()) return std::optional<AccountRecord>();
    return std::optional<AccountRecord>(std::move(found->front()));
}

// Sums over all accounts, of what each had then.
Result<std::vector<Book::KindTotal>> PostgresHistory::totals_at(Seq at) const {
    const auto answer =
        ask({"SELECT a.tenant, a.currency, a.kind, count(*), sum(i.balance), sum(i.held) FROM nostro.index_accounts a "
             "CROSS JOIN LATERAL (SELECT balance, held FROM nostro.index_images i WHERE i.account_id = a.account_id "
             "AND i.seq <= $1::bigint ORDER BY i.seq DESC LIMIT 1) i WHERE a.opened_seq <= $1::bigint GROUP BY 1, 2, 3 "
             "ORDER BY a.tenant, a.currency COLLATE \"C\", a.kind",
             {seq_text(std::min(at, options_.readable()))}});
    if (!answer) return answer.error();
    std::vector<Book::KindTotal> totals;
    for (int row = 0; row < answer->rows(); ++row) {
        const auto currency = Currency::parse_historic(answer->text(row, 1));
        const auto posted = answer->sum(row, 4), held = answer->sum(row, 5);
        if (!currency) return currency.error();
        if (!posted) return posted.error();
        if (!held) return held.error();
        totals.push_back({static_cast<TenantNo>(number_at(*answer, row, 0)), *currency,
                          static_cast<AccountKind>(number_at(*answer, row, 2)), number_at(*answer, row, 3), *posted,
                          *held});
    }
    return totals;
}

// --- dead letters

Result<DeadLetter> PostgresHistory::letter_at(Reader& reader, Place place, std::int64_t state) {
    const auto frame = reader.frame(place.seq);
    if (!frame) return dropped(frame.error());
    auto letter = dead_letter_at(**frame, place.index);
    if (!letter || state < 0 || state > 2) return misplaced(place.seq, "dead letter");
    letter->state = static_cast<DeadLetter::State>(state);
    return std::move(*letter);
}

Result<std::optional<DeadLetter>> PostgresHistory::dead_letter(Place place) const {
    const auto answer =
        ask({"SELECT state FROM nostro.index_letters WHERE seq = $1::bigint AND index = $2::integer "
             "AND seq <= $3::bigint",
             {seq_text(place.seq), index_text(place.index), readable()}});
    if (!answer) return answer.error();
    if (answer->rows() == 0) return std::optional<DeadLetter>();
    Reader reader(*this);
    auto letter = letter_at(reader, place, number_at(*answer, 0, 0));
    if (!letter) return letter.error();
    return std::optional<DeadLetter>(std::move(*letter));
}

}  // namespace nostro
