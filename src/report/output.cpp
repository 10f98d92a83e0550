#include "report/output.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <iostream>
#include <system_error>

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
    output.file_ = std::make_unique<std::ofstream>(temporary, std::ios::binary);
  }
  if (!*output.file_) return fail(system_error(output.what_, errno));
  return output;
}

std::ostream& Output::stream() {
  return file_ == nullptr ? std::cout : *file_;
}

Result<> Output::commit() {
  errno = 0;
  stream().flush();
  if (file_ != nullptr) file_->close();
  if (!stream()) return fail(system_error(what_, errno == 0 ? EIO : errno));
  if (temporary_.empty()) return {};
  if (::rename(temporary_.c_str(), place_.c_str()) != 0) return fail(system_error(what_, errno));
  temporary_.clear();
  return {};
}

Output::~Output() {
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

}  // namespace vtax
