#include "nostro/journal/journal_reader.hpp"

#include <utility>

namespace nostro {

Result<std::unique_ptr<JournalReader>> JournalReader::open(Disk& disk) {
    RecoveryOptions options;
    options.looking_only = true;
    options.copies = mirrors_another(disk);
    auto chain = recover_chain(disk, options);
    if (!chain) return chain.error();
    auto reader = std::unique_ptr<JournalReader>(new JournalReader(disk, std::move(*chain)));
    reader->is_mirror_ = options.copies;
    return reader;
}

}  // namespace nostro
