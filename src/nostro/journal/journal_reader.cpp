#include "nostro/journal/journal_reader.hpp"

#include <utility>

namespace nostro {

Result<std::unique_ptr<JournalReader>> JournalReader::open(Disk& disk) {
    RecoveryOptions options;
    options.looking_only = true;
    auto chain = recover_chain(disk, options);
    if (!chain) return chain.error();
    return std::unique_ptr<JournalReader>(new JournalReader(disk, std::move(*chain)));
}

}  // namespace nostro
