#include "core/kernel_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "core/descriptor.h"

namespace vtax {

Result<std::string> read_kernel_file(const std::filesystem::path& path) {
  const Descriptor fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  std::array<char, 4096> buffer{};
  const ssize_t size = fd.valid() ? read(fd.get(), buffer.data(), buffer.size()) : -1;
  if (size < 0) return fail(system_error("cannot read " + path.string(), errno));
  std::string text(buffer.data(), static_cast<std::size_t>(size));
  if (!text.empty() && text.back() == '\n') text.pop_back();
  return text;
}

Result<> write_kernel_file(const std::filesystem::path& path, std::string_view value) {
  const Descriptor fd(open(path.c_str(), O_WRONLY | O_CLOEXEC));
  if (!fd.valid() || write(fd.get(), value.data(), value.size()) != static_cast<ssize_t>(value.size())) {
    return fail(system_error(fmt::format("cannot write '{}' to {}", value, path.string()), errno));
  }
  return {};
}

}  // namespace vtax
