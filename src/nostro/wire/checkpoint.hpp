// A checkpoint: somebody who holds a key says that the journal stood so. Whoever trusts the key needs no more than the
// headers between a frame and a checkpoint to know that the frame is in that journal. docs/formats/proof.md.
#pragma once
#include <string>
#include <string_view>

#include "nostro/base/ed25519.hpp"
#include "nostro/base/ids.hpp"
#include "nostro/base/json_text.hpp"
#include "nostro/base/result.hpp"

namespace nostro {

struct Checkpoint {
    Seq seq = 0;
    Digest digest{};  // of that frame
    Instant time{};   // when it was signed; whole microseconds
    PublicKey key{};
    Signature signature{};
};

Checkpoint sign_checkpoint(Seq seq, const Digest& digest, Instant time, const SigningKey& key);
// The key of the checkpoint has signed it. Whether that key is to be trusted is another question.
bool is_genuine(const Checkpoint& checkpoint);

// {"seq","digest","time","key","signature"}; bytes as hex digits.
void write_checkpoint(JsonWriter& json, const Checkpoint& checkpoint);
// `invalid`: names the member. Does not check the signature.
Result<Checkpoint> read_checkpoint(std::string_view json);

}  // namespace nostro
