#include "core/files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <iterator>
#include <system_error>

#include "core/descriptor.h"
#include "core/input_file.h"

namespace vtax {
namespace {

Error too_long(const std::string& what, std::uint64_t size, std::uint64_t limit) {
  return {what, "it has " + std::to_string(size) + " bytes, more than " + std::to_string(limit), "",
          ExitCode::usage};
}

// Fills `bytes` from the file's place; what it does not need is cut off.
template <class Container>
Result<> fill(const Descriptor& in, Container& bytes, std::size_t from, const std::string& what) {
  for (std::size_t at = from; at < bytes.size();) {
    const ssize_t got = ::read(in.get(), bytes.data() + at, bytes.size() - at);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail(system_error(what, errno));
    if (got == 0) bytes.resize(at);
    at += static_cast<std::size_t>(got);
  }
  return {};
}

template <class Container>
Result<Container> read_into(const std::filesystem::path& file, std::uint64_t limit) {
  const std::string what = "cannot read " + file.string();
  const auto opened = open_regular(file, what);
  if (!opened) return fail(opened.error());
  const Descriptor& in = *opened;
  struct stat status {};
  if (::fstat(in.get(), &status) != 0) return fail(system_error(what, errno));
  const auto size = static_cast<std::uint64_t>(status.st_size);
  if (size > limit) return fail(too_long(what, size, limit));
  Container bytes(size, {});
  if (Result<> read = fill(in, bytes, 0, what); !read) return fail(read.error());
  // Files that the kernel makes (/proc) have no size until they are read.
  constexpr std::size_t kStep = 64 << 10;
  for (std::size_t had = 0; size == 0 && bytes.size() == had; had += kStep) {
    bytes.resize(had + kStep);
    if (Result<> read = fill(in, bytes, had, what); !read) return fail(read.error());
    if (bytes.size() > limit) return fail(too_long(what, bytes.size(), limit));
  }
  return bytes;
}

}  // namespace

Result<std::vector<std::uint8_t>> read_file(const std::filesystem::path& file, std::uint64_t limit) {
  return read_into<std::vector<std::uint8_t>>(file, limit);
}

Result<std::string> read_text(const std::filesystem::path& file, std::uint64_t limit) {
  return read_into<std::string>(file, limit);
}

std::string last_lines(const std::filesystem::path& log) {
  constexpr std::size_t kMost = 2000;
  return last_bytes(log, kMost);
}

std::string last_bytes(const std::filesystem::path& log, std::size_t most) {
  std::ifstream file(log, std::ios::ate);
  const std::streamoff size = file.tellg();
  file.seekg(std::max<std::streamoff>(size - static_cast<std::streamoff>(most), 0));
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

Result<> write_file(const std::filesystem::path& file, ByteView bytes) {
  const std::string what = "cannot write " + file.string();
  std::string beside = file.string() + ".XXXXXX";
  const Descriptor out(::mkostemp(beside.data(), O_CLOEXEC));
  if (!out.valid()) return fail(system_error(what, errno));
  const auto give_up = [&] {
    const int reason = errno;
    ::unlink(beside.c_str());
    return fail(system_error(what, reason));
  };
  while (!bytes.empty()) {
    const ssize_t put = ::write(out.get(), bytes.data(), bytes.size());
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return give_up();
    bytes = bytes.subspan(static_cast<std::size_t>(put));
  }
  if (::fchmod(out.get(), 0644) != 0 || ::rename(beside.c_str(), file.c_str()) != 0) return give_up();
  return {};
}

Result<> write_text(const std::filesystem::path& file, std::string_view text) {
  return write_file(file, text_bytes(text));
}

Result<> make_directories(const std::filesystem::path& directory) {
  std::error_code error;
  std::filesystem::create_directories(directory, error);
  if (error) return fail(system_error("cannot create the directory " + directory.string(), error.value()));
  return {};
}

Result<> make_own_directory(const std::filesystem::path& directory) {
  namespace fs = std::filesystem;
  std::error_code error;
  const bool was_there = fs::exists(directory, error);
  if (auto made = make_directories(directory); !made || was_there) return made;
  fs::permissions(directory, fs::perms::group_write | fs::perms::others_write, fs::perm_options::remove,
                  error);
  return {};
}

}  // namespace vtax
