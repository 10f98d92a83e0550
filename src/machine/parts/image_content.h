#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "core/result.h"
#include "machine/parts/cpio.h"
#include "machine/parts/lab_image.h"
#include "machine/parts/module_list.h"

namespace vtax::lab {

// The initramfs of each kind of domain, as the agent expects to find it (docs/design/lab-image.md):
//   /init          the agent
//   /lab/role      "native", "dom0", "kvm" or "guest"
//   /lab/modules   paths of modules, one a line, in loading order; likewise /lab/nat-modules,
//                  /lab/balloon-modules, /lab/giver-modules, /lab/driver-modules, /lab/function-modules
//                  and /lab/macvtap-modules
//   /lab/disk-modules  likewise, those for a disk, with parameters behind the path
// and where there is a guest its kernel and image, with what runs it: Xen's toolstack, or QEMU for KVM.
struct Domain {
  std::string role;
  std::vector<std::string> modules;        // wanted; what they need comes with them
  std::vector<std::string> optional = {};  // a kernel of the user's may lack them: what needs them then fails
  std::vector<std::string> nat = {};       // likewise; loaded only where addresses are translated
  std::vector<std::string> disk = {};      // likewise, loaded only for trials that have a disk
  std::vector<std::string> balloon = {};   // likewise, only where its balloon is blown up
  std::vector<std::string> giver = {};     // likewise, only where it gives its cards to driver domains
  std::vector<std::string> driver = {};    // likewise, only where it is such a domain
  std::vector<std::string> functions = {};  // likewise, only where guests have functions of a card
  bool has_card = false;                    // of the lab's (lab_card.h), whose modules are loaded first
  std::vector<std::string> macvtap = {};    // as `nat`, only where guests have macvtaps
};

// Its optional modules with those of the card that this kernel drives, if any.
[[nodiscard]] std::vector<std::string> with_card(const Domain& domain, const ModuleTree& kernel);

// What the machine boots, and what that runs as its guest (nullptr: nothing).
[[nodiscard]] const Domain& first_domain(PlatformId kind);
[[nodiscard]] const Domain* guest_domain(PlatformId kind);

// What all domains have. `disk_modules`: those besides `modules`.
[[nodiscard]] CpioArchive base_image(const std::string& role, const std::vector<Module>& modules,
                                     const std::vector<std::uint8_t>& agent,
                                     const std::vector<Module>& disk_modules = {});

// Modules that are there, but loaded only by the trials and machines that need them: `list` is the file that
// names them.
void add_more_modules(CpioArchive& image, const std::string& list, const std::vector<Module>& modules);

// Xen's toolstack from the unpacked packages: programs, and every library that one of them needs
// (DT_NEEDED, through all levels), at the paths at which they look for each other.
[[nodiscard]] Result<> add_toolstack(CpioArchive& image, const std::filesystem::path& packages);

// Xen's device model from the unpacked packages, where the toolstack looks for it, with the firmware of its
// guests, and hvmloader from Xen's.
[[nodiscard]] Result<> add_device_model(CpioArchive& image, const std::filesystem::path& packages,
                                        const std::filesystem::path& xen_packages);

// QEMU from the unpacked packages, likewise, with the firmware that a PC guest needs in /usr/share/vmm.
[[nodiscard]] Result<> add_vmm(CpioArchive& image, const std::filesystem::path& packages);

// lab/compile: GCC's C compiler proper, programs to compile, and the headers that they include.
[[nodiscard]] Result<> add_compiler(CpioArchive& image, const std::filesystem::path& packages);

}  // namespace vtax::lab
