#pragma once

#include <string>
#include <vector>

#include "machine/lab/readiness.h"

namespace vtax::host {

// Whether one platform can run on this computer itself.
struct PlatformCheck {
  PlatformId platform = PlatformId::native;
  lab::State state = lab::State::good;
  std::string detail;  // what was found, or why not
  std::string mend;    // the command that mends it; empty when nothing is to be done, or nothing can be
};

// Whether the platform has a guest of its own, which needs a tap and an image.
[[nodiscard]] bool has_guest(PlatformId platform);

// Whether programs of the user's may run in sandboxes here. Error (unavailable): why not, and what mends it.
[[nodiscard]] Result<> examine_programs();

// When this environment variable is set, no /dev/kvm is opened, whatever is asked for.
inline constexpr char kNoKvmVariable[] = "VTAX_NO_KVM";

// Makes and ends a child with namespaces; opens no /dev/kvm.
[[nodiscard]] PlatformCheck examine_platform(PlatformId platform);
// All, with whether programs of the user's may run in them.
[[nodiscard]] std::vector<PlatformCheck> examine_platforms();

}  // namespace vtax::host
