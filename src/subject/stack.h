#pragma once

#include <array>
#include <map>
#include <string>
#include <string_view>

// What a machine of the lab boots: the factor `stack`.
namespace vtax {

// The factor `guest_kernel`: the guests boot the kernel that their driver domain does.
inline constexpr std::string_view kSameKernel = "same";

// The kernel, hypervisor and toolstack that the measuring computer's own apt would install.
inline constexpr std::string_view kOwnDistribution = "distribution";

// A release of Debian, of whatever release the measuring computer is. Its Xen's version is a fact: a release
// keeps it. The last one is still being made, and moves.
struct DebianRelease {
  std::string_view stack;     // the factor's value
  std::string_view codename;  // the archive's suite
  std::string_view xen;       // what its toolstack speaks to
};
inline constexpr std::array kDebianReleases{
    DebianRelease{"debian-11", "bullseye", "4.14"}, DebianRelease{"debian-12", "bookworm", "4.17"},
    DebianRelease{"debian-13", "trixie", "4.20"}, DebianRelease{"debian-14", "forky", "4.20"}};

[[nodiscard]] const DebianRelease* find_debian_release(std::string_view stack);
// Whose toolstack speaks to this Xen ("4.20"); null: none is known.
[[nodiscard]] const DebianRelease* debian_release_of_xen(std::string_view version);

// One that a study describes: files of the user's in place of parts of another. Empty: not given.
struct OwnStack {
  std::string base = std::string(kOwnDistribution);  // whose the other parts are
  std::string xen;  // xen.gz, which takes the toolstack that fits it, or dist/install with its own
  std::string kernel, modules;
  std::string symbols;  // the kernel's System.map, where it keeps no table itself

  bool operator==(const OwnStack&) const = default;
};
using OwnStacks = std::map<std::string, OwnStack>;  // by the factor's value

// What a machine is made from: its stack, and whose kernel its guests boot (another stack's, or kSameKernel).
struct BootedStacks {
  std::string stack = std::string(kOwnDistribution);
  std::string guest_kernel = std::string(kSameKernel);

  auto operator<=>(const BootedStacks&) const = default;
};

// "distribution", a release, or a name for an own one: at most 40 small letters, digits and '-'.
[[nodiscard]] bool is_stack_name(std::string_view name);

}  // namespace vtax
