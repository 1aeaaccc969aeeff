#include "nostro/cli/key_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <array>
#include <cerrno>
#include <system_error>

#include "nostro/base/unique_fd.hpp"

namespace nostro {
namespace {

constexpr std::size_t kPemMax = 4096;

Error error_of(const std::string& path, std::string_view doing, int failed) {
    const ErrorCode code = failed == EEXIST   ? ErrorCode::conflict
                           : failed == ENOENT ? ErrorCode::not_found
                                              : ErrorCode::unavailable;
    return {code, fmt::format("{}: {}: {}", path, doing, std::generic_category().message(failed))};
}

}  // namespace

Result<SigningKey> make_key_file(const std::string& path) {
    const SigningKey key = SigningKey::random();
    const std::string pem = key.to_pem();
    const UniqueFd fd(::open(path.c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600));
    if (!fd) return error_of(path, "making a key", errno);
    const bool written = ::write(fd.get(), pem.data(), pem.size()) == static_cast<ssize_t>(pem.size());
    if (!written || ::fsync(fd.get()) != 0) {
        const int failed = errno;
        ::unlink(path.c_str());
        return error_of(path, "writing the key", failed);
    }
    return key;
}

Result<SigningKey> read_key_file(const std::string& path) {
    const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!fd) return error_of(path, "reading the key", errno);
    struct stat info{};
    if (::fstat(fd.get(), &info) != 0) return error_of(path, "reading the key", errno);
    if ((info.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
        return Error{ErrorCode::invalid, fmt::format("{}: others may read this key; chmod 600 it", path)};
    }
    std::array<char, kPemMax> text{};
    const ssize_t size = ::read(fd.get(), text.data(), text.size());
    if (size < 0) return error_of(path, "reading the key", errno);
    auto key = SigningKey::from_pem({text.data(), static_cast<std::size_t>(size)});
    if (!key) {
        return Error{ErrorCode::invalid,
                     fmt::format("{}: {}; `nostro keys new FILE` makes one", path, key.error().what)};
    }
    return key;
}

}  // namespace nostro
