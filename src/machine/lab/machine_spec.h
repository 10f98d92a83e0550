#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "machine/parts/lab_card.h"
#include "machine/parts/qemu_finder.h"
#include "subject/trial_spec.h"

namespace vtax::lab {

// What an instruction takes of virtual time: ns / instructions, of each CPU.
struct Speed {
  std::int64_t ns = 2;
  std::int64_t instructions = 1;

  auto operator<=>(const Speed&) const = default;
};

// How the CPUs of a machine that was resumed share virtual time (docs/design/parallel-time.md).
struct ParallelTime {
  std::int64_t round = 2000;  // instructions that a CPU may be ahead of another
  Speed speed;

  auto operator<=>(const ParallelTime&) const = default;
};

// A machine's end of what joins it to others (joint.h). The descriptors are the Joint's.
struct JointEnd {
  int memory = -1;
  std::array<int, 2> sockets{-1, -1};  // of the network of the work, and of the controller's
  int seat = 0, seats = 2;
  bool is_peers = false;  // the work comes over the peer's card, in place of the system's
  std::chrono::nanoseconds latency{};

  // What vtax-parallel-time.so reads (probe/link.cpp).
  [[nodiscard]] std::string variable() const;
};

// One emulated machine, all but what runs in it. While it boots, virtual time advances by 2^icount_shift ns
// an instruction, whichever CPU executes it; once it was resumed, its CPUs work at once.
struct MachineSpec {
  Qemu qemu;
  std::filesystem::path xen;  // empty: the kernel runs on the bare machine
  std::filesystem::path kernel;
  std::filesystem::path initrd;
  std::string xen_arguments;
  std::string kernel_arguments;
  std::string date = "2026-01-01";  // at boot, as QEMU reads it
  int cpus = 3;
  int cards = 1;  // of the system, each with a wire to a peer's
  LabCard card = lab_cards().front();
  int memory_mib = 1024;
  int icount_shift = 1;
  ParallelTime time;
  bool iommu = false;              // a chipset with Intel's VT-d
  bool virtual_functions = false;  // the system's card is one with SR-IOV
  bool virtualises = false;        // its CPU lets a hypervisor run guests (AMD SVM with nested paging)
  // Of a machine that is resumed: its cards lead to other machines in place of each other.
  std::optional<JointEnd> joint = std::nullopt;
  bool real_time = false;  // runs by the host's clock, and no two runs are the same: for people
};

// The command line that is the machine; what carries data in and out of it is added by Emulator, and so is
// what boots Xen (xen_loader.h).
[[nodiscard]] std::vector<std::string> machine_arguments(const MachineSpec& spec);

}  // namespace vtax::lab
