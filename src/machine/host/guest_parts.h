#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "core/result.h"
#include "machine/host/xen_toolstack.h"
#include "machine/lab/package_cache.h"
#include "platform/booted_guests.h"
#include "platform/guest_process.h"

namespace vtax::host {

// What a platform with a guest boots, from the lab's cache, and what that is made of.
struct GuestParts {
  GuestImage image;
  GuestProgram emulator;        // QEMU, for qemu, kvm and kvm-qemu
  XenToolstack toolstack = {};  // for Xen's platforms
  nlohmann::json provenance = nlohmann::json::object();
  std::vector<lab::InUse> in_use = {};  // nobody removes the files as long as this lives
};

// `platform`: "uml"; "qemu", "kvm" or "kvm-qemu", which boot the same image; "xen-pv" or "xen-pvh", likewise;
// "xen-hvm"; "xen-hvm-pv". Packages are fetched and unpacked (never installed) and the image is built the
// first time; afterwards no more than this program is read. Errors: unavailable.
[[nodiscard]] Result<GuestParts> prepare_guest(std::string_view platform, lab::PackageCache& cache,
                                               const lab::Progress& progress);

// Its image and packages alone, for another computer than this one.
[[nodiscard]] Result<GuestParts> prepare_image(std::string_view platform, lab::PackageCache& cache,
                                               const lab::Progress& progress);

}  // namespace vtax::host
