#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>

#include "core/descriptor.h"

namespace vtax {

// Of waitpid's status: "it ended with code 3", "it was killed by signal 9 (Killed)".
[[nodiscard]] std::string end_text(int status);

// The same of a child that has ended, which stays to be waited for. Empty: it has not, or is no child.
[[nodiscard]] std::string end_of_child(pid_t process);

// A pidfd, which can be read once the process has ended. Invalid where the kernel has none (before
// Linux 5.3).
[[nodiscard]] Descriptor process_descriptor(pid_t process);

// So much of a console's end has a panic and the trace behind it.
inline constexpr std::size_t kPanicBytes = 16384;

// What a kernel said on its console as it gave up: "Kernel panic - not syncing: ...", printable, the last of
// such lines. Empty: it did not.
[[nodiscard]] std::string kernel_panic_in(std::string_view console);

}  // namespace vtax
