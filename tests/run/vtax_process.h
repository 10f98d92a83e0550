#pragma once

#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "tests/lab/lab_bench.h"

namespace vtax {

// A cache of its own for a test: packages are the real cache's, images and booted machines are not. Its path
// is in the command line of every QEMU that is started from it, by which they are found.
class OwnCache {
 public:
  OwnCache();
  [[nodiscard]] const std::filesystem::path& path() const { return folder_.path(); }
  // Processes that name this cache in their command line, vtax itself not counted.
  [[nodiscard]] std::vector<pid_t> emulators() const;
  // The same after they have had the time that a killed process needs.
  [[nodiscard]] bool emulators_are_gone() const;

 private:
  lab::Folder folder_;
};

// The built vtax, running in a directory of the test's.
class VtaxProcess {
 public:
  VtaxProcess(const std::vector<std::string>& arguments, const OwnCache& cache,
              const std::filesystem::path& directory);
  VtaxProcess(const VtaxProcess&) = delete;
  VtaxProcess& operator=(const VtaxProcess&) = delete;
  ~VtaxProcess();

  void signal(int number) const;
  // The exit code, or 128 + signal; nothing when it is still running after `limit`.
  std::optional<int> wait(std::chrono::milliseconds limit);
  [[nodiscard]] std::string output() const;  // both streams

 private:
  pid_t pid_ = -1;
  std::filesystem::path log_;
  std::optional<int> code_;
};

}  // namespace vtax
