#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace vtax::lab {

// A package as the archive's signed index describes it.
struct Package {
  std::string name;
  std::string version;
  std::string sha256;  // of the .deb file
  std::uint64_t size_bytes = 0;
  std::vector<std::string> dependencies = {};  // names; of alternatives the first
};

// The machine's apt, asked through its ordinary programs and never made to install anything.
class Apt {
 public:
  Apt() = default;

  // The same with `options` alone.
  explicit Apt(std::vector<std::string> options) : options_(std::move(options)) {}

  // With `options` ("Dir::State::lists=...") on top of its own configuration; what that does not know, `base`
  // is asked.
  Apt(std::vector<std::string> options, const Apt& base)
      : options_(std::move(options)), base_(std::make_shared<const Apt>(base)) {}

  // The versions that apt would install, or, of what is installed from elsewhere, the newest that it could
  // fetch. Names that it does not know are left out.
  // An error when apt is missing.
  [[nodiscard]] Result<std::vector<Package>> show(const std::vector<std::string>& names) const;

  // Names that begin so, sorted.
  [[nodiscard]] Result<std::vector<std::string>> names(const std::string& prefix) const;

  // Downloads exactly these versions into `directory` and returns the files in the same order, each checked
  // against the index's SHA-256 (apt has checked it too; this also finds what a disk spoiled).
  [[nodiscard]] Result<std::vector<std::filesystem::path>> download(
      const std::vector<Package>& packages, const std::filesystem::path& directory) const;

  // Fetches the index; only for configurations with lists of their own.
  [[nodiscard]] Result<> update() const;

 private:
  // What apt-cache says of them; `versions`: --no-all-versions or --all-versions.
  [[nodiscard]] Result<std::string> answer(const std::vector<std::string>& names, const char* versions) const;
  [[nodiscard]] std::vector<std::string> command(std::string program,
                                                 std::vector<std::string> arguments) const;

  [[nodiscard]] Result<> download_here(const std::vector<Package>& packages,
                                       const std::filesystem::path& directory) const;

  std::vector<std::string> options_;
  std::shared_ptr<const Apt> base_;
};

// The fields of apt-cache's answer; paragraphs without a SHA256 (installed, but in no index) are left out.
[[nodiscard]] std::vector<Package> parse_packages(std::string_view answer);

// Unpacks without installing: no script of the package runs.
[[nodiscard]] Result<> unpack(const std::filesystem::path& deb, const std::filesystem::path& directory);

}  // namespace vtax::lab
