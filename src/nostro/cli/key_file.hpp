// Where the key that signs checkpoints stands: a PEM file that its owner alone may read.
#pragma once
#include <string>

#include "nostro/base/ed25519.hpp"

namespace nostro {

// Makes a key. `conflict`: there is a file already, it is left as it is.
Result<SigningKey> make_key_file(const std::string& path);
// `not_found`; `invalid`: it holds no such key, or others may read it.
Result<SigningKey> read_key_file(const std::string& path);

}  // namespace nostro
