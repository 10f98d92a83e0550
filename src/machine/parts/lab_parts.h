#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "core/result.h"
#include "machine/parts/qemu_finder.h"

namespace vtax::lab {

// What is loaded into QEMU besides the probe, before its own libraries.
inline constexpr const char* kTurns = "vtax-turns.so";  // docs/design/probe.md, "Threads that take turns"
inline constexpr const char* kParallelTime = "vtax-parallel-time.so";  // docs/design/parallel-time.md
inline constexpr const char* kVmrun = "vtax-vmrun.so";                 // docs/design/qemu-svm.md

inline constexpr std::string_view kVmrunChange =
    "qemu: an interrupt that a hypervisor injects reaches its guest once (vtax-vmrun.so)";

// A file of the lab's, beside vtax itself or in ../lib/vtax. Error: unavailable.
[[nodiscard]] Result<std::filesystem::path> find_lab_part(const std::string& name);

// The probe for this QEMU: vtax-probe-v1.so (plugin interface 1: QEMU 8.2) or vtax-probe-v4.so (QEMU 10 and
// later). Same places, same error.
[[nodiscard]] Result<std::filesystem::path> find_probe(const Qemu& qemu);

}  // namespace vtax::lab
