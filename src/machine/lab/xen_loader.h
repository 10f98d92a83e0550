#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/result.h"
#include "machine/lab/machine_spec.h"

namespace vtax::lab {

// Bytes at a physical address.
struct PlacedFile {
  std::uint32_t address = 0;
  std::uint64_t bytes = 0;
  std::string words;  // of a module: its name and arguments, as Xen shows them to Domain-0
};

// How Xen gets its modules. QEMU's own multiboot loader puts them low; Xen moves them to the top of memory,
// backwards and byte by byte, which under -icount takes QEMU longer than all else that Xen does at boot. So
// they are put where Xen would move them to, as a boot loader may (Multiboot 0.6.96, 3.3), and a program of
// a few instructions, which QEMU boots, names them to Xen and jumps into it.
struct XenLoader {
  std::string program;               // a multiboot image for -kernel
  std::vector<std::string> devices;  // arguments that put Xen and its modules into memory, at boot
};

// Reads the sizes of the machine's files and where its Xen begins. Errors: a file that cannot be read, a Xen
// that is none (read_xen() has looked at it before), modules that do not fit into the machine.
[[nodiscard]] Result<XenLoader> load_xen(const MachineSpec& spec);

// The program alone. `entry`: Xen's; `modules` in the order in which Xen expects them.
[[nodiscard]] std::string loader_program(std::uint32_t entry, const std::string& xen_words,
                                         const std::vector<PlacedFile>& modules);

// Places modules one below the other, each on a page of its own, as high as Xen would. Above them is memory
// that the firmware uses while it boots; a last module, "firmware", which Xen has no use for and frees, keeps
// Xen from moving the others there. Empty where they do not fit above what Xen itself takes.
[[nodiscard]] std::vector<PlacedFile> place_modules(int memory_mib, std::vector<PlacedFile> modules);

}  // namespace vtax::lab
