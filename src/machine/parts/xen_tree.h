#pragma once

#include <array>
#include <filesystem>
#include <map>
#include <string>

#include "core/result.h"

namespace vtax::lab {

// What Domain-0 has of a toolstack, and in its image the folder of one that is no package's.
inline constexpr std::array kToolstackPrograms = {"xl", "xenstored", "xenconsoled", "xen-init-dom0",
                                                  "libxl-save-helper"};
inline constexpr const char* kOwnToolstack = "usr/lib/xen-own/bin/";

// A Xen of the user's: one file, or a tree as Xen's `make dist` leaves it in dist/install, of whatever
// prefix.
struct XenTree {
  std::filesystem::path hypervisor;  // xen.gz or xen
  std::map<std::string, std::filesystem::path> programs =
      {};  // of its toolstack, by name; empty: it has none
  std::map<std::string, std::filesystem::path> libraries = {};  // that the tree holds, by name
  std::string version = {};                                     // that its toolstack speaks to: "4.20"

  [[nodiscard]] bool has_toolstack() const { return !programs.empty(); }

  // A folder named `dist` serves for the `install` in it. Errors (usage): no hypervisor or several of them, a
  // toolstack of which programs are missing or there twice; what can be told of both versions is, when
  // hypervisor and toolstack are of different ones.
  [[nodiscard]] static Result<XenTree> open(const std::filesystem::path& given);
};

// The files of its toolstack by their paths in Domain-0's image: programs, and every library that one of them
// needs. Libraries of Xen's are the tree's; others the tree's, else those below `packages`, else this
// computer's. Error (usage): one is not there, or lacks a version that a file of the tree was linked with;
// both are named.
[[nodiscard]] Result<std::map<std::string, std::filesystem::path>> toolstack_files(
    const XenTree& tree, const std::filesystem::path& packages);

}  // namespace vtax::lab
