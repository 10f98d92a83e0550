#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "core/result.h"
#include "machine/lab/lab_machine.h"
#include "machine/parts/lab_image.h"
#include "record/trial.h"
#include "subject/stack.h"

namespace vtax::lab {

// An image by its kind, what it is made from, and what it holds for its workload.
struct ImageName {
  PlatformId kind = PlatformId::native;
  BootedStacks stacks;
  WorkloadFiles workload;

  // Of the machine that boots it.
  [[nodiscard]] static ImageName of(const MachineKind& machine) {
    return {
        machine.image, {machine.shape.stack, machine.shape.guest_kernel}, WorkloadFiles::of(machine.shape)};
  }
  auto operator<=>(const ImageName&) const = default;
};

// What the counts of a run depend on besides its settings, by content: runs of the same settings and the same
// identity count the same.
struct LabIdentity {
  // JSON object: hashes of vtax itself and of the parts beside it that QEMU loads (XXH3), QEMU with its
  // packages or its program's hash, the packages of each set with version and SHA-256, and the SHA-256 of the
  // user's own files ("own kernel", "own modules", "own xen").
  std::string json;
  std::map<ImageName, std::string> images;  // LabImage::hash
};

// Of the images that these trials need. Packages that are not there are fetched; nothing is built or booted.
// `sources` and `stacks`: as sources_of_stack() has them. Errors: those of the user's own files, no network,
// no QEMU.
[[nodiscard]] Result<LabIdentity> identify_lab(const std::vector<Trial>& trials, const Sources& sources,
                                               const OwnStacks& stacks, const TellStep& progress);

}  // namespace vtax::lab
