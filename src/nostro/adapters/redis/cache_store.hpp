// What nostro keeps in Redis: documents of profiles under their own keys, beside each the version of what it tells, and
// how far the journal has been read. docs/operations/redis.md draws the keys.
//
// Every write names the place in the journal that it tells of, and a script compares it with what is there: an older
// one never takes the place of a newer one, and the same twice changes nothing, whoever writes and in whatever order.
// Threads: one at a time. Errors: as the client's.
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "nostro/adapters/redis/client.hpp"
#include "nostro/base/ids.hpp"
#include "nostro/domain/outcome.hpp"

namespace nostro::redis {

// Which journal it is, and what no other program knows: it seals what readers may trust.
struct Owner {
    std::string journal;  // any text without spaces
    std::string secret;
};

struct Removed {};
using Fields = std::vector<std::pair<std::string, std::string>>;

// What becomes of one key.
struct Change {
    std::string key;
    Place version;
    std::variant<Removed, std::string, Fields> value;  // gone, a string, a hash
    Instant expires_at{};                              // zero: never
    bool sealed = false;                               // a string that Cache may answer with
};

// What stands beside a sealed string: only who knows the secret can make it for this key and text.
std::string seal_of(const Owner& owner, std::string_view key, std::string_view version, std::string_view value);
std::string version_text(Place version);        // sorts as places do
std::string version_key(std::string_view key);  // "nostro:v:" and the key

// Of frames [floor, filled) nothing may be there yet; of all others before `next` everything was.
struct Reach {
    Seq next = 1, filled = 1, floor = 1;
    bool is_whole() const { return filled <= floor; }
};

class CacheStore {
public:
    CacheStore(Address address, ClientOptions options, Owner owner)
        : client_(std::move(address), std::move(options)), owner_(std::move(owner)) {}

    // How far it has been read; where Redis does not know, `newest + 1` is noted as the next frame, and all before it
    // as missing. `unavailable` also where the documents there are of another journal.
    Result<Reach> begin(Seq newest);
    // Sealed strings, in the order of their keys. Found, but not as its owner put it there: `foreign`.
    struct Sealed {
        enum class Kind : std::uint8_t { absent, foreign, good } kind = Kind::absent;
        std::string value;
    };
    Result<std::vector<Sealed>> read(std::span<const std::string> keys);
    // In one or a few calls; each change is there wholly or not at all.
    Result<> write(const std::vector<Change>& changes);
    // What stands under the keys of `changes`, in their order.
    struct Standing {
        std::string mark;  // version, and seal where it has one
        std::string kind;  // as Redis names it: "none", "string", "hash"...
        std::string text;
        Fields fields;
    };
    Result<std::vector<Standing>> look(std::span<const Change> changes);
    // Writes it, whatever version stands there, unless that is another than it was.
    Result<bool> replace(const Change& change, std::string_view mark);
    // What stands beside a document that was written.
    std::string mark_of(const Change& change) const;
    // Frames [from, to) are there now. Where what is before `from` is missing, that is noted.
    Result<> advance(Seq from, Seq to);
    // So are those of [from, filled); false: somebody else has noted something else meanwhile.
    Result<bool> fill(Seq filled, Seq from);

    const Address& address() const { return client_.address(); }

private:
    Result<Reply> run(std::string_view script, std::initializer_list<std::string_view> arguments);
    Sealed sealed(std::string_view key, Reply& value, const Reply& beside) const;

    Client client_;
    const Owner owner_;
};

}  // namespace nostro::redis
