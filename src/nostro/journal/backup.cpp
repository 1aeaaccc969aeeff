#include "nostro/journal/backup.hpp"

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <utility>
#include <vector>

#include "nostro/base/hex.hpp"
#include "nostro/base/sha256.hpp"
#include "nostro/base/text.hpp"
#include "nostro/base/time.hpp"
#include "nostro/journal/data_directory.hpp"
#include "nostro/journal/image_file.hpp"
#include "nostro/journal/journal_reader.hpp"
#include "nostro/journal/posix_disk.hpp"
#include "nostro/journal/sealed_runs.hpp"
#include "nostro/journal/verify.hpp"

namespace nostro {
namespace {

constexpr const char* kManifest = "MANIFEST";
constexpr std::string_view kManifestHead = "nostro backup 1";
constexpr std::size_t kPiece = 1 << 20;
constexpr int kTriesMax = 10;

struct Listed {
    std::string name;
    std::uint64_t bytes = 0;
    Digest digest{};
};

// Copies files, counts, and remembers what it copied.
class Copier {
public:
    Copier(Disk& from, Disk& to, const CopyProgressCall& progress) : from_(from), to_(to), progress_(progress) {}

    Result<> expect(const std::string& name) {
        auto file = OpenFile::open(from_, name);
        if (!file) return file.error();
        done_.bytes_in_all += (*file)->bytes();
        return {};
    }
    // A whole file; it appears in the target when it is whole there. `must_be`: what it has to hold.
    Result<> copy(const std::string& name, const Listed* must_be = nullptr) {
        auto file = OpenFile::open(from_, name);
        if (!file) return file.error();
        const std::string temporary = name + kTemporarySuffix;
        auto target = to_.start(temporary);
        if (!target) return target.error();
        Listed listed{name, (*file)->bytes(), {}};
        auto copied = copy_bytes(**file, *target, listed);
        if (copied) copied = to_.sync(*target);
        if (auto closed = to_.close(*target); copied && !closed) copied = closed;
        if (copied && must_be != nullptr && (listed.digest != must_be->digest || listed.bytes != must_be->bytes)) {
            copied =
                Error{ErrorCode::corrupt, name + ": is not the file that the backup's list names (its SHA-256 is " +
                                              to_hex(listed.digest) + "); use another backup"};
        }
        if (!copied) {
            static_cast<void>(to_.remove(temporary).has_value());
            return copied;
        }
        if (auto renamed = to_.rename(temporary, name); !renamed) return renamed;
        files_.push_back(std::move(listed));
        return {};
    }
    // Lists a file that was made in the target itself.
    Result<> list(const std::string& name) {
        auto file = OpenFile::open(to_, name);
        if (!file) return file.error();
        Listed listed{name, (*file)->bytes(), {}};
        Sha256 sha;
        for (std::uint64_t at = 0; at < listed.bytes; at += piece_.size()) {
            piece_.resize(static_cast<std::size_t>(std::min<std::uint64_t>(kPiece, listed.bytes - at)));
            if (auto read = (*file)->read(at, piece_); !read) return read;
            sha.update(piece_);
        }
        listed.digest = sha.finish();
        files_.push_back(std::move(listed));
        return {};
    }
    void forget(const std::string& name) {
        std::erase_if(files_, [&](const Listed& listed) { return listed.name == name; });
    }
    void did(std::uint64_t bytes) {
        done_.bytes_done += bytes;
        done_.bytes_in_all = std::max(done_.bytes_in_all, done_.bytes_done);
        if (progress_) progress_(done_);
    }
    const std::vector<Listed>& files() const { return files_; }
    Disk& from() { return from_; }
    Disk& to() { return to_; }

private:
    Result<> copy_bytes(const OpenFile& file, Disk::FileNo target, Listed& listed) {
        Sha256 sha;
        for (std::uint64_t at = 0; at < listed.bytes; at += piece_.size()) {
            piece_.resize(static_cast<std::size_t>(std::min<std::uint64_t>(kPiece, listed.bytes - at)));
            if (auto read = file.read(at, piece_); !read) return read;
            sha.update(piece_);
            if (auto appended = to_.append(target, piece_); !appended) return appended;
            did(piece_.size());
        }
        listed.digest = sha.finish();
        return {};
    }

    Disk& from_;
    Disk& to_;
    const CopyProgressCall& progress_;
    CopyProgress done_;
    std::vector<Listed> files_;
    std::vector<std::byte> piece_ = std::vector<std::byte>(1);
};

Result<> check_empty(Disk& disk) {
    for (const char* folder : {".", kSegmentsFolder, kArchiveFolder, kImageFolder, kIdsFolder}) {
        auto files = disk.list(folder);
        if (!files) return files.error();
        std::erase(*files, "lock");
        if (!files->empty()) {
            return Error{ErrorCode::conflict, "the target is not empty: it holds " + std::string(folder) + "/" +
                                                  files->front() + "; name a new directory"};
        }
    }
    return {};
}

// Frames of a segment that is still written, up to and with `through`, into a segment of their own.
Result<> copy_open_segment(Copier& copier, const JournalReader& reader, const SegmentInfo& info, Seq through) {
    const std::string name = segment_name(info.about.number);
    const auto header =
        encode(SegmentHeader{reader.chain().journal, info.about.number, info.about.number, info.file_bytes});
    if (auto created = copier.to().create(name, info.file_bytes, header); !created) return created;
    auto file = OpenFile::open(copier.to(), name);
    if (!file) return file.error();
    std::uint64_t at = kSegmentFramesBegin;
    Result<> wrote;
    std::vector<std::byte> pending;
    const auto flush = [&]() -> Result<> {
        if (pending.empty()) return {};
        if (auto written = copier.to().write_now((*file)->number(), at, pending); !written) return written;
        at += pending.size();
        copier.did(pending.size());
        pending.clear();
        return {};
    };
    auto read = reader.store().read(info.about.first, std::min(through, info.about.last), [&](const FramePtr& frame) {
        const auto bytes = frame->bytes();
        pending.insert(pending.end(), bytes.begin(), bytes.end());
        if (pending.size() >= kPiece) wrote = flush();
        return wrote.has_value();
    });
    if (!read) return read.error();
    if (wrote) wrote = flush();
    if (!wrote) return wrote;
    return copier.list(name);
}

// Sealed runs are merged while we look: what was listed may be gone, replaced by a wider one.
Result<> copy_ids(Copier& copier, Seq at_least) {
    for (int tries = 1;; ++tries) {
        auto ids = SealedRuns::open(copier.from(), true);
        Result<> copied;
        std::vector<std::string> names;
        if (ids) {
            for (const auto& run : *(*ids)->runs()) {
                names.push_back(run->name());
                if (copied) copied = copier.copy(run->name());
            }
            if (copied && (*ids)->through() < at_least) {
                return Error{ErrorCode::corrupt, "the sealed ids reach to frame " + std::to_string((*ids)->through()) +
                                                     ", the image to frame " + std::to_string(at_least)};
            }
            if (copied) return {};
        } else {
            copied = ids.error();
        }
        if (copied.error().code != ErrorCode::not_found || tries == kTriesMax) return copied;
        for (const auto& name : names) {
            copier.forget(name);
            static_cast<void>(copier.to().remove(name).has_value());
        }
    }
}

Result<> copy_segments(Copier& copier, const JournalReader& reader, Seq through) {
    for (const auto& info : reader.chain().segments) {
        if (info.about.first > through) break;
        if (!info.footed) {
            if (auto copied = copy_open_segment(copier, reader, info, through); !copied) return copied;
            continue;
        }
        auto copied =
            info.archived ? copier.copy(archive_name(info.about.number)) : copier.copy(segment_name(info.about.number));
        // Archived since we looked.
        if (!copied && copied.error().code == ErrorCode::not_found && !info.archived) {
            copied = copier.copy(archive_name(info.about.number));
        }
        if (!copied) return copied;
    }
    return {};
}

Result<> write_manifest(Copier& copier, const BackupReport& report) {
    std::string text(kManifestHead);
    text += "\nframes " + std::to_string(report.first) + " " + std::to_string(report.through) + " " +
            to_hex(report.digest) + "\n";
    for (const auto& listed : copier.files()) {
        text += to_hex(listed.digest) + " " + std::to_string(listed.bytes) + " " + listed.name + "\n";
    }
    text += "end " + to_hex(sha256(text)) + "\n";
    return copier.to().replace(kManifest, std::as_bytes(std::span(text)));
}

struct Manifest {
    Seq first = 0, through = 0;
    Digest digest{};
    std::vector<Listed> files;
};

Result<Manifest> read_manifest(Disk& disk) {
    auto file = OpenFile::open(disk, kManifest);
    if (!file) {
        return Error{file.error().code, "the source is no backup, or one that was not finished: " + file.error().what};
    }
    std::string text(static_cast<std::size_t>((*file)->bytes()), '\0');
    if (auto read = (*file)->read(0, std::as_writable_bytes(std::span(text))); !read) return read.error();
    const auto wrong = [](const std::string& why) {
        return Error{ErrorCode::corrupt, std::string(kManifest) + ": " + why + "; use another backup"};
    };
    const std::size_t end = text.rfind("end ");
    if (!text.starts_with(kManifestHead) || end == std::string::npos) return wrong("is no list of a backup's files");
    if (trim(std::string_view(text).substr(end + 4)) != to_hex(sha256(std::string_view(text).substr(0, end)))) {
        return wrong("does not match its own SHA-256");
    }
    Manifest manifest;
    for (const auto line : split(std::string_view(text).substr(0, end), '\n')) {
        const auto words = split(line, ' ');
        if (words.size() == 4 && words[0] == "frames") {
            auto first = parse_uint64(words[1]);
            auto through = parse_uint64(words[2]);
            const auto digest = digest_from_hex(words[3]);
            if (!first || !through || !digest) return wrong("names no frames");
            manifest.first = *first;
            manifest.through = *through;
            manifest.digest = *digest;
        } else if (words.size() == 3 && line != kManifestHead) {
            const auto digest = digest_from_hex(words[0]);
            auto bytes = parse_uint64(words[1]);
            if (!digest || !bytes || words[2].find("..") != std::string_view::npos || words[2].starts_with('/')) {
                return wrong("has a line that names no file");
            }
            manifest.files.push_back({std::string(words[2]), *bytes, *digest});
        }
    }
    return manifest;
}

// Whose last frame is `through`; the copied superblock says that much is durable, and no more.
Result<Digest> digest_of(const JournalReader& reader, Seq through) {
    Digest digest{};
    if (through == 0) return digest;
    auto read = reader.store().read(through, through, [&](const FramePtr& frame) {
        digest = frame->digest;
        return true;
    });
    if (!read) return read.error();
    return digest;
}

Result<BackupReport> backup_once(Disk& from, Disk& to, const CopyProgressCall& progress) {
    const auto begun = steady_now();
    auto reader = JournalReader::open(from);
    if (!reader) return reader.error();
    Copier copier(from, to, progress);
    const auto& chain = (*reader)->chain();
    BackupReport report;
    report.through = (*reader)->known_durable();
    report.first = (*reader)->first();
    auto digest = digest_of(**reader, report.through);
    if (!digest) return digest.error();
    report.digest = *digest;
    if (chain.image != 0) {
        if (auto copied = copier.copy(image_name(chain.image)); !copied) return copied.error();
    }
    if (auto copied = copy_segments(copier, **reader, report.through); !copied) return copied.error();
    if (auto copied = copy_ids(copier, chain.image); !copied) return copied.error();
    Superblock superblock = *chain.superblock;
    superblock.generation = 0;
    superblock.watermark = report.through;
    superblock.watermark_digest = report.digest;
    if (auto created = to.create(kSuperblockName, kSuperblockBytes, encode(superblock)); !created) {
        return created.error();
    }
    if (auto listed = copier.list(kSuperblockName); !listed) return listed.error();
    if (auto written = write_manifest(copier, report); !written) return written.error();
    for (const auto& listed : copier.files()) report.bytes += listed.bytes;
    report.files = copier.files().size();
    report.took = elapsed_since(begun);
    return report;
}

}  // namespace

Result<BackupReport> backup(Disk& from, Disk& to, const CopyProgressCall& progress) {
    if (auto empty = check_empty(to); !empty) return empty.error();
    return backup_once(from, to, progress);
}

Result<BackupReport> restore(Disk& from, Disk& to, const CopyProgressCall& progress) {
    const auto begun = steady_now();
    auto manifest = read_manifest(from);
    if (!manifest) return manifest.error();
    if (auto empty = check_empty(to); !empty) return empty.error();
    Copier copier(from, to, progress);
    for (const auto& listed : manifest->files) {
        if (auto expected = copier.expect(listed.name); !expected) return expected.error();
    }
    // The superblock is last in the list: until it is there, the target is no journal.
    for (const auto& listed : manifest->files) {
        if (auto copied = copier.copy(listed.name, &listed); !copied) return copied.error();
    }
    auto verified = verify(to);
    if (!verified) return verified.error();
    if (!verified->proved()) {
        return Error{ErrorCode::corrupt, "what was restored is not sound: " + describe(verified->findings.front())};
    }
    if (verified->last != manifest->through || verified->digest != manifest->digest) {
        return Error{ErrorCode::corrupt, "what was restored ends with frame " + std::to_string(verified->last) +
                                             ", the backup with frame " + std::to_string(manifest->through)};
    }
    BackupReport report{manifest->first, manifest->through, manifest->digest, copier.files().size(), 0, {}};
    for (const auto& listed : copier.files()) report.bytes += listed.bytes;
    report.took = elapsed_since(begun);
    return report;
}

namespace {

// A copy in what is copied would become a part of the next one, and of the data folder.
Result<> check_apart(const std::string& source, const std::string& target) {
    std::error_code failed;
    const auto from = std::filesystem::weakly_canonical(std::filesystem::absolute(source), failed);
    const auto to = std::filesystem::weakly_canonical(std::filesystem::absolute(target), failed);
    if (failed) return {};  // opening them says what is wrong
    const auto inside = std::mismatch(from.begin(), from.end(), to.begin(), to.end()).first == from.end();
    if (!inside) return {};
    return Error{ErrorCode::invalid, target + ": lies in " + source + ", which is to be copied; name another folder"};
}

}  // namespace

Result<BackupReport> backup(const std::string& data_directory, const std::string& target,
                            const CopyProgressCall& progress) {
    if (auto apart = check_apart(data_directory, target); !apart) return apart.error();
    PosixDisk::Options looking;
    looking.read_only = true;
    auto from = PosixDisk::open(data_directory, looking);
    if (!from) return from.error();
    if (auto found = JournalReader::open(**from); !found) return found.error();  // before the target is made
    auto to = PosixDisk::open(target, {});
    if (!to) return to.error();
    return backup(**from, **to, progress);
}

Result<BackupReport> restore(const std::string& source, const std::string& data_directory,
                             const CopyProgressCall& progress) {
    if (auto apart = check_apart(source, data_directory); !apart) return apart.error();
    PosixDisk::Options looking;
    looking.read_only = true;
    auto from = PosixDisk::open(source, looking);
    if (!from) return from.error();
    if (auto found = read_manifest(**from); !found) return found.error();
    auto to = PosixDisk::open(data_directory, {});
    if (!to) return to.error();
    if (auto locked = (*to)->lock(); !locked) return locked.error();
    return restore(**from, **to, progress);
}

}  // namespace nostro
