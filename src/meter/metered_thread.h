#pragma once

#include <map>
#include <string>
#include <vector>

#include "meter/cpu_reading.h"
#include "platform/platform.h"

namespace vtax::meter {

// What a thread of the trial is.
enum class ThreadKind { host, partner, virtual_cpu, kvm_cpu, emulator, uml_kernel, uml_program };

// The metered process that this one is or descends from; null: it is not the trial's. Numbers below zero are
// of processes outside of the sandbox (cpu_reading.h).
[[nodiscard]] const MeteredProcess* owner_of(int process, const std::vector<MeteredProcess>& all,
                                             const std::map<int, int>& parents);

// QEMU names its virtual CPUs' threads.
[[nodiscard]] ThreadKind kind_of(const ThreadTime& thread, const MeteredProcess& owner);

// Whether some process runs a guest.
[[nodiscard]] bool has_guest(const std::vector<MeteredProcess>& all);

}  // namespace vtax::meter
