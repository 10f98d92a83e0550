#include "workload/local/private_folder.h"

#include <cerrno>
#include <cstdlib>
#include <string>

#include "core/readable.h"

namespace vtax {

Result<PrivateFolder> PrivateFolder::make() {
  const char* const given = std::getenv("TMPDIR");
  std::string name = std::string(given != nullptr && *given != '\0' ? given : "/tmp") + "/vtax-XXXXXX";
  if (mkdtemp(name.data()) == nullptr) return fail(system_error("cannot make " + printable(name), errno));
  std::error_code unknown;
  const auto whole = std::filesystem::absolute(name, unknown);
  return PrivateFolder(unknown ? std::filesystem::path(name) : whole);
}

PrivateFolder::PrivateFolder(PrivateFolder&& other) noexcept : path_(std::move(other.path_)) {
  other.path_.clear();
}

PrivateFolder::~PrivateFolder() {
  std::error_code ignored;
  if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
}

}  // namespace vtax
