#include "core/fast_hash.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#include <algorithm>
#include <cerrno>
#include <new>
#include <vector>

#include "core/descriptor.h"

namespace vtax {
namespace {

// Stays in a CPU's second cache between the reading and the hashing.
constexpr std::size_t kPiece = 256U << 10;

}  // namespace

void FastHash::Free::operator()(XXH3_state_s* state) const {
  XXH3_freeState(state);
}

FastHash::FastHash() : state_(XXH3_createState()) {
  if (state_ == nullptr) throw std::bad_alloc();
  XXH3_128bits_reset(state_.get());
}

void FastHash::add(ByteView bytes) {
  XXH3_128bits_update(state_.get(), bytes.data(), bytes.size());
}

std::string FastHash::hex() const {
  const XXH128_hash_t hash = XXH3_128bits_digest(state_.get());
  return fmt::format("{:016x}{:016x}", hash.high64, hash.low64);
}

Result<> add_file(FastHash& hash, int fd, std::uint64_t length, const std::string& what) {
  std::vector<std::uint8_t> piece(static_cast<std::size_t>(std::min<std::uint64_t>(kPiece, length)));
  for (std::uint64_t at = 0; at < length;) {
    const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(piece.size(), length - at));
    const ssize_t got = ::pread(fd, piece.data(), wanted, static_cast<off_t>(at));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail(system_error(what, errno));
    if (got == 0) return fail({what, "it has become shorter", "", ExitCode::io});
    hash.add(ByteView(piece).first(static_cast<std::size_t>(got)));
    at += static_cast<std::uint64_t>(got);
  }
  return {};
}

Result<std::string> fast_hash_of_file(const std::filesystem::path& file) {
  const std::string what = "cannot read " + file.string();
  const Descriptor in(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct stat status {};
  if (!in.valid() || ::fstat(in.get(), &status) != 0) return fail(system_error(what, errno));
  if (!S_ISREG(status.st_mode)) return fail({what, "it is not a file", "", ExitCode::io});
  FastHash hash;
  if (auto added = add_file(hash, in.get(), static_cast<std::uint64_t>(status.st_size), what); !added)
    return fail(added.error());
  return hash.hex();
}

}  // namespace vtax
