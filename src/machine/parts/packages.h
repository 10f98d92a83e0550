#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "machine/parts/apt.h"

namespace vtax::lab {

// What the lab takes from the distribution, each set unpacked into one directory.
enum class PackageSet {
  kernel,  // the distribution's kernel with its modules
  xen,     // the newest Xen, its toolstack and the libraries that the toolstack needs
  qemu,    // QEMU with its firmware and the libraries that are not installed here
  vmm,     // the distribution's QEMU with firmware and every library: it runs the guest in the kvm machine
  device_model,  // the QEMU that serves Xen's fully virtualised guests in Domain-0, with firmware and
                 // libraries
  shell,         // a static BusyBox, for `vtax lab shell` alone
  uml,           // User Mode Linux, for the host's platform uml alone
  compiler,      // GCC's C compiler proper with its libraries, the C library's headers, and programs to
                 // compile: for the workload `compile` alone
};

[[nodiscard]] std::string_view name_of(PackageSet set);

// A set by the name under which it lies in the cache, what people are told it is, and how its packages are
// found.
struct WantedSet {
  std::string name;
  std::string told;
  std::function<Result<std::vector<Package>>(const Apt&)> resolve;
};
// Of their downloads: "50 MB", whole ones, rounded up.
[[nodiscard]] std::string readable_size(const std::vector<Package>& packages);

[[nodiscard]] WantedSet wanted_set(PackageSet set);
// A user's program: the packages that are named, by spaces, and what they need to run (no documentation, none
// of the tools by which packages are installed); without those that are named NAME-, and what only they need;
// of stripped ones the names of their functions, too, as far as apt knows the packages that hold them
// (libc6-dbg; NAME-dbgsym, of the debug archive).
[[nodiscard]] WantedSet wanted_programs(const std::string& names);

// Which packages make a set here, by asking apt: linux-image-amd64 (Debian) or linux-image-generic (Ubuntu)
// lead to the kernel, xen-hypervisor-4.N-amd64 with the largest N to Xen; libraries are the closure of
// dependencies. An error (ExitCode::unavailable) when the archive's lists are missing or do not carry it.
[[nodiscard]] Result<std::vector<Package>> resolve(PackageSet set, const Apt& apt);

// The package by which people know each of these sets, as far as apt has it: for who asks whether a set can
// be had and not what is in it, as each question to apt takes most of a second. An error when apt is missing.
[[nodiscard]] Result<std::map<PackageSet, Package>> heads_of(const std::vector<PackageSet>& sets,
                                                             const Apt& apt);

}  // namespace vtax::lab
