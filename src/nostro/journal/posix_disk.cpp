#include "nostro/journal/posix_disk.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <system_error>
#include <utility>

#include "nostro/base/text.hpp"
#include "nostro/journal/disk_governor.hpp"
#include "nostro/journal/disk_writers.hpp"
#include "nostro/journal/posix_mapping.hpp"

namespace nostro {
namespace {

constexpr const char* kTemporary = ".new";

std::string words(int number) { return std::generic_category().message(number); }

ErrorCode code_of(int number) {
    switch (number) {
        case ENOENT:
        case ENOTDIR: return ErrorCode::not_found;
        case EEXIST: return ErrorCode::conflict;
        case ENOSPC:
        case EDQUOT:
        case EMFILE:
        case ENFILE:
        case ENOMEM: return ErrorCode::unavailable;
        case EACCES:
        case EPERM:
        case EROFS:
        case EISDIR:
        case ENAMETOOLONG:
        case EFBIG: return ErrorCode::invalid;
        default: return ErrorCode::corrupt;
    }
}

// 0, or the system's number of what failed.
int write_all(int fd, std::uint64_t offset, std::span<const std::byte> bytes) {
    while (!bytes.empty()) {
        const ssize_t wrote = ::pwrite(fd, bytes.data(), bytes.size(), static_cast<off_t>(offset));
        if (wrote < 0 && errno == EINTR) continue;
        if (wrote < 0) return errno;
        if (wrote == 0) return EIO;
        offset += static_cast<std::uint64_t>(wrote);
        bytes = bytes.subspan(static_cast<std::size_t>(wrote));
    }
    return 0;
}

struct Aligned {
    explicit Aligned(std::size_t bytes)
        : size(bytes), memory(static_cast<std::byte*>(std::aligned_alloc(kDiskBlock, bytes))) {
        if (memory != nullptr) std::memset(memory, 0, bytes);
    }
    ~Aligned() { std::free(memory); }
    Aligned(const Aligned&) = delete;
    Aligned& operator=(const Aligned&) = delete;
    std::span<const std::byte> view(std::size_t n) const { return {memory, std::min(n, size)}; }
    std::size_t size;
    std::byte* memory;
};

// These bytes of a file reach the disk, not for good: a sync does that. 0, or the system's number of what failed: it is
// told once, so the file must not be used then.
int push_range(int fd, std::uint64_t begin, std::uint64_t end) {
    constexpr unsigned kAll = SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER;
    if (begin >= end) return 0;  // no bytes would mean all
    if (::sync_file_range(fd, static_cast<off_t>(begin), static_cast<off_t>(end - begin), kAll) == 0) return 0;
    return errno == ENOSYS ? 0 : errno;
}

bool is_aligned(std::uint64_t offset, std::span<const std::byte> bytes) {
    return (offset | bytes.size() | reinterpret_cast<std::uintptr_t>(bytes.data())) % kDiskBlock == 0;
}

}  // namespace

struct PosixDisk::File final : DiskWriters::Target {
    std::string name;
    UniqueFd buffered;
    UniqueFd durable;  // O_DIRECT | O_DSYNC; opened with the first durable write, none where that is refused
    std::once_flag durable_opened;
    bool want_direct = false;
    std::shared_ptr<DiskGovernor> governor;  // may be absent
    std::uint64_t appended = 0;              // end of a sequential file
    std::uint64_t pushed = 0;                // of it: up to here it was handed to the disk

    ~File() override { cut_down(buffered.get()); }

    void open_durable() {
        std::call_once(durable_opened, [this] {
            if (!want_direct) return;
            // By /proc, so that a file renamed meanwhile is still the same file.
            const std::string path = "/proc/self/fd/" + std::to_string(buffered.get());
            durable.reset(::open(path.c_str(), O_RDWR | O_DIRECT | O_DSYNC | O_CLOEXEC));
        });
    }
    std::string write(std::uint64_t offset, std::span<const std::byte> block) override {
        open_durable();
        if (governor != nullptr) governor->began();
        const bool direct = durable && is_aligned(offset, block);
        int failed = write_all(direct ? durable.get() : buffered.get(), offset, block);
        if (failed == 0 && !direct && ::fdatasync(buffered.get()) != 0) failed = errno;
        if (governor != nullptr) governor->ended(failed == 0 ? block.size() : 0);
        if (failed == 0) return {};
        return name + ": writing " + std::to_string(block.size()) + " bytes at " + std::to_string(offset) +
               " failed: " + words(failed);
    }
    // Whole pages up to `end`, as push_range().
    int push(std::uint64_t end) {
        end = end / kDiskBlock * kDiskBlock;
        const int failed = push_range(buffered.get(), pushed, end);
        pushed = end;
        return failed;
    }
};

PosixDisk::PosixDisk(std::string directory, Options options) : directory_(std::move(directory)), options_(options) {}

PosixDisk::~PosixDisk() { writers_.reset(); }

Result<std::unique_ptr<PosixDisk>> PosixDisk::open(const std::string& directory, Options options) {
    auto disk = std::unique_ptr<PosixDisk>(new PosixDisk(directory, options));
    if (!options.read_only) {
        for (std::size_t end = 1; end <= directory.size(); ++end) {
            if (end != directory.size() && directory[end] != '/') continue;
            const std::string part = directory.substr(0, end);
            if (::mkdir(part.c_str(), 0700) != 0 && errno != EEXIST && errno != EISDIR && errno != EROFS) {
                return Error{code_of(errno), "data directory " + part + " cannot be made: " + words(errno)};
            }
        }
    }
    disk->folder_.reset(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!disk->folder_) {
        return Error{code_of(errno), "data directory " + directory + " cannot be opened: " + words(errno)};
    }
    if (!options.read_only) {
        if (::faccessat(disk->folder_.get(), ".", W_OK | X_OK, AT_EACCESS) != 0) {
            return Error{code_of(errno), "data directory " + directory + " cannot be written: " + words(errno)};
        }
        disk->direct_ = options.direct && disk->probe_direct();
        disk->writers_ = std::make_unique<DiskWriters>(options.writers);
    }
    return disk;
}

// Some file systems refuse O_DIRECT at open, some only at the first write.
bool PosixDisk::probe_direct() const {
    const char* name = ".probe";
    UniqueFd fd(::openat(folder_.get(), name, O_CREAT | O_RDWR | O_DIRECT | O_DSYNC | O_CLOEXEC, 0600));
    const Aligned block(kDiskBlock);
    const bool works = fd && block.memory != nullptr && write_all(fd.get(), 0, block.view(kDiskBlock)) == 0;
    ::unlinkat(folder_.get(), name, 0);
    return works;
}

std::string PosixDisk::description() const {
    if (options_.read_only) return "read only";
    const std::string threads = std::to_string(options_.writers) + " threads";
    if (direct_) return "direct durable writes on " + threads;
    return "writes with fdatasync on " + threads + (options_.direct ? " (the file system refuses O_DIRECT)" : "");
}

Error PosixDisk::error(const std::string& name, const char* did, int number) const {
    return Error{code_of(number), directory_ + "/" + name + ": " + did + " failed: " + words(number)};
}

Result<> PosixDisk::lock() {
    if (lock_) return {};  // ours already
    UniqueFd fd(::openat(folder_.get(), "lock", O_CREAT | O_RDWR | O_CLOEXEC, 0600));
    if (!fd) return error("lock", "opening", errno);
    if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK) return error("lock", "locking", errno);
        char text[32] = {};
        const ssize_t got = ::pread(fd.get(), text, sizeof text - 1, 0);
        const std::string holder(trim({text, got > 0 ? static_cast<std::size_t>(got) : 0}));
        return Error{ErrorCode::conflict, "data directory " + directory_ + " is in use by process " +
                                              (holder.empty() ? "(unknown)" : holder) +
                                              ": stop that one, or name another directory"};
    }
    const std::string pid = std::to_string(::getpid()) + "\n";
    if (::ftruncate(fd.get(), 0) != 0) return error("lock", "writing", errno);
    if (const int failed = write_all(fd.get(), 0, std::as_bytes(std::span(pid)))) {
        return error("lock", "writing", failed);
    }
    lock_ = std::move(fd);
    return {};
}

Result<> PosixDisk::make_folders(const std::string& name) {
    for (std::size_t at = name.find('/'); at != std::string::npos; at = name.find('/', at + 1)) {
        const std::string folder = name.substr(0, at);
        if (::mkdirat(folder_.get(), folder.c_str(), 0700) != 0) {
            if (errno == EEXIST) continue;
            return error(folder, "making the folder", errno);
        }
        if (auto synced = sync_folder(folder); !synced) return synced;
    }
    return {};
}

Result<> PosixDisk::sync_folder(const std::string& name) const {
    const std::size_t slash = name.rfind('/');
    const std::string folder = slash == std::string::npos ? "." : name.substr(0, slash);
    UniqueFd fd(::openat(folder_.get(), folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!fd || ::fsync(fd.get()) != 0) return error(folder, "syncing the folder", errno);
    return {};
}

Result<> PosixDisk::fill(const std::string& name, int fd, std::uint64_t bytes, std::span<const std::byte> head) {
    if (const int failed = bytes == 0 ? 0 : ::posix_fallocate(fd, 0, static_cast<off_t>(bytes))) {
        Error what = error(name, "allocating", failed);
        if (failed == ENOSPC || failed == EDQUOT) {
            auto free = free_bytes();
            what.what +=
                ": " + human_bytes(bytes) + " are needed" + (free ? ", " + human_bytes(*free) + " are free" : "");
            if (free && *free < bytes) what.what += ", " + human_bytes(bytes - *free) + " are missing";
        }
        return what;
    }
    // Zeros are written, not only allocated: a first write into unwritten extents would change the file's
    // metadata and cost a journal commit of the file system each time.
    const Aligned zeros(DiskGovernor::kPieceBytes);
    if (zeros.memory == nullptr) return error(name, "allocating memory", ENOMEM);
    UniqueFd direct;
    if (direct_ && bytes % kDiskBlock == 0) {
        direct.reset(::open(("/proc/self/fd/" + std::to_string(fd)).c_str(), O_RDWR | O_DIRECT | O_CLOEXEC));
    }
    for (std::uint64_t at = 0; at < bytes; at += zeros.size) {
        const auto piece = zeros.view(static_cast<std::size_t>(std::min<std::uint64_t>(zeros.size, bytes - at)));
        const bool paced = options_.governor && options_.governor->before(piece.size(), DiskGovernor::Lane::segment);
        int failed = write_all(direct ? direct.get() : fd, at, piece);
        if (failed == 0 && paced && !direct) failed = push_range(fd, at, at + piece.size());
        if (failed != 0) return error(name, "zeroing", failed);
    }
    if (const int failed = write_all(fd, 0, head)) return error(name, "writing", failed);
    if (::fsync(fd) != 0) return error(name, "syncing", errno);
    return {};
}

Result<> PosixDisk::create(const std::string& name, std::uint64_t bytes, std::span<const std::byte> head) {
    if (auto made = make_folders(name); !made) return made;
    const std::string temporary = name + kTemporary;
    UniqueFd fd(::openat(folder_.get(), temporary.c_str(), O_CREAT | O_TRUNC | O_RDWR | O_CLOEXEC, 0600));
    if (!fd) return error(temporary, "creating", errno);
    if (auto filled = fill(name, fd.get(), bytes, head); !filled) {
        ::unlinkat(folder_.get(), temporary.c_str(), 0);
        return filled;
    }
    // A link, unlike a rename, never replaces.
    if (::linkat(folder_.get(), temporary.c_str(), folder_.get(), name.c_str(), 0) != 0) {
        const int failed = errno;
        ::unlinkat(folder_.get(), temporary.c_str(), 0);
        return error(name, "creating", failed);
    }
    ::unlinkat(folder_.get(), temporary.c_str(), 0);
    return sync_folder(name);
}

Result<UniqueFd> PosixDisk::open_shared(const std::string& name, int flags) const {
    for (;;) {
        UniqueFd fd(::openat(folder_.get(), name.c_str(), flags | O_CLOEXEC));
        if (!fd) return error(name, "opening", errno);
        // Blocks only while a remover, which had the name away before, cuts the file.
        while (::flock(fd.get(), LOCK_SH) != 0) {
            if (errno != EINTR) return error(name, "locking", errno);
        }
        struct stat info{};
        if (::fstat(fd.get(), &info) != 0) return error(name, "looking at it", errno);
        if (info.st_nlink != 0) return fd;
    }
}

Result<Disk::FileNo> PosixDisk::keep(std::shared_ptr<File> file) {
    const std::lock_guard lock(mutex_);
    const FileNo number = next_++;
    files_.emplace(number, std::move(file));
    return number;
}

std::shared_ptr<PosixDisk::File> PosixDisk::file(FileNo number) const {
    const std::lock_guard lock(mutex_);
    const auto found = files_.find(number);
    return found == files_.end() ? nullptr : found->second;
}

Result<Disk::FileNo> PosixDisk::open(const std::string& name) {
    auto fd = open_shared(name, options_.read_only ? O_RDONLY : O_RDWR);
    if (!fd) return fd.error();
    auto opened = std::make_shared<File>();
    opened->name = directory_ + "/" + name;
    opened->buffered = std::move(*fd);
    opened->want_direct = direct_;
    opened->governor = options_.governor;
    return keep(std::move(opened));
}

Result<> PosixDisk::close(FileNo number) {
    std::shared_ptr<File> closed;  // destroyed outside the lock: it may have blocks to give back
    const std::lock_guard lock(mutex_);
    const auto found = files_.find(number);
    if (found == files_.end()) return Error{ErrorCode::invalid, "close: no such file is open"};
    closed = std::move(found->second);
    files_.erase(found);
    return {};
}

Result<std::uint64_t> PosixDisk::size(FileNo number) const {
    const auto found = file(number);
    struct stat info{};
    if (!found) return Error{ErrorCode::invalid, "size: no such file is open"};
    if (::fstat(found->buffered.get(), &info) != 0) {
        return Error{code_of(errno), found->name + ": looking at it failed: " + words(errno)};
    }
    return static_cast<std::uint64_t>(info.st_size);
}

Result<> PosixDisk::write_durable(FileNo number, std::uint64_t offset, std::span<const std::byte> block,
                                  std::uint64_t tag, std::shared_ptr<const void> owner) {
    auto found = file(number);
    if (!found || !writers_) return Error{ErrorCode::invalid, "write: no such file is open for writing"};
    writers_->start({std::move(found), offset, block, tag, std::move(owner)});
    return {};
}

void PosixDisk::completed(std::vector<Completion>& into) {
    if (writers_) writers_->completed(into);
}

void PosixDisk::on_completion(std::function<void()> wake) {
    if (writers_) writers_->on_completion(std::move(wake));
}

Result<> PosixDisk::write_now(FileNo number, std::uint64_t offset, std::span<const std::byte> bytes) {
    const auto found = file(number);
    if (!found) return Error{ErrorCode::invalid, "write: no such file is open"};
    std::string failed = found->write(offset, bytes);
    if (!failed.empty()) return Error{ErrorCode::corrupt, std::move(failed)};
    return {};
}

Result<std::size_t> PosixDisk::read(FileNo number, std::uint64_t offset, std::span<std::byte> into) const {
    const auto found = file(number);
    if (!found) return Error{ErrorCode::invalid, "read: no such file is open"};
    std::size_t done = 0;
    while (done < into.size()) {
        const auto rest = into.subspan(done);
        const ssize_t got = ::pread(found->buffered.get(), rest.data(), rest.size(), static_cast<off_t>(offset + done));
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) {
            return Error{ErrorCode::corrupt,
                         found->name + ": reading at " + std::to_string(offset + done) + " failed: " + words(errno)};
        }
        if (got == 0) break;
        done += static_cast<std::size_t>(got);
    }
    return done;
}

void PosixDisk::will_read(FileNo number, std::uint64_t offset, std::uint64_t bytes) const {
    const auto found = file(number);
    if (!found) return;
    ::posix_fadvise(found->buffered.get(), static_cast<off_t>(offset), static_cast<off_t>(bytes), POSIX_FADV_WILLNEED);
}

Result<std::shared_ptr<const Disk::Mapping>> PosixDisk::map(const std::string& name) const {
    auto fd = open_shared(name, O_RDONLY);
    if (!fd) return fd.error();
    struct stat info{};
    if (::fstat(fd->get(), &info) != 0) return error(name, "looking at it", errno);
    const auto size = static_cast<std::size_t>(info.st_size);
    void* at = nullptr;
    if (size != 0) {
        at = ::mmap(nullptr, size, PROT_READ, MAP_SHARED, fd->get(), 0);
        if (at == MAP_FAILED) return error(name, "mapping", errno);
    }
    return std::make_shared<const PosixMapping>(std::move(*fd), at, size);
}

Result<> PosixDisk::replace(const std::string& name, std::span<const std::byte> bytes) {
    if (auto made = make_folders(name); !made) return made;
    const std::string temporary = name + kTemporary;
    UniqueFd fd(::openat(folder_.get(), temporary.c_str(), O_CREAT | O_TRUNC | O_RDWR | O_CLOEXEC, 0600));
    if (!fd) return error(temporary, "creating", errno);
    int failed = write_all(fd.get(), 0, bytes);
    if (failed == 0 && ::fsync(fd.get()) != 0) failed = errno;
    if (failed != 0) {
        ::unlinkat(folder_.get(), temporary.c_str(), 0);
        return error(temporary, "writing", failed);
    }
    return rename(temporary, name);
}

Result<Disk::FileNo> PosixDisk::start(const std::string& name) {
    if (auto made = make_folders(name); !made) return made.error();
    auto started = std::make_shared<File>();
    started->name = directory_ + "/" + name;
    started->buffered.reset(::openat(folder_.get(), name.c_str(), O_CREAT | O_TRUNC | O_RDWR | O_CLOEXEC, 0600));
    if (!started->buffered) return error(name, "creating", errno);
    if (::flock(started->buffered.get(), LOCK_SH) != 0) return error(name, "locking", errno);
    return keep(std::move(started));
}

Result<> PosixDisk::append(FileNo number, std::span<const std::byte> bytes) {
    const auto found = file(number);
    if (!found) return Error{ErrorCode::invalid, "append: no such file is open"};
    while (!bytes.empty()) {
        const auto piece = bytes.first(std::min(bytes.size(), DiskGovernor::kPieceBytes));
        bytes = bytes.subspan(piece.size());
        const bool paced = options_.governor && options_.governor->before(piece.size(), DiskGovernor::Lane::other);
        int failed = write_all(found->buffered.get(), found->appended, piece);
        found->appended += piece.size();
        const bool is_due = paced && found->appended - found->pushed >= DiskGovernor::kPieceBytes;
        if (failed == 0 && is_due) failed = found->push(found->pushed + DiskGovernor::kPieceBytes);
        if (failed != 0) return Error{code_of(failed), found->name + ": appending failed: " + words(failed)};
    }
    return {};
}

Result<> PosixDisk::sync(FileNo number) {
    const auto found = file(number);
    if (!found) return Error{ErrorCode::invalid, "sync: no such file is open"};
    int failed = 0;
    // What was appended while nobody waited for the disk.
    while (failed == 0 && options_.governor && found->appended - found->pushed > DiskGovernor::kPieceBytes) {
        if (!options_.governor->before(DiskGovernor::kPieceBytes, DiskGovernor::Lane::other)) break;
        failed = found->push(found->pushed + DiskGovernor::kPieceBytes);
    }
    if (failed == 0 && ::fsync(found->buffered.get()) != 0) failed = errno;
    if (failed != 0) return Error{code_of(failed), found->name + ": syncing failed: " + words(failed)};
    found->pushed = found->appended / kDiskBlock * kDiskBlock;
    return {};
}

void PosixDisk::hurry(bool hurries) {
    if (options_.governor) options_.governor->hurry(DiskGovernor::Lane::segment, hurries);
}

Result<> PosixDisk::rename(const std::string& from, const std::string& to) {
    if (auto made = make_folders(to); !made) return made;
    if (::renameat(folder_.get(), from.c_str(), folder_.get(), to.c_str()) != 0) return error(from, "renaming", errno);
    if (auto synced = sync_folder(to); !synced) return synced;
    return sync_folder(from);
}

Result<> PosixDisk::remove(const std::string& name) {
    const UniqueFd fd(::openat(folder_.get(), name.c_str(), O_RDWR | O_CLOEXEC));
    if (!fd) return error(name, "removing", errno);
    if (::unlinkat(folder_.get(), name.c_str(), 0) != 0) return error(name, "removing", errno);
    auto synced = sync_folder(name);
    cut_down(fd.get());
    return synced;
}

Result<std::vector<std::string>> PosixDisk::list(const std::string& folder) const {
    std::vector<std::string> names;
    const int fd = ::openat(folder_.get(), folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT) return names;
    DIR* entries = fd < 0 ? nullptr : ::fdopendir(fd);
    if (entries == nullptr) return error(folder, "listing", errno);
    errno = 0;
    // The directory stream is this call's own.
    while (const dirent* entry = ::readdir(entries)) {  // NOLINT(concurrency-mt-unsafe)
        struct stat info{};
        if (::fstatat(fd, entry->d_name, &info, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(info.st_mode)) {
            names.emplace_back(entry->d_name);
        }
        errno = 0;
    }
    const int failed = errno;
    ::closedir(entries);
    if (failed != 0) return error(folder, "listing", failed);
    std::sort(names.begin(), names.end());
    return names;
}

Result<std::uint64_t> PosixDisk::free_bytes() const {
    struct statvfs info{};
    if (::fstatvfs(folder_.get(), &info) != 0) return error(".", "asking for free space", errno);
    return static_cast<std::uint64_t>(info.f_bavail) * info.f_frsize;
}

}  // namespace nostro
