#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "account/ledger.h"
#include "core/descriptor.h"
#include "core/result.h"
#include "machine/lab/lab_image.h"
#include "machine/lab/machine_spec.h"
#include "machine/lab/snapshot_store.h"
#include "record/trial.h"

namespace vtax::lab {

// One of the lab's machines with everything that its trials share: image, symbols, the booted machine's
// snapshot. Prepare and boot it once, then run trials from any number of threads.
class LabMachine {
 public:
  // Reads the images' symbols. `agent`: the program that is PID 1 of the image (Sources::agent). `probe`: the
  // plugin that fits `qemu`; empty: nothing is counted, and trials have no ledger.
  [[nodiscard]] static Result<std::unique_ptr<LabMachine>> prepare(LabImage image,
                                                                   const std::filesystem::path& agent,
                                                                   Qemu qemu, std::filesystem::path probe);

  // Boots the machine into the store unless it is there already.
  [[nodiscard]] Result<> boot(SnapshotStore& store, const Progress& progress);

  // Runs one trial from the snapshot. `trial` brings index, repetition and factors; the rest is filled in.
  // Errors are trial_failed, but for interrupted.
  [[nodiscard]] Result<> run(Trial& trial, const Progress& progress) const;

  [[nodiscard]] const LabImage& image() const { return image_; }
  [[nodiscard]] const MachineSpec& spec() const { return spec_; }

 private:
  LabMachine() = default;
  [[nodiscard]] Result<AddressMap> map_with_modules(
      const std::map<std::pair<std::string, std::string>, std::map<std::string, GuestAddress>>& loaded) const;
  [[nodiscard]] std::string provenance() const;

  LabImage image_;
  MachineSpec spec_;
  std::filesystem::path probe_;
  AddressMap symbols_;  // all but the modules, whose addresses each trial tells
  std::string probe_settings_;
  Descriptor snapshot_;
};

// Which machine a platform needs.
[[nodiscard]] LabKind machine_of(std::string_view platform);

// The trial's plan as the agent reads it: docs/design/architecture.md, "The plan".
[[nodiscard]] Result<std::string> plan_of(const Trial& trial);

}  // namespace vtax::lab
