#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace vtax {

// process 0: the calling thread.
[[nodiscard]] Result<> pin(pid_t process, int cpu);

// The interrupts of a PCI network device of the caller's namespace, MSI or not. Ask before the device moves
// to another namespace: /sys shows it no longer then.
[[nodiscard]] Result<std::vector<int>> interrupts_of(const std::string& device);

// The interrupts whose name, the last column of /proc/interrupts, starts with the prefix ("vif1.0"): event
// channels have no device directory.
[[nodiscard]] Result<std::vector<int>> interrupts_named(std::string_view prefix);
[[nodiscard]] std::vector<int> find_interrupts(std::string_view proc_interrupts, std::string_view prefix);

[[nodiscard]] Result<> pin_interrupts(const std::vector<int>& interrupts, int cpu);

// Processes whose name begins so, in the order of their numbers.
[[nodiscard]] std::vector<pid_t> processes_named(std::string_view prefix);

// Kernel threads whose name starts with one of the prefixes. Those bound to a CPU by the kernel are left
// alone.
[[nodiscard]] Result<int> pin_kernel_threads(const std::vector<std::string>& prefixes, int cpu);

// Unbound kernel work (workqueues) runs on this CPU only.
[[nodiscard]] Result<> pin_unbound_work(int cpu);

}  // namespace vtax
