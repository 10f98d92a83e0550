#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "core/result.h"
#include "machine/host/xen_toolstack.h"
#include "machine/parts/package_cache.h"
#include "platform/booted_guests.h"
#include "platform/guest_process.h"
#include "subject/platform_table.h"

namespace vtax::host {

// What a platform with a guest boots, from the lab's cache, and what that is made of.
struct GuestParts {
  GuestImage image;
  GuestProgram emulator;        // QEMU, for qemu, kvm and kvm-qemu
  XenToolstack toolstack = {};  // for Xen's platforms
  nlohmann::json provenance = nlohmann::json::object();
  std::vector<lab::InUse> in_use = {};  // nobody removes the files as long as this lives
};

// `platform`: one with guests (has_guest()). Packages are fetched and unpacked (never installed) and the
// image is built the first time; afterwards no more than this program is read. Errors: unavailable.
[[nodiscard]] Result<GuestParts> prepare_guest(PlatformId platform, lab::PackageCache& cache,
                                               const lab::TellStep& progress);

// Its image and packages alone, for another computer than this one.
[[nodiscard]] Result<GuestParts> prepare_image(PlatformId platform, lab::PackageCache& cache,
                                               const lab::TellStep& progress);

}  // namespace vtax::host
