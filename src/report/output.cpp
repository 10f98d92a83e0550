#include "report/output.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <iostream>
#include <system_error>

#include "core/descriptor.h"
#include "core/readable.h"

namespace vtax {

Result<Output> Output::open(const std::string& path) {
  Output output;
  if (path == "-") return output;
  output.what_ = fmt::format("cannot write {}", printable(path, 200));
  std::error_code error;
  const auto status = std::filesystem::status(path, error);
  if (std::filesystem::is_directory(status)) return fail({output.what_, "it is a directory", "name a file"});
  output.place_ = path;
  errno = 0;
  if (std::filesystem::exists(status) && !std::filesystem::is_regular_file(status)) {
    output.file_ = std::make_unique<std::ofstream>(path, std::ios::binary);
  } else {
    // Through a symbolic link to the file that it means.
    if (std::filesystem::exists(status)) output.place_ = std::filesystem::canonical(path, error);
    std::string temporary = output.place_.string() + ".XXXXXX";
    const int descriptor = ::mkstemp(temporary.data());
    if (descriptor < 0) return fail(system_error(output.what_, errno));
    const mode_t mask = ::umask(0);
    ::umask(mask);
    ::fchmod(descriptor, 0666 & ~mask);
    ::close(descriptor);
    output.temporary_ = temporary;
    output.unfinished_.emplace(output.temporary_);
    output.file_ = std::make_unique<std::ofstream>(temporary, std::ios::binary);
  }
  if (!*output.file_) return fail(system_error(output.what_, errno));
  return output;
}

Result<> Output::try_place(const std::string& path) {
  // A pipe would be told that nothing comes.
  std::error_code ignored;
  const auto status = std::filesystem::status(path, ignored);
  if (path == "-" || (std::filesystem::exists(status) && !std::filesystem::is_regular_file(status) &&
                      !std::filesystem::is_directory(status)))
    return {};
  const auto output = open(path);
  return output ? Result<>() : fail(output.error());
}

std::ostream& Output::stream() {
  return file_ == nullptr ? std::cout : *file_;
}

// Which write has failed is no longer known: another one asks again, of a file whose end does not matter.
int Output::why_failed() const {
  if (errno != 0) return errno;
  if (file_ != nullptr && temporary_.empty()) return EIO;
  if (file_ == nullptr) return ::write(STDOUT_FILENO, "\n", 1) == 1 ? EIO : errno;
  const Descriptor again(::open(temporary_.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC));
  constexpr std::array<char, 1 << 16> kBlock{};
  const bool is_written = again.valid() && ::write(again.get(), kBlock.data(), kBlock.size()) ==
                                               static_cast<ssize_t>(kBlock.size());
  return is_written || errno == 0 ? EIO : errno;
}

Result<> Output::commit() {
  errno = 0;
  stream().flush();
  if (file_ != nullptr) file_->close();
  if (!stream()) return fail(system_error(what_, why_failed()));
  if (temporary_.empty()) return {};
  if (::rename(temporary_.c_str(), place_.c_str()) != 0) return fail(system_error(what_, errno));
  temporary_.clear();
  unfinished_.reset();
  return {};
}

Output::~Output() {
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

}  // namespace vtax
