#pragma once

#include <cstdlib>
#include <filesystem>
#include <string>

namespace vtax {

// For machines and changed images; it goes with the object.
struct OwnFolder {
  std::filesystem::path path;
  OwnFolder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "vtax-bench-XXXXXX").string();
    if (mkdtemp(pattern.data()) != nullptr) path = pattern;
  }
  OwnFolder(const OwnFolder&) = delete;
  OwnFolder& operator=(const OwnFolder&) = delete;
  ~OwnFolder() {
    std::error_code ignored;
    if (!path.empty()) std::filesystem::remove_all(path, ignored);
  }
};

}  // namespace vtax
