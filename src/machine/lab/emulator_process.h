#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "core/descriptor.h"
#include "core/result.h"
#include "machine/lab/machine_spec.h"

namespace vtax::lab {

// Starts a program with exactly the descriptors in `inherited` (same numbers) and the given standard output
// and error. It dies with the calling thread. Gives its process id.
[[nodiscard]] Result<int> start_process(const Qemu& qemu, const std::vector<std::string>& arguments,
                                        const std::vector<int>& inherited, int output);

// `spec.qemu` with what is loaded before its own libraries: threads that take turns, unless the machine runs
// by the host's clock; CPUs that work at once, in one that was resumed or is counted; the mended VMRUN, where
// CPUs virtualise. The tests load something of their own behind it.
[[nodiscard]] Result<Qemu> qemu_with_libraries(const MachineSpec& spec, bool works_at_once);

// "signal 6 (Aborted)", and where the system has put a core, if it made one.
[[nodiscard]] std::string signal_text(int status, int pid);

// What a process has taken so far; 0 when it is gone.
[[nodiscard]] std::chrono::nanoseconds cpu_time_of(int pid);

struct Pipe {
  Descriptor read, write;
};
[[nodiscard]] Result<Pipe> make_pipe();

}  // namespace vtax::lab
