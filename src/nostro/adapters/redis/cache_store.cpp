#include "nostro/adapters/redis/cache_store.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <deque>
#include <span>

#include "nostro/base/hex.hpp"
#include "nostro/base/hmac.hpp"
#include "nostro/base/text.hpp"

namespace nostro::redis {
namespace {

constexpr std::string_view kCursor = "nostro:cursor";
constexpr std::size_t kChangesPerCall = 256;  // the server does nothing else during a call
constexpr std::size_t kBytesPerExchange = 4u << 20;
constexpr std::size_t kVersionDigits = 24, kSealDigits = 32;

// KEYS: a key and the key of its version, again and again. ARGV, for each: version, kind, when it expires (ms since
// 1970; 0: never), seal, how many values, the values. The version of what is gone stays for a week: by then nobody
// writes that late.
constexpr std::string_view kWrite = R"(
local at, written = 1, 0
for k = 1, #KEYS, 2 do
  local key, mark = KEYS[k], KEYS[k + 1]
  local version, kind, expires, seal = ARGV[at], ARGV[at + 1], ARGV[at + 2], ARGV[at + 3]
  local first = at + 5
  at = first + tonumber(ARGV[at + 4])
  local known = redis.pcall('GET', mark)
  if type(known) ~= 'string' or string.sub(known, 1, #version) <= version then
    if kind == 'string' then
      redis.call('SET', key, ARGV[first])
    else
      redis.call('DEL', key)
      if kind == 'hash' then redis.call('HSET', key, unpack(ARGV, first, at - 1)) end
    end
    if kind == 'gone' then
      redis.call('SET', mark, version, 'EX', 604800)
    elseif expires == '0' then
      redis.call('SET', mark, version .. seal)
    else
      redis.call('PEXPIREAT', key, expires)
      redis.call('SET', mark, version .. seal, 'PXAT', expires)
    end
    written = written + 1
  end
end
return written
)";

// KEYS as above. Of each: its mark, its type, what it holds.
constexpr std::string_view kLook = R"(
local all = {}
for k = 1, #KEYS, 2 do
  local mark = redis.pcall('GET', KEYS[k + 1])
  if type(mark) ~= 'string' then mark = '' end
  local one = {mark, redis.call('TYPE', KEYS[k]).ok}
  if one[2] == 'string' then
    one[3] = redis.call('GET', KEYS[k])
  elseif one[2] == 'hash' then
    for _, word in ipairs(redis.call('HGETALL', KEYS[k])) do one[#one + 1] = word end
  end
  all[#all + 1] = one
end
return all
)";

// KEYS: a key and that of its version. ARGV: the mark as it was seen, then as for kWrite.
constexpr std::string_view kReplace = R"(
local known = redis.pcall('GET', KEYS[2])
if type(known) ~= 'string' then known = '' end
if known ~= ARGV[1] then return 0 end
local version, kind, expires, seal = ARGV[2], ARGV[3], ARGV[4], ARGV[5]
if kind == 'string' then
  redis.call('SET', KEYS[1], ARGV[7])
else
  redis.call('DEL', KEYS[1])
  if kind == 'hash' then redis.call('HSET', KEYS[1], unpack(ARGV, 7)) end
end
if kind == 'gone' then
  redis.call('SET', KEYS[2], version, 'EX', 604800)
elseif expires == '0' then
  redis.call('SET', KEYS[2], version .. seal)
else
  redis.call('PEXPIREAT', KEYS[1], expires)
  redis.call('SET', KEYS[2], version .. seal, 'PXAT', expires)
end
return 1
)";

// ARGV: journal, newest. Gives next, filled and floor, or whose it is.
constexpr std::string_view kBegin = R"(
local c = redis.call('HMGET', KEYS[1], 'journal', 'next', 'filled', 'floor')
if c[1] and c[1] ~= ARGV[1] then return c[1] end
if c[1] and tonumber(c[2]) and tonumber(c[3]) and tonumber(c[4]) then return {c[2], c[3], c[4]} end
local next = string.format('%.0f', tonumber(ARGV[2]) + 1)
redis.call('HSET', KEYS[1], 'journal', ARGV[1], 'next', next, 'filled', next, 'floor', '1')
return {next, next, '1'}
)";

// ARGV: journal, from, to. A database that was emptied, or went back to an older copy, has lost what it had: also of
// these frames, perhaps in the middle of them.
constexpr std::string_view kAdvance = R"(
local c = redis.call('HMGET', KEYS[1], 'journal', 'next', 'filled', 'floor')
if c[1] and c[1] ~= ARGV[1] then return c[1] end
local from, to = tonumber(ARGV[2]), tonumber(ARGV[3])
local next, filled, floor = tonumber(c[2]), tonumber(c[3]), tonumber(c[4])
if not (next and filled and floor) then
  redis.call('HSET', KEYS[1], 'journal', ARGV[1], 'next', ARGV[3], 'filled', ARGV[3], 'floor', '1')
elseif next < from then
  if filled <= floor then floor = next end
  redis.call('HSET', KEYS[1], 'next', ARGV[3], 'filled', ARGV[3], 'floor', string.format('%.0f', floor))
elseif next < to then
  redis.call('HSET', KEYS[1], 'next', ARGV[3])
end
return ''
)";

// ARGV: journal, filled, from.
constexpr std::string_view kFill = R"(
local c = redis.call('HMGET', KEYS[1], 'journal', 'filled')
if c[1] and c[1] ~= ARGV[1] then return c[1] end
if c[2] ~= ARGV[2] then return 0 end
redis.call('HSET', KEYS[1], 'filled', ARGV[3])
return 1
)";

// Gathers the words of one call; texts of ours live in it.
class Call {
public:
    void add(const Owner& owner, const Change& change) {
        keys_.emplace_back(change.key);
        keys_.emplace_back(keep(version_key(change.key)));
        const std::string_view version = keep(version_text(change.version));
        words_.push_back(version);
        const auto* text = std::get_if<std::string>(&change.value);
        const auto* fields = std::get_if<Fields>(&change.value);
        words_.emplace_back(text != nullptr ? "string" : fields != nullptr ? "hash" : "gone");
        const auto ms = std::chrono::floor<std::chrono::milliseconds>(change.expires_at.time_since_epoch()).count();
        words_.push_back(keep(std::to_string(ms)));
        words_.push_back(change.sealed && text != nullptr ? keep(seal_of(owner, change.key, version, *text)) : "");
        words_.push_back(keep(std::to_string(text != nullptr ? 1 : fields != nullptr ? fields->size() * 2 : 0)));
        if (text != nullptr) words_.emplace_back(*text);
        if (fields == nullptr) return;
        for (const auto& [name, value] : *fields) {
            words_.emplace_back(name);
            words_.emplace_back(value);
        }
    }

    void add_word(std::string_view word) { words_.push_back(word); }

    void give(Client& client, std::string_view script = kWrite) const {
        const std::string count = std::to_string(keys_.size());
        std::vector<std::string_view> all{"EVAL", script, count};
        all.insert(all.end(), keys_.begin(), keys_.end());
        all.insert(all.end(), words_.begin(), words_.end());
        client.add(all);
    }

private:
    std::string_view keep(std::string text) { return kept_.emplace_back(std::move(text)); }

    std::vector<std::string_view> keys_, words_;
    std::deque<std::string> kept_;
};

Error of_another(const Address& address, std::string_view journal) {
    return {ErrorCode::unavailable,
            fmt::format("Redis at {}: what is there was made from another journal ({}), or under another "
                        "redis.key_file; empty this database (FLUSHDB), or name another one in redis.url",
                        address.shown(), journal)};
}

Result<Seq> seq_of(const Reply& reply, const Address& address) {
    const auto seq = parse_uint64(reply.text);
    if (reply.kind == Reply::Kind::text && seq) return *seq;
    return Error{ErrorCode::unavailable,
                 fmt::format("Redis at {}: {} holds no numbers of frames; delete that key", address.shown(), kCursor)};
}

}  // namespace

std::string version_text(Place version) { return fmt::format("{:016x}{:08x}", version.seq, version.index); }

std::string version_key(std::string_view key) { return std::string("nostro:v:").append(key); }

std::string seal_of(const Owner& owner, std::string_view key, std::string_view version, std::string_view value) {
    std::string text;
    text.reserve(key.size() + version.size() + value.size() + 2);
    text.append(version).append(1, '\0').append(key).append(1, '\0').append(value);
    return to_hex(hmac_sha256(owner.secret, text)).substr(0, kSealDigits);
}

Result<Reply> CacheStore::run(std::string_view script, std::initializer_list<std::string_view> arguments) {
    std::vector<std::string_view> words{"EVAL", script, "1", kCursor, owner_.journal};
    words.insert(words.end(), arguments);
    auto reply = client_.ask(words);
    if (reply && reply->kind == Reply::Kind::text && !reply->text.empty()) return of_another(address(), reply->text);
    return reply;
}

Result<Reach> CacheStore::begin(Seq newest) {
    const auto reply = run(kBegin, {std::to_string(newest)});
    if (!reply) return reply.error();
    std::array<Seq, 3> numbers{};
    for (std::size_t i = 0; i < numbers.size(); ++i) {
        const auto seq = seq_of(i < reply->items.size() ? reply->items[i] : Reply{}, address());
        if (!seq) return seq.error();
        numbers[i] = *seq;
    }
    return Reach{numbers[0], numbers[1], numbers[2]};
}

Result<std::vector<CacheStore::Sealed>> CacheStore::read(std::span<const std::string> keys) {
    std::vector<Sealed> all;
    all.reserve(keys.size());
    for (std::span<const std::string> left = keys; !left.empty();) {
        const auto some = left.first(std::min(left.size(), kChangesPerCall));
        left = left.subspan(some.size());
        std::vector<std::string> marks;
        marks.reserve(some.size());
        std::vector<std::string_view> words{"MGET"};
        for (const std::string& key : some) {
            words.emplace_back(key);
            words.emplace_back(marks.emplace_back(version_key(key)));
        }
        client_.add(words);
    }
    auto replies = client_.replies();
    if (!replies) return replies.error();
    for (Reply& reply : *replies) {
        for (std::size_t i = 0; i + 1 < reply.items.size() && all.size() < keys.size(); i += 2) {
            all.push_back(sealed(keys[all.size()], reply.items[i], reply.items[i + 1]));
        }
    }
    if (all.size() != keys.size()) return Error{ErrorCode::unavailable, "Redis answered something else"};
    return all;
}

CacheStore::Sealed CacheStore::sealed(std::string_view key, Reply& value, const Reply& beside) const {
    Sealed found;
    if (value.kind != Reply::Kind::text) return found;
    const std::string_view mark = beside.text;
    found.kind = Sealed::Kind::foreign;
    found.value = std::move(value.text);
    if (mark.size() != kVersionDigits + kSealDigits) return found;
    const std::string seal = seal_of(owner_, key, mark.substr(0, kVersionDigits), found.value);
    if (equal_in_constant_time(mark.substr(kVersionDigits), seal)) found.kind = Sealed::Kind::good;
    return found;
}

Result<> CacheStore::write(const std::vector<Change>& changes) {
    for (std::size_t begin = 0; begin < changes.size();) {
        for (; begin < changes.size() && client_.added_bytes() < kBytesPerExchange; begin += kChangesPerCall) {
            Call call;
            const std::size_t end = std::min(begin + kChangesPerCall, changes.size());
            for (std::size_t i = begin; i < end; ++i) call.add(owner_, changes[i]);
            call.give(client_);
        }
        if (const auto done = client_.replies(); !done) return done.error();
    }
    return {};
}

Result<std::vector<CacheStore::Standing>> CacheStore::look(std::span<const Change> changes) {
    std::vector<Standing> all;
    while (!changes.empty()) {
        const auto some = changes.first(std::min(changes.size(), kChangesPerCall));
        const std::string count = std::to_string(some.size() * 2);
        std::deque<std::string> marks;
        std::vector<std::string_view> words{"EVAL", kLook, count};
        for (const Change& each : some) {
            words.emplace_back(each.key);
            words.emplace_back(marks.emplace_back(version_key(each.key)));
        }
        auto reply = client_.ask(words);
        if (!reply) return reply.error();
        for (Reply& one : reply->items) {
            if (one.items.size() < 2) return Error{ErrorCode::unavailable, "Redis answered something else"};
            Standing& standing = all.emplace_back();
            standing.mark = std::move(one.items[0].text);
            standing.kind = std::move(one.items[1].text);
            if (standing.kind == "string" && one.items.size() == 3) standing.text = std::move(one.items[2].text);
            if (standing.kind != "hash") continue;
            for (std::size_t i = 2; i + 1 < one.items.size(); i += 2) {
                standing.fields.emplace_back(std::move(one.items[i].text), std::move(one.items[i + 1].text));
            }
        }
        changes = changes.subspan(some.size());
    }
    return all;
}

Result<bool> CacheStore::replace(const Change& change, std::string_view mark) {
    Call call;
    call.add_word(mark);
    call.add(owner_, change);
    call.give(client_, kReplace);
    const auto done = client_.replies();
    if (!done) return done.error();
    return done->front().number == 1;
}

std::string CacheStore::mark_of(const Change& change) const {
    const std::string version = version_text(change.version);
    const auto* text = std::get_if<std::string>(&change.value);
    return change.sealed && text != nullptr ? version + seal_of(owner_, change.key, version, *text) : version;
}

Result<> CacheStore::advance(Seq from, Seq to) {
    const auto done = run(kAdvance, {std::to_string(from), std::to_string(to)});
    if (!done) return done.error();
    return {};
}

Result<bool> CacheStore::fill(Seq filled, Seq from) {
    const auto done = run(kFill, {std::to_string(filled), std::to_string(from)});
    if (!done) return done.error();
    return done->number == 1;
}

}  // namespace nostro::redis
