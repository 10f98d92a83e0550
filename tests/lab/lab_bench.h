#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "machine/lab/lab_machine.h"
#include "machine/parts/lab_parts.h"

namespace vtax {

// How GoogleTest names a parameter.
inline void PrintTo(PlatformId kind, std::ostream* out) {
  *out << name_of(kind);
}

}  // namespace vtax

namespace vtax::lab {

// What this computer offers the lab's tests, found as the product finds it, but without fetching: a computer
// without QEMU or the packages skips these tests and says so.
class LabBench {
 public:
  static LabBench& get();

  // Empty, or why the tests that need this kind of machine are skipped.
  [[nodiscard]] std::string missing(PlatformId kind) const;

  [[nodiscard]] LabImage image(PlatformId kind, const MachineShape& shape = {});
  [[nodiscard]] const Qemu& qemu() const { return *qemu_; }
  [[nodiscard]] const std::filesystem::path& probe() const { return probe_; }
  [[nodiscard]] const std::filesystem::path& agent() const { return agent_; }

  // Booted into the cache's own store, so that a build of vtax boots each kind once for all tests. Kept.
  [[nodiscard]] const LabMachine& machine(PlatformId kind, const MachineShape& shape = {});

  // A machine with its own store, probe (or none) and QEMU.
  [[nodiscard]] std::unique_ptr<LabMachine> another(PlatformId kind, const std::filesystem::path& store,
                                                    const std::filesystem::path& probe, const Qemu& qemu,
                                                    const MachineShape& shape = {});
  [[nodiscard]] std::unique_ptr<LabMachine> another(PlatformId kind, const std::filesystem::path& store,
                                                    const std::filesystem::path& probe) {
    return another(kind, store, probe, *qemu_);
  }

  // The trial of these factors as this process measured it first: for tests that ask different things of one
  // cell. Who asks whether a rerun is the same lets the machine run it. A failure is the calling test's, and
  // in `error`.
  [[nodiscard]] Trial measured(const std::map<std::string, std::string>& factors);
  // The same as the machine runs it now.
  [[nodiscard]] Trial measured_anew(const std::map<std::string, std::string>& factors);

  // The file of the booted machine as it is in the store, copied into another store.
  [[nodiscard]] std::filesystem::path copy_of_booted(PlatformId kind, const std::filesystem::path& store);

  [[nodiscard]] std::filesystem::path store() const { return cache_->directory() / "machines"; }

 private:
  LabBench();

  std::string missing_;
  std::filesystem::path agent_, probe_;
  std::optional<PackageCache> cache_;
  std::optional<Qemu> qemu_;
  std::map<MachineKind, std::unique_ptr<LabMachine>> machines_;
  std::map<std::map<std::string, std::string>, Trial> measured_;
};

// A folder that goes with its owner.
class Folder {
 public:
  Folder();
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder();
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

// The children of this process that are QEMUs, ended ones that nobody waited for among them.
[[nodiscard]] std::vector<int> emulators();
[[nodiscard]] inline int emulators_left() {
  return static_cast<int>(emulators().size());
}

// "Native", "XenPv", "XenPvh", "Kvm".
[[nodiscard]] std::string test_name(PlatformId kind);

inline void quiet(std::string_view) {}

}  // namespace vtax::lab

// In the body of a test: skips it with the reason.
#define NEED_LAB(kind) \
  if (const std::string why = vtax::lab::LabBench::get().missing(kind); !why.empty()) GTEST_SKIP() << why
