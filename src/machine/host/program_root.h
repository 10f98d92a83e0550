#pragma once

#include <cstdint>

#include "core/result.h"
#include "machine/parts/program_tree.h"

namespace vtax::host {

// What all of a trial's programs may write together, besides their files; it is memory.
inline constexpr std::uint64_t kProgramRoomBytes = 256 << 20;

// In a sandbox, before its endpoints are started: unpacks the program's files into a file system of the
// sandbox's own, with the few devices and the /proc that programs ask for, and has programs confined to it
// from then on. It goes with the sandbox. Errors: usage (too many files), io, unavailable.
[[nodiscard]] Result<> make_program_root(const lab::ProgramTree& files);

// Whether this computer lets a program be confined. Error (unavailable): what is missing.
[[nodiscard]] Result<> examine_program_confinement();

}  // namespace vtax::host
