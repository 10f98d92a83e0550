#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "machine/parts/lab_image.h"

namespace vtax::lab {

enum class State {
  good,
  fetchable,  // not here, but the first run fetches it by itself
  missing,    // the lab cannot run; `mend` says the command
};

[[nodiscard]] std::string_view name_of(State state);

// One thing that the lab needs, or some of its machines.
struct Check {
  std::string name;  // "QEMU"
  State state = State::good;
  std::string detail;                       // what was found
  std::string mend;                         // the command that mends it; empty when nothing is to be done
  bool (*needed_by)(PlatformId) = nullptr;  // nullptr: by all
};

// Looks at this machine: cache, memory, this program, QEMU, and the packages of the kernel and of Xen.
// Changes nothing but the cache's directory, and asks apt only about what is not in the cache.
[[nodiscard]] std::vector<Check> examine_machine();

// Whether that machine can run: nothing that it needs is missing.
[[nodiscard]] bool ready(const std::vector<Check>& checks, PlatformId kind);

}  // namespace vtax::lab
